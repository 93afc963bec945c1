// Every call of a restore hangs in turn, for ever. The database is reported with the call; the others are restored; what the
// hanging call leaves is in the journal, and recover cleans it up once the call has returned.

import { readdirSync, writeFileSync } from 'node:fs';
import type { Server } from 'domino-vss-simulator';
import {
  beginBackup,
  readManifest,
  recoverInterrupted,
  restoreDatabases,
  type ManifestDatabase,
  type RestoreOptions,
  type RestoreReport,
} from '#lib/index';
import { until } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;
let backupDirectory: string;
let victim: ManifestDatabase;
let others: ManifestDatabase[];

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 30, plainNames: true, unloggedShare: 0.5, pages: [160, 200] });
  server = await domino.serve({ threads: 2, transactionsPerSecond: 2000 });
  let databases: readonly ManifestDatabase[] = [];
  // On a busy machine, the server may write to none of them in the short time in which each is in backup mode.
  await until('a logged database was written to during a backup', async () => {
    databases = await backUp();
    return databases.some(wasWrittenTo);
  });
  await server.pause();
  victim = databases.find(wasWrittenTo)!;
  others = [
    databases.find(({ logged }) => !logged),
    databases.find((database) => database.logged && database !== victim),
  ].filter((database) => database !== undefined);
}, 60_000);

const wasWrittenTo = ({ logged, delta }: ManifestDatabase): boolean => logged && delta !== '';

async function backUp(): Promise<ManifestDatabase[]> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    include: ['mail/**'],
  });
  await backup.createShadow();
  const report = await backup.endBackup({ keep: true }); // so the change information is applied by the restore
  backupDirectory = report.directory;
  const databases: ManifestDatabase[] = [];
  for await (const database of (await readManifest(report.manifest)).databases()) databases.push(database);
  return databases;
}

afterEach(async () => {
  await domino.simulation.clearFaults();
  // The hanging call returns now, and does its work.
  await until('no thread is in a call', async () => {
    const { openDatabases, accounting } = await domino.simulation.stats();
    return openDatabases.every(({ handles }) => handles <= 1) && accounting.leakedApplyContexts === 0;
  });
  const { works } = await recoverInterrupted({ domino: domino.location, deltaDirectory: domino.deltaDirectory });
  expect(works.filter(({ done }) => !done)).toEqual([]);
  const files = readdirSync(domino.simulation.dataDirectory, { recursive: true }) as string[];
  expect(files.filter((name) => name.includes('domino-vss'))).toEqual([]);
  expect((await domino.simulation.stats()).offlineDatabases).toBe(0);
  await expect(restore()).resolves.toMatchObject({ outcome: 'complete' });
  for (const { path } of [victim, ...others]) await server.run(path, 1);
  await domino.expectQuiet();
}, 30_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

function restore(options: Partial<RestoreOptions> = {}): Promise<RestoreReport> {
  const databases = [victim, ...others].map(({ path }) => path);
  return restoreDatabases({ domino: domino.location, manifest: backupDirectory, databases, ...options });
}

test.each([
  'NSFBackupStartApplyChangeInfo',
  'NSFBackupApplyNextChangeInfo',
  'NSFBackupEndApplyChangeInfo',
  'NSFTakeDatabaseOffline',
  'NSFBringDatabaseOnline',
])('a database that hangs in %s is named, and the others are restored', async (call) => {
  writeFileSync(victim.file, 'destroyed');
  await domino.simulation.fault(`${call}:1=hang`);
  const report = await restore({ databaseBudgetMs: 300, mode: { type: 'online', waitMs: 100 } });
  expect(report.outcome).toBe('partial');
  const failed = report.databases.filter(({ result }) => result === 'failed');
  expect(failed[0]).toMatchObject({ failure: { code: 'ERR_DATABASE_BUDGET', operation: call } });
  expect(new Set(failed.map(({ database }) => database)).size).toBe(1);
  expect(report.databases.filter(({ result }) => result === 'restored')).toHaveLength(others.length);
});

test('a recovery that hangs ends with the deadline; databases that are not logged are restored', async () => {
  await domino.simulation.fault('NSFRecoverDatabases:1=hang');
  const report = await restore({ databaseBudgetMs: 300, timeoutMs: 3_000 });
  const logged = [victim, ...others].filter((database) => database.logged);
  for (const { path } of logged) {
    expect(report.databases).toContainEqual(
      expect.objectContaining({
        result: 'failed',
        failure: expect.objectContaining({ code: 'ERR_DATABASE_BUDGET', operation: 'NSFRecoverDatabases' }) as unknown,
        database: path,
      }),
    );
  }
  expect(report.databases.filter(({ result }) => result === 'restored')).toHaveLength(3 - logged.length);
});

test.each([
  'NSFBackupStartApplyChangeInfo',
  'NSFBackupApplyNextChangeInfo',
  'NSFBackupEndApplyChangeInfo',
  'NSFTakeDatabaseOffline',
  'NSFRecoverDatabases',
  'NSFBringDatabaseOnline',
])('an abort ends a restore that hangs in %s', async (call) => {
  await domino.simulation.fault(`${call}:1=hang`);
  const controller = new AbortController();
  const restoring = restore({ signal: controller.signal, databaseBudgetMs: 1_000 });
  const ended = restoring.then(
    ({ outcome }) => outcome,
    (error: unknown) => (error as { code: string }).code,
  );
  await until('it hangs', async () => (await domino.simulation.stats()).faults.some(({ fired }) => fired > 0));
  const begun = performance.now();
  controller.abort();
  expect(await ended).not.toBe('complete');
  expect(performance.now() - begun).toBeLessThan(8_000);
});
