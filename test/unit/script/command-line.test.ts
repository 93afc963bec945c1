import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '#lib/cli/program';
import type { NativeBinding } from '#lib/native/session';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-script-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const script = (text: string): void => {
  writeFileSync(join(directory, 'script.txt'), text);
};

/** A computer without VSS; if no call needs VSS, the addon is not even loaded. */
async function run(
  args: readonly string[],
  loadBinding = (): NativeBinding => {
    throw new Error('must not be needed');
  },
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCommandLine(['script', ...args], {
    loadBinding,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: { TARGET: 'c:\\backup' },
    workingDirectory: directory,
    signal: new AbortController().signal,
    relaunch: () => Promise.resolve(undefined),
  });
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

test.each<[string, readonly string[]]>([
  ['as an argument', ['--check', 'script.txt']],
  ['as diskshadow wants it', ['--check', '-s', 'script.txt']],
  ['as it may be written on Windows', ['--check', '/s', 'script.txt']],
  ['in capitals', ['--check', '/S', 'script.txt']],
  ['in capitals as an option', ['--check', '-S', 'script.txt']],
])('the script is named %s', async (_what, args) => {
  script('add volume d:\ncreate\nexec %TARGET%\\copy.cmd\n');
  const { exitCode, stdout, stderr } = await run(args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('would make one set of volatile shadow copies of D:\\, with writers, as a copy backup');
  expect(stdout).toContain('would run c:\\backup\\copy.cmd');
  expect(stdout).toContain('3 commands would be run');
});

test('a wrong line is reported with its place on the error output, and the computer is not queried', async () => {
  script('add volume d:\ncrate\n');
  const { exitCode, stdout, stderr } = await run(['script.txt']);
  expect(exitCode).toBe(2);
  expect(stderr).toBe(
    `${join(directory, 'script.txt')}:2:1: "crate" is not a command\n  what to do: did you mean "create"?\n`,
  );
  expect(stdout).toBe('0 commands done, 1 problem\n');
});

test.each(['-l', '--log', '/l', '-L', '/log', '-log', '/LOG'])('%s adds everything to a log', async (option) => {
  script('add volume d:\ncreate\ncreate\n');
  writeFileSync(join(directory, 'log.txt'), 'before\n');
  const args = option.startsWith('/') ? ['/s', 'script.txt', option, 'log.txt'] : ['script.txt', option, 'log.txt'];
  const { exitCode, stdout, stderr } = await run(['--check', ...args]);
  expect(exitCode).toBe(1);
  const [first, banner, ...lines] = readFileSync(join(directory, 'log.txt'), 'utf8').split('\n');
  expect([first, banner]).toEqual(['before', expect.stringMatching(/^domino-vss \d.* script on /)]);
  expect([...lines].sort()).toEqual([...stdout.split('\n'), ...stderr.trimEnd().split('\n')].sort());
});

test('--json prints one document a line', async () => {
  script('set context persistent\nadd volume d: alias data\nexpose %data% b:\nexpose %dat% b:\n');
  const { exitCode, stdout, stderr } = await run(['--check', '--json', 'script.txt']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.map(({ type }) => type)).toEqual([
    ...['command', 'command', 'command', 'note', 'plan', 'plan', 'plan', 'command', 'problem'],
  ]);
  expect(events.at(-1)).toMatchObject({ line: 4, column: 8, code: 'ERR_STATE', remedy: 'did you mean "data"?' });
});

test.each(['/?', '-?'])('%s shows the help', async (option) => {
  const { exitCode, stdout } = await run([option]);
  expect(stdout).toContain('Usage: domino-vss script');
  expect(exitCode).toBe(0);
});

test('an error that ends the command is in the log too', async () => {
  const { exitCode } = await run(['nothing.txt', '-l', 'log.txt']);
  expect(exitCode).toBe(1);
  expect(readFileSync(join(directory, 'log.txt'), 'utf8')).toMatch(/^failed ERR_FILE_SYSTEM: ENOENT/m);
});

test.each<[string, readonly string[], string]>([
  ['alone', ['D:"'], 'write D: or "D:" without a backslash'],
  ['with the rest of the line', ['--check', 'D:" --log E:\\log"'], 'the argument "D:\\" --log E:\\\\log\\"" contains'],
])('a quotation mark that Windows has swallowed is named, %s', async (_what, args, message) => {
  const { exitCode, stderr } = await run(args);
  expect(stderr).toContain('a closing quotation mark right after a backslash');
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});

test.each<[string, readonly string[], number, RegExp]>([
  ['two scripts', ['a.txt', 'b.txt'], 2, /one file too many/],
  ['a forgotten file', ['/s'], 2, /a file is missing after \/s/],
  ['a script that is not there', ['nothing.txt'], 1, /ENOENT/],
  ['a log that cannot be written', ['--check', 'script.txt', '-l', 'no/such/log'], 1, /ENOENT/],
])('%s is refused', async (_what, args, expected, message) => {
  script('create\n');
  const { exitCode, stderr } = await run(args);
  expect(stderr).toMatch(message);
  expect(exitCode).toBe(expected);
});

test('a computer without VSS is a precondition that is not met, and nothing of the script is done', async () => {
  script(`set metadata ${directory}\nadd volume d:\ncreate\n`);
  const { exitCode, stdout, stderr } = await run(['script.txt'], () => ({}) as NativeBinding);
  expect(stderr).toContain('the Volume Shadow Copy Service exists on Windows only');
  expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
  expect(readdirSync(directory)).toEqual(['script.txt']);
  expect(existsSync(join(directory, 'domino-vss'))).toBe(false);
});
