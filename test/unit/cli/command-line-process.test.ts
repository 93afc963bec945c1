import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { libraryName } from '#lib/domino/environment';
import { linuxTest } from '../../platform';
import { FakeDomino } from '../fake-binding';

/** The command line as a separate process, without any Domino. */
const root = join(__dirname, '../../../..');
const main = join(root, 'dist/cli/main.js');
/** The variables that Node.js itself needs. */
const systemEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(SystemRoot|NODE_SKIP_PLATFORM_CHECK|PREBUILDS_ONLY)$/i.test(name)),
);
let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

function run(
  args: readonly string[],
  env: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args], {
    cwd: domino.root,
    env: { ...systemEnvironment, ...env },
    encoding: 'utf8',
  });
}

interface Document {
  readonly checks: readonly { readonly name: string; readonly status: string; readonly found: string }[];
}

linuxTest('starts itself again with the environment that Domino needs, and keeps output and exit code', () => {
  const { status, stdout } = run(['doctor', '--ini', 'data/notes.ini', '--program', 'program', '--json']);
  const { checks } = JSON.parse(stdout) as Document;
  expect(checks.find(({ name }) => name === 'environment')).toMatchObject({
    status: 'ok',
    found: 'set by the command line itself',
  });
  // The relative path of notes.ini starts at the user's working directory, not at that of the second process.
  expect(checks.find(({ name }) => name === 'notes.ini')).toMatchObject({
    status: 'ok',
    found: `${domino.notesIni}; data directory ${domino.dataDirectory}`,
  });
  // Here, the library is an empty file.
  expect(checks.find(({ name }) => name === 'library')?.status).toBe('failed');
  expect(status).toBe(4);
});

test('does not start itself again when there is nothing to gain', () => {
  const { status, stdout, stderr } = run(['doctor', '--ini', '/nowhere', '--program', '/nowhere', '--json']);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'failed' });
  expect(status).toBe(4);
});

test('a failing backup says what is missing, on the error output, with exit code 4', () => {
  const { status, stdout, stderr } = run([
    'backup',
    'run',
    '--keep-nothing',
    '--delta-dir',
    'd',
    '--program',
    'nowhere',
  ]);
  expect(status).toBe(4);
  expect(stdout).toBe('');
  expect(stderr).toContain(
    `ERR_DOMINO_LIBRARY: ${libraryName} not found; looked for: ${join(domino.root, 'nowhere', libraryName)}`,
  );
});

// The second command ends in the turn in which it writes.
linuxTest.each([
  ['--help', [] as string[]],
  ['backup', ['list', '--delta-dir', __dirname, '--json']],
])('output on a full disk is an error with exit code 1, not a crash: %s', (command, more) => {
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = spawnSync(process.execPath, [main, command, ...more], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expect(stderr).toBe(
      'failed ERR_NO_SPACE: the output is not complete: ENOSPC: no space left on device, write\n' +
        '  what to do: Free space on the file system of this file, or choose another directory.\n',
    );
    expect(status).toBe(1);
  } finally {
    closeSync(full);
  }
});

linuxTest('output whose reader has gone is told, and changes nothing of what is done', async () => {
  const child = spawn(process.execPath, [main, '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: systemEnvironment,
  });
  // Node.js needs longer to start than this takes.
  child.stdout.destroy();
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [status] = (await once(child, 'close')) as [number | null];
  expect(errors).toBe(
    'warning WARN_OUTPUT_UNREAD: the output was not read to its end (EPIPE); the command has done its work nevertheless\n',
  );
  expect(status).toBe(0);
});

linuxTest('a log that cannot be written stops no script, but is no success', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'script', '--check', '--log', '/dev/full'], {
    input: 'set verbose on\n',
    encoding: 'utf8',
    env: systemEnvironment,
  });
  expect(stderr).toBe(
    "warning ERR_NO_SPACE: the log is not complete: ENOSPC: no space left on device, write '/dev/full'\n",
  );
  expect(stdout).not.toBe('');
  expect(status).toBe(1);
});

/** Waits until a process has a handler of its own for a signal. */
async function untilCaught(pid: number, signal: NodeJS.Signals): Promise<void> {
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  const caught = (): bigint =>
    BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!}`);
  while ((caught() & bit) === 0n) await sleep(5);
}

linuxTest.each(['SIGQUIT', 'SIGHUP', 'SIGTERM'] as const)(
  '%s is an interrupt, and SIGUSR1 opens no debugger',
  async (signal) => {
    // It waits for input, so the process exists for as long as the test needs it.
    const child = spawn(process.execPath, [main, 'script', '--check'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: systemEnvironment,
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    // Node.js itself catches some signals from the beginning, but not this one.
    await untilCaught(child.pid!, 'SIGHUP');
    child.kill('SIGUSR1');
    child.kill(signal);
    const [status] = (await once(child, 'exit')) as [number | null];
    expect(errors).not.toContain('Debugger');
    expect(errors).toContain(`${signal}: stopping`);
    expect(status).toBe(130);
  },
);

linuxTest('a umask that takes rights from the owner does not apply to what is made', () => {
  const log = join(domino.root, 'umask.log');
  const command = ['backup', 'prune', '--delta-dir', domino.root, '--keep-last', '1', '--dry-run', '--log', log];
  const { status, stderr } = spawnSync('sh', ['-c', 'umask 777; exec "$0" "$@"', process.execPath, main, ...command], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(statSync(log).mode & 0o777).toBe(0o600);
});
