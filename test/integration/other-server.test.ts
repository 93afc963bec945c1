import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server, Verdict } from 'domino-vss-simulator';
import {
  beginBackup,
  planRestore,
  readManifest,
  restoreDatabases,
  type ManifestDatabase,
  type RestoreOptions,
  type RestoreReport,
} from '#lib/index';
import { linuxTest } from '../platform';
import { locationFlags, run } from './command-line';
import { SimulatedDomino } from './simulated-domino';

/** The server of the backup; only other processes work on it. */
let first: SimulatedDomino;
/** The target server of the restore, in this process. */
let second: SimulatedDomino;
let server: Server;
let manifest: string;
let databases: ManifestDatabase[];
let atBackup: Map<string, Verdict>;

const inFirst = (path: string): string => join(first.simulation.dataDirectory, path);
const inSecond = (path: string): string => join(second.simulation.dataDirectory, path);
const restore = (options: Partial<RestoreOptions>): Promise<RestoreReport> =>
  restoreDatabases({ domino: second.location, manifest, ...options });

async function verify(file: string): Promise<Verdict> {
  // Its history is that of the first server, wherever the file is.
  const [verdict] = await first.simulation.verify([file]);
  if (!verdict) throw new Error('no verdict');
  return verdict;
}

/** A database of the first server that the second one lacks at the beginning. */
function own(logged: boolean, index = 0): string {
  const found = databases.filter((database) => database.logged === logged && !taken.has(database.path))[index];
  if (!found) throw new Error('the simulation has no such database');
  return found.path;
}
let taken: ReadonlySet<string>;
/** Both have a database with this name, but not the same one. */
const common = 'names.nsf';

beforeAll(async () => {
  const small = { pages: [4, 12] as [number, number] };
  first = await SimulatedDomino.create({ ...small, databases: 30, unloggedShare: 0.4, seed: 1 });
  second = await SimulatedDomino.create({ ...small, databases: 6, unloggedShare: 0, seed: 2 });
  const busy = await first.serve({ threads: 2, transactionsPerSecond: 1500 });
  const copies = join(first.home, 'copies');
  const flags = [...locationFlags(first), '--delta-dir', first.deltaDirectory, '--shadow-dir', first.shadowDirectory];
  const provider = process.platform === 'win32' ? ['--provider', 'rolling'] : [];
  const made = await run(['backup', 'run', ...flags, ...provider, '--to', copies, '--json']);
  expect([made.stderr, made.code]).toEqual(['', 0]);
  await busy.pause();
  const report = JSON.parse(made.stdout) as { manifest: string; copies: { directory: string } };
  ({ manifest } = report);
  databases = [];
  for await (const database of (await readManifest(manifest)).databases()) databases.push(database);
  const files = databases.map(({ copy }) => join(report.copies.directory, copy?.file ?? ''));
  const verdicts = await first.simulation.verify(files);
  atBackup = new Map(verdicts.map((verdict, index) => [databases[index]?.path ?? '', verdict]));
  taken = new Set(second.simulation.databases());
  for (const path of [own(true), own(false)]) await busy.run(path, 3);
  await busy.stop();
  server = await second.serve({ threads: 1, paused: true });
}, 240_000);

afterAll(async () => {
  await server.stop();
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

test('without being told so nothing of another server is restored', async () => {
  const refused = { code: 'ERR_RESTORE_TARGET', message: expect.stringContaining('--other-server') as string };
  await expect(restore({ databases: [own(true)] })).rejects.toMatchObject(refused);
  const mode = { type: 'new-database', as: 'from-first/' } as const;
  await expect(restore({ databases: [own(true)], mode })).rejects.toMatchObject({
    failures: [{ code: 'ERR_RESTORE_LOG', hint: expect.stringContaining('--until backup') as string }],
  });
  expect(existsSync(inSecond('from-first'))).toBe(false);
});

test('the plan says that a log of another server carries nothing forward', async () => {
  const plan = await planRestore({ domino: second.location, manifest, databases: [own(true)], otherServer: true });
  expect(plan.databases).toMatchObject([{ result: 'planned', recovered: false, reach: { type: 'other-log' } }]);
  expect(plan.steps.map(({ type }) => type)).toContain('adopt');
  expect(plan.steps.map(({ type }) => type)).not.toContain('recover');
  expect(plan.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_OTHER_LOG',
      message: expect.stringContaining('that this server does not write'),
    }),
  );
});

test('logged and unlogged databases come back as they were at the backup, and the other server takes them into its log', async () => {
  const wanted = [own(true), own(false)];
  const report = await restore({ databases: wanted, otherServer: true });
  expect(report).toMatchObject({ outcome: 'complete', recoveredTo: null });
  for (const path of wanted) {
    expect(await verify(inSecond(path))).toMatchObject({
      verdict: 'consistent',
      sequence: atBackup.get(path)?.sequence,
      replicaId: atBackup.get(path)?.replicaId,
    });
  }
  const adopted = await verify(inSecond(wanted[0] ?? ''));
  expect(adopted).toMatchObject({ hasBackupMarker: false, isLogged: true });
  expect(adopted.instanceId).not.toBe(atBackup.get(wanted[0] ?? '')?.instanceId);
  expect(report.warnings.map(({ code }) => code)).toContain('WARN_BACKUP_DUE');

  // From here on it is a normal database of the second server: backed up, changed, lost, and rolled forward.
  const [path = ''] = wanted;
  const backup = await beginBackup({
    domino: second.location,
    deltaDirectory: second.deltaDirectory,
    shadowDirectory: second.shadowDirectory,
    include: [path],
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  await (await backup.createShadow()).copyDatabases({ to: join(second.home, 'copies') });
  const own2 = await backup.endBackup();
  await server.run(path, 4);
  writeFileSync(inSecond(path), 'destroyed');
  const again = await restoreDatabases({ domino: second.location, manifest: own2.manifest, databases: [path] });
  expect(again.databases).toMatchObject([{ result: 'restored', recovered: true }]);
  expect((await verify(inSecond(path))).sequence).toBe((atBackup.get(path)?.sequence ?? 0) + 4);
  await second.expectQuiet();
}, 240_000);

test('another database at the same path is refused, and stays', async () => {
  const before = readFileSync(inSecond(common));
  await expect(restore({ databases: [common], otherServer: true })).rejects.toMatchObject({
    failures: [{ code: 'ERR_RESTORE_TARGET', text: expect.stringContaining('another database') as string }],
  });
  expect(readFileSync(inSecond(common)).equals(before)).toBe(true);
});

test('beside what is there, below a directory of the data directory', async () => {
  const path = own(true, 1);
  const mode = { type: 'new-database', as: 'from-first/' } as const;
  const report = await restore({ databases: [path, common], mode, otherServer: true });
  expect(report.outcome).toBe('complete');
  const restored = await verify(inSecond(`from-first/${path}`));
  expect(restored).toMatchObject({ verdict: 'consistent', sequence: atBackup.get(path)?.sequence });
  await server.run(`from-first/${path}`, 1);
});

test('a server that refuses to open a copy gets nothing, and says what can be done', async () => {
  const path = own(true, 2);
  await second.simulation.set({ SIM_OPEN_COPY: 'refuse' });
  try {
    await expect(restore({ databases: [path], otherServer: true })).rejects.toMatchObject({
      failures: [{ status: 0x13f3, hint: expect.stringContaining('--to-directory') as string }],
    });
  } finally {
    await second.simulation.set({ SIM_OPEN_COPY: null });
  }
  for (const left of [path, `${path}.domino-vss-restore`]) expect(existsSync(inSecond(left))).toBe(false);
  await second.expectQuiet();
});

test('plain files are the state of the backup, and logged ones are backups still', async () => {
  const directory = join(second.home, 'handover', 'new');
  const wanted = [own(true), own(false), common];
  const report = await restore({ databases: wanted, mode: { type: 'directory', directory } });
  expect(report.outcome).toBe('complete');
  for (const path of wanted) {
    const { sequence } = atBackup.get(path) ?? {};
    const found = await verify(join(directory, path));
    expect({ path, ...found }).toMatchObject({ path, verdict: 'consistent', sequence, hasBackupMarker: true });
  }
  for (const name of ['plain', '..plain', 'deeper/plain']) {
    const inside = { type: 'directory', directory: inSecond(name) } as const;
    const refused = {
      code: 'ERR_RESTORE_TARGET',
      message: expect.stringContaining('lies in the data directory') as string,
    };
    await expect(restore({ databases: wanted, mode: inside })).rejects.toMatchObject(refused);
  }
});

test('with the server down, the log is found through names.nsf', async () => {
  const path = own(true, 3);
  await server.stop();
  try {
    const report = await restore({ databases: [path], mode: { type: 'offline' }, otherServer: true });
    expect(report.databases).toMatchObject([{ result: 'restored', reach: { type: 'other-log' } }]);
    expect(await verify(inSecond(path))).toMatchObject({ sequence: atBackup.get(path)?.sequence });
  } finally {
    server = await second.serve({ threads: 1, paused: true });
  }
});

linuxTest('where the data directory has moved with its log, databases are rolled forward', async () => {
  const moved = join(first.home, 'moved');
  cpSync(first.simulation.dataDirectory, moved, { recursive: true });
  const notesIni = join(first.home, 'moved.ini');
  copyFileSync(first.simulation.notesIni, notesIni);
  writeFileSync(notesIni, readFileSync(notesIni, 'utf8').replace(/^Directory=.*$/m, `Directory=${moved}`));
  const path = own(true);
  const now = await verify(inFirst(path));
  expect(now.sequence).toBeGreaterThan(atBackup.get(path)?.sequence ?? Infinity);
  rmSync(join(moved, path));
  const place = ['--ini', notesIni, '--program', first.simulation.programDirectory];
  const restored = await run(['restore', manifest, path, ...place, '--other-server', '--json']);
  expect([restored.stderr, restored.code, restored.stdout]).toEqual(['', 0, expect.anything()]);
  expect(JSON.parse(restored.stdout)).toMatchObject({ databases: [{ recovered: true, reach: { type: 'unknown' } }] });
  expect(await verify(join(moved, path))).toMatchObject({ verdict: 'consistent', sequence: now.sequence });
});
