// Sets up what the story (scripts/demo/story.mjs) needs, and tells it here or under Wine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { tellUnderWine } from './demo/windows.mjs';
import { root, setUpOrExit } from './setup.mjs';
import { parseOptions } from './setup/options.mjs';

const usage = `Usage: npm run demo -- [--databases=N] [--directory=DIR] [--windows]

A simulated Domino under load, a backup, a destroyed database, its restore, and the proof that all is as it was.

  --databases=N      how many databases, 1 to 99999 (default 200, with --windows 40)
  --directory=DIR    where, and so on which file system: that decides the provider (default the directory for temporary files)
  --windows          with VSS, in Windows Node.js under Wine`;

const { windows, databases, directory } = parseOptions(usage, {
  options: { databases: { type: 'string' }, directory: { type: 'string' }, windows: { type: 'boolean' } },
  check: findFault,
}).values;
if (windows) {
  await setUpOrExit(['lib', 'windows-addon', 'windows-simulator', 'windows-vss']);
  process.exitCode = await tellUnderWine(Number(databases ?? 40));
} else {
  await setUpOrExit(['native', 'lib', 'simulator']);
  const story = join(root, 'scripts', 'demo', 'story.mjs');
  const args = [story, databases ?? '200', resolve(directory ?? tmpdir())];
  // Of Ctrl-C the story hears as well; it cleans up and says so.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close');
  process.exitCode = code ?? 1;
}

function findFault({ values: { windows, databases, directory } }) {
  if (databases !== undefined && !/^[1-9]\d{0,4}$/.test(databases)) return `--databases=${databases} is no such number`;
  if (directory === undefined) return undefined;
  if (windows) return '--directory has no meaning with --windows: the story is told on drive C: of Wine';
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return `--directory=${directory} is no directory`;
  try {
    accessSync(directory, constants.W_OK);
  } catch {
    return `--directory=${directory}: this user may not write there`;
  }
  return undefined;
}
