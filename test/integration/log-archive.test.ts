import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Server, Verdict } from 'domino-vss-simulator';
import {
  archiveLogs,
  beginBackup,
  drillRestore,
  listArchivedLogs,
  planRestore,
  pruneLogs,
  restoreDatabases,
  type PlanRestoreOptions,
  type PruneLogsOptions,
  type PruneLogsReport,
  type RestoreReport,
} from '#lib/index';
import { linuxTest } from '../platform';
import { SimulatedDomino } from './simulated-domino';

const first = 'mail/db000001.nsf';
const second = 'mail/db000003.nsf';
let domino: SimulatedDomino;
let server: Server;
let archiveDirectory: string;
let older: string;
let newer: string;

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);
const archive = () => archiveLogs({ archiveDirectory, domino: domino.location });
const options = (more: Partial<PlanRestoreOptions> = {}): PlanRestoreOptions => ({
  manifest: older,
  domino: domino.location,
  databases: [first],
  ...more,
});
const restore = (more: Partial<PlanRestoreOptions> = {}): Promise<RestoreReport> => restoreDatabases(options(more));
const prune = (more: Partial<PruneLogsOptions> = {}): Promise<PruneLogsReport> =>
  pruneLogs({ archiveDirectory, deltaDirectories: [domino.deltaDirectory], ...more });

async function verify(path: string): Promise<Verdict> {
  const [verdict] = await domino.simulation.verify([inData(path)]);
  expect(verdict?.verdict).toBe('consistent');
  return verdict!;
}

/** Archives while users write, until the earlier extents are gone from the log directory. */
async function writeAndArchive(): Promise<void> {
  const [oldest] = readdirSync(inData('logdir'))
    .filter((name) => name.endsWith('.TXN'))
    .sort();
  await server.resume();
  while (existsSync(inData(`logdir/${oldest}`))) await archive();
  await server.pause();
}

async function backup(): Promise<string> {
  const begun = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  const set = await begun.createShadow();
  await set.copyDatabases({ to: join(domino.home, 'copies', begun.id) });
  return (await begun.endBackup()).directory;
}

beforeAll(async () => {
  domino = await SimulatedDomino.create({
    databases: 6,
    plainNames: true,
    unloggedShare: 0,
    log: 'archive',
    settings: { SIM_LOG_EXTENT_BYTES: 65_536 },
  });
  archiveDirectory = join(domino.home, 'archive');
  server = await domino.serve({ threads: 2 });
  await archive();
  await server.pause();
  // An extent or two that no backup needs.
  await writeAndArchive();
  await writeAndArchive();
  older = await backup();
  await writeAndArchive();
  await writeAndArchive();
  newer = await backup();
  await writeAndArchive();
}, 120_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('without the archive a restore of the older backup is refused, before and at its time', async () => {
  const plan = await planRestore(options());
  expect(plan.databases).toMatchObject([{ result: 'failed', failure: { code: 'ERR_RESTORE_LOG' } }]);
  const before = readFileSync(inData(first));
  await expect(restore()).rejects.toMatchObject({
    code: 'ERR_RESTORE_LOG',
    hint: expect.stringContaining('--log-archive'),
  });
  expect(readFileSync(inData(first)).equals(before)).toBe(true);
});

linuxTest('an archive that others could change is no source', async () => {
  chmodSync(archiveDirectory, 0o777);
  try {
    const refused = {
      code: 'ERR_OPTION',
      option: 'logArchive',
      message: expect.stringContaining('everybody may write') as string,
    };
    await expect(planRestore(options({ logArchive: archiveDirectory }))).rejects.toMatchObject(refused);
    await expect(restore({ logArchive: archiveDirectory })).rejects.toMatchObject(refused);
  } finally {
    chmodSync(archiveDirectory, 0o700);
  }
});

test('the plan says which extents are where', async () => {
  const plan = await planRestore(options({ logArchive: archiveDirectory }));
  expect(plan.databases).toMatchObject([{ result: 'planned', database: first }]);
  const [log, ...others] = plan.logs;
  expect(others).toEqual([]);
  expect(log?.directory).toBe(inData('logdir'));
  expect(log?.archive).toBe(archiveDirectory);
  const present = new Set(readdirSync(inData('logdir')));
  expect(log?.present.every((name) => present.has(name))).toBe(true);
  const numbers = log?.archived.map(({ number }) => number) ?? [];
  expect(numbers[0]).toBe(log?.firstExtent);
  expect(log?.archived.some(({ name }) => present.has(name))).toBe(false);
});

test('what was destroyed comes back through archived extents, up to the last transaction', async () => {
  const { sequence, instanceId } = await verify(first);
  writeFileSync(inData(first), 'destroyed');
  const report = await restore({ logArchive: archiveDirectory });
  expect(report).toMatchObject({ outcome: 'complete', warnings: [] });
  expect(await verify(first)).toMatchObject({ sequence, instanceId });
  // Domino has removed the extents that the recovery brought to it.
  expect(readdirSync(inData('logdir')).filter((name) => !/^(S\d{7}\.TXN|NLOGCTRL\.LFH)$/.test(name))).toEqual([]);
  await domino.expectQuiet();
});

test('several databases in one scan, beside their originals, while users write and the log is archived', async () => {
  await server.resume();
  const restoring = restore({
    databases: [first, second],
    mode: { type: 'new-database', as: 'beside' },
    logArchive: archiveDirectory,
  });
  // Extents that are now in the log directory are archived and overwritten while the recovery reads others.
  const state = { isRestored: false };
  const restored = restoring.finally(() => (state.isRestored = true));
  restored.catch(() => undefined);
  while (!state.isRestored) await archive();
  await server.pause();
  expect((await restored).outcome).toBe('complete');
  for (const path of [first, second]) {
    const { sequence = 0 } = await verify(`beside/${path}`);
    expect(sequence).toBeLessThanOrEqual((await verify(path)).sequence ?? 0);
    expect(sequence).toBeGreaterThan(0);
  }
});

test('where notes.ini names a directory for it, extents are brought there and removed again', async () => {
  const retrieve = join(domino.home, 'retrieve');
  mkdirSync(retrieve);
  const ini = readFileSync(domino.location.notesIni!, 'latin1');
  // The runtime of this process has already read notes.ini, so another process does it.
  writeFileSync(domino.location.notesIni!, `${ini}\nTRANSLOG_RECOVER_PATH=${retrieve}\n`, 'latin1');
  await domino.simulation.set({ SIM_RETRIEVED_EXTENTS: 'keep' });
  const { sequence } = await verify(first);
  const calls = (await domino.simulation.stats()).calls['NSFRecoverDatabases'] ?? 0;
  await restore({ logArchive: archiveDirectory, isolation: 'process' });
  expect(await verify(first)).toMatchObject({ sequence });
  expect((await domino.simulation.stats()).calls['NSFRecoverDatabases']).toBe(calls + 1);
  expect(readdirSync(retrieve)).toEqual([]);
  await domino.simulation.set({ SIM_RETRIEVED_EXTENTS: null });
  writeFileSync(domino.location.notesIni!, ini, 'latin1');
});

test.each(['missing', 'damaged'])(
  'an extent that is %s in the archive is named, and nothing is touched',
  async (state) => {
    const plan = await planRestore(options({ logArchive: archiveDirectory }));
    const [one] = plan.logs[0]?.archived ?? [];
    const aside = join(domino.home, 'aside');
    const contents = readFileSync(one?.file ?? '');
    renameSync(one?.file ?? '', aside);
    if (state === 'damaged') writeFileSync(one?.file ?? '', Buffer.alloc(contents.length));
    const before = readFileSync(inData(first));
    const calls = (await domino.simulation.stats()).calls['NSFRecoverDatabases'];
    const planned = await planRestore(options({ logArchive: archiveDirectory }));
    expect(planned.databases).toMatchObject([{ result: 'failed', failure: { code: 'ERR_RESTORE_LOG' } }]);
    expect(planned.warnings).toContainEqual(
      expect.objectContaining({
        code: 'WARN_LOG_EXTENT_UNUSABLE',
        message: expect.stringContaining(`extent ${one?.number} of the transaction log is ${state}`),
      }),
    );
    await expect(restore({ logArchive: archiveDirectory })).rejects.toMatchObject({
      code: 'ERR_RESTORE_LOG',
      message: expect.stringContaining(`extent ${one?.number} is not in`),
    });
    expect(readFileSync(inData(first)).equals(before)).toBe(true);
    expect((await domino.simulation.stats()).calls['NSFRecoverDatabases']).toBe(calls);
    renameSync(aside, one?.file ?? '');
  },
);

test('a drill recovers through the archive too', async () => {
  const drill = { manifest: older, domino: domino.location, sample: 2 };
  expect((await drillRestore({ ...drill, logArchive: archiveDirectory })).outcome).toBe('passed');
  expect((await drillRestore(drill)).outcome).toBe('failed');
});

test('prune shows the proof first, removes what no backup needs, and the oldest backup can be restored', async () => {
  const { logs } = await planRestore(options({ logArchive: archiveDirectory, databases: undefined }));
  const needed = logs[0]?.firstExtent ?? 0;
  const before = (await listArchivedLogs({ archiveDirectory }))[0]?.extents ?? [];
  const plan = await prune({ dryRun: true });
  expect(plan).toMatchObject({ outcome: 'planned', backups: 2 });
  for (const { number, result, proof } of plan.extents) {
    expect(result).toBe(number < needed ? 'planned' : 'kept');
    expect(proof).toContain(`needs the log from extent ${needed} on`);
  }
  expect(plan.extents.filter(({ result }) => result === 'planned').length).toBeGreaterThan(0);
  expect((await listArchivedLogs({ archiveDirectory }))[0]?.extents).toEqual(before);
  const report = await prune();
  expect(report).toMatchObject({ outcome: 'pruned', removedBytes: plan.removedBytes });
  const [left] = await listArchivedLogs({ archiveDirectory, verify: true });
  expect(left?.extents.map(({ number }) => number)).toEqual(
    before.map(({ number }) => number).filter((number) => number >= needed),
  );
  expect(readdirSync(left?.directory ?? '').sort()).toEqual(
    ['catalogue.json', ...(left?.extents ?? []).map(({ name }) => name)].sort((one, other) => (one < other ? -1 : 1)),
  );
  const { sequence } = await verify(first);
  await restore({ logArchive: archiveDirectory });
  expect(await verify(first)).toMatchObject({ sequence });
  expect(await prune()).toMatchObject({ outcome: 'nothing' });
});

test.each(['manifest.json', 'databases.ndjson'])('a backup whose %s cannot be read forbids it', async (name) => {
  const file = join(newer, name);
  const text = readFileSync(file);
  const before = await listArchivedLogs({ archiveDirectory });
  writeFileSync(file, 'nothing');
  // Without the older backup, everything before the newer one would be removed.
  const aside = join(domino.home, 'older');
  renameSync(older, aside);
  await expect(prune()).rejects.toMatchObject({ code: 'ERR_MANIFEST' });
  rmSync(file);
  await expect(prune()).rejects.toMatchObject({ code: 'ERR_MANIFEST' });
  writeFileSync(file, text);
  renameSync(aside, older);
  expect(await listArchivedLogs({ archiveDirectory })).toEqual(before);
});

test('a log of which there is no backup stays, unless it is said otherwise', async () => {
  const elsewhere = join(domino.home, 'elsewhere');
  mkdirSync(elsewhere);
  const kept = await prune({ deltaDirectories: [elsewhere] });
  expect(kept).toMatchObject({ outcome: 'nothing', backups: 0 });
  expect(kept.extents.every(({ proof }) => proof === 'no backup belongs to this log')).toBe(true);
  await expect(prune({ deltaDirectories: [elsewhere], unknownLogs: 'remove' })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining('not known which extents are needed'),
  });
});

test('while a backup runs nothing is removed', async () => {
  await using running = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  expect(running.id).not.toBe('');
  for (const dryRun of [false, true]) {
    await expect(prune({ deltaDirectories: [join(older, '..')], dryRun })).rejects.toMatchObject({
      code: 'ERR_LOCKED',
      message: expect.stringContaining(`backup ${running.id}`),
    });
  }
});
