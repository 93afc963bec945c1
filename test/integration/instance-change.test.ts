import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup, planRestore, readManifest, restoreDatabases, type BackupReport } from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

const database = 'mail/db000001.nsf';
const quiet = 'mail/db000003.nsf';
let domino: SimulatedDomino;
let server: Server;
let [first, second]: BackupReport[] = [];

const place = (backup: BackupReport | undefined) => ({ manifest: backup?.directory ?? '', domino: domino.location });

async function sequenceOf(path: string): Promise<number> {
  const [verdict] = await domino.simulation.verify([join(domino.simulation.dataDirectory, path)]);
  expect(verdict?.verdict).toBe('consistent');
  return verdict?.sequence ?? NaN;
}

async function backUp(): Promise<BackupReport> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.home, 'copies', backup.id) });
  return backup.endBackup();
}

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 8, plainNames: true, unloggedShare: 0 });
  server = await domino.serve({ paused: true });
  first = await backUp();
  for (const path of [database, quiet]) await server.run(path, 30);
  await server.compact(database, { style: 'copy' });
  await server.run(database, 30);
}, 60_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

// D8
test('before there is a later backup, the plan knows it from the server', async () => {
  const plan = await planRestore({ ...place(first), databases: [database, quiet] });
  const reaches = plan.databases.map((entry) => 'reach' in entry && [entry.path, entry.reach]);
  expect(reaches).toEqual([
    [database, { type: 'instance-change', dbiid: expect.stringMatching(/^[0-9A-F]{32}$/), seenIn: '' }],
    [quiet, { type: 'now' }],
  ]);
  expect(plan.warnings).toMatchObject([
    {
      code: 'WARN_INSTANCE_ID_CHANGED',
      message: expect.stringContaining(`${database}: its instance id has changed since this backup`),
      subjects: [database],
    },
  ]);
  expect(await sequenceOf(database)).toBe(60);
});

// D8
test('the next backup names the database', async () => {
  second = await backUp();
  const { continuity } = await readManifest(second.manifest);
  expect(continuity?.replaced).toEqual([{ database, changed: expect.arrayContaining(['instance id']) }]);
  const message = expect.stringContaining(
    `an instance id different from that in backup ${first?.id ?? ''}, or none: ${database}`,
  ) as string;
  expect(second.warnings).toContainEqual({ code: 'WARN_INSTANCE_ID_CHANGED', message, subjects: [database] });
});

// D8
test('a restore of the older backup says how far it came, and which backup reaches further', async () => {
  const report = await restoreDatabases({ ...place(first), databases: [database] });
  expect(report.databases).toMatchObject([
    { result: 'restored', reach: { type: 'instance-change', seenIn: second?.id } },
  ]);
  expect(report.warnings).toMatchObject([
    { message: expect.stringContaining(`backup ${second?.id ?? ''} was made after the change`) },
  ]);
  // The log before the compact has 30 of the 60 transactions.
  expect(await sequenceOf(database)).toBe(30);
});

test('a restore that the log carries to the end tells the time of its last transaction', async () => {
  const since = Date.now() - 3_600_000;
  await server.run(quiet, 5);
  const report = await restoreDatabases({ ...place(second), databases: [quiet] });
  expect(report).toMatchObject({ databases: [{ reach: { type: 'now' } }], warnings: [] });
  expect(await sequenceOf(quiet)).toBe(35);
  expect(Date.parse(report.recoveredTo ?? '')).toBeGreaterThan(since);
  const [verdict] = await domino.simulation.verify([join(domino.simulation.dataDirectory, quiet)]);
  expect(report.recoveredTo).toBe(new Date(verdict?.committed ?? '').toISOString());
});

test('a database that is gone is planned by what later backups have seen', async () => {
  await server.flushCache();
  const plan = await planRestore({ ...place(first), databases: [database], mode: { type: 'offline' } });
  expect(plan.databases).toMatchObject([{ reach: { type: 'instance-change', dbiid: '', seenIn: second?.id } }]);
});
