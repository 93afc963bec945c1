import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Server, Verdict } from 'domino-vss-simulator';
import { beginBackup, planRestore, restoreDatabases, type RestoreOptions, type RestoreReport } from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

const first = 'mail/db000001.nsf';
const second = 'mail/db000003.nsf';
let domino: SimulatedDomino;
let server: Server;
let manifest: string;
/** A time when both had 10 transactions after the backup. */
let between: string;

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);

async function verify(path: string): Promise<Verdict> {
  const [verdict] = await domino.simulation.verify([inData(path)]);
  expect(verdict?.verdict).toBe('consistent');
  return verdict!;
}

const restore = (options: Partial<RestoreOptions>): Promise<RestoreReport> =>
  restoreDatabases({ manifest, domino: domino.location, ...options });

const beside = (as: string): Partial<RestoreOptions> => ({
  databases: [first, second],
  mode: { type: 'new-database', as },
});

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 8, plainNames: true, unloggedShare: 0 });
  server = await domino.serve({ paused: true });
  for (const path of [first, second]) await server.run(path, 5);
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.home, 'copies') });
  manifest = (await backup.endBackup()).directory;
  await delay(50);
  for (const path of [first, second]) await server.run(path, 10);
  // Times of transactions are stored in hundredths of a second.
  await delay(50);
  between = new Date().toISOString();
  await delay(50);
  for (const path of [first, second]) await server.run(path, 10);
}, 60_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('a time: what was committed before it, in one scan of the log, and the time that was reached', async () => {
  const { calls } = await domino.simulation.stats();
  const report = await restore({ ...beside('at'), until: between });
  expect(report).toMatchObject({ outcome: 'complete', warnings: [] });
  const after = await domino.simulation.stats();
  expect((after.calls['NSFRecoverDatabases'] ?? 0) - (calls['NSFRecoverDatabases'] ?? 0)).toBe(1);
  const verdicts = [await verify(`at/${first}`), await verify(`at/${second}`)];
  expect(verdicts.map(({ sequence }) => sequence)).toEqual([15, 15]);
  const last = Math.max(...verdicts.map(({ committed }) => Date.parse(committed ?? '')));
  expect(Date.parse(report.recoveredTo ?? '')).toBe(last);
  expect(last).toBeLessThan(Date.parse(between));
});

test('the moment of the backup', async () => {
  await restore({ ...beside('then'), until: 'backup' });
  expect((await verify(`then/${first}`)).sequence).toBe(5);
  expect((await verify(`then/${second}`)).sequence).toBe(5);
});

test('a time before the backup is refused, and nothing was touched', async () => {
  const before = await domino.simulation.stats();
  await expect(restore({ databases: [first], until: '2001-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'ERR_RESTORE_TIME',
  });
  expect((await domino.simulation.stats()).calls['NSFTakeDatabaseOffline']).toBe(
    before.calls['NSFTakeDatabaseOffline'],
  );
});

test('over the original: a new instance id, and a warning that a backup is due', async () => {
  const original = await verify(first);
  expect(original.sequence).toBe(25);
  const plan = await planRestore({ manifest, domino: domino.location, databases: [first], until: between });
  expect(plan.steps).toContainEqual(
    expect.objectContaining({ type: 'recover', newDbiid: true, until: expect.any(String) }),
  );
  writeFileSync(inData(first), 'destroyed');
  const report = await restore({ databases: [first], until: between });
  expect(report.warnings).toMatchObject([
    {
      code: 'WARN_BACKUP_DUE',
      message: expect.stringContaining(`${first} has a new instance id: a backup is due`),
      subjects: [first],
    },
  ]);
  const restored = await verify(first);
  expect(restored.sequence).toBe(15);
  expect(restored.instanceId).not.toBe(original.instanceId);
  await server.run(first, 3);
  expect((await verify(first)).sequence).toBe(18);
  await domino.expectQuiet();
});

test('two recoveries of one backup to one time are two instances', async () => {
  await restore({ ...beside('again'), until: between });
  const [one, other] = [await verify(`at/${second}`), await verify(`again/${second}`)];
  expect(other.sequence).toBe(one.sequence);
  expect(other.instanceId).not.toBe(one.instanceId);
});
