// A realistic data directory, with links to databases and directories, from the backup to the restore.

import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beginBackup, readManifest, restoreDatabases, type BackupReport } from '#lib/index';
import { locationFlags, mainScript, RunningProcess } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let report: BackupReport;
let name: string;

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 20, plainNames: true });
  name = domino.simulation.databases().find((path) => path.startsWith('mail/'))!;
  symlinkSync(inData(name), inData('aalias.nsf'));
  symlinkSync(inData('mail'), inData('amail'));
  symlinkSync(domino.simulation.dataDirectory, inData('mail/up'));
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    include: ['mail\\', 'nosuch'],
  });
  try {
    const set = await backup.createShadow();
    await set.copyDatabases({ to: join(domino.home, 'copies') });
    report = await backup.endBackup();
  } finally {
    await backup.dispose();
  }
});

afterAll(async () => {
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
});

test('every database is in the backup under its true name (V1)', async () => {
  expect(report).toMatchObject({
    outcome: 'complete',
    notices: [{ code: 'WARN_GLOB_UNMATCHED', subjects: ['nosuch'] }],
  });
  const manifest = await readManifest(report.manifest);
  const paths: string[] = [];
  for await (const { path } of manifest.databases()) paths.push(path);
  const mail = domino.simulation.databases().filter((path) => path.startsWith('mail/'));
  expect(paths.sort()).toEqual(mail.sort());
  expect(manifest.aliases).toEqual([
    { alias: 'aalias.nsf', path: name },
    { alias: 'amail/', path: 'mail/' },
    { alias: 'mail/up/', path: '' },
  ]);
});

test.each([
  ['its true name', () => name],
  ['the name of a link', () => 'aalias.nsf'],
  ['a path through a link, as Domino writes it', () => name.replace('mail/', 'amail\\')],
  ['a path in a circle', () => `mail/up/${name}`],
])('a database is restored by %s', async (_what, wanted) => {
  writeFileSync(inData(name), 'destroyed');
  const restored = await restoreDatabases({
    domino: domino.location,
    manifest: report.manifest,
    databases: [wanted()],
  });
  expect(restored).toMatchObject({ outcome: 'complete', databases: [{ database: name, path: name }] });
  const [verdict] = await domino.simulation.verify([inData(name)]);
  expect(verdict).toMatchObject({ verdict: 'consistent' });
});

test('a process that may not open as many files is told how many, before anything is opened', async () => {
  const args = [
    'backup',
    'run',
    '--delta-dir',
    join(domino.home, 'b'),
    '--to',
    join(domino.home, 'c'),
    '--json',
    ...locationFlags(domino),
  ];
  const command = ['-c', 'ulimit -n 45; exec "$@"', 'sh', process.execPath, mainScript, ...args];
  const { code, stdout } = await new RunningProcess('sh', command, {
    env: { LD_LIBRARY_PATH: domino.simulation.programDirectory },
  }).ended;
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  expect(error).toMatchObject({
    code: 'ERR_OPEN_FILES',
    message: expect.stringMatching(/^\d+ open files are needed at once, 45 are allowed$/),
  });
  expect(code).toBe(4);
});

/** Lets a database grow, makes a rolling copy of it, and returns the space that the growth takes in both. */
async function roomAfterGrowing(path: string, grow: (handle: number, from: number) => void): Promise<[number, number]> {
  const file = inData(path);
  const handle = openSync(file, 'r+');
  const before = statSync(file);
  grow(handle, before.size);
  closeSync(handle);
  const { size, blocks } = statSync(file);
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    include: [path],
  });
  try {
    const set = await backup.createShadow();
    const { root } = set.shadows[0]!;
    const names = (readdirSync(root, { recursive: true }) as string[]).filter((name) => name.endsWith('.nsf'));
    expect(names).toHaveLength(1);
    const copy = join(root, names[0]!);
    expect(statSync(copy).size).toBe(size);
    // The first page contains the state of the database, which differs during a backup.
    const [copied, live] = [copy, file].map((one) => readFileSync(one).subarray(4096));
    expect(copied!.equals(live!)).toBe(true);
    const bytesOf = (all: number): number => (all - before.blocks) * 512;
    return [bytesOf(blocks), bytesOf(statSync(copy).blocks)];
  } finally {
    await backup.dispose();
  }
}

const megabytes = 1_000_000;

test.each([
  ['at its end, as a database has for which room is made', []],
  ['with data behind them', [20 * megabytes]],
  ['with data between them, at the edges of a block', [5 * megabytes, 33 * 262_144 - 1, 41 * 262_144]],
])('holes of a database stay holes in a rolling copy: %s', async (_what, places) => {
  const [live, copied] = await roomAfterGrowing(name, (handle, from) => {
    for (const place of places) writeSync(handle, Buffer.alloc(5000, 0x5a), 0, 5000, from + place);
    ftruncateSync(handle, from + 20 * megabytes + 5000);
  });
  expect(live).toBeLessThan(megabytes);
  expect(copied).toBeLessThan(2 * megabytes);
});

test('a database without holes has none in a rolling copy, whatever zeros are in it', async () => {
  const dense = domino.simulation.databases().find((path) => path.startsWith('mail/') && path !== name)!;
  const [live, copied] = await roomAfterGrowing(dense, (handle, from) => {
    writeSync(handle, Buffer.alloc(5 * megabytes), 0, 5 * megabytes, from);
  });
  expect(live).toBeGreaterThanOrEqual(5 * megabytes - 4096);
  expect(copied).toBeGreaterThanOrEqual(5 * megabytes - 4096);
});
