// A simulated Domino under load, a backup, a destroyed database, its restore, and the proof (scripts/demo/story.mjs).
//
//   node scripts/demo.mjs [--databases=N] [--directory=DIR]     --directory chooses the file system, and so the provider
//   node scripts/demo.mjs --windows [--databases=N]             with VSS, in Windows Node.js under Wine

import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { tellUnderWine } from './demo/windows.mjs';
import { root, setUpOrExit } from './setup.mjs';
import { run } from './setup/run.mjs';

const { windows, databases, directory } = parseArguments(process.argv.slice(2));
process.on('SIGINT', () => {
  // The story in the foreground ends by itself and cleans up.
});
if (windows) {
  await setUpOrExit(['lib', 'windows-addon', 'windows-simulator', 'windows-vss']);
  process.exitCode = await tellUnderWine(databases ?? 40);
} else {
  await setUpOrExit(['native', 'lib', 'simulator']);
  const story = join(root, 'scripts', 'demo', 'story.mjs');
  try {
    await run(process.execPath, [story, String(databases ?? 200), directory ?? tmpdir()], { show: true });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

function parseArguments(args) {
  const options = { windows: false, databases: undefined, directory: undefined };
  for (const arg of args) {
    const [name, value] = arg.split('=', 2);
    if (arg === '--windows') options.windows = true;
    else if (name === '--databases' && /^[1-9]\d{0,4}$/.test(value ?? '')) options.databases = Number(value);
    else if (name === '--directory' && value) options.directory = resolve(value);
    else {
      console.error(`unknown argument ${arg}; known are --databases=N, --directory=DIR and --windows`);
      process.exit(2);
    }
  }
  if (options.windows && options.directory !== undefined) {
    console.error('--directory has no meaning with --windows: the story is told on drive C: of Wine');
    process.exit(2);
  }
  return options;
}
