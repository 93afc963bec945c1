import { existsSync, promises, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server, Verdict } from 'domino-vss-simulator';
import { prepareRecoveryDirectory } from '#lib/index';
import * as copy from '#lib/store/copy';
import { locationFlags, run, type Ended } from './command-line';
import { SimulatedDomino } from './simulated-domino';

// A logged database of a lost server is rolled forward on another machine, in a separate directory.

const path = 'mail/db000001.nsf';
/** The lost server; only its backup and the archive of its log are left. */
let lost: SimulatedDomino;
/** The machine with another server. */
let here: SimulatedDomino;
let manifest: string;
let archive: string;
let atBackup: Verdict;
/** The last transaction that is completely in the archive. */
let sequence: number;

const inLost = (name: string): string => join(lost.simulation.dataDirectory, name);
const env = { SIM_ALLOW_ROOT: '1' };

async function verify(file: string): Promise<Verdict> {
  // Its history is that of the lost server, wherever the file is.
  const [verdict] = await lost.simulation.verify([file]);
  return verdict!;
}

async function succeed(args: readonly string[]): Promise<Ended> {
  const ended = await run(args, { env });
  expect([args[0], ended.code, ended.code === 0 ? '' : ended.stderr]).toEqual([args[0], 0, '']);
  return ended;
}

const extents = (): string[] => readdirSync(inLost('logdir')).filter((name) => name.endsWith('.TXN'));

/** Archives while users write, until the earlier extents are gone from the log directory. */
async function writeAndArchive(server: Server): Promise<void> {
  const [oldest = ''] = extents().sort();
  await server.resume();
  while (extents().includes(oldest)) {
    await succeed(['logs', 'archive', ...locationFlags(lost), '--log-archive', archive]);
  }
  await server.pause();
}

beforeAll(async () => {
  const small = { plainNames: true, unloggedShare: 0, pages: [4, 12] as [number, number] };
  const settings = { SIM_LOG_EXTENT_BYTES: 65_536 };
  lost = await SimulatedDomino.create({ ...small, databases: 4, log: 'archive', seed: 1, settings });
  here = await SimulatedDomino.create({ ...small, databases: 2, seed: 2 });
  writeFileSync(join(here.simulation.dataDirectory, 'server.id'), 'a key');
  archive = join(lost.home, 'archive');
  const server = await lost.serve({ threads: 2 });
  await writeAndArchive(server);
  const place = ['--delta-dir', lost.deltaDirectory, '--shadow-dir', lost.shadowDirectory];
  const to = join(lost.home, 'copies');
  const provider = process.platform === 'win32' ? ['--provider', 'rolling'] : [];
  const made = await succeed(['backup', 'run', ...locationFlags(lost), ...place, ...provider, '--to', to, '--json']);
  const report = JSON.parse(made.stdout) as { manifest: string; copies: { directory: string } };
  ({ manifest } = report);
  atBackup = await verify(join(report.copies.directory, path));
  await server.run(path, 5);
  sequence = (await verify(inLost(path))).sequence ?? Infinity;
  await writeAndArchive(server);
  await writeAndArchive(server);
  await server.stop();
}, 240_000);

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await lost[Symbol.asyncDispose]();
});

const prepare = (directory: string, more: readonly string[] = []): Promise<Ended> => {
  const args = ['logs', 'recovery-directory', manifest, directory, ...locationFlags(here), '--log-archive', archive];
  return run([...args, ...more], { env });
};

test('without it the state of the backup is all there is, and the refusal says what can be done', async () => {
  const place = ['--other-server', '--as', 'x.nsf', '--until', 'now'];
  const refused = await run(['restore', manifest, path, ...locationFlags(here), ...place], { env });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('recovery-directory');
});

test('its database is rolled forward as far as the archive of its log reaches', async () => {
  const directory = join(here.home, 'recovery');
  const made = await prepare(directory, ['--json']);
  expect([made.code, made.stderr]).toEqual([0, '']);
  const notesIni = join(directory, 'notes.ini');
  const data = join(directory, 'data');
  expect(JSON.parse(made.stdout)).toMatchObject({ directory, notesIni, dataDirectory: data });
  expect(readFileSync(notesIni, 'utf8').split('\n')).toEqual(
    expect.arrayContaining([
      'TRANSLOG_MEDIAONLY=1',
      `TRANSLOG_Path=${join(data, 'logdir')}`,
      `KeyFileName=${join(here.simulation.dataDirectory, 'server.id')}`,
    ]),
  );
  // There is no control file: Domino makes it from the extents.
  expect(readdirSync(join(data, 'logdir')).every((name) => /^S\d{7}\.TXN$/.test(name))).toBe(true);

  const own = ['--ini', notesIni, '--program', here.simulation.programDirectory];
  const online = await run(['restore', manifest, path, ...own, '--other-server'], { env });
  expect(online.code).toBe(2);
  expect(online.stderr).toContain('--offline');
  expect(existsSync(join(data, 'mail'))).toBe(false);

  const restored = await succeed(['restore', manifest, path, ...own, '--offline', '--other-server', '--json']);
  expect(JSON.parse(restored.stdout)).toMatchObject({
    outcome: 'complete',
    databases: [{ database: path, result: 'restored', recovered: true }],
    recoveredTo: expect.any(String) as string,
  });
  const verdict = await verify(join(data, path));
  expect(verdict).toMatchObject({ verdict: 'consistent', hasBackupMarker: false, replicaId: atBackup.replicaId });
  expect(atBackup.sequence).toBeLessThan(sequence);
  expect(verdict.sequence).toBeGreaterThanOrEqual(sequence);
  // The server of this machine and the lost one are unchanged.
  expect(existsSync(join(here.simulation.dataDirectory, path.replace('1', '3')))).toBe(false);

  expect(await prepare(directory)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is not empty') as string,
  });
});

test('a log with a gap is refused before anything is made', async () => {
  const [log = ''] = readdirSync(archive);
  const names = readdirSync(join(archive, log)).filter((name) => name.endsWith('.TXN'));
  const file = join(archive, log, names.sort().at(-2) ?? '');
  renameSync(file, `${file}.away`);
  try {
    const refused = await prepare(join(here.home, 'gap'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/ERR_RESTORE_LOG.*lacks extent \d+/);
    expect(existsSync(join(here.home, 'gap'))).toBe(false);
  } finally {
    renameSync(`${file}.away`, file);
  }
});

test('an extent that cannot be copied leaves the directory empty, so that it can be named again', async () => {
  const directory = join(here.home, 'interrupted');
  jest.spyOn(copy, 'copyExactly').mockRejectedValueOnce(new Error('EIO: i/o error, read'));
  const { notesIni } = here.simulation;
  const preparing = prepareRecoveryDirectory({ manifest, directory, logArchive: archive, domino: { notesIni } });
  await expect(preparing).rejects.toThrow('i/o error');
  expect(readdirSync(directory)).toEqual([]);
  expect((await prepare(directory)).code).toBe(0);
}, 60_000);

type FileCall = (file: unknown, ...rest: unknown[]) => Promise<unknown>;

test.each<['realpath' | 'stat' | 'readFile' | 'statfs' | 'mkdir' | 'open', (directory: string) => string]>([
  ['realpath', () => archive],
  ['stat', () => archive],
  ['readFile', () => join(archive, readdirSync(archive)[0] ?? '', 'catalogue.json')],
  ['statfs', (directory) => directory],
  ['mkdir', (directory) => join(directory, 'data')],
  ['open', (directory) => join(directory, 'notes.ini.new')],
])('a mount that does not respond (%s) does not block the call', async (name, fileOf) => {
  const directory = join(here.home, `hanging-${name}`);
  const abort = new AbortController();
  const calls = promises as unknown as Record<typeof name, FileCall>;
  const original = calls[name].bind(promises);
  // Aborted during the call, so that the result does not depend on the time.
  jest.spyOn(calls, name).mockImplementation((file, ...rest) => {
    if (file !== fileOf(directory)) return original(file, ...rest);
    abort.abort();
    return new Promise(() => undefined);
  });
  const { notesIni } = here.simulation;
  const place = { manifest, directory, logArchive: archive, domino: { notesIni } };
  const preparing = prepareRecoveryDirectory({ ...place, signal: abort.signal });
  await expect(preparing).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('it is no part of a data directory', async () => {
  const inside = join(here.simulation.dataDirectory, 'recovery');
  const refused = await prepare(inside);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('lies in the data directory') as string });
  expect(existsSync(inside)).toBe(false);
});
