import { appendFileSync, existsSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup, type ManifestDatabase } from '#lib/index';
import { linuxTest } from '../platform';
import { proveAppliedShadow } from './applied-shadow';
import { locationFlags, run } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 20, pages: [16, 64] });
  server = await domino.serve({ threads: 2 });
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('every database in a kept shadow is as it was at the backup, and restored without its delta', async () => {
  const { report, databases } = await proveAppliedShadow(domino, server, { provider: 'rolling' });
  expect(databases.some(({ delta }) => delta !== '' && existsSync(report.directory))).toBe(true);
  await domino.expectQuiet();
}, 60_000);

linuxTest(
  'what was appended is cut off; a file in the shadow that leads elsewhere is not written to',
  async () => {
    await server.resume();
    const backup = await beginBackup({
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      shadowDirectory: domino.shadowDirectory,
      provider: 'rolling',
      lifetime: 'persistent',
    });
    const set = await backup.createShadow();
    await server.pause();
    const [database, grown] = set.describeDatabases();
    if (!database || !grown) throw new Error('no database');
    const inShadow = ({ volume, shadowPath }: ManifestDatabase): string =>
      join(set.shadows.find(({ volume: shadowed }) => shadowed === volume)?.root ?? '', shadowPath);
    appendFileSync(inShadow(grown), 'appended after NSFBackupStart');
    const file = inShadow(database);
    rmSync(file);
    symlinkSync(database.file, file);
    const before = readFileSync(database.file);
    const report = await backup.endBackup({ applyDeltas: true });
    expect(report.outcome).toBe('partial');
    expect(report.skipped).toContainEqual(expect.objectContaining({ database: database.path }));
    expect(readFileSync(database.file).equals(before)).toBe(true);
    expect(statSync(inShadow(grown)).size).toBe(grown.startSizeBytes);
  },
  60_000,
);

test('where nobody can write to the shadow it is refused', async () => {
  const place = [
    ...locationFlags(domino),
    '--delta-dir',
    domino.deltaDirectory,
    '--shadow-dir',
    domino.shadowDirectory,
  ];
  const withExec = await run(['backup', 'run', ...place, '--keep', '--apply-deltas', '--exec', 'true']);
  expect([withExec.code, withExec.stderr]).toEqual([2, expect.stringContaining('--apply-deltas excludes --exec')]);
  const unkept = await run(['backup', 'run', ...place, '--to', domino.home, '--apply-deltas']);
  expect([unkept.code, unkept.stderr]).toEqual([2, expect.stringContaining('--apply-deltas needs --keep')]);
  await using backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    provider: {
      name: 'array',
      create: ({ volumes }) => Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) }),
    },
    lifetime: 'persistent',
  });
  await backup.createShadow();
  await expect(backup.endBackup({ applyDeltas: true })).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
}, 60_000);
