// A data directory as people have it, with links to databases and directories, from the backup to the restore.

import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
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

test('holes of a database stay holes in a rolling copy', async () => {
  // Grows at its end, as a database does that has room made for it.
  const file = inData(name);
  const handle = openSync(file, 'r+');
  const before = statSync(file).size;
  ftruncateSync(handle, before + 60_000_000);
  closeSync(handle);
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
    include: [name],
  });
  try {
    const set = await backup.createShadow();
    const { root } = set.shadows[0]!;
    const names = (readdirSync(root, { recursive: true }) as string[]).filter((path) => path.endsWith('.nsf'));
    expect(names).toHaveLength(1);
    const copy = join(root, names[0]!);
    // The first page holds the state of the database, which is another one during a backup.
    const [copied, live] = [copy, file].map((path) => readFileSync(path).subarray(4096));
    expect(copied!.equals(live!)).toBe(true);
    expect(statSync(copy).size).toBe(before + 60_000_000);
    expect(statSync(copy).blocks * 512).toBeLessThan(before + 2_000_000);
  } finally {
    await backup.dispose();
  }
});
