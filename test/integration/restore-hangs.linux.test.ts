// Every call of a restore hangs in turn, for ever. The database is reported with the call; the others are restored; what the
// hanging call leaves is in the journal, and recover cleans it up once the call has returned.

import { promises, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
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

let release = (): Promise<unknown> => Promise.resolve();

afterEach(async () => {
  jest.restoreAllMocks();
  await release();
  await domino.simulation.clearFaults();
  // The hanging call returns now, and does its work.
  await until('no thread is in a call', async () => {
    const { openDatabases, accounting } = await domino.simulation.stats();
    return openDatabases.every(({ handles }) => handles <= 1) && accounting.leakedApplyContexts === 0;
  });
  // A call has returned when this process knows it, a moment later than the server.
  await until('everything is cleaned up', async () => {
    const { works } = await recoverInterrupted({ domino: domino.location, deltaDirectory: domino.deltaDirectory });
    return works.every(({ done }) => done);
  });
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

type FileCall = (...args: unknown[]) => Promise<unknown>;

/** The call hangs once, on the given file, and takes effect when it is released. Resolves when it hangs. */
function hang(name: 'rename' | 'rm' | 'lstat' | 'open', file: string): Promise<void> {
  const original = (promises[name] as FileCall).bind(promises);
  return new Promise((hangs) => {
    jest.spyOn(promises as unknown as Record<string, FileCall>, name).mockImplementation((...args) => {
      if (args[0] !== file) return original(...args);
      jest.restoreAllMocks();
      let proceed = (): void => undefined;
      const late = new Promise<void>((resolve) => (proceed = resolve)).then(() => original(...args));
      release = () => {
        proceed();
        return late.catch(() => undefined);
      };
      hangs();
      return late;
    });
  });
}

const quick: Partial<RestoreOptions> = { databaseBudgetMs: 300, mode: { type: 'online', waitMs: 100 } };

describe.each([
  ['the rename of an original', 'rename', (file: string) => file],
  ['the rename of a copy', 'rename', (file: string) => `${file}.domino-vss-restore`],
  ['a look at a copy', 'lstat', (file: string) => `${file}.domino-vss-restore`],
] as const)('%s hangs', (_title, name, fileOf) => {
  test('the database is named, the others are restored, and nothing touches it until the call returns', async () => {
    writeFileSync(victim.file, 'destroyed');
    void hang(name, fileOf(victim.file));
    const report = await restore(quick);
    expect(report.outcome).toBe('partial');
    expect(report.databases.filter(({ result }) => result === 'restored')).toHaveLength(others.length);
    const failed = report.databases.filter(({ result }) => result === 'failed');
    expect(new Set(failed.map(({ database }) => database))).toEqual(new Set([victim.path]));
    expect(failed[0]).toMatchObject({ failure: { code: 'ERR_FILE_HANGS', operation: name } });
    if (name === 'rename') {
      const location = { domino: domino.location, deltaDirectory: domino.deltaDirectory };
      const item = {
        subject: victim.file,
        result: 'left',
        found: 'a call on it has not returned and may still take effect',
      };
      const items = expect.arrayContaining([expect.objectContaining(item)]) as unknown;
      expect(await recoverInterrupted(location)).toMatchObject({ outcome: 'partial', works: [{ items }] });
    }
    const again = restore({ ...quick, databases: [victim.path] });
    await expect(again).rejects.toMatchObject({ failures: [{ code: 'ERR_FILE_HANGS' }] });
  });

  test('an abort ends the restore', async () => {
    const isHanging = hang(name, fileOf(victim.file));
    const controller = new AbortController();
    const ended = restore({ signal: controller.signal }).then(
      ({ outcome }) => outcome,
      (error: unknown) => (error as { code: string }).code,
    );
    await isHanging;
    const begun = performance.now();
    controller.abort();
    expect(await ended).not.toBe('complete');
    expect(performance.now() - begun).toBeLessThan(8_000);
  });
});

test('a removal that hangs when a restore ends is a warning, and the databases are restored', async () => {
  void hang('rm', `${victim.file}.domino-vss-original`);
  const report = await restore(quick);
  expect(report).toMatchObject({
    outcome: 'complete',
    warnings: expect.arrayContaining([expect.objectContaining({ code: 'WARN_FILE_NOT_REMOVED' })]) as unknown,
  });
});

test('a database that cannot be put back because a call hangs is named with its original', async () => {
  await domino.simulation.fault('NSFBringDatabaseOnline:1=0x13ea');
  void hang('rename', `${victim.file}.domino-vss-original`);
  const error: unknown = await restore({ ...quick, databases: [victim.path] }).catch((thrown: unknown) => thrown);
  expect(JSON.stringify(error)).toMatch(/could not be put back, its original is [^"]*rename of [^"]* has not returned/);
});

test('a directory whose sync hangs fails its own databases only', async () => {
  void hang('open', dirname(victim.file));
  const report = await restore({ ...quick, databases: [victim.path] }).catch((error: unknown) => error);
  expect(JSON.stringify(report)).toContain('ERR_FILE_HANGS');
});
