import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup, restoreDatabases, type BackupReport, type ManifestDatabase, type SnapshotSet } from '#lib/index';
import { proofRuns, proveBackup } from '../proof';
import { SimulatedDomino } from '../simulated-domino';
import { describeOnLoopImage, LoopImage } from './images';

describeOnLoopImage('xfs', () => {
  let image: LoopImage;
  let domino: SimulatedDomino;
  let server: Server;

  beforeAll(async () => {
    image = new LoopImage('xfs', 4096);
    domino = await SimulatedDomino.create({ databases: 200, links: true }, image.mountPoint);
    server = await domino.serve({ threads: 3, secondProcess: true, transactionsPerSecond: 3000 });
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    await domino[Symbol.asyncDispose]();
    image[Symbol.dispose]();
  });

  test('clones of 200 databases are the state at NSFBackupStart', async () => {
    let deltas = 0;
    for (let run = 0; run < proofRuns; ++run) {
      const { report } = await proveBackup(domino, server);
      expect(report.provider).toEqual({ name: 'reflink', reason: expect.stringContaining('works on') as string });
      deltas += report.counts.deltas;
    }
    expect(deltas).toBeGreaterThan(0);
    await domino.expectQuiet();
  }, 3_600_000);

  test('the default place for clones is beside the data directory, and goes with the backup', async () => {
    const place = join(image.mountPoint, '.domino-vss');
    const backup = await beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory });
    const set = await backup.createShadow();
    expect(set.shadows[0]?.root.startsWith(place)).toBe(true);
    expect(existsSync(join(set.shadows[0]?.root ?? '', '..'))).toBe(true);
    await backup.endBackup();
    expect(existsSync(place)).toBe(false);
  });

  test('a database that was left out has no file in the shadow', async () => {
    const [left = ''] = domino.simulation.databases();
    await server.compact(left);
    await using backup = await beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory });
    const { skipped, databases, shadows } = await backup.createShadow();
    await server.endCompact(left);
    expect(skipped.map(({ database }) => database)).toContain(left);
    const clones = readdirSync(shadows[0]?.root ?? '', { recursive: true, withFileTypes: true });
    expect(clones.filter((entry) => entry.isFile())).toHaveLength(databases);
  });

  describe('a kept shadow', () => {
    let report: BackupReport;
    let withDelta: ManifestDatabase;

    const restore = (): ReturnType<typeof restoreDatabases> =>
      restoreDatabases({ domino: domino.location, manifest: report.directory, databases: [withDelta.path] });

    /** A database that was written to between its start and its clone: without the change information the clone is worthless. */
    async function findTorn(set: SnapshotSet): Promise<ManifestDatabase | undefined> {
      const candidates = [...set.describeDatabases()].filter(
        ({ deltaBytes, logged, path }) => deltaBytes > 0 && !logged && path.startsWith('mail/'),
      );
      const clones = candidates.map(({ shadowPath }) => join(set.shadows[0]?.root ?? '', shadowPath));
      const verdicts = await domino.simulation.verify(clones);
      return candidates.find((_candidate, index) => verdicts[index]?.verdict === 'torn');
    }

    beforeAll(async () => {
      // Whether a clone catches a half-written transaction is random.
      for (let tries = 0; tries < 50; ++tries) {
        await server.resume();
        await using backup = await beginBackup({
          domino: domino.location,
          deltaDirectory: domino.deltaDirectory,
          shadowDirectory: domino.shadowDirectory,
          lifetime: 'persistent',
        });
        const set = await backup.createShadow();
        await server.pause();
        const found = await findTorn(set);
        if (!found) continue;
        await set.shadows[0]?.expose({ as: join(domino.home, 'exposed') });
        report = await backup.endBackup();
        withDelta = found;
        return;
      }
      throw new Error('no clone is torn');
    }, 300_000);

    test('stays, exposed and readable', () => {
      expect(report.volumes).toMatchObject([{ kept: true }]);
      expect(readdirSync(join(domino.home, 'exposed')).length).toBeGreaterThan(0);
    });

    test('is restored from, with its change information', async () => {
      expect((await restore()).outcome).toBe('complete');
      expect(await domino.simulation.verify([withDelta.file])).toMatchObject([{ verdict: 'consistent' }]);
    });

    test('is not restored from when the change information is damaged', async () => {
      const delta = join(report.directory, withDelta.delta);
      const kept = readFileSync(delta);
      const damaged = Buffer.from(kept);
      damaged[kept.length - 1] = (damaged[kept.length - 1] ?? 0) ^ 1;
      writeFileSync(delta, damaged);
      const [before] = await domino.simulation.verify([withDelta.file]);
      await expect(restore()).rejects.toMatchObject({ code: 'ERR_DELTA_DAMAGED' });
      expect(await domino.simulation.verify([withDelta.file])).toEqual([before]);
      writeFileSync(delta, kept);
      await domino.expectQuiet();
    });
  });
});
