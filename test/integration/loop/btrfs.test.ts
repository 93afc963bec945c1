import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup } from '#lib/index';
import { proofRuns, proveBackup } from '../proof';
import { SimulatedDomino } from '../simulated-domino';
import { describeOnLoopImage, LoopImage } from './images';

describeOnLoopImage('btrfs', () => {
  let image: LoopImage;
  let domino: SimulatedDomino;
  let server: Server;

  function subvolumes(): string[] {
    const list = execFileSync('btrfs', ['subvolume', 'list', image.mountPoint], { encoding: 'utf8' });
    return list.split('\n').filter((line) => line.includes('.domino-vss') || line.includes('shadow'));
  }

  beforeAll(async () => {
    image = new LoopImage('btrfs', 4096);
    const data = image.subvolume('data');
    domino = await SimulatedDomino.create({ databases: 200 }, data);
    // A second subvolume behind a link, so that one set spans two volumes.
    const other = image.subvolume('other');
    const { dataDirectory } = domino.simulation;
    cpSync(join(dataDirectory, 'mail'), join(other, 'mail'), { recursive: true });
    rmSync(join(dataDirectory, 'mail'), { recursive: true });
    symlinkSync(join(other, 'mail'), join(dataDirectory, 'mail'));
    server = await domino.serve({ threads: 3, secondProcess: true, transactionsPerSecond: 3000 });
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    await domino[Symbol.asyncDispose]();
    image[Symbol.dispose]();
  });

  test('snapshots of two subvolumes hold 200 databases as of NSFBackupStart', async () => {
    let deltas = 0;
    for (let run = 0; run < proofRuns; ++run) {
      const { report } = await proveBackup(domino, server, { shadowDirectory: undefined });
      expect(report.provider.name).toBe('btrfs');
      expect(report.volumes.map(({ path }) => path)).toEqual(
        expect.arrayContaining([join(image.mountPoint, 'data'), join(image.mountPoint, 'other')]),
      );
      deltas += report.counts.deltas;
    }
    expect(deltas).toBeGreaterThan(0);
    expect(subvolumes()).toEqual([]);
    await domino.expectQuiet();
  }, 3_600_000);

  test('a snapshot is read-only and removed when the backup is given up', async () => {
    const backup = await beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory });
    const set = await backup.createShadow();
    const root = set.shadows[0]?.root ?? '';
    expect(subvolumes()).toHaveLength(2);
    expect(readdirSync(root).length).toBeGreaterThan(0);
    expect(() => {
      writeFileSync(join(root, 'file'), '');
    }).toThrow(/EROFS/);
    await backup.dispose();
    expect(subvolumes()).toEqual([]);
  });

  test('a second snapshot that cannot be made takes the first one away', async () => {
    const shadowDirectory = join(image.mountPoint, 'shadows');
    mkdirSync(shadowDirectory);
    const backup = await beginBackup({
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      shadowDirectory,
    });
    // Something with that name is in the place of the second subvolume's snapshot.
    mkdirSync(join(shadowDirectory, backup.id, '1'), { recursive: true });
    await expect(backup.createShadow()).rejects.toMatchObject({ code: 'ERR_SHADOW', name: 'ShadowError' });
    expect(subvolumes()).toEqual([]);
    expect(existsSync(join(shadowDirectory, backup.id, '1'))).toBe(true);
    await domino.expectQuiet();
  });
});
