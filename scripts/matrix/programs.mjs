// The programs that the matrix runs where the package is installed: each loads it, and with it the addon.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const check = `getCapabilities().then(({ native, providers }) => {
  if (!native) throw new Error(providers[0].reasons[0]);
  if (typeof beginBackup !== 'function') throw new Error('beginBackup is missing');
  console.log('works');
});
`;

/** By the name of the way in which they load it. */
export const programs = {
  CommonJS: { file: 'load.cjs', text: `const { beginBackup, getCapabilities } = require('domino-vss');\n${check}` },
  ESM: { file: 'load.mjs', text: `import { beginBackup, getCapabilities } from 'domino-vss';\n${check}` },
  worker: {
    file: 'worker.cjs',
    text: `const { Worker } = require('node:worker_threads');
new Worker(require('node:path').join(__dirname, 'load.cjs')).on('error', (error) => { throw error; });
`,
  },
};

export function writePrograms(directory) {
  for (const { file, text } of Object.values(programs)) writeFileSync(join(directory, file), text);
}

/** The compiler's settings for each way of finding modules. */
export const resolutions = {
  node16: { module: 'node16', moduleResolution: 'node16' },
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
  node10: { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' },
};

export const typedProgram = `import { beginBackup, DominoVssError, type BackupReport } from 'domino-vss';
export async function backUp(deltaDirectory: string): Promise<BackupReport> {
  const backup = await beginBackup({ deltaDirectory });
  await backup.createShadow();
  return backup.endBackup();
}
// @ts-expect-error -- the directory is missing
export const wrong = (): unknown => beginBackup({});
export const isOurs = (error: unknown): boolean => error instanceof DominoVssError;
`;
