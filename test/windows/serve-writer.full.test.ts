// Snapshots of others with our writer: a server that works, a requester in another process that knows nothing of Domino, and
// the writer in a third one. What lies in the shadow is, with the change information, the state at NSFBackupStart.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { listBackups } from '#lib/index';
import { loadBinding } from '#lib/native/binding';
import { openRuntime } from '#lib/domino/runtime';
import { Call } from '#lib/call/call';
import { proofRuns } from '../integration/proof';
import { SimulatedDomino } from '../integration/simulated-domino';
import type { CommandEnded } from './command';
import {
  eventsUntil,
  proveSnapshot,
  requestSnapshot,
  rootsOf,
  shadowsOf,
  tearingSnapshot,
  wholeVolumes,
  type Told,
} from './foreign-snapshot';
import { Machine, type Program } from './machine';

const machine = new Machine();
let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  domino = await SimulatedDomino.create(
    { databases: 60, pages: [4, 120], settings: { SIM_DEVICE_PATHS: 'accepted' } },
    machine.homes[0],
  );
  server = await domino.serve({ threads: 3, secondProcess: true, transactionsPerSecond: 600 });
}, 300_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

function startWriter(options: object = {}, settings = {}): Program {
  const { programDirectory, notesIni } = domino.simulation;
  const args = [programDirectory, notesIni, machine.deltaDirectory, JSON.stringify(options)];
  return machine.start('serve-writer-program.js', args, settings);
}

const snapshot = (...lines: readonly string[]): Promise<CommandEnded> => requestSnapshot(machine, lines);

const wholeVolume = wholeVolumes(machine, 'c:');

/** In its copy half a transaction shows best. */
function largestDatabase(): string {
  const size = (path: string): number => statSync(join(domino.simulation.dataDirectory, path)).size;
  return domino.simulation.databases().reduce((largest, path) => (size(path) > size(largest) ? path : largest));
}

test.each([
  ['with delta files', false],
  ['completed in the shadow', true],
] as const)(
  'a snapshot by somebody else is a backup, %s',
  async (_what, isCompleted) => {
    const writer = startWriter({ autoRecovery: isCompleted });
    const [serving] = await eventsUntil(writer, 'serving');
    expect(serving).toMatchObject({
      databases: domino.simulation.databases().length,
      components: ['data', 'transaction-log'],
    });
    const runtime = new Call({ timeoutMs: 60_000, phase: 'runtime' });
    const binding = loadBinding();
    await openRuntime(binding, domino.location, runtime);
    const runs = isCompleted ? proofRuns : Math.ceil(proofRuns / 10);
    for (let run = 0; run < runs; run += 1) {
      await server.resume();
      const database = largestDatabase();
      const { requester, told } = await tearingSnapshot(machine, wholeVolume, { server, database, writer });
      expect({ ...requester, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
      await server.pause();
      const completed = told.at(-1);
      const steps = told.map(({ type }) => type).filter((type) => type !== 'uninvolved');
      expect(steps).toEqual(['begun', 'held', 'thawed', 'window', 'completed']);
      const { report } = completed!;
      expect(report).toMatchObject({ outcome: 'complete', provider: { name: 'writer' } });
      expect(report!.counts.captured).toBe(domino.simulation.databases().length);

      const shadows = await shadowsOf(writer);
      expect(shadows.map(({ setId }) => setId)).toEqual([completed!.setId]);
      const copies = join(domino.home, `copies-${run}-${String(isCompleted)}`);
      await proveSnapshot({ binding, isCompleted, domino, told, shadows: rootsOf(shadows), copies });
      expect((await listBackups(machine.deltaDirectory)).map(({ id }) => id)).toContain(report!.id);
      expect((await snapshot('delete shadows all')).code).toBe(0);
    }
    expect((await writer.end()).code).toBe(0);
    await domino.expectQuiet();
  },
  600_000,
);

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
