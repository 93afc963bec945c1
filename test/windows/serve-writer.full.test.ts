// Snapshots of others with our writer: a server that works, a requester in another process that knows nothing of Domino, and
// the writer in a third one. What lies in the shadow is, with the change information, the state at NSFBackupStart.

import { copyFileSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import {
  listBackups,
  readManifest,
  verifyBackup,
  type BackupReport,
  type ListedShadow,
  type ManifestDatabase,
} from '#lib/index';
import { loadBinding } from '#lib/native/binding';
import { openRuntime } from '#lib/domino/runtime';
import { Call } from '#lib/call/call';
import { countTornShadows, expectStateAtStart, proofRuns } from '../integration/proof';
import { SimulatedDomino } from '../integration/simulated-domino';
import { commandOn, type CommandEnded } from './command';
import { Machine, type Program, type VssSettings } from './machine';

const machine = new Machine();
let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 60, pages: [4, 120] }, machine.homes[0]);
  server = await domino.serve({ threads: 3, secondProcess: true, transactionsPerSecond: 600 });
}, 300_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

interface Told {
  readonly type: string;
  readonly setId?: string;
  readonly report?: BackupReport;
  readonly error?: { readonly code: string; readonly message: string };
}

function startWriter(options: object = {}, settings = {}): Program {
  const { programDirectory, notesIni } = domino.simulation;
  const args = [programDirectory, notesIni, machine.deltaDirectory, JSON.stringify(options)];
  return machine.start('serve-writer-program.js', args, settings);
}

/** Events up to the first of that type. */
async function eventsUntil(program: Program, type: string): Promise<Told[]> {
  const told: Told[] = [];
  for (;;) {
    told.push((await program.expectNext()) as Told);
    if (told.at(-1)?.type === type) return told;
  }
}

/** A requester in a process of its own: our command line, as a script that knows no Domino. */
async function snapshot(...lines: readonly string[]): Promise<CommandEnded> {
  return snapshotWith({}, lines);
}

async function snapshotWith(settings: VssSettings, lines: readonly string[]): Promise<CommandEnded> {
  const file = join(machine.homes[1], 'snapshot.txt');
  writeFileSync(file, [...lines, ''].join('\r\n'));
  return commandOn(machine, settings)('script', file);
}

/**
 * A snapshot in which one database is torn, however fast or slow this machine is: a transaction on it has begun in backup
 * mode and ends after the snapshot. Another writer that takes its time over Freeze makes room for it; where that is not enough, the
 * next attempt makes more.
 */
async function tearingSnapshot(writer: Program): Promise<{ readonly requester: CommandEnded; readonly told: Told[] }> {
  const size = (path: string): number => statSync(join(domino.simulation.dataDirectory, path)).size;
  const torn = domino.simulation.databases().reduce((largest, path) => (size(path) > size(largest) ? path : largest));
  for (let freezeMs = 500; ; freezeMs *= 4) {
    const requester = snapshotWith({ 'writer.sql.latency.Freeze': freezeMs }, wholeVolume);
    const told = await eventsUntil(writer, 'held');
    await server.hold(torn, 1);
    const hasBegunInTime = !writer.unread.some((event) => (event as Told).type === 'thawed');
    told.push(...(await eventsUntil(writer, 'thawed')));
    await server.release(torn);
    told.push(...(await eventsUntil(writer, 'completed')));
    if (hasBegunInTime || freezeMs > 20_000) return { requester: await requester, told };
    await requester;
    expect((await snapshot('delete shadows all')).code).toBe(0);
  }
}

const wholeVolume = [
  `set metadata ${machine.homes[1]}`,
  'set context persistent',
  'begin backup',
  'add volume c: alias shadow',
  'create',
  'end backup',
] as const;

test('a snapshot by somebody else is a backup', async () => {
  const writer = startWriter();
  const [serving] = await eventsUntil(writer, 'serving');
  expect(serving).toMatchObject({ databases: domino.simulation.databases().length, components: ['data'] });
  const runtime = new Call({ timeoutMs: 60_000, phase: 'runtime' });
  const binding = loadBinding();
  await openRuntime(binding, domino.location, runtime);
  for (let run = 0; run < proofRuns; run += 1) {
    await server.resume();
    const { requester, told } = await tearingSnapshot(writer);
    expect({ ...requester, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
    await server.pause();
    const completed = told.at(-1);
    const steps = told.map(({ type }) => type).filter((type) => type !== 'uninvolved');
    expect(steps).toEqual(['begun', 'held', 'thawed', 'window', 'completed']);
    const { report } = completed!;
    expect(report).toMatchObject({ outcome: 'complete', provider: { name: 'writer' } });
    expect(report!.counts.captured).toBe(domino.simulation.databases().length);

    writer.say('shadows');
    const [{ shadows = [] } = {}] = (await eventsUntil(writer, 'shadows')) as { shadows?: ListedShadow[] }[];
    expect(shadows.map(({ setId }) => setId)).toEqual([completed!.setId]);
    const manifest = await readManifest(report!.directory);
    expect(manifest.snapshotSetId).toBe(completed!.setId);
    const databases: ManifestDatabase[] = [];
    for await (const database of manifest.databases()) databases.push(database);
    const root = `${shadows[0]!.devicePath}\\`;
    const window = told.find(({ type }) => type === 'window') as unknown as {
      originNs: string;
      startCalledMs: number[];
      startReturnedMs: number[];
    };
    const set = {
      window: { originNs: BigInt(window.originNs), databases: window },
      shadows: [{ volume: 'C:\\', root }],
      describeDatabases: () => databases,
    };
    expect(await countTornShadows(domino, set)).toBeGreaterThan(0);
    const copies = join(domino.home, `copies-${run}`);
    for (const database of databases) {
      const copyFile = join(copies, database.path);
      mkdirSync(dirname(copyFile), { recursive: true });
      copyFileSync(join(root, database.shadowPath), copyFile);
      truncateSync(copyFile, database.startSizeBytes);
      const { announcedBytes, delta } = database;
      if (delta === '') continue;
      const deltaFile = join(report!.directory, delta);
      await binding.applyChangeInfo({ copyFile, deltaFile, announcedBytes, pieceBytes: manifest.pieceBytes });
    }
    await expectStateAtStart(domino, set, copies);
    expect((await listBackups(machine.deltaDirectory)).map(({ id }) => id)).toContain(report!.id);
    expect(await verifyBackup({ manifest: report!.directory, shadowRoots: [{ volume: 'C:\\', root }] })).toMatchObject({
      outcome: 'intact',
    });
    expect((await snapshot('delete shadows all')).code).toBe(0);
  }
  expect((await writer.end()).code).toBe(0);
  await domino.expectQuiet();
}, 600_000);

test('no database waits for JavaScript', async () => {
  const writer = startWriter();
  await eventsUntil(writer, 'serving');
  writer.say('busy 8000');
  const began = performance.now();
  expect((await snapshot(...wholeVolume, 'delete shadows all')).code).toBe(0);
  expect(performance.now() - began).toBeLessThan(60_000);
  const [completed] = (await eventsUntil(writer, 'completed')).slice(-1);
  expect(completed?.report?.window.windowMs).toBeLessThan(8_000);
  expect((await writer.end()).code).toBe(0);
}, 300_000);

test('a snapshot of another volume passes by', async () => {
  const writer = startWriter();
  await eventsUntil(writer, 'serving');
  const script = wholeVolume.map((line) => line.replace(' c: ', ' d: '));
  expect((await snapshot(...script, 'delete shadows all')).code).toBe(0);
  const { code, lines } = await writer.end();
  expect(code).toBe(0);
  expect((lines as Told[]).map(({ type }) => type)).not.toContain('begun');
}, 300_000);

test('a backup that fails fails the snapshot, and others hear why', async () => {
  const writer = startWriter({ maxSkipped: 0, required: ['does-not-exist.nsf'] });
  const { code, stderr } = await writer.ended;
  expect({ code, refused: stderr.includes('ERR_REQUIRED_DATABASE') }).toEqual({ code: 1, refused: true });

  const served = startWriter();
  await eventsUntil(served, 'serving');
  const lock = await loadBinding().lockDirectory(domino.simulation.dataDirectory);
  expect(lock).not.toBeNull();
  const requester = await snapshot(...wholeVolume);
  const [failed] = (await eventsUntil(served, 'failed')).slice(-1);
  expect(failed?.error?.code).toBe('ERR_LOCKED');
  expect(requester.code).not.toBe(0);
  expect(requester.stdout + requester.stderr).toContain('another backup or restore');
  lock?.release();
  // The next one is a backup again.
  expect((await snapshot(...wholeVolume, 'delete shadows all')).code).toBe(0);
  await eventsUntil(served, 'completed');
  expect((await served.end()).code).toBe(0);
  expect(machine.shadows()).toEqual([]);
}, 300_000);
