import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { runCommandLine } from '#lib/cli/program';
import type { CommandLineContext } from '#lib/cli/context';
import type { NativeBinding } from '#lib/native/session';
import { FakeDomino } from '../fake-binding';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-input-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

async function run(
  args: readonly string[],
  stdin: NonNullable<CommandLineContext['stdin']>,
  loadBinding = (): NativeBinding => {
    throw new Error('must not be needed');
  },
  signal = new AbortController().signal,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCommandLine(['script', ...args], {
    loadBinding,
    stdin,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    workingDirectory: directory,
    signal,
    relaunch: () => Promise.resolve(undefined),
  });
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

const text = 'set context persistent nowriters\r\nadd volume d:\r\ncreate\r\nexec touch.cmd\r\ndelete shadows all\r\n';

test('--check of what comes from a pipe only says what would be done; the computer is not even asked', async () => {
  const { exitCode, stdout, stderr } = await run(['--check'], Readable.from([Buffer.from(text)]));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('would make one set of persistent shadow copies of D:\\, without writers');
  expect(stdout).toContain('would run touch.cmd');
  expect(stdout).toContain('would delete all shadow copies on this computer');
  expect(stdout).toContain('5 commands would be run');
});

test('--check finds in it what is wrong, as in a file', async () => {
  const { exitCode, stderr } = await run(['--check'], Readable.from([Buffer.from('add volume d:\ncrate\n')]));
  expect(stderr).toContain('(standard input):2:1: "crate" is not a command');
  expect(exitCode).toBe(2);
});

test('--check at a terminal is a prompt that does nothing', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const running = run(['--check'], stdin);
  stdin.end('delete shadows all\n');
  const { exitCode, stdout } = await running;
  expect(stdout).toContain('would delete all shadow copies on this computer');
  expect(exitCode).toBe(0);
});

test.each<[string, string[], object]>([
  ['what is read to its end', ['--check'], {}],
  ['a prompt', ['--check'], { isTTY: true }],
])('%s does not wait for input after an interrupt that came before it', async (_what, args, kind) => {
  const stdin = Object.assign(new PassThrough(), kind);
  expect(await run(args, stdin, undefined, AbortSignal.abort(new Error('SIGTERM')))).toMatchObject({
    exitCode: 130,
    stderr: expect.stringContaining('interrupted') as string,
  });
});

test('a file on standard input is read as a whole: with a mistake in it nothing is begun', async () => {
  const file = join(directory, 'script.txt');
  writeFileSync(file, 'delete shadows all\ncrate\n');
  const fd = openSync(file, 'r');
  try {
    const stdin = Object.assign(Readable.from([readFileSync(file)]), { fd });
    const { exitCode, stdout, stderr } = await run([], stdin);
    expect(stderr).toContain('(standard input):2:1: "crate" is not a command');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '0 commands done, 1 problem\n' });
  } finally {
    closeSync(fd);
  }
});

describe('commands of a pipe', () => {
  let domino: FakeDomino;
  const after = 'unexpose q\nset verbose on\n';

  beforeEach(() => {
    domino = new FakeDomino();
    domino.haveVss();
  });

  afterEach(() => {
    domino.destroy();
  });

  test('end with the first that fails', async () => {
    const { exitCode, stdout, stderr } = await run([], Readable.from([after]), () => domino.binding);
    expect(stderr).toContain('(prompt):1:10: "q" is neither an id nor a place\n  what to do: write q:');
    expect(stdout).not.toContain('-> set verbose on');
    expect(exitCode).toBe(2);
  });

  test('go on with --keep-going', async () => {
    const { exitCode, stdout } = await run(['--keep-going'], Readable.from([after]), () => domino.binding);
    expect(stdout).toContain('-> set verbose on');
    expect(exitCode).toBe(2);
  });
});
