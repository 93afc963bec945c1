import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandLineContext } from '#lib/cli/context';
import { runFailureCommand } from '#lib/cli/failure-command';
import { wholeGrammar } from '#lib/cli/pages/pages';
import { FakeDomino } from '../fake-binding';
import { location, run as runIn, type Run } from './run';

let domino: FakeDomino;
/** Only its owner can write to it and to its parents: a configuration file is refused elsewhere. */
let safe: string;
const file = (): string => join(safe, 'config.json');

beforeEach(() => {
  domino = new FakeDomino();
  safe = mkdtempSync(join(tmpdir(), 'settings-'));
});

afterEach(() => {
  domino.destroy();
  rmSync(safe, { recursive: true });
});

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> =>
  runIn(domino, args, { env });
const backUp = ['backup', 'run', ...location];
function configure(values: unknown): void {
  writeFileSync(file(), typeof values === 'string' ? values : JSON.stringify(values), { mode: 0o600 });
}

test('the command line comes before the environment, and this before the configuration file', async () => {
  configure({ 'delta-dir': join(domino.root, 'a'), 'backup run': { 'delta-dir': join(domino.root, 'b'), keep: true } });
  const manifestOf = async (args: readonly string[], env: Record<string, string>): Promise<string> => {
    const { exitCode, stdout, stderr } = await run([...backUp, '--json', '--config', file(), ...args], env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return (JSON.parse(stdout) as { manifest: string }).manifest;
  };
  const fromEnvironment = { DOMINO_VSS_DELTA_DIR: join(domino.root, 'c') };
  expect(await manifestOf([], {})).toContain(join(domino.root, 'b'));
  expect(await manifestOf([], fromEnvironment)).toContain(join(domino.root, 'c'));
  expect(await manifestOf(['--delta-dir', 'd'], fromEnvironment)).toContain(join(domino.root, 'd'));
  mkdirSync(join(domino.root, 'a'));
  const listed = await run(['backup', 'list', '--json'], { DOMINO_VSS_CONFIG: file() });
  expect(listed).toMatchObject({ exitCode: 0, stdout: '[]\n' }); // what applies to all commands
  expect(await run(['backup', 'list', '--no-config'], { DOMINO_VSS_CONFIG: file() })).toMatchObject({ exitCode: 2 });
});

test('the file may begin with the byte order mark that editors of Windows write', async () => {
  configure(`\uFEFF${JSON.stringify({ 'delta-dir': join(domino.root, 'marked') })}`);
  mkdirSync(join(domino.root, 'marked'));
  const listed = await run(['backup', 'list', '--json', '--config', file()]);
  expect(listed).toMatchObject({ exitCode: 0, stdout: '[]\n' });
});

test('several values, flags and times', async () => {
  configure({ 'backup run': { include: ['mail/*', 'names.nsf'], timeout: '5m', keep: false } });
  const { stdout, exitCode } = await run([...backUp, '--json', '--config', file(), '--delta-dir', 'delta'], {
    DOMINO_VSS_EXCLUDE: 'mail/a*\nmail/b*',
    DOMINO_VSS_KEEP: 'true',
  });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ volumes: [{ kept: true }] });
  const { stdout: found } = await run(['doctor', '--json', '--config', file(), '--ini', 'data/notes.ini'], {
    DOMINO_VSS_EXCLUDE: 'mail/a*\nmail/b*',
  });
  expect((JSON.parse(found) as { settings: unknown[] }).settings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ option: 'exclude', value: ['mail/a*', 'mail/b*'], from: 'DOMINO_VSS_EXCLUDE' }),
      { option: 'timeout', value: '5m', from: file(), commands: ['backup run'] },
    ]),
  );
});

test.each<[string, unknown, string]>([
  ['an unknown option', { 'delta-directory': '/d' }, 'there is no option --delta-directory, and no command'],
  ['an option of another command', { 'backup list': { keep: true } }, '"backup list" has no option --keep'],
  [
    'an option that only a command line may have',
    { 'backup run': { json: true } },
    'no option --json that may be set here',
  ],
  ['a wrong time', { timeout: '5 parsecs' }, '--timeout, from'],
  ['a wrong choice', { provider: 'tape' }, 'Allowed choices are'],
  ['a relative path', { to: 'copies' }, 'must be an absolute path'],
  ['a text for a flag', { keep: 'yes' }, 'must be true or false'],
  ['several values of an option that takes one', { to: ['/a', '/b'] }, 'can have only one value'],
  ['a list without a value for an option that takes one', { to: [] }, 'has no value'],
  ['an object for a value', { to: { a: 1 } }, 'must be a text or a number'],
  ['no object', '[]', 'is not a JSON object'],
  ['no JSON', '{', 'is not JSON'],
])('%s in the file is refused before anything is done', async (_what, values, message) => {
  configure(values);
  const { exitCode, stderr } = await run([...backUp, '--delta-dir', 'delta', '--config', file()]);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
  expect(domino.calls).toEqual([]);
});

test('an option has one meaning in all commands that have it, and no name of those that programs are given', () => {
  const flags = new Map<string, Set<string>>();
  for (const { options } of wholeGrammar().grammar.commands) {
    for (const { names, flags: text, choices } of options) {
      const name = names.at(-1) ?? '';
      const meaning = [text.replace(/^-\w, /, ''), ...choices].join(' ');
      flags.set(name, (flags.get(name) ?? new Set()).add(meaning));
    }
  }
  expect([...flags.values()].filter(({ size }) => size > 1)).toEqual([]);
  const given =
    'addon backup-id backup-dir shadow-roots volumes files databases command exit-code message code phase retryable';
  expect(given.split(' ').filter((name) => flags.has(`--${name}`))).toEqual([]);
});

test.each(['shadow delete', 'release'])('what %s takes away is said on the command line alone', async (command) => {
  configure({ volume: 'D:', 'backup run': { volume: 'D:' } });
  const env = { DOMINO_VSS_CONFIG: file(), DOMINO_VSS_VOLUME: 'D:', DOMINO_VSS_FAILED: 'true' };
  const { stdout } = await run(['doctor', '--json', '--ini', 'data/notes.ini'], env);
  const { settings } = JSON.parse(stdout) as { settings: { commands: string[]; option: string }[] };
  expect(settings.length).toBeGreaterThan(0);
  expect(settings.filter(({ commands, option }) => commands.includes(command) && option !== 'delta-dir')).toEqual([]);
});

test('a file that is named and missing is an error', async () => {
  expect(await run([...backUp, '--delta-dir', 'delta'], { DOMINO_VSS_CONFIG: file() })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('cannot be read') as string,
  });
});

(process.platform === 'win32' ? test.skip : test)('a file that others can change is refused', async () => {
  configure({ keep: true });
  chmodSync(file(), 0o666);
  expect(await run([...backUp, '--delta-dir', 'delta', '--config', file()])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('others can change the configuration file') as string,
  });
  chmodSync(file(), 0o600);
  chmodSync(safe, 0o777);
  expect(await run([...backUp, '--delta-dir', 'delta', '--config', file()])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('everybody may write to') as string,
  });
});

describe('--quiet and --log', () => {
  const log = (): string => join(domino.root, 'log');

  test('nothing is printed when all is well, and everything is in the log', async () => {
    const { exitCode, stdout, stderr } = await run([
      ...backUp,
      '--delta-dir',
      'delta',
      '--keep',
      '--quiet',
      '--log',
      'log',
    ]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const lines = readFileSync(log(), 'utf8').trimEnd().split('\n');
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z domino-vss backup run, process \d+$/);
    expect(lines.some((line) => line.includes('complete'))).toBe(true);
    expect(lines.at(-1)).toMatch(/ ended with exit code 0$/);
  });

  test('a log that cannot be opened is named as such, and nothing is done', async () => {
    const file = join(domino.root, 'nowhere', 'log');
    const { exitCode, stderr } = await run([...backUp, '--delta-dir', 'delta', '--keep', '--log', file]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `failed ERR_FILE_SYSTEM: the log file ${file} (--log) cannot be opened: ENOENT: no such file`,
    );
    expect(stderr).not.toContain(`open '`);
    expect(stderr).toContain('what to do: Create its directory, or name another file.');
    expect(readdirSync(domino.root)).not.toContain('delta');
  });

  test('when something is wrong all of it is printed, and the log grows', async () => {
    writeFileSync(log(), 'before\n');
    const first = await run([
      ...backUp,
      '--delta-dir',
      'delta',
      '--keep',
      '--quiet',
      '--log',
      'log',
      '--required',
      'x.nsf',
    ]);
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain('failed ERR_');
    const text = readFileSync(log(), 'utf8');
    expect(text).toMatch(/^before\n/);
    expect(text).toContain('failed ERR_');
    expect(text).toMatch(/ended with exit code 1\n$/);
  });

  test('a log that cannot be opened stops the command before anything is done', async () => {
    mkdirSync(log());
    const { exitCode, stderr } = await run([...backUp, '--delta-dir', 'delta', '--keep', '--log', 'log']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('failed ERR_FILE_SYSTEM'); // EISDIR, or EPERM on Windows
    expect(domino.calls).toEqual([]);
  });
});

describe('--metrics', () => {
  const metrics = (): string => readFileSync(join(domino.root, 'domino.prom'), 'utf8');
  const valueOf = (name: string): number =>
    Number(new RegExp(`^domino_vss_${name}\\{[^}]*\\} (.*)$`, 'm').exec(metrics())?.[1]);

  test('say how the command ended, and when it has ended well last', async () => {
    const good = await run([...backUp, '--delta-dir', 'delta', '--keep', '--metrics', 'domino.prom']);
    expect(good.exitCode).toBe(0);
    expect(valueOf('last_exit_code')).toBe(0);
    expect(valueOf('backup_databases')).toBeGreaterThan(0);
    expect(valueOf('backup_window_seconds')).toBeGreaterThan(0);
    const success = valueOf('last_success_timestamp_seconds');
    expect(success).toBe(valueOf('last_run_timestamp_seconds'));
    const bad = await run([
      ...backUp,
      '--delta-dir',
      'delta',
      '--keep',
      '--metrics',
      'domino.prom',
      '--required',
      'x.nsf',
    ]);
    expect(bad.exitCode).toBe(1);
    expect(valueOf('last_exit_code')).toBe(1);
    expect(valueOf('last_success_timestamp_seconds')).toBe(success);
    expect(valueOf('last_run_timestamp_seconds')).toBeGreaterThan(success);
    expect(metrics()).toMatch(/\n# EOF\n$/);
    expect(metrics().match(/^# TYPE \S+/gm)).toEqual([...new Set(metrics().match(/^# TYPE \S+/gm))]);
  });

  test('that cannot be written are no success', async () => {
    mkdirSync(join(domino.root, 'domino.prom'));
    const { exitCode, stderr } = await run([...backUp, '--delta-dir', 'delta', '--keep', '--metrics', 'domino.prom']);
    expect(stderr).toContain('the metrics were not written');
    expect(exitCode).toBe(1);
  });
});

(process.platform === 'win32' ? describe.skip : describe)('--failure-command', () => {
  const program = (): string => join(domino.root, 'tell');
  const told = (): string => readFileSync(join(domino.root, 'told'), 'utf8');

  test('runs a program that knows what has happened, and only then', async () => {
    writeFileSync(program(), `#!/bin/sh\necho "$DOMINO_VSS_EXIT_CODE $DOMINO_VSS_MESSAGE" > ${domino.root}/told\n`, {
      mode: 0o700,
    });
    const args = [...backUp, '--delta-dir', 'delta', '--keep', '--failure-command', 'tell'];
    expect((await run(args)).exitCode).toBe(0);
    expect(() => told()).toThrow('ENOENT');
    expect((await run([...args, '--required', 'x.nsf'])).exitCode).toBe(1);
    expect(told()).toMatch(/^1 domino-vss backup run failed: ERR_/);
  });

  test.each<[string, () => void, string]>([
    [
      'is not there',
      () => {
        rmSync(program(), { force: true });
      },
      'cannot be run: ENOENT',
    ],
    [
      'others can change',
      () => {
        chmodSync(program(), 0o777);
      },
      'others can change the program of --failure-command',
    ],
  ])('a program that %s is refused before anything is done', async (_what, spoil, message) => {
    writeFileSync(program(), '#!/bin/sh\n', { mode: 0o700 });
    spoil();
    const { exitCode, stderr } = await run([...backUp, '--delta-dir', 'delta', '--keep', '--failure-command', 'tell']);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    expect(domino.calls).toEqual([]);
  });

  test('what the program leaves running, and what it prints, does not hold up the command', async () => {
    const lines = ['sleep 600 &', `echo $! > ${domino.root}/told`, 'head -c 3000000 /dev/zero'];
    writeFileSync(program(), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o700 });
    const { exitCode, stderr } = await run([
      ...[...backUp, '--delta-dir', 'delta', '--keep', '--failure-command', 'tell', '--required', 'x.nsf'],
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain('WARN_FAILURE_PROGRAM');
    process.kill(Number(told()));
  });

  test('a program that fails is shown with what it has said', async () => {
    writeFileSync(program(), '#!/bin/sh\necho "no such pager" >&2\necho other\nexit 3\n', { mode: 0o700 });
    const { stderr } = await run([
      ...[...backUp, '--delta-dir', 'delta', '--keep', '--failure-command', 'tell', '--required', 'x.nsf'],
    ]);
    expect(stderr).toContain('tell ended with exit code 3: no such pager\n');
    expect(stderr).not.toContain('other');
  });

  test('a program that does not end is ended, and its time is told', async () => {
    writeFileSync(program(), '#!/bin/sh\necho waiting >&2\nexec sleep 600\n', { mode: 0o700 });
    const stderr: string[] = [];
    const failure = { command: 'backup run', exitCode: 1, error: undefined, failures: [] };
    const context = { env: process.env, stderr: { write: (text: string) => stderr.push(text) } };
    await runFailureCommand(program(), failure, context as unknown as CommandLineContext, 1_000);
    expect(stderr.join('')).toMatch(/tell was ended, because it was still running after 1 s: waiting\n$/);
  });

  test.each(['exit 3', 'exec missing-program'])('a program that fails (%s) changes nothing else', async (line) => {
    writeFileSync(program(), `#!/bin/sh\n${line}\n`, { mode: 0o700 });
    const { exitCode, stderr } = await run([
      ...[...backUp, '--delta-dir', 'delta', '--keep', '--failure-command', 'tell', '--required', 'x.nsf'],
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('warning WARN_FAILURE_PROGRAM: the program to run after a failure failed');
  });
});
