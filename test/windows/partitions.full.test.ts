// Two servers on one machine, each with its own writer, and data on two volumes: other programs back up and restore only the
// server and the volumes that they choose.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { readManifest, type BackupReport, type ManifestDatabase } from '#lib/index';
import { Call } from '#lib/call/call';
import { openRuntime } from '#lib/domino/runtime';
import { loadBinding } from '#lib/native/binding';
import { packageRoot } from '#lib/native/package-root';
import { writerClassId } from '#lib/writer/serve';
import { SimulatedDomino } from '../integration/simulated-domino';
import {
  databasesOf,
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

const componentRequester = join(
  packageRoot,
  'simulator',
  'build',
  'win32-x64',
  'vss',
  'test',
  'component_requester.exe',
);
const machine = new Machine();
const kept = join(machine.homes[1], 'kept');
/** Running, with mail files on the other volume. */
let first: SimulatedDomino;
/** Nobody uses its databases. */
let second: SimulatedDomino;
let server: Server;
let firstWriter: Program;
let secondWriter: Program;

/** As for the first one: journals and backups of both servers are in the same place. */
function startWriter({ simulation }: SimulatedDomino): Program {
  const { programDirectory, notesIni } = simulation;
  return machine.start('serve-writer-program.js', [
    programDirectory,
    notesIni,
    machine.deltaDirectory,
    JSON.stringify({ restores: true }),
  ]);
}

beforeAll(async () => {
  const [home, secondVolume] = machine.homes;
  mkdirSync(kept, { recursive: true });
  first = await SimulatedDomino.create(
    { databases: 40, pages: [4, 60], settings: { SIM_DEVICE_PATHS: 'accepted' } },
    home,
  );
  const { dataDirectory } = first.simulation;
  const mail = join(secondVolume, 'mail');
  cpSync(join(dataDirectory, 'mail'), mail, { recursive: true });
  rmSync(join(dataDirectory, 'mail'), { recursive: true });
  writeFileSync(join(dataDirectory, 'mail.dir'), `${mail}\n`);
  second = await SimulatedDomino.create({ databases: 8, pages: [4, 20], seed: 2 }, home);
  server = await first.serve({ threads: 2, transactionsPerSecond: 300 });
  firstWriter = startWriter(first);
  expect((await eventsUntil(firstWriter, 'serving')).at(-1)).toMatchObject({
    components: ['data', 'data-1', 'transaction-log'],
  });
  secondWriter = startWriter(second);
  await eventsUntil(secondWriter, 'serving');
}, 300_000);

afterAll(async () => {
  const ended = [await firstWriter.end(), await secondWriter.end()];
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  await server.stop();
  for (const domino of [first, second]) {
    await domino.expectQuiet();
    await domino[Symbol.asyncDispose]();
  }
  machine.expectNoLeaks();
  machine[Symbol.dispose]();
}, 300_000);

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
}

function request(what: 'backup' | 'restore', domino: SimulatedDomino): Promise<Ended> {
  const { dataDirectory } = domino.simulation;
  const args = [what, writerClassId, 'data', join(kept, 'data'), 'all', dataDirectory];
  const env = { ...process.env, ProgramData: machine.programData, ...machine.environment() };
  return new Promise((resolve) => {
    execFile(componentRequester, args, { env }, (error, stdout) => {
      resolve({ code: error ? error.code : 0, stdout });
    });
  });
}

const deleteShadows = async (): Promise<void> => {
  expect((await requestSnapshot(machine, ['delete shadows all'])).code).toBe(0);
};

const onOtherVolume = (): string => first.simulation.databases().find((path) => path.startsWith('mail/')) ?? '';

const types = (told: readonly Told[]): string[] => told.map(({ type }) => type);

async function databasesIn(report: BackupReport | undefined): Promise<ManifestDatabase[]> {
  return databasesOf(await readManifest(report!.directory));
}

test('a snapshot of both volumes is a backup of each server, with all that the first one has on either', async () => {
  const binding = loadBinding();
  await openRuntime(binding, first.location, new Call({ timeoutMs: 60_000, phase: 'runtime' }));
  const torn = { server, database: onOtherVolume(), writer: firstWriter };
  const { requester, told } = await tearingSnapshot(machine, wholeVolumes(machine, 'c:', 'd:'), torn);
  expect({ ...requester, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
  await server.pause();
  const shadows = rootsOf(await shadowsOf(firstWriter));
  expect(shadows.map(({ volume }) => volume).sort()).toEqual(['C:\\', 'D:\\']);
  const databases = await proveSnapshot({
    binding,
    isCompleted: true,
    domino: first,
    told,
    shadows,
    copies: join(first.home, 'copies'),
  });
  await server.resume();
  rmSync(join(first.home, 'copies'), { recursive: true });
  expect(databases).toHaveLength(first.simulation.databases().length);
  expect(new Set(databases.map(({ volume }) => volume))).toEqual(new Set(['C:\\', 'D:\\']));
  const { setId, report } = told.at(-1)!;

  const ofSecond = await eventsUntil(secondWriter, 'completed');
  expect(ofSecond.at(-1)).toMatchObject({ setId, report: { outcome: 'complete' } });
  expect(ofSecond.at(-1)!.report!.id).not.toBe(report!.id);
  const paths = (await databasesIn(ofSecond.at(-1)!.report)).map(({ path }) => path);
  expect(paths.sort()).toEqual(second.simulation.databases().sort());
  await deleteShadows();
}, 120_000);

test.each([
  ['d:', (path: string) => path.startsWith('mail/'), false],
  ['c:', (path: string) => !path.startsWith('mail/'), true],
] as const)(
  'a snapshot of %s alone is a backup of what lies on it',
  async (volume, isOnVolume, hasSecond) => {
    const requester = await requestSnapshot(machine, wholeVolumes(machine, volume));
    expect({ ...requester, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
    const { report } = (await eventsUntil(firstWriter, 'completed')).at(-1)!;
    const paths = (await databasesIn(report)).map(({ path }) => path);
    expect(paths.sort()).toEqual(first.simulation.databases().filter(isOnVolume).sort());
    if (hasSecond) await eventsUntil(secondWriter, 'completed');
    else expect(types(secondWriter.unread as Told[])).not.toContain('begun');
    await deleteShadows();
  },
  120_000,
);

test('a database that fails makes its component fail, and the requester hears which and why', async () => {
  const [failing = ''] = second.simulation.databases();
  await second.simulation.fault(`NSFBackupStart@${failing}=0x0EA4`);
  const partial = await request('backup', second);
  await second.simulation.clearFaults();
  expect(partial.code).toBe(3);
  const text = `1 database could not be put into backup mode: ${failing} (STATUS 0x0EA4)`;
  expect(partial.stdout).toContain(`snapshot: failure=80042336 application=00000ea4 message=${text}`);
  expect(partial.stdout).toContain(`component: failure=800423f4 application=00000ea4 message=${text}`);
  const { report } = (await eventsUntil(secondWriter, 'completed')).at(-1)!;
  expect(report).toMatchObject({ outcome: 'partial' });
  expect(report!.counts.captured).toBe(second.simulation.databases().length - 1);
}, 120_000);

test('a requester that chooses one server backs that one up, and its restore touches no other', async () => {
  expect(await request('backup', second)).toMatchObject({ code: 0 });
  const { report } = (await eventsUntil(secondWriter, 'completed')).at(-1)!;
  expect(report).toMatchObject({ outcome: 'complete' });
  expect(types(firstWriter.unread as Told[])).not.toContain('begun');

  const files = (await databasesIn(report)).map(({ file }) => file);
  const [destroyed = ''] = files;
  writeFileSync(destroyed, 'destroyed');
  // Files of one server are not put into the other, even if a requester selects the wrong instance.
  const misled = await request('restore', first);
  expect(misled.code).toBe(3);
  expect(misled.stdout).toContain(`but this writer serves ${first.simulation.dataDirectory}`);
  expect(types(await eventsUntil(firstWriter, 'restore-refused'))).not.toContain('restoring');

  const restored = await request('restore', second);
  expect({ ...restored, stdout: '' }).toEqual({ code: 0, stdout: '' });
  const told = await eventsUntil(secondWriter, 'restored');
  expect(types(told).filter((type) => type.startsWith('rest'))).toEqual(['restoring', 'restored']);
  const verdicts = await second.simulation.verify(files);
  expect(verdicts.filter(({ verdict }) => verdict !== 'consistent')).toEqual([]);
  expect(types(firstWriter.unread as Told[])).not.toContain('restoring');
  await server.run(onOtherVolume(), 2);
}, 120_000);
