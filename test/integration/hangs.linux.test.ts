// Every call of the C API hangs in turn. The database is left out and reported with the call; all others are captured; an abort
// ends whatever hangs.

import type { Server } from 'domino-vss-simulator';
import { beginBackup, type BeginBackupOptions, type SnapshotSet } from '#lib/index';
import { until } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;

const databases = 12;
const victim = 'mail/db000003.nsf';

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases, plainNames: true, pages: [160, 200] });
  server = await domino.serve({ threads: 2, transactionsPerSecond: 500 });
});

afterEach(async () => {
  // The hanging call returns now.
  await domino.simulation.clearFaults();
  await until('nothing is left in backup mode', async () => (await domino.simulation.stats()).inBackup.length === 0);
  await until('no handle is left but the server’s', async () =>
    (await domino.simulation.stats()).openDatabases.every(({ handles }) => handles <= 1),
  );
  await domino.expectQuiet();
  await expect(backUp()).resolves.toMatchObject({ outcome: 'complete', databases });
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

async function backUp(options: Partial<BeginBackupOptions> = {}, signal?: AbortSignal): Promise<SnapshotSet> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    shards: 16,
    ...options,
  });
  try {
    const set = await backup.createShadow({ signal });
    await backup.endBackup();
    return set;
  } finally {
    await backup.dispose();
  }
}

/** A set provider that needs no special file system. */
const hook: BeginBackupOptions['provider'] = {
  name: 'test',
  create: ({ volumes }) => Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) }),
};

describe.each(['rolling', 'hook'] as const)('%s: a database is left out that hangs in', (provider) => {
  const options = provider === 'hook' ? { provider: hook, shadowDirectory: undefined } : {};
  const calls: [call: string, phase: string][] = [
    ['NSFBackupStart', 'start'],
    ['NSFBackupStop', 'stop'],
    ['NSFBackupGetNextChangeInfo', 'drain'],
  ];
  if (provider === 'rolling') {
    calls.push(
      ['NSFDbOpen', 'open'],
      ['NSFDbReplicaInfoGet', 'open'],
      ['NSFDbGetLogInfo', 'open'],
      ['NSFBackupSetHighWaterMark', 'shadow'],
      ['NSFBackupGetChangeInfoSize', 'drain'],
      ['NSFBackupEnd', 'drain'],
    );
  }
  test.each(calls)('%s', async (call, phase) => {
    await domino.simulation.fault(`${call}:1@${victim}=hang`);
    const set = await backUp({ ...options, databaseBudgetMs: 300 });
    expect(set).toMatchObject({ outcome: 'partial', databases: databases - 1 });
    expect(set.skipped).toMatchObject([
      {
        database: victim,
        code: 'ERR_DATABASE_BUDGET',
        operation: call,
        phase,
        text: expect.stringContaining(call) as string,
      },
    ]);
  });
});

test('a freeze window that is longer than its time ends, and all databases come out', async () => {
  await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 200_000 });
  try {
    const options = { provider: hook, shadowDirectory: undefined, shards: 1, windowTimeoutMs: 300 };
    await expect(backUp(options)).rejects.toMatchObject({ code: 'ERR_WINDOW_TIMEOUT' });
    await domino.expectQuiet();
  } finally {
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
  }
});

test('a database whose close hangs is captured, and does not delay the others', async () => {
  await domino.simulation.fault(`NSFDbClose:1@${victim}=hang`);
  await expect(backUp({ databaseBudgetMs: 300 })).resolves.toMatchObject({ outcome: 'complete', databases });
});

test.each(['NSFBackupStop', 'NSFBackupGetNextChangeInfo'])('an abort ends a backup that hangs in %s', async (call) => {
  await domino.simulation.fault(`${call}:1@${victim}=hang`);
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort();
  }, 500);
  const begun = performance.now();
  const error: unknown = await backUp({}, controller.signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_ABORTED' });
  expect(performance.now() - begun).toBeLessThan(9_000);
});
