import type { CommandLineContext } from '#lib/cli/context';
import { runCommandLine } from '#lib/cli/program';
import { alreadyInProgress, fail, FakeDomino } from '../fake-binding';

/** What a command writes to the system log on request. */
let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

async function run(
  args: readonly string[],
  change: Partial<CommandLineContext> = {},
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  const err: string[] = [];
  const exitCode = await runCommandLine(args, {
    loadBinding: () => domino.binding,
    stdout: { write: () => undefined },
    stderr: { write: (text) => err.push(text) },
    env: {},
    workingDirectory: domino.root,
    signal: new AbortController().signal,
    relaunch: () => Promise.resolve(undefined),
    ...change,
  });
  return { exitCode, stderr: err.join('') };
}

const backUp = (...more: string[]): string[] => [
  ...['backup', 'run', '--delta-dir', 'delta', '--keep-nothing', '--ini', 'data/notes.ini', '--program', 'program'],
  ...more,
];
const logged = backUp('--log-system');
const fields = (): Record<string, string> => Object.fromEntries(domino.logged[0]?.fields ?? []);

test('a backup that fails is an error with its code, and its exit code is the same', async () => {
  domino.onCall = (name) =>
    name === 'capture' && fail({ code: 'ERR_SHADOW', phase: 'shadow', text: 'no\u001b[2Jroom' });
  const { exitCode } = await run(backUp());
  expect(domino.logged).toEqual([]);
  expect((await run(logged)).exitCode).toBe(exitCode);
  expect(domino.logged).toHaveLength(1);
  expect(domino.logged[0]).toMatchObject({ isError: true });
  expect(domino.logged[0]?.message).toMatch(/^domino-vss backup run failed: ERR_SHADOW: .*no\\x1b\[2Jroom/);
  expect(fields()).toMatchObject({
    DOMINO_VSS_COMMAND: 'backup run',
    DOMINO_VSS_EXIT_CODE: String(exitCode),
    DOMINO_VSS_CODE: 'ERR_SHADOW',
    DOMINO_VSS_PHASE: 'shadow',
  });
});

test('one that leaves databases out is a warning that names them', async () => {
  domino.refusing.set('mail/ada.nsf', alreadyInProgress).set('mail/bob.nsf', alreadyInProgress);
  expect((await run(logged)).exitCode).toBe(3);
  expect(domino.logged).toHaveLength(1);
  expect(domino.logged[0]?.isError).toBe(false);
  expect(domino.logged[0]?.message).toMatch(/exit code 3: mail\/ada\.nsf \(ERR_\w+\): .*, and 1 more$/);
  const lines = fields()['DOMINO_VSS_DATABASES']?.split('\n') ?? [];
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['mail/ada.nsf', 'mail/bob.nsf']);
  expect(fields()).not.toHaveProperty('DOMINO_VSS_CODE');
});

test('one that ends well writes nothing', async () => {
  expect((await run(logged)).exitCode).toBe(0);
  expect(domino.logged).toEqual([]);
});

test('what the command line refuses is told as well', async () => {
  expect((await run([...logged, '--no-such-option'])).exitCode).toBe(2);
  expect(fields()).toMatchObject({ DOMINO_VSS_CODE: 'ERR_OPTION', DOMINO_VSS_EXIT_CODE: '2' });
  await run(['no\u001bcommand', '--log-system']);
  expect(domino.logged[1]?.message).toMatch(/^domino-vss no\\x1bcommand failed: /);
});

test.each([
  ['restore', ['restore', '20260807T101530Z-3f9a2c', '--delta-dir', 'delta', '--log-system']],
  ['backup verify', ['backup', 'verify', '20260807T101530Z-3f9a2c', '--delta-dir', 'delta', '--log-system']],
  ['drill', ['drill', '20260807T101530Z-3f9a2c', '--delta-dir', 'delta', '--log-system']],
  ['backup prune', ['backup', 'prune', '--delta-dir', 'delta', '--log-system']],
])('%s tells it', async (command, args) => {
  expect((await run(args)).exitCode).toBe(2);
  expect(fields()).toMatchObject({ DOMINO_VSS_COMMAND: command, DOMINO_VSS_CODE: 'ERR_OPTION' });
});

test('only the process that has done the work tells it', async () => {
  expect((await run(logged, { relaunch: () => Promise.resolve(1) })).exitCode).toBe(1);
  expect(domino.logged).toEqual([]);
});

test('a log that refuses or does not answer changes nothing but a line on stderr', async () => {
  const failing = (name: string): unknown => name === 'capture' && fail({ code: 'ERR_SHADOW', phase: 'shadow' });
  domino.onCall = failing;
  const { exitCode } = await run(backUp());
  domino.onCall = (name) => {
    if (name === 'writeSystemLog') fail({ code: 'ERR_FILE_SYSTEM', phase: 'end', text: 'Connection refused' });
    return failing(name);
  };
  const refused = await run(logged);
  expect(refused.exitCode).toBe(exitCode);
  expect(refused.stderr).toMatch(/^warning WARN_SYSTEM_LOG: could not write to the system log: .*Connection refused/m);

  domino.onCall = (name) => (name === 'writeSystemLog' ? new Promise(() => undefined) : failing(name));
  const hanging = await run(logged);
  expect(hanging.exitCode).toBe(exitCode);
  expect(hanging.stderr).toContain('it did not answer within 5000 ms');
}, 30_000);
