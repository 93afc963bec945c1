// Single executables, as Node.js makes them of a bundle.

import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../setup/run.mjs';

/** Where Node.js says that a blob was put into its program (documentation of single executable applications). */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** From this version on it does without postject. */
const firstWithBuildSea = [25, 5];

/** Backs up a simulated server: the addon does its work in the single executable, and what needs a file of the package is refused. */
export const backupProgram = `const { dirname, join } = require('node:path');
const { isSea } = require('node:sea');
const { beginBackup, useAddon } = require('domino-vss');
if (!isSea()) throw new Error('this is no single executable');
if (process.argv.includes('useAddon')) useAddon(join(dirname(process.execPath), 'domino-vss.node'));
const { NOTES_INI: notesIni, PROGRAM_DIRECTORY: programDirectory, BACKUPS: home } = process.env;
async function backUp() {
  const deltaDirectory = join(home, 'deltas');
  const options = { domino: { notesIni, programDirectory }, deltaDirectory };
  const refused = await beginBackup({ ...options, isolation: 'process' }).catch(({ code }) => code);
  if (refused !== 'ERR_UNSUPPORTED') throw new Error('a process of its own was not refused: ' + refused);
  const backup = await beginBackup({ ...options, provider: 'rolling', shadowDirectory: join(home, 'shadow') });
  const { databases } = await backup.createShadow();
  const { outcome } = await backup.endBackup();
  if (outcome !== 'complete' || databases === 0) throw new Error(outcome + ', ' + databases + ' databases');
  console.log('works');
}
backUp();
`;

/** Makes a single executable of a CommonJS bundle with the Node.js of \`node\`. Answers its path. */
export async function makeExecutable({ bundle, node, version, postject, directory }) {
  mkdirSync(directory);
  copyFileSync(bundle, join(directory, 'bundle.cjs'));
  const config = { main: 'bundle.cjs', disableExperimentalSEAWarning: true };
  const [executable, file] = [join(directory, 'program'), join(directory, 'sea.json')];
  if (isAtLeast(version, firstWithBuildSea)) {
    writeFileSync(file, JSON.stringify({ ...config, output: 'program' }));
    await run(node, ['--build-sea', file], { cwd: directory });
  } else {
    writeFileSync(file, JSON.stringify({ ...config, output: 'program.blob' }));
    await run(node, ['--experimental-sea-config', file], { cwd: directory });
    copyFileSync(node, executable);
    const args = [executable, 'NODE_SEA_BLOB', join(directory, 'program.blob'), '--sentinel-fuse', fuse];
    await run(process.execPath, [postject, ...args]);
  }
  chmodSync(executable, 0o755);
  return executable;
}

function isAtLeast(version, [major, minor]) {
  const [ownMajor, ownMinor] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
