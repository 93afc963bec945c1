// Names outside ASCII: Domino uses LMBCS, the file system UTF-8, and users see the names they have chosen.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup, readManifest, restoreDatabases, type BackupReport } from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

const cyrillic = 'apps/Москва/план.nsf';
const greek = 'mail/Ελένη.nsf';
const japanese = 'apps/日本.nsf';
const umlauts = 'Büro/Ärger ñ.nsf';

let parent: string;
let domino: SimulatedDomino;
let server: Server;
let report: BackupReport;

beforeAll(async () => {
  // The data directory, notes.ini and the delta directory have such names, too.
  parent = mkdtempSync(join(tmpdir(), 'Δεδομένα-план-'));
  domino = await SimulatedDomino.create({ databases: 30, unloggedShare: 0.5 }, parent);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 300 });
  for (const name of [cyrillic, greek, japanese, umlauts]) expect(domino.simulation.databases()).toContain(name);
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  rmSync(parent, { recursive: true });
});

async function backUp(): Promise<BackupReport> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
  });
  try {
    const set = await backup.createShadow();
    await set.copyDatabases({ to: join(domino.home, 'копии', backup.id) });
    return await backup.endBackup();
  } finally {
    await backup.dispose();
  }
}

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);

test('are backed up under their own names', async () => {
  report = await backUp();
  expect(report.outcome).toBe('complete');
  const manifest = await readManifest(report.manifest);
  expect(manifest.dataDirectory).toBe(domino.simulation.dataDirectory);
  const paths: string[] = [];
  for await (const { path } of manifest.databases()) paths.push(path);
  expect(paths.sort()).toEqual(domino.simulation.databases().sort());
  const copies = [cyrillic, greek, japanese, umlauts].map((path) => join(report.copies!.directory, path));
  await server.pause();
  const verdicts = await domino.simulation.verify(copies);
  await server.resume();
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(copies.map(() => 'consistent'));
  await domino.expectQuiet();
});

test('are restored, over the original and beside it', async () => {
  await server.pause();
  await server.flushCache();
  for (const path of [cyrillic, greek]) writeFileSync(inData(path), 'destroyed');
  const over = await restoreDatabases({
    domino: domino.location,
    manifest: report.manifest,
    databases: [cyrillic, 'mail/Ελ*.nsf'],
  });
  expect(over).toMatchObject({ outcome: 'complete', databases: [{ path: cyrillic }, { path: greek }] });
  const beside = await restoreDatabases({
    domino: domino.location,
    manifest: report.manifest,
    databases: [japanese],
    mode: { type: 'new-database', as: 'восстановлено/日本 2.nsf' },
  });
  expect(beside).toMatchObject({ outcome: 'complete', databases: [{ path: 'восстановлено/日本 2.nsf' }] });
  const files = [cyrillic, greek, 'восстановлено/日本 2.nsf'].map(inData);
  const verdicts = await domino.simulation.verify(files);
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(['consistent', 'consistent', 'consistent']);
  await server.resume();
  await domino.expectQuiet();
});

test('are named rightly when something fails', async () => {
  await domino.simulation.fault(`NSFBackupStart:1@${cyrillic}=0x13aa`, `NSFDbOpen:1@${greek}=0x02cc`);
  const partial = await backUp();
  await domino.simulation.clearFaults();
  expect(partial.outcome).toBe('partial');
  expect([...partial.skipped].sort((a, b) => a.status - b.status)).toMatchObject([
    { database: greek, operation: 'NSFDbOpen', status: 0x02cc },
    { database: cyrillic, operation: 'NSFBackupStart', status: 0x13aa },
  ]);

  await domino.simulation.fault(`NSFTakeDatabaseOffline:1+@*${cyrillic}=0x13ea`);
  await server.pause();
  const before = readFileSync(inData(cyrillic));
  const refused = restoreDatabases({ domino: domino.location, manifest: report.manifest, databases: [cyrillic] });
  await expect(refused).rejects.toMatchObject({
    name: 'RestoreError',
    message: expect.stringContaining(cyrillic),
    failures: [{ database: cyrillic, operation: 'NSFTakeDatabaseOffline', status: 0x13ea }],
  });
  await domino.simulation.clearFaults();
  expect(readFileSync(inData(cyrillic)).equals(before)).toBe(true);
  expect(existsSync(`${inData(cyrillic)}.domino-vss-restore`)).toBe(false);
});
