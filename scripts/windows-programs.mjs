// The tests for Windows that are no Jest files: programs that are run under Wine and count themselves.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setUp } from './setup.mjs';

/** Each of them takes half a minute or more under Wine, and the others reach the same code. */
const slowTestsOfDominoStandIn = ['backup_with_marks', 'parallel_backups', 'recovery', 'disaster'];
const timeoutMs = 900_000;

/**
 * `usesVss`: it needs the stand-in for VSS in the prefix, and there is one machine with one drive B:. `run` answers the
 * exit code, how many tests passed and failed, and what was printed.
 */
export const programSuites = [
  { name: 'simulator/notes', usesVss: false, run: testDominoStandIn },
  { name: 'simulator/vss', usesVss: true, run: testVssStandIn },
  { name: 'windows-native/vss', usesVss: true, run: testRequester },
  { name: 'windows-native/vtable', usesVss: true, run: testRequester },
  { name: 'windows-native/writer_table', usesVss: true, run: testRequester },
  { name: 'windows-native/cabinet', usesVss: true, run: testRequester },
  { name: 'windows-native/private_directory', usesVss: true, run: testRequester },
];

/** The programs that use nnotes.dll as programs of others do. They find each other by drive Z:, the whole file system. */
async function testDominoStandIn({ root, prefix, tier }) {
  await setUp(['windows-simulator']);
  await prefix.ensure();
  const slow = tier === 'full' ? [] : ['-E', `^(${slowTestsOfDominoStandIn.join('|')})$`];
  const args = ['--test-dir', 'simulator/build/win32-x64', '--output-on-failure', ...slow];
  const { code, output } = await printed('ctest', args, { cwd: root, env: { WINEPREFIX: prefix.directory } });
  const tests = [...output.matchAll(/^ *\d+\/\d+ Test +#\d+: \S+ (.*)$/gm)].map(([, result]) => result);
  const passed = tests.filter((result) => /^\.+ +Passed /.test(result)).length;
  return { code, passed, failed: tests.length - passed, output };
}

/** The stand-in for VSS as requesters of others use it. */
async function testVssStandIn({ root, prefix }) {
  await setUp(['windows-vss']);
  const script = join(root, 'simulator', 'test', 'vss', 'run.js');
  const args = [script, join(root, 'simulator', 'build', 'win32-x64', 'vss'), prefix.directory];
  const { code, output } = await printed(process.execPath, args, { cwd: root });
  const count = (pattern) => [...output.matchAll(pattern)].length;
  return { code, passed: count(/^ok {2,}/gm), failed: count(/^FAILED {2,}/gm), output };
}

/** The requester and what else of the engine is for Windows, without Node. */
async function testRequester({ name, prefix, results }) {
  await setUp(['windows-native-test']);
  const program = name.split('/')[1];
  const log = join(results, `${program}.log`);
  const code = await prefix.run(prefix.pathOf(`build/windows/native-test/${program}.exe`), [], {
    stdout: log,
    stderr: `${log}.err`,
    env: { WINEDLLOVERRIDES: 'vssapi=n' },
    timeoutMs,
  });
  const output = readFileSync(log, 'utf8') + readFileSync(`${log}.err`, 'utf8');
  return { code, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
}

/** What a program of this system prints. */
async function printed(command, args, { cwd, env = {} }) {
  const child = spawn(command, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Wine takes names of files for what the locale says.
    env: { ...process.env, WINEDEBUG: '-all', LC_ALL: 'C.UTF-8', ...env },
    timeout: timeoutMs,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  return { code, output };
}
