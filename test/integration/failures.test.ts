// Every call of the C API fails in turn. Whatever fails: a typed error says which call, on what, with which number; no database
// is in backup mode, no handle is open, no shadow is left, and the next backup works.

import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup, BackupError, isDominoVssError, type BeginBackupOptions, type SnapshotSet } from '#lib/index';
import { until } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { linuxTest } from '../platform';

let domino: SimulatedDomino;
let server: Server;

const victim = 'mail/db000003.nsf';

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true, pages: [160, 200] });
  server = await domino.serve({ threads: 2, transactionsPerSecond: 500 });
});

afterEach(async () => {
  await domino.simulation.clearFaults();
  await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
  expect(existsSync(domino.shadowDirectory) ? readdirSync(domino.shadowDirectory) : []).toEqual([]);
  await domino.expectQuiet();
  const set = await backUp();
  expect(set).toMatchObject({ outcome: 'complete', databases: 12 });
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

async function backUp(options: Partial<BeginBackupOptions> = {}): Promise<SnapshotSet> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    ...options,
  });
  try {
    const set = await backup.createShadow();
    await backup.endBackup();
    return set;
  } finally {
    await backup.dispose();
  }
}

/**
 * A set provider that needs no special file system, so that every call of the window can be reached here. The volume is
 * flushed first, which Wine cannot do; on Windows, test/windows uses VSS for this.
 */
const hook: BeginBackupOptions['provider'] = {
  name: 'test',
  create: ({ volumes }) => Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) }),
};

const providers = ['rolling', 'hook'] as const;
describe.each(process.platform === 'linux' ? providers : providers.slice(0, 1))(
  '%s: one database fails in',
  (provider) => {
    const options = provider === 'hook' ? { provider: hook, shadowDirectory: undefined } : {};
    test.each([
      ['NSFDbOpen', 0x02cc, 'ERR_NSFOPENEXCLUSIVE', 'open'],
      ['NSFDbGetLogInfo', 0x0106, 'ERR_DISK', 'open'],
      ['NSFBackupStart', 0x13aa, 'ERR_CANT_BACKUP_DURING_COMPACT', 'start'],
      ['NSFBackupStart', 0x0ea4, 'ERR_BACKUP_ALREADY_IN_PROGRESS', 'start'],
      ['NSFBackupStop', 0x3810, 'ERR_BACKUP_ABORTED', 'stop'],
      ['NSFBackupGetChangeInfoSize', 0x2dd8, 'ERR_BACKUP_ABORTED2', 'drain'],
      ['NSFBackupGetNextChangeInfo', 0x3810, 'ERR_BACKUP_ABORTED', 'drain'],
      ['NSFBackupEnd', 0x0ea5, 'ERR_NOT_DOING_BACKUP', 'drain'],
    ])('%s with %i', async (call, status, statusName, phase) => {
      await domino.simulation.fault(`${call}:1@${victim}=0x${status.toString(16)}`);
      const set = await backUp(options);
      expect(set.outcome).toBe('partial');
      expect(set.databases).toBe(11);
      expect(set.skipped).toMatchObject([{ database: victim, operation: call, status, statusName, phase }]);
      expect(set.skipped[0]?.text).not.toBe('');
      expect(set.skipped[0]?.hint).not.toBe('');
    });
  },
);

test.each([
  ['NSFBackupStart', 0x13aa],
  ['NSFBackupStart', 0x0ea4],
  ['NSFBackupGetChangeInfoSize', 0x2dd8],
])('%s with %i once: the second window has the database, as it was at its NSFBackupStart', async (call, status) => {
  await domino.simulation.fault(`${call}:1@${victim}=0x${status.toString(16)}`);
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
  });
  try {
    const set = await backup.createShadow({ retries: { busyDatabases: 2, busyPauseMs: 50 } });
    expect(set).toMatchObject({ outcome: 'complete', databases: 12, furtherWindows: [{ number: 2, databases: 1 }] });
    const to = join(domino.home, 'copies', backup.id);
    expect(await set.copyDatabases({ to })).toMatchObject({ databases: 12, failures: [] });
    const { originNs, databases } = set.furtherWindows[0]!.window;
    const ns = (ms: number | undefined): bigint => originNs + BigInt(Math.round((ms ?? NaN) * 1e6));
    const betweenNs = [ns(databases.startCalledMs[0]), ns(databases.startReturnedMs[0])] as const;
    const verdicts = await domino.simulation.verify([join(to, victim)], { betweenNs });
    expect(verdicts).toMatchObject([{ verdict: 'consistent' }]);
    expect(await backup.endBackup()).toMatchObject({ outcome: 'complete', counts: { captured: 12, skipped: 0 } });
  } finally {
    await backup.dispose();
  }
});

test('a high-water mark that is refused leaves out one database', async () => {
  await domino.simulation.fault(`NSFBackupSetHighWaterMark:1@${victim}=0x0ea5`);
  const set = await backUp();
  expect(set.skipped).toMatchObject([{ database: victim, operation: 'NSFBackupSetHighWaterMark', status: 0x0ea5 }]);
});

test('a required database that fails fails the backup', async () => {
  await domino.simulation.fault(`NSFBackupStart:1@${victim}=0x13aa`);
  const error: unknown = await backUp({ required: ['mail/db000003.*'] }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BackupError);
  expect(error).toMatchObject({ code: 'ERR_REQUIRED_DATABASE', failures: [{ database: victim, status: 0x13aa }] });
});

test('more failures than allowed fail the backup', async () => {
  await domino.simulation.fault('NSFBackupStart:1+=0x13aa');
  await expect(backUp({ maxSkipped: 3 })).rejects.toMatchObject({ code: 'ERR_NO_DATABASES' });
  await domino.simulation.clearFaults();
  await domino.simulation.fault('NSFBackupStart:1+@mail/db00000?.nsf=0x13aa');
  const error: unknown = await backUp({ maxSkipped: 3 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_TOO_MANY_SKIPPED' });
  expect((error as BackupError).failures.length).toBe(10);
});

linuxTest('a database that hangs over its budget is left out', async () => {
  await domino.simulation.fault(`NSFBackupStart:1@${victim}=hang:1500`);
  const set = await backUp({ provider: hook, shadowDirectory: undefined, databaseBudgetMs: 200 });
  expect(set.skipped).toMatchObject([{ database: victim, code: 'ERR_DATABASE_BUDGET' }]);
});

linuxTest('a hook that fails, and one that is late, take all databases out', async () => {
  const failing = { name: 'array', create: () => Promise.reject(new Error('no space on the array')) };
  await expect(backUp({ provider: failing, shadowDirectory: undefined })).rejects.toMatchObject({
    code: 'ERR_HOOK',
    message: expect.stringContaining('no space on the array') as string,
  });
  const removed: unknown[] = [];
  const late = {
    name: 'array',
    create: ({ volumes }: { volumes: readonly { path: string }[] }) =>
      new Promise<{ shadows: { volume: string; root: string }[] }>((resolve) => {
        setTimeout(() => {
          resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) });
        }, 4_000);
      }),
    remove: (result: unknown) => {
      removed.push(result);
      return Promise.resolve();
    },
  };
  // Long enough for the hook to be called on a busy machine, and shorter than the hook takes.
  const backup = await beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory, provider: late });
  await expect(backup.createShadow({ timeoutMs: 2_500 })).rejects.toMatchObject({
    code: expect.stringMatching(/ERR_HOOK_TIMEOUT|ERR_DEADLINE/) as string,
  });
  await domino.expectQuiet();
  await until('what came late is removed', () => removed.length > 0);
  expect(removed).toHaveLength(1);
});

test('an aborted backup is taken back, wherever it is', async () => {
  await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 20_000 });
  for (const delayMs of [0, 5, 20, 40, 60, 80]) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { signal } = controller;
    const backup = await beginBackup({
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      shadowDirectory: domino.shadowDirectory,
      provider: 'rolling',
      shards: 2,
    });
    setTimeout(() => {
      controller.abort(reason);
    }, delayMs);
    await expect(backup.createShadow({ signal })).rejects.toMatchObject({ name: 'AbortError', cause: reason });
    await domino.expectQuiet();
  }
});

test('a forgotten backup is given up when its lease is over', async () => {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    leaseMs: 100,
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await until('no database is open but in the server', async () => {
    return (await domino.simulation.stats()).openDatabases.every(({ handles }) => handles <= 1);
  });
  await expect(backup.createShadow()).rejects.toMatchObject({ code: 'ERR_LEASE_EXPIRED' });
});

test('a second runtime in the same process is refused', async () => {
  const other = { ...domino.location, notesIni: join(domino.home, 'other.ini') };
  copyFileSync(domino.simulation.notesIni, other.notesIni);
  const error: unknown = await beginBackup({ domino: other, deltaDirectory: domino.deltaDirectory }).catch(
    (thrown: unknown) => thrown,
  );
  expect(isDominoVssError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'ERR_DOMINO_RUNTIME_BUSY' });
});
