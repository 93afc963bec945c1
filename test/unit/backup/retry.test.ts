import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Backup, CreateShadowOptions } from '#lib/backup/backup';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { Progress } from '#lib/call/progress';
import { FakeDomino } from '../fake-binding';
import { comFailure, type FakeVss } from '../fake-vss';

/** A shadow that VSS cannot make immediately: another attempt after a pause, with a new object. */
let domino: FakeDomino;
let vss: FakeVss;
/** The failures of the attempts, in order. */
let statuses: number[];
/** Databases in backup mode whenever an attempt begins. */
let frozen: number[];

const holdWrites = 0x80042314;

beforeEach(() => {
  domino = new FakeDomino();
  vss = domino.haveVss();
  statuses = [];
  frozen = [];
  domino.onCall = (name) => {
    if (name === 'open') frozen.push(domino.inBackupMode.size);
    if (name !== 'capture') return;
    const status = statuses.shift();
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
    if (status !== undefined) throw comFailure(status, { operation: 'IVssBackupComponents::DoSnapshotSet' });
  };
});

afterEach(() => {
  domino.destroy();
});

function begin(options: Partial<BeginBackupOptions> = {}): Promise<Backup> {
  return beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
}

const soon = { retries: { pauseMs: 1 } };

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test.each([
  ['held writes', holdWrites],
  ['flushed writes', 0x80042313],
  ['a veto of the provider', 0x80042306],
  ['a writer that can be tried again', 0x800423f3],
  ['a writer without resources', 0x800423f1],
])('%s: the shadow is made at another attempt, with a new session', async (_what, status) => {
  statuses = [status, status];
  const progress: Progress[] = [];
  const backup = await begin();
  const onProgress = (one: Progress): void => {
    progress.push(one);
    if (one.type === 'retry') frozen.push(domino.inBackupMode.size);
  };
  const set = await backup.createShadow({ ...soon, onProgress });
  expect(set.outcome).toBe('complete');
  expect(set.databases).toBe(backup.databases);
  expect(domino.calls.filter((call) => call === 'open')).toHaveLength(3);
  expect(frozen).toEqual([0, 0, 0, 0, 0]);
  expect(progress.filter(({ type }) => type === 'retry')).toMatchObject([
    { attempt: 2, attempts: 4, pauseMs: 1 },
    { attempt: 3, attempts: 4 },
  ]);
  const { warnings, outcome } = await backup.endBackup();
  expect(outcome).toBe('complete');
  expect(warnings.filter(({ message }) => /^attempt [12] to make the shadow failed/.test(message))).toMatchObject([
    { code: 'WARN_ATTEMPT_FAILED', errorCode: expect.stringMatching(/^ERR_VSS/) },
    { code: 'WARN_ATTEMPT_FAILED' },
  ]);
  expect(domino.openSessions.size).toBe(0);
  expect(domino.remains().map((file) => basename(file))).toEqual(['costs.txt', 'databases.ndjson', 'manifest.json']);
});

test('three times and no more', async () => {
  statuses = [holdWrites, holdWrites, holdWrites, holdWrites, holdWrites];
  const backup = await begin();
  expect(await errorOf(backup.createShadow(soon))).toMatchObject({ code: 'ERR_VSS_TIMEOUT', hresult: holdWrites });
  expect(frozen).toHaveLength(4);
  expect(domino.openSessions.size).toBe(0);
  expect(domino.remains()).toEqual([]);
});

test.each<[string, number, CreateShadowOptions]>([
  ['what does not pass', 0x8004231f, soon],
  ['what shall not be tried again', holdWrites, { retries: { shadow: 0, pauseMs: 1 } }],
  ['what the time of the call has no room for', holdWrites, {}],
])('not %s', async (_what, status, options) => {
  statuses = [status];
  const backup = await begin();
  expect(await errorOf(backup.createShadow(options))).toMatchObject({ hresult: status });
  expect(frozen).toHaveLength(1);
  expect(domino.remains()).toEqual([]);
});

test.each([undefined, 600_000])(
  'not at all if the pause does not fit into the time (%s ms, by default two minutes)',
  async (timeoutMs) => {
    statuses = [holdWrites];
    const backup = await begin();
    const startedAt = performance.now();
    expect(await errorOf(backup.createShadow({ timeoutMs }))).toMatchObject({ hresult: holdWrites });
    // At once, and not after the pause of ten minutes.
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    expect(domino.calls.filter((call) => call === 'open')).toHaveLength(1);
  },
);

test('not where a database may still be in backup mode', async () => {
  statuses = [holdWrites];
  const backup = await begin();
  for (const session of domino.openSessions) session.stuck = () => [0];
  expect(await errorOf(backup.createShadow(soon))).toMatchObject({ hresult: holdWrites });
  expect(frozen).toHaveLength(1);
});

describe('during the pause', () => {
  const patient = { timeoutMs: 3_600_000, retries: { pauseMs: 600_000 } };

  async function waiting(options: CreateShadowOptions = {}): Promise<{ backup: Backup; created: Promise<unknown> }> {
    statuses = [holdWrites];
    const backup = await begin();
    const created = new Promise<{ created: Promise<unknown> }>((resolve) => {
      const call = errorOf(
        backup.createShadow({
          ...patient,
          ...options,
          onProgress: ({ type }) => {
            if (type === 'retry') resolve({ created: call });
          },
        }),
      );
    });
    return { backup, ...(await created) };
  }

  test('nothing is open, and no shadow is named', async () => {
    const controller = new AbortController();
    const { created } = await waiting({ signal: controller.signal });
    expect(domino.openSessions.size).toBe(0);
    expect(domino.inBackupMode.size).toBe(0);
    expect(vss.shadows).toEqual([]);
    controller.abort(new Error('enough'));
    expect(await created).toMatchObject({ code: 'ERR_ABORTED', cause: new Error('enough') });
    expect(domino.remains()).toEqual([]);
  });

  test('the backup can be disposed of', async () => {
    const { backup, created } = await waiting();
    await backup.dispose();
    expect(await created).toMatchObject({ code: 'ERR_ABORTED' });
    expect(existsSync(backup.directory)).toBe(false);
  });
});

test('options that cannot be', async () => {
  const backup = await begin();
  const wrong = { retries: { pause: 3 } } as unknown as CreateShadowOptions;
  expect(await errorOf(backup.createShadow(wrong))).toMatchObject({ code: 'ERR_OPTION', option: 'retries.pause' });
  await backup.dispose();
});
