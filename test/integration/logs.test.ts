import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { archiveLogs, listArchivedLogs, type ArchiveLogsOptions, type ArchiveLogsReport } from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

const database = 'mail/db000001.nsf';
let domino: SimulatedDomino;
let server: Server;
let logs: string;

const archiveTo = (name: string): string => join(domino.home, name);
const archive = (name: string, options: Partial<ArchiveLogsOptions> = {}): Promise<ArchiveLogsReport> =>
  archiveLogs({ archiveDirectory: archiveTo(name), domino: domino.location, ...options });
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
/** Enough transactions for some extents. */
const write = (): Promise<void> => server.run(database, 2_500);
const calls = async (): Promise<Partial<Record<string, number>>> => (await domino.simulation.stats()).calls;

beforeAll(async () => {
  domino = await SimulatedDomino.create({
    databases: 4,
    plainNames: true,
    unloggedShare: 0,
    log: 'archive',
    settings: { SIM_LOG_EXTENT_BYTES: 65_536 },
  });
  logs = join(domino.simulation.dataDirectory, 'logdir');
  server = await domino.serve({ paused: true });
}, 60_000);

afterEach(async () => {
  await domino.simulation.clearFaults();
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('every extent that waits is copied once, with its hash, and Domino uses it again', async () => {
  await write();
  const waiting = readdirSync(logs)
    .filter((name) => name.endsWith('.TXN'))
    .sort()
    .slice(0, -1);
  expect(waiting.length).toBeGreaterThan(2);
  const hashes = waiting.map((name) => sha256(join(logs, name)));
  const report = await archive('first');
  expect(report).toMatchObject({ currentExtent: waiting.length, warnings: [] });
  expect(report.logId).toMatch(/^[0-9A-F]{32}$/);
  expect(report.extents.map(({ name, result }) => [name, result])).toEqual(waiting.map((name) => [name, 'copied']));
  expect(report.extents.map((extent) => extent.sha256)).toEqual(hashes);
  expect(report.extents.map(({ file }) => sha256(file))).toEqual(hashes);
  expect(report.copiedBytes).toBe(waiting.length * 65_536);
  const [log, ...others] = await listArchivedLogs({ archiveDirectory: archiveTo('first'), verify: true });
  expect(others).toEqual([]);
  expect(log).toMatchObject({
    logId: report.logId,
    gaps: [],
    problem: '',
    dataDirectory: domino.simulation.dataDirectory,
  });
  expect(log?.extents.map(({ number, state }) => [number, state])).toEqual(waiting.map((_name, at) => [at, 'intact']));
  // Nothing is waiting now, and the archived extents are overwritten.
  expect(await archive('first')).toMatchObject({ extents: [], copiedBytes: 0 });
  await write();
  expect(readdirSync(logs)).not.toContain(waiting[0]);
  await domino.expectQuiet();
});

test('only its user can read the archive', () => {
  if (process.platform === 'win32') return;
  const [logId = ''] = readdirSync(archiveTo('first'));
  for (const path of ['', logId, join(logId, 'S0000000.TXN'), join(logId, 'catalogue.json')]) {
    expect(statSync(join(archiveTo('first'), path)).mode & 0o077).toBe(0);
  }
});

test('an extent that comes again after a restart of the server is known, and not copied again', async () => {
  const before = await archive('first');
  expect(before.extents.length).toBeGreaterThan(0);
  await domino.simulation.restartServerState();
  const again = await archive('first');
  expect(again.extents.map(({ name, result }) => [name, result])).toEqual(
    before.extents.map(({ name }) => [name, 'known']),
  );
  // If its copy is missing, it is made again.
  rmSync(again.extents[0]?.file ?? '');
  await domino.simulation.restartServerState();
  expect((await archive('first')).extents.map(({ result }) => result)).toEqual([
    'copied',
    ...again.extents.slice(1).map(() => 'known'),
  ]);
});

test('an extent with other contents than the archive has stays with Domino', async () => {
  await write();
  const { extents } = await archive('first');
  const [one] = extents;
  await domino.simulation.restartServerState();
  const live = join(logs, one?.name ?? '');
  const contents = readFileSync(live);
  writeFileSync(live, Buffer.alloc(contents.length, 1));
  const done = (await calls())['NSFDoneArchivingLog'];
  await expect(archive('first')).rejects.toMatchObject({
    code: 'ERR_LOG_ARCHIVE',
    message: expect.stringContaining(`extent ${one?.number} is in the archive with other contents`),
  });
  expect((await calls())['NSFDoneArchivingLog']).toBe(done);
  writeFileSync(live, contents);
  expect((await archive('first')).extents.map(({ result }) => result)).toContain('known');
});

test('a catalogue that was changed is refused, and nothing is done with the log', async () => {
  await write();
  const { logId } = await archive('changed');
  const file = join(archiveTo('changed'), logId, 'catalogue.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"number": ', '"number": 1'));
  await write();
  await expect(archive('changed')).rejects.toMatchObject({
    code: 'ERR_LOG_ARCHIVE',
    message: expect.stringContaining('it was changed after it was written'),
  });
  const [log] = await listArchivedLogs({ archiveDirectory: archiveTo('changed') });
  expect(log).toMatchObject({ problem: expect.stringContaining('catalogue.json'), extents: [] });
  writeFileSync(file, text);
  expect((await archive('changed')).extents.length).toBeGreaterThan(0);
});

test.each([
  ['NSFGetTransLogStyle', 0x13c5, 'ERR_RM_GENERAL_FAILURE'],
  ['NSFBeginArchivingLogs', 0x0eae, 'ERR_TRANSLOG_ARCHIVE_IN_PROGRESS'],
  ['NSFBeginArchivingLogs', 0x0ea1, 'ERR_TRANSLOG_NOT_ARCHIVED'],
  ['NSFBeginArchivingLogs', 0x13ff, 'ERR_SERVER_NOT_TRANSLOGGED'],
  ['NSFGetFirstLogToArchive', 0x13dc, 'ERR_NO_SUCH_TRANSLOG'],
  ['NSFGetNextLogToArchive', 0x13c5, 'ERR_RM_GENERAL_FAILURE'],
  ['NSFDoneArchivingLog', 0x13dc, 'ERR_NO_SUCH_TRANSLOG'],
])('%s that fails with %i is named, and the right to archive is given back', async (operation, status, statusName) => {
  await write();
  await domino.simulation.fault(`${operation}=0x${status.toString(16)}`);
  const before = await calls();
  await expect(archive('failing')).rejects.toMatchObject({ name: 'DominoError', operation, statusName });
  const after = await calls();
  const count = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  expect(count('NSFEndArchivingLogs')).toBe(/Begin|Style/.test(operation) ? 0 : 1);
  await domino.simulation.clearFaults();
  const report = await archive('failing');
  const [log] = await listArchivedLogs({ archiveDirectory: archiveTo('failing'), verify: true });
  expect(log?.extents.every(({ state }) => state === 'intact')).toBe(true);
  expect(report.extents.length).toBeGreaterThan(0);
  await domino.expectQuiet();
});

test('an end that fails is a warning: everything is archived', async () => {
  await write();
  await domino.simulation.fault('NSFEndArchivingLogs=0x13C5');
  const report = await archive('failing');
  expect(report.extents.length).toBeGreaterThan(0);
  expect(report.warnings).toMatchObject([
    {
      code: 'WARN_ARCHIVING_NOT_ENDED',
      message: expect.stringContaining('NSFEndArchivingLogs'),
      errorCode: 'ERR_DOMINO_CALL',
    },
  ]);
  await domino.simulation.restartServerState();
});

test.each(['NSFBeginArchivingLogs', 'NSFGetFirstLogToArchive', 'NSFDoneArchivingLog', 'NSFEndArchivingLogs'])(
  '%s that hangs is left, and the right to archive is given back when it returns',
  async (operation) => {
    await write();
    await domino.simulation.fault(`${operation}=hang`);
    const archiving = archive('hanging', { callBudgetMs: 300 });
    if (operation === 'NSFEndArchivingLogs') {
      expect((await archiving).warnings).toMatchObject([
        { message: expect.stringContaining('did not return within 300 ms') },
      ]);
    } else {
      await expect(archiving).rejects.toMatchObject({
        code: 'ERR_DATABASE_BUDGET',
        message: expect.stringContaining(operation),
      });
    }
    await domino.simulation.clearFaults();
    for (;;) {
      try {
        const report = await archive('hanging');
        expect(report.warnings).toEqual([]);
        break;
      } catch (error) {
        expect(error).toMatchObject({ statusName: 'ERR_TRANSLOG_ARCHIVE_IN_PROGRESS' });
      }
    }
    await domino.expectQuiet();
  },
);

test('an abort leaves what is archived; the next run goes on from there', async () => {
  await write();
  const controller = new AbortController();
  let extents = 0;
  await expect(
    archive('aborted', {
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.type !== 'copy') return;
        extents = progress.done;
        controller.abort(new Error('enough'));
      },
    }),
  ).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  const [log] = await listArchivedLogs({ archiveDirectory: archiveTo('aborted'), verify: true });
  expect(log?.extents.length ?? 0).toBeLessThanOrEqual(extents + 1);
  const rest = await archive('aborted');
  expect(rest.extents.length).toBeGreaterThan(0);
  const [whole] = await listArchivedLogs({ archiveDirectory: archiveTo('aborted'), verify: true });
  expect(whole).toMatchObject({ gaps: [] });
});

test('an archive in the log directory is refused', async () => {
  await expect(archiveLogs({ archiveDirectory: join(logs, 'archive'), domino: domino.location })).rejects.toMatchObject(
    {
      code: 'ERR_OPTION',
      option: 'archiveDirectory',
    },
  );
});
