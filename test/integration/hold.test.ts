// Snapshots taken by another program: here a copy of all files while the databases are held, which would be torn without the
// change information.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { holdDatabases, listBackups, restoreDatabases, type Hold, type HoldOptions } from '#lib/index';
import { until } from './command-line';
import { flushesVolumes, HeldDomino } from './held-domino';

let domino: HeldDomino;

beforeAll(async () => {
  domino = await HeldDomino.create();
}, 120_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

function begin(options: Partial<HoldOptions> = {}): Promise<Hold> {
  const { deltaDirectory, location } = domino;
  return holdDatabases({ deltaDirectory, domino: location, flushesVolumes, ...options });
}

/** All databases are on one volume. */
function volumeOf({ volumes }: Hold): string {
  return volumes[0]?.path ?? '';
}

test('a snapshot taken between hold and release is restored', async () => {
  await using hold = await begin();
  expect((await domino.simulated.simulation.stats()).inBackup).toHaveLength(hold.databases);
  const root = domino.snapshot(volumeOf(hold));
  const report = await hold.release();
  expect(await domino.isHeld()).toBe(false);
  expect(report).toMatchObject({ outcome: 'complete', provider: { name: 'external' } });
  expect(report.volumes).toMatchObject([{ kept: true, root: '' }]);
  expect(report.counts.deltas).toBeGreaterThan(0);
  await expect(
    restoreDatabases({ manifest: report.directory, domino: domino.location, dryRun: true }),
  ).resolves.toMatchObject({
    databases: expect.arrayContaining([
      expect.objectContaining({
        result: 'left-out',
        failure: expect.objectContaining({ text: expect.stringContaining('--shadow-root') as string }) as object,
      }),
    ]) as unknown[],
  });
  await domino.expectRestorable(report, volumeOf(hold), root);
  await domino.expectQuiet();
});

test('a wrong root of the snapshot releases nothing; the right one is verified', async () => {
  await using hold = await begin();
  const volume = volumeOf(hold);
  const shadows = [{ volume, root: join(domino.simulated.home, 'nowhere') }];
  await expect(hold.release({ shadows })).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'shadows' });
  await expect(hold.release({ shadows: [{ volume: '/other', root: domino.simulated.home }] })).rejects.toMatchObject({
    code: 'ERR_OPTION',
  });
  expect(await domino.isHeld()).toBe(true);
  const root = domino.snapshot(volume);
  const report = await hold.release({ shadows: [{ volume, root }], hash: true });
  expect(report.contents).toMatchObject({ shadows: 'sha256' });
  rmSync(root, { recursive: true });
});

test('a hold may be longer than a freeze window', async () => {
  await using hold = await begin({ maxHoldMs: 840_000 });
  expect(hold.deadline.getTime() - hold.heldAt.getTime()).toBe(840_000);
});

test('what a hold decides itself is no option of it', async () => {
  await expect(begin({ flushesVolumes: 'no' as never })).rejects.toMatchObject({ option: 'flushesVolumes' });
  for (const wrong of [{ provider: 'rolling' }, { windowTimeoutMs: 1000 }, { source: 'volumes' }]) {
    await expect(begin(wrong as Partial<HoldOptions>)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  }
});

test('what is released cannot be given up, and disposing of it meanwhile disturbs nothing', async () => {
  const hold = await begin();
  const released = hold.release();
  // The options are looked at first.
  await until('the release has begun', () => domino.isHeld().then((held) => !held));
  const disposed = hold.dispose();
  await expect(hold.giveUp()).rejects.toMatchObject({ code: 'ERR_STATE' });
  expect(await released).toMatchObject({ outcome: 'complete' });
  await disposed;
  expect((await listBackups(domino.deltaDirectory)).map(({ id }) => id)).toContain(hold.id);
});

test('a hold that is over is no backup', async () => {
  const hold = await begin({ maxHoldMs: 300 });
  expect(await hold.lost).toMatchObject({ code: 'ERR_HOLD_EXPIRED' });
  expect(await domino.isHeld()).toBe(false);
  await expect(hold.release()).rejects.toMatchObject({ code: 'ERR_HOLD_EXPIRED' });
  expect((await listBackups(domino.deltaDirectory)).map(({ id }) => id)).not.toContain(hold.id);
  await hold.dispose();
});
