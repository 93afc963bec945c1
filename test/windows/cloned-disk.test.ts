// Two volumes, one a clone of the other: the same serial number, and files with the same ids. Neither volume may be
// taken for the other, and no database for another name of its clone.

import { cpSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDatabases } from '#lib/index';
import { SimulatedDomino } from '../integration/simulated-domino';
import type { EndedBackup } from './consistency-program';
import { expectBacked } from './backed';
import { Machine } from './machine';

const machine = new Machine();
let domino: SimulatedDomino;
let clone: string;
let doubles: readonly string[];

beforeAll(async () => {
  const [home, secondVolume] = machine.homes;
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true }, home);
  const { dataDirectory } = domino.simulation;
  clone = join(secondVolume, 'clone');
  cpSync(join(dataDirectory, 'mail'), clone, { recursive: true });
  // Two names of one file, on two volumes: impossible in a file system, but it looks like a clone.
  doubles = domino.simulation
    .databases()
    .filter((path) => path.startsWith('mail/'))
    .slice(0, 3);
  for (const path of doubles) {
    const double = join(clone, path.slice('mail/'.length));
    rmSync(double);
    linkSync(join(dataDirectory, path), double);
  }
  writeFileSync(join(dataDirectory, 'clone.dir'), `${clone}\n`);
}, 300_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

test('both volumes have the same serial number, and doubles the same id', () => {
  for (const path of doubles) {
    const [one, other] = [join(domino.simulation.dataDirectory, path), join(clone, path.slice('mail/'.length))].map(
      (file) => statSync(file, { bigint: true }),
    );
    expect({ serial: one?.dev, id: one?.ino }).toEqual({ serial: other?.dev, id: other?.ino });
  }
});

test('the databases of both are found, each on its own volume', async () => {
  const { databases } = await findDatabases({ domino: domino.location });
  for (const path of domino.simulation.databases().filter((name) => name.startsWith('mail/'))) {
    const behindLink = path.replace(/^mail/, 'clone');
    expect(databases.filter((found) => found.path === path || found.path === behindLink)).toMatchObject([
      { path: behindLink, volume: 'D:\\', aliases: [] },
      { path, volume: 'C:\\', aliases: [] },
    ]);
  }
});

test('each is copied out of the shadow of its own volume', async () => {
  // For the stand-in for Domino, a file with two names is one database, which cannot be in backup mode twice.
  for (const path of doubles) {
    const double = join(clone, path.slice('mail/'.length));
    rmSync(double);
    cpSync(join(domino.simulation.dataDirectory, path), double);
  }
  const { programDirectory, notesIni } = domino.simulation;
  const copies = join(domino.home, 'copies');
  mkdirSync(copies);
  const program = machine.start('consistency-program.js', [programDirectory, notesIni, machine.deltaDirectory, copies]);
  const backed = await expectBacked(program);
  expect(backed.skipped).toEqual([]);
  expect(backed.copies.failures).toEqual([]);
  expect(backed.shadows.map(({ volume }) => volume).sort()).toEqual(['C:\\', 'D:\\']);
  for (const path of doubles) {
    const volumes = backed.databases
      .filter((database) => database.path === path || database.path === path.replace(/^mail/, 'clone'))
      .map(({ volume }) => volume);
    expect(volumes.sort()).toEqual(['C:\\', 'D:\\']);
  }
  expect(((await program.ask('end')) as EndedBackup).outcome).toBe('complete');
  expect((await program.end()).code).toBe(0);
  machine.expectNoLeaks();
  await domino.expectQuiet();
}, 300_000);
