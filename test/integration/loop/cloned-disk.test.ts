// A cloned disk has the UUID of the original, and the same inode numbers. Neither may be taken for the other.

import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beginBackup, findDatabases } from '#lib/index';
import { SimulatedDomino } from '../simulated-domino';
import { describeOnLoopImage, LoopImage } from './images';

describeOnLoopImage('xfs', () => {
  let original: LoopImage;
  let clone: LoopImage;
  let domino: SimulatedDomino;
  let dataOnClone: string;

  beforeAll(async () => {
    original = new LoopImage('xfs', 512);
    domino = await SimulatedDomino.create({ databases: 10, plainNames: true }, original.mountPoint);
    const { dataDirectory } = domino.simulation;
    clone = new LoopImage(original);
    dataOnClone = join(clone.mountPoint, relative(original.mountPoint, dataDirectory));
    writeFileSync(join(dataDirectory, 'clone.dir'), `${join(dataOnClone, 'mail')}\n`);
  }, 60_000);

  afterAll(async () => {
    clone[Symbol.dispose]();
    await domino[Symbol.asyncDispose]();
    original[Symbol.dispose]();
  });

  const uuidOf = ({ mountPoint }: LoopImage): string =>
    execFileSync('findmnt', ['--noheadings', '--output', 'UUID', mountPoint], { encoding: 'utf8' }).trim();

  test('both disks have the same UUID, and the same number for the same file', () => {
    expect(uuidOf(clone)).toMatch(/^[0-9a-f-]{36}$/);
    expect(uuidOf(clone)).toBe(uuidOf(original));
    for (const path of domino.simulation.databases())
      expect(statSync(join(dataOnClone, path)).ino).toBe(statSync(join(domino.simulation.dataDirectory, path)).ino);
  });

  test('the databases of both are found, each on its own volume', async () => {
    const mail = domino.simulation.databases().filter((path) => path.startsWith('mail/'));
    expect(mail.length).toBeGreaterThan(2);
    const { databases } = await findDatabases({ domino: domino.location });
    for (const path of mail) {
      const behindLink = path.replace(/^mail/, 'clone');
      expect(databases.filter((found) => found.path === path || found.path === behindLink)).toMatchObject([
        { path: behindLink, file: join(dataOnClone, path), volume: clone.mountPoint, aliases: [] },
        { path, volume: original.mountPoint, aliases: [] },
      ]);
    }
  });

  test('each is captured in the shadow of its own volume', async () => {
    await using backup = await beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory });
    const set = await backup.createShadow();
    expect(set.skipped).toEqual([]);
    expect(set.shadows.map(({ volume }) => volume).sort()).toEqual([clone.mountPoint, original.mountPoint].sort());
    for (const { file, shadowPath } of set.describeDatabases()) {
      const { mountPoint } = file.startsWith(clone.mountPoint) ? clone : original;
      const root = set.shadows.find(({ volume }) => volume === mountPoint)?.root ?? '';
      expect(existsSync(join(root, shadowPath))).toBe(true);
      expect(root.startsWith(mountPoint)).toBe(true);
    }
    await backup.endBackup();
    await domino.expectQuiet();
  });
});
