import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server, Verdict } from 'domino-vss-simulator';
import { beginBackup, readManifest, restoreDatabases, type ManifestDatabase, type RestoreOptions } from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;
let backupDirectory: string;
let databases: ManifestDatabase[];
/** Verdict of each copy right after the backup, by path. */
let atBackup: Map<string, Verdict>;

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);

async function verify(file: string): Promise<Verdict> {
  const [verdict] = await domino.simulation.verify([file]);
  if (!verdict) throw new Error('no verdict');
  return verdict;
}

function restore(options: Partial<RestoreOptions>): ReturnType<typeof restoreDatabases> {
  return restoreDatabases({ domino: domino.location, manifest: backupDirectory, ...options });
}

function choose(condition: (database: ManifestDatabase) => boolean): ManifestDatabase {
  const found = databases.find(condition);
  if (!found) throw new Error('the simulation has no such database');
  return found;
}

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 40, links: true, unloggedShare: 0.5 });
  server = await domino.serve({ threads: 2, transactionsPerSecond: 2000 });
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    // On Windows, without the VSS of test/windows.
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  const set = await backup.createShadow();
  const copies = await set.copyDatabases({ to: join(domino.home, 'copies') });
  const report = await backup.endBackup();
  await server.pause();
  backupDirectory = report.directory;
  databases = [];
  for await (const database of (await readManifest(report.manifest)).databases()) databases.push(database);
  const verdicts = await domino.simulation.verify(databases.map(({ path }) => join(copies.directory, path)));
  atBackup = new Map(verdicts.map((verdict, index) => [databases[index]?.path ?? '', verdict]));
}, 60_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('an unlogged database comes back as it was at NSFBackupStart', async () => {
  const { path, file } = choose((database) => !database.logged && database.path.startsWith('mail/'));
  writeFileSync(file, 'destroyed');
  const report = await restore({ databases: [path] });
  expect(report.outcome).toBe('complete');
  expect(await verify(file)).toMatchObject({ verdict: 'consistent', sequence: atBackup.get(path)?.sequence });
  expect(existsSync(`${file}.domino-vss-original`)).toBe(false);
  await server.run(path, 2); // the server uses it again
  await domino.expectQuiet();
});

test('a logged database is rolled forward to its last transaction', async () => {
  const { path, file } = choose((database) => database.logged && database.path.startsWith('mail/'));
  await server.run(path, 5);
  const before = await verify(file);
  writeFileSync(file, 'destroyed');
  const report = await restore({ databases: [path] });
  expect(report.databases).toMatchObject([{ result: 'restored', recovered: true }]);
  const after = await verify(file);
  expect(after).toMatchObject({ verdict: 'consistent', sequence: before.sequence });
  expect(after.sequence).toBeGreaterThan(atBackup.get(path)?.sequence ?? Infinity);
  expect(after.instanceId).toBe(before.instanceId);
});

test('a database is restored beside its original, with identities of its own', async () => {
  const { path, file } = choose((database) => database.logged && !database.path.includes('/'));
  const original = await verify(file);
  const report = await restore({
    databases: [path],
    mode: { type: 'new-database', as: 'restored/old state.nsf', newReplicaId: true },
  });
  expect(report.databases).toMatchObject([{ path: 'restored/old state.nsf' }]);
  const restored = await verify(inData('restored/old state.nsf'));
  expect(restored.verdict).toBe('consistent');
  expect(restored.instanceId).not.toBe(original.instanceId);
  expect(restored.replicaId).not.toBe(original.replicaId);
  expect(await verify(file)).toEqual(original);
});

test('several databases are recovered in one scan of the log; system databases stay', async () => {
  const before = readFileSync(inData('names.nsf'));
  const { calls } = await domino.simulation.stats();
  const report = await restore({});
  const results = new Map(report.databases.map((database) => [database.database, database.result]));
  expect(results.get('names.nsf')).toBe('left-out');
  expect(results.get('mail.box')).toBe('left-out');
  expect(report.databases.filter(({ result }) => result === 'failed')).toEqual([]);
  expect(readFileSync(inData('names.nsf')).equals(before)).toBe(true);
  const recoveries = (await domino.simulation.stats()).calls['NSFRecoverDatabases'] ?? 0;
  expect(recoveries - (calls['NSFRecoverDatabases'] ?? 0)).toBe(1);
  for (const { path, file, logged } of databases) {
    if (results.get(path) !== 'restored') continue;
    const verdict = await verify(file);
    expect({ path, ...verdict }).toMatchObject({ path, verdict: 'consistent' });
    if (!logged) expect(verdict.sequence).toBe(atBackup.get(path)?.sequence);
  }
  await domino.expectQuiet();
}, 60_000);

test('a database in use is left as it is', async () => {
  const before = statSync(inData('names.nsf')).size;
  await expect(restore({ databases: ['names.nsf'], mode: { type: 'online', waitMs: 200 } })).rejects.toMatchObject({
    failures: [{ database: 'names.nsf', status: 0x13ea }],
  });
  expect(statSync(inData('names.nsf')).size).toBe(before);
  await domino.expectQuiet();
});

test('a damaged copy is refused before anything is touched', async () => {
  const { path, file } = choose(({ logged }) => !logged);
  const copy = join(domino.home, 'copies', path);
  const kept = readFileSync(copy);
  writeFileSync(copy, kept.subarray(0, 4096));
  const before = await verify(file);
  await expect(restore({ databases: [path] })).rejects.toMatchObject({ code: 'ERR_CONTENTS_DAMAGED' });
  expect(await verify(file)).toEqual(before);
  writeFileSync(copy, kept);
});

test.each(['NSFTakeDatabaseOffline', 'NSFRecoverDatabases', 'NSFBringDatabaseOnline'])(
  'when %s fails the original is in its place again',
  async (call) => {
    const { path, file } = choose((database) => database.logged && database.path.startsWith('apps/'));
    const before = await verify(file);
    const saved = join(domino.home, 'saved.nsf');
    copyFileSync(file, saved);
    await domino.simulation.fault(`${call}:1=0x0106`);
    await expect(restore({ databases: [path] })).rejects.toMatchObject({ failures: [{ operation: call }] });
    await domino.simulation.clearFaults();
    expect(await verify(file)).toMatchObject({ verdict: 'consistent', sequence: before.sequence });
    expect(readFileSync(file).equals(readFileSync(saved))).toBe(true);
    expect(existsSync(`${file}.domino-vss-original`)).toBe(false);
    await domino.expectQuiet();
  },
);

test('with the server down everything is restored offline, system databases when named', async () => {
  await server.stop();
  try {
    const report = await restore({ databases: ['names.nsf', 'mail/**'], mode: { type: 'offline' } });
    expect(report.outcome).toBe('complete');
    expect(await verify(inData('names.nsf'))).toMatchObject({ verdict: 'consistent' });
  } finally {
    server = await domino.serve({ threads: 1, paused: true });
  }
}, 60_000);
