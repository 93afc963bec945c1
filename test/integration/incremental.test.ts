import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Server, Verdict } from 'domino-vss-simulator';
import {
  archiveLogs,
  beginBackup,
  drillRestore,
  planRestore,
  pruneBackups,
  pruneLogs,
  readManifest,
  restoreDatabases,
  verifyBackup,
  type BackupReport,
  type BeginBackupOptions,
  type ManifestDatabase,
} from '#lib/index';
import { until } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;
let archiveDirectory: string;
let logged: string[];
let unlogged: string[];
let lastChange = 0;
/** What each backup should restore, by its id: the number of the last transaction of each database. */
const states = new Map<string, Map<string, number>>();

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);
const archive = () => archiveLogs({ archiveDirectory, domino: domino.location });

async function verdicts(): Promise<Map<string, Verdict>> {
  const paths = domino.simulation.databases();
  const found = await domino.simulation.verify(paths.map(inData));
  return new Map(paths.map((path, index) => [path, found[index]!]));
}

async function sequences(): Promise<Map<string, number>> {
  const found = [...(await verdicts())].map(([path, { verdict, sequence }]): [string, number] => {
    expect([path, verdict]).toEqual([path, 'consistent']);
    return [path, sequence ?? NaN];
  });
  return new Map(found);
}

async function backUp(options: Partial<BeginBackupOptions> = {}): Promise<BackupReport> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
    ...options,
  });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.home, 'copies', backup.id) });
  const report = await backup.endBackup();
  states.set(report.id, await sequences());
  return report;
}

const incremental = (options: Partial<BeginBackupOptions> = {}): Promise<BackupReport> =>
  backUp({ incremental: true, logArchive: archiveDirectory, ...options });

async function linesOf({ manifest }: Pick<BackupReport, 'manifest'>): Promise<Map<string, ManifestDatabase>> {
  const lines = new Map<string, ManifestDatabase>();
  for await (const line of (await readManifest(manifest)).databases()) lines.set(line.path, line);
  return lines;
}

/** Paths that a backup captured itself. */
async function takenBy(report: BackupReport): Promise<string[]> {
  return [...(await linesOf(report)).values()].filter(({ from }) => from === undefined).map(({ path }) => path);
}

/** Archives while users write, until earlier extents are gone from the log directory. */
async function writeAndArchive(): Promise<void> {
  const [oldest = ''] = readdirSync(inData('logdir'))
    .filter((name) => name.endsWith('.TXN'))
    .sort();
  while (existsSync(inData(`logdir/${oldest}`))) {
    for (const path of logged) await server.run(path, 10);
    await archive();
  }
}

/** Changes are distinguished by a clock that counts hundredths of a second, and the backup needs a second without changes. */
async function leaveInPeace(): Promise<void> {
  await until('the clock tells a change from what was before', () => Date.now() - lastChange > 1_200);
}

/** Of a database without logging. */
async function change(path: string): Promise<void> {
  await server.run(path, 2);
  lastChange = Date.now();
}

/** What an incremental backup reports about its choice. */
function saidBy({ warnings }: BackupReport): string[] {
  return warnings.map(({ message }) => message).filter((message) => /captured|build on/.test(message));
}

/** As the stand-in numbers them. */
function extentName(number: number): string {
  return `S${String(number).padStart(7, '0')}.TXN`;
}

/** Destroys some databases and restores them. */
async function restoreDestroyed(report: BackupReport, paths: readonly string[]): Promise<void> {
  await server.flushCache();
  for (const path of paths) writeFileSync(inData(path), 'destroyed');
  const restored = await restoreDatabases({
    manifest: report.directory,
    domino: domino.location,
    databases: paths,
    logArchive: archiveDirectory,
  });
  expect(restored.databases.filter(({ result }) => result !== 'restored')).toEqual([]);
}

let full: BackupReport;
let first: BackupReport;
let second: BackupReport;

beforeAll(async () => {
  domino = await SimulatedDomino.create({
    databases: 10,
    plainNames: true,
    unloggedShare: 0.5,
    log: 'archive',
    settings: { SIM_LOG_EXTENT_BYTES: 65_536 },
  });
  archiveDirectory = join(domino.home, 'archive');
  server = await domino.serve({ paused: true });
  const found = [...(await verdicts())];
  logged = found.filter(([, { isLogged }]) => isLogged).map(([path]) => path);
  unlogged = found.filter(([, { isLogged }]) => !isLogged).map(([path]) => path);
  expect(Math.min(logged.length, unlogged.length)).toBeGreaterThanOrEqual(3);
  for (const path of [...logged, ...unlogged]) await change(path);
  await writeAndArchive();
  await leaveInPeace();
  full = await backUp();
  await writeAndArchive();
}, 120_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('takes the changed ones without logging, and leaves the rest to the full backup and to the archive', async () => {
  const changed = unlogged[0]!;
  await change(changed);
  for (const path of logged) await server.run(path, 5);
  first = await incremental();
  expect(first.outcome).toBe('complete');
  expect(saidBy(first)).toEqual([]);
  expect(await takenBy(first)).toEqual([changed]);
  expect(first.incremental).toMatchObject({
    base: full.id,
    links: [{ id: full.id, databases: logged.length + unlogged.length - 1 }],
    taken: { changed: 1 },
  });
  expect(first.counts).toMatchObject({ captured: 1, carried: logged.length + unlogged.length - 1 });
  // As the full backup wrote them.
  const before = await linesOf(full);
  for (const [path, line] of await linesOf(first)) {
    if (path !== changed) expect(line).toEqual({ ...before.get(path), index: line.index, from: full.id });
  }
});

test('the next one builds on both, and a restore brings back all of it', async () => {
  const [, changed = ''] = unlogged;
  await change(changed);
  for (const path of logged) await server.run(path, 5);
  await leaveInPeace();
  second = await incremental();
  // The earlier one was changed shortly before its backup: its modification time cannot tell whether it was changed again.
  expect(await takenBy(second)).toEqual(expect.arrayContaining([changed]));
  expect(second.incremental?.links.map(({ id }) => id)).toContain(full.id);
  await writeAndArchive();
  const expected = new Map([
    ...states.get(second.id)!,
    ...[...(await sequences())].filter(([path]) => logged.includes(path)),
  ]);
  await restoreDestroyed(second, [...logged, ...unlogged]);
  expect(await sequences()).toEqual(expected);
  await domino.expectQuiet();
});

test('to its own moment: all are as they were at the incremental backup', async () => {
  await backUp();
  await writeAndArchive();
  for (const path of logged) await server.run(path, 5);
  await change(unlogged[0]!);
  const last = await incremental();
  for (const path of [...logged, ...unlogged]) await change(path);
  const restored = await restoreDatabases({
    manifest: last.directory,
    domino: domino.location,
    mode: { type: 'new-database', as: 'then' },
    until: 'backup',
    logArchive: archiveDirectory,
  });
  expect(restored.outcome).toBe('complete');
  const paths = [...logged, ...unlogged];
  const found = await domino.simulation.verify(paths.map((path) => inData(`then/${path}`)));
  const reached = new Map(paths.map((path, index): [string, number | undefined] => [path, found[index]?.sequence]));
  expect(new Map([...reached].sort())).toEqual(new Map([...states.get(last.id)!].sort()));
  rmSync(inData('then'), { recursive: true });
});

test('what is another database now is taken: compacted copy-style, replaced, not logged any more, or new', async () => {
  await leaveInPeace();
  await backUp();
  await writeAndArchive();
  const [compacted = '', exchanged = '', older = ''] = logged;
  const [replaced = ''] = unlogged;
  await server.compact(compacted, { style: 'copy' });
  await server.flushCache();
  // The file of another backup in place of the original, as a manual restore would leave it.
  const earlier = join(domino.home, 'copies', full.id);
  for (const path of [replaced, older]) {
    // Into the same file, so its inode number stays.
    writeFileSync(inData(path), readFileSync(join(earlier, path)));
  }
  const fresh = 'mail/fresh.nsf';
  copyFileSync(join(earlier, exchanged), inData(fresh));
  const report = await incremental();
  expect((await takenBy(report)).sort()).toEqual([compacted, replaced, older, fresh].sort());
  expect(report.incremental?.taken).toMatchObject({ new: 1 });
  rmSync(inData(fresh));
});

test('without an archive that reaches on, logged databases are taken', async () => {
  await leaveInPeace();
  await backUp();
  const none = await backUp({ incremental: true });
  expect((await takenBy(none)).sort()).toEqual([...logged].sort());
  expect(saidBy(none)).toEqual(['logged databases are captured in full: no archive of the transaction log was named']);
  const { logId = '', logExtent = 0 } = (await linesOf(none)).get(logged[0]!) ?? {};
  // An extent that this backup needs and only the archive has.
  while (existsSync(inData(`logdir/${extentName(logExtent)}`))) await writeAndArchive();
  const gone = join(archiveDirectory, logId, extentName(logExtent));
  renameSync(gone, `${gone}.away`);
  try {
    const gap = await incremental();
    expect((await takenBy(gap)).sort()).toEqual([...logged].sort());
    expect(saidBy(gap)).toEqual([expect.stringContaining('have gaps')]);
  } finally {
    renameSync(`${gone}.away`, gone);
  }
});

test('a backup whose copies are gone is not built on', async () => {
  await leaveInPeace();
  const base = await backUp();
  const [lost = '', stays = ''] = unlogged;
  await archive();
  const copies = join(domino.home, 'copies', base.id);
  rmSync(join(copies, lost));
  const report = await incremental();
  const taken = await takenBy(report);
  expect(taken).toContain(lost);
  expect(taken).not.toContain(stays);
  expect(saidBy(report)).toEqual([expect.stringContaining(`captured again: ${lost}`)]);
});

test('if nothing has changed, one database is captured anyway', async () => {
  await leaveInPeace();
  await backUp();
  await archive();
  const report = await incremental({ include: [...unlogged] });
  expect(report.incremental?.taken).toEqual({ moment: 1 });
  expect(report.counts).toMatchObject({ captured: 1, carried: unlogged.length - 1 });
});

describe('the chain', () => {
  let base: BackupReport;
  let link: BackupReport;
  let changed: string;

  beforeAll(async () => {
    await leaveInPeace();
    base = await backUp();
    await archive();
    changed = unlogged[0]!;
    await change(changed);
    link = await incremental();
    expect((await takenBy(link)).sort()).toEqual([changed]);
  });

  test('is verified, drilled and planned as a whole', async () => {
    const verified = await verifyBackup({ manifest: link.directory });
    expect(verified).toMatchObject({ outcome: 'intact', counts: { verified: logged.length + unlogged.length } });
    expect(verified.databases.find(({ database }) => database === changed)?.from).toBe('');
    expect(verified.databases.filter(({ from }) => from === base.id)).toHaveLength(logged.length + unlogged.length - 1);
    const drilled = await drillRestore({ deltaDirectory: domino.deltaDirectory, domino: domino.location, sample: 100 });
    expect(drilled).toMatchObject({ backupId: link.id, outcome: 'passed', of: logged.length + unlogged.length });
    const plan = await planRestore({
      manifest: link.directory,
      domino: domino.location,
      databases: [changed, unlogged[1]!],
    });
    expect(plan.databases).toMatchObject([{ from: link.id }, { from: base.id }]);
  });

  test('a damaged copy of the base is damage of the incremental backup', async () => {
    const copy = join(domino.home, 'copies', base.id, unlogged[1]!);
    const contents = readFileSync(copy);
    const spoilt = Buffer.from(contents);
    spoilt[spoilt.length - 1]! ^= 1;
    writeFileSync(copy, spoilt);
    const verified = await verifyBackup({ manifest: link.directory });
    expect(verified.databases.filter(({ result }) => result === 'damaged')).toMatchObject([
      { database: unlogged[1], from: base.id, failures: [{ code: 'ERR_CONTENTS_DAMAGED' }] },
    ]);
    writeFileSync(copy, contents);
  });

  test.each(['missing', 'damaged', 'another one'])(
    'whose base is %s brings back the rest and names it',
    async (what) => {
      const away = `${base.directory}.away`;
      renameSync(base.directory, away);
      if (what !== 'missing') {
        mkdirSync(base.directory);
        for (const name of readdirSync(away)) {
          if (name.startsWith('manifest') || name.endsWith('.ndjson'))
            copyFileSync(join(away, name), join(base.directory, name));
        }
        const from = what === 'damaged' ? base.manifest : full.manifest;
        if (what === 'damaged')
          writeFileSync(base.manifest, readFileSync(base.manifest, 'utf8').replace('complete', 'partial'));
        else
          for (const name of ['manifest.json', 'databases.ndjson'])
            copyFileSync(join(dirname(from), name), join(base.directory, name));
      }
      try {
        const failure = { code: 'ERR_BACKUP_CHAIN', text: expect.stringContaining(base.id) as string };
        const verified = await verifyBackup({ manifest: link.directory });
        expect(verified).toMatchObject({
          outcome: 'damaged',
          counts: { damaged: logged.length + unlogged.length - 1 },
        });
        expect(verified.databases.find(({ from }) => from === base.id)?.failures).toMatchObject([failure]);
        const place = { manifest: link.directory, domino: domino.location };
        const plan = await planRestore({ ...place, databases: [changed, unlogged[1]!] });
        expect(plan.databases).toMatchObject([{ result: 'planned' }, { result: 'left-out', failure }]);
        const before = readFileSync(inData(unlogged[1]!));
        await expect(restoreDatabases({ ...place, databases: [unlogged[1]!] })).rejects.toMatchObject({
          code: 'ERR_BACKUP_CHAIN',
          message: expect.stringContaining(base.id) as string,
        });
        expect(readFileSync(inData(unlogged[1]!)).equals(before)).toBe(true);
        const own = await restoreDatabases({ ...place, databases: [changed] });
        expect(own.databases).toMatchObject([{ result: 'restored', from: link.id }]);
      } finally {
        rmSync(base.directory, { recursive: true, force: true });
        renameSync(away, base.directory);
      }
    },
  );

  test('keeps the log that its logged databases live on, and its base', async () => {
    const pruned = await pruneLogs({ archiveDirectory, deltaDirectories: [domino.deltaDirectory], dryRun: true });
    const oldest = Math.min(
      ...[...(await linesOf(link)).values()].filter((line) => line.logged).map(({ logExtent }) => logExtent),
    );
    expect(pruned.extents.filter(({ number, result }) => number >= oldest && result !== 'kept')).toEqual([]);
    const report = await pruneBackups({ deltaDirectory: domino.deltaDirectory, keep: { last: 1 } });
    expect(report.outcome).toBe('pruned');
    const stay = report.backups.filter(({ result }) => result === 'kept');
    expect(stay).toMatchObject([
      { id: base.id, keptAs: [`base of ${link.id}`] },
      { id: link.id, keptAs: ['last'] },
    ]);
    expect(await verifyBackup({ manifest: link.directory })).toMatchObject({ outcome: 'intact' });
    // When the incremental backup is removed, its base may be removed, too; they do not share copies.
    const next = await backUp();
    const all = await pruneBackups({ deltaDirectory: domino.deltaDirectory, keep: { last: 1 } });
    expect(all.backups.filter(({ result }) => result === 'kept')).toMatchObject([{ id: next.id }]);
    expect(readdirSync(join(domino.home, 'copies'))).toEqual([next.id]);
  });
});
