// A command that runs out of time and one that is interrupted end differently, each with its own code, exit code and text.

import { mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { createProgram } from '#lib/cli/program';
import type { CommandLineContext } from '#lib/cli/context';
import { FakeDomino } from '../fake-binding';
import { hang } from '../hanging-files';
import { nativeShadow, setId, shadowId } from '../fake-vss';
import { writeDeadJournal } from '../recover/dead-journal';
import { location, run as runIn, type Run } from './run';

/** Where a command is when its time is over or it is interrupted. */
type Place =
  /** In a call of Domino or VSS that does not return. */
  | { readonly hangs: string }
  /** In a call that returns when its time is over. */
  | { readonly slow: string }
  /** In a call of the file system that does not return. */
  | { readonly mount: 'readdir' | 'readFile' }
  /** It has loaded the addon: its own work comes next. */
  | 'loaded'
  /** At its beginning. */
  | 'begun';

interface Row {
  readonly command: string;
  readonly args: readonly string[];
  readonly at: Place;
  /** Preparation for a command that needs some. */
  readonly timeout?: string;
}

const domino: readonly string[] = location;
const backups = ['--delta-dir', 'delta'];
const archive = ['--log-archive', 'archive'];

const rows: readonly Row[] = [
  { command: 'backup run', args: [...backups, '--keep-nothing', ...domino], at: { slow: 'capture' } },
  { command: 'backup list', args: backups, at: { mount: 'readdir' } },
  { command: 'backup show', args: ['BACKUP', ...backups], at: { mount: 'readFile' } },
  { command: 'backup verify', args: ['BACKUP', ...backups], at: 'begun' },
  { command: 'backup verify', args: ['BACKUP', ...backups, '--apply', ...domino], at: { hangs: 'openRuntime' } },
  { command: 'backup extract', args: ['BACKUP', 'out', ...backups], at: 'begun' },
  { command: 'backup prune', args: [...backups, '--keep-last', '1'], at: 'loaded' },
  { command: 'databases list', args: domino, at: { hangs: 'findDatabases' } },
  { command: 'rehearse', args: [...backups, ...domino], at: { hangs: 'openRuntime' } },
  { command: 'restore', args: ['BACKUP', ...backups, ...domino], at: { hangs: 'openRuntime' } },
  { command: 'drill', args: [...backups, ...domino], at: { hangs: 'openRuntime' } },
  { command: 'logs archive', args: [...archive, ...domino], at: { hangs: 'nextLogToArchive' } },
  { command: 'logs list', args: [...archive, '--verify'], at: 'begun' },
  { command: 'logs prune', args: [...archive, ...backups], at: 'loaded' },
  { command: 'logs recovery-directory', args: ['BACKUP', 'new', ...archive, ...backups, ...domino], at: 'begun' },
  { command: 'recover', args: [...backups, ...domino], at: { hangs: 'endAbandonedBackups' } },
  { command: 'bench', args: ['--delta-dir', 'bench', '--runs', '1', ...domino], at: { hangs: 'openRuntime' } },
  { command: 'doctor', args: domino, at: { hangs: 'openRuntime' } },
  { command: 'shadow list', args: [], at: { hangs: 'listShadows' } },
  { command: 'shadow expose', args: [shadowId(1), 'X:'], at: { hangs: 'exposeShadow' } },
  { command: 'shadow unexpose', args: [shadowId(2)], at: { hangs: 'unexposeShadow' } },
  { command: 'shadow delete', args: ['--id', shadowId(1), '--foreign'], at: { hangs: 'deleteShadows' } },
  { command: 'shadow break', args: [setId(1)], at: { hangs: 'breakSnapshotSet' } },
  { command: 'shadow import', args: ['components.xml'], at: { hangs: 'importShadows' } },
  { command: 'shadow revert', args: [shadowId(1), '--domino-is-stopped'], at: { hangs: 'revertToShadow' } },
  { command: 'shadow revert-status', args: ['D:'], at: { hangs: 'awaitRevert' } },
  { command: 'writer list', args: [], at: { hangs: 'listWriters' } },
  { command: 'provider list', args: [], at: { hangs: 'listProviders' } },
];

/** Commands without a time limit of their own, and why. */
const without: Readonly<Record<string, string>> = {
  completion: 'prints',
  freezeFail: 'speaks to the process that holds: integration/hold',
  help: 'prints',
  hold: 'starts a process that holds: integration/hold',
  release: 'speaks to the process that holds: integration/hold',
  script: 'takes as long as what it runs; an interrupt: unit/script',
  'writer serve': 'runs until it is interrupted',
  'writer install': 'writes to the registry',
  'writer uninstall': 'writes to the registry',
};

let fake: FakeDomino;
let backup: string;

beforeEach(() => {
  fake = new FakeDomino(['names.nsf', 'mail/ada.nsf']);
  writeFileSync(join(fake.root, 'components.xml'), '<x/>');
});

/** A backup or a log archive, for a command that needs one. */
async function prepare({ command, args }: Row): Promise<void> {
  if (args.includes('BACKUP') || command === 'drill' || command === 'backup prune' || command === 'backup list') {
    const made = await runIn(fake, ['backup', 'run', ...backups, '--to', 'copies', '--server-files', ...domino]);
    backup = /backup +(\S+) complete/.exec(made.stdout)![1]!;
  }
  if (!command.startsWith('logs')) return;
  mkdirSync(join(fake.root, 'delta'), { recursive: true });
  mkdirSync(join(fake.root, 'archive'), { mode: 0o700 });
  for (const number of [1, 2]) {
    const file = join(fake.root, `S000000${number}.TXN`);
    // Large enough for its hash to take some milliseconds.
    writeFileSync(file, Buffer.alloc(4_000_000, number));
    fake.extentsToArchive.push(file);
  }
  expect(await runIn(fake, ['logs', 'archive', ...archive, ...domino])).toMatchObject({ exitCode: 0 });
}

afterEach(async () => {
  jest.restoreAllMocks();
  // A call that was abandoned at its deadline closes its file in a later turn of the event loop; Windows does not remove the directory before.
  await rm(fake.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  fake.destroy();
});

/** Runs a command to its place, and ends it there by `end`. */
async function endAt(row: Row, end: 'timeout' | 'interrupt', json: boolean): Promise<Run> {
  const { command, args, at } = row;
  const controller = new AbortController();
  const signal = controller.signal;
  const arrive = (): void => {
    if (end === 'interrupt') controller.abort(new Error('SIGINT'));
  };
  if (typeof at === 'object' && 'mount' in at) {
    hang(at.mount, /(delta|manifest\.json)$/);
    if (end === 'interrupt') void setTimeout(50, undefined, { ref: false }).then(arrive);
  } else if (typeof at === 'object') stay(at, arrive);
  else if (at === 'begun') arrive();
  const loadBinding: CommandLineContext['loadBinding'] = () => {
    if (at === 'loaded') {
      arrive();
      // Longer than its time limit.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
    }
    return fake.binding;
  };
  const usual = typeof at === 'object' ? '150ms' : at === 'begun' ? '1ms' : '10ms';
  const timeout = end === 'interrupt' ? '1h' : (row.timeout ?? usual);
  const words = args.map((word) => (word === 'BACKUP' ? backup : word));
  return runIn(fake, [...command.split(' '), ...words, '--timeout', timeout, ...(json ? ['--json'] : [])], {
    signal,
    loadBinding,
  });
}

/** Makes a call of Domino or of VSS take too long. */
function stay(at: { readonly hangs: string } | { readonly slow: string }, arrive: () => void): void {
  const [name, ms] = 'hangs' in at ? [at.hangs, 2 ** 31 - 1] : [at.slow, 250];
  const tooLong = async (): Promise<never> => {
    arrive();
    return setTimeout(ms, undefined as never, { ref: false });
  };
  fake.onCall = (called) => (called === name ? tooLong() : undefined);
  const vss = fake.haveVss();
  vss.shadows = [nativeShadow(1), nativeShadow(2, { exposedName: 'Y:\\' })];
  if (name in vss.native) Object.assign(vss.native, { [name]: tooLong });
  else Object.assign(fake.binding, { vss: undefined });
  if (name === 'endAbandonedBackups') writeDeadJournal(fake, { databasesInBackupMode: 1 }, ['names.nsf']);
}

describe.each(rows)('$command at $at', (row) => {
  beforeEach(() => prepare(row));

  test('out of time', async () => {
    const text = await endAt(row, 'timeout', false);
    expect(text.stderr).toMatch(/failed ERR_DEADLINE: not finished after \d+ ms/);
    expect(text.stderr).not.toContain('interrupted');
    expect(text.exitCode).toBe(1);
    const { stdout, exitCode } = await endAt(row, 'timeout', true);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ERR_DEADLINE' } });
  });

  test('interrupted', async () => {
    const text = await endAt(row, 'interrupt', false);
    expect(text.stderr).toMatch(/^interrupted: /m);
    expect(text.stderr).not.toContain('ERR_DEADLINE');
    expect(text.exitCode).toBe(130);
    const { stdout, exitCode } = await endAt(row, 'interrupt', true);
    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ERR_ABORTED', cause: { message: 'SIGINT' } } });
  });
});

test.each([
  ['timeout', 'ERR_DEADLINE', /the restore had ended: not finished after \d+ ms/],
  ['interrupt', 'ERR_ABORTED', /the restore had ended: The operation was aborted/],
] as const)('a restore that leaves something says what has ended it: %s', async (end, code, words) => {
  const row = {
    command: 'restore',
    args: ['BACKUP', ...backups, ...domino],
    at: { hangs: 'takeDatabaseOffline' },
    timeout: '2s',
  };
  await prepare(row);
  const { stdout, exitCode } = await endAt(row, end, true);
  expect(exitCode).toBe(1);
  const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
  expect(error).toMatchObject({ code: 'ERR_RESTORE_NOT_PUT_BACK', cause: { code } });
  expect(error['message']).toMatch(words);
});

test('no command is forgotten', () => {
  const nothing = { write: () => undefined };
  const program = createProgram(
    {
      loadBinding: () => fake.binding,
      stdout: nothing,
      stderr: nothing,
      env: {},
      workingDirectory: fake.root,
      signal: new AbortController().signal,
      relaunch: () => Promise.resolve(undefined),
    },
    () => undefined,
  );
  const leaves = (command: Command, above: readonly string[]): string[] =>
    command.commands.flatMap((each) =>
      each.commands.length === 0 ? [[...above, each.name()].join(' ')] : leaves(each, [...above, each.name()]),
    );
  const known = new Set([...rows.map(({ command }) => command), ...Object.keys(without)]);
  expect(leaves(program, []).sort()).toEqual([...known].sort());
});
