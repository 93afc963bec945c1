// Backup and restore by a requester of others, in component mode: a C++ program that knows nothing of Domino, our writer in
// another process, and a server that works.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server, Verdict } from 'domino-vss-simulator';
import { readManifest, recoverInterrupted, type BackupReport, type ManifestDatabase } from '#lib/index';
import { packageRoot } from '#lib/native/package-root';
import { journalDirectory } from '#lib/store/journals';
import { writerClassId } from '#lib/writer/serve';
import { SimulatedDomino } from '../integration/simulated-domino';
import { Machine, type Program } from './machine';

const requester = join(packageRoot, 'simulator', 'build', 'win32-x64', 'vss', 'test', 'component_requester.exe');
const machine = new Machine();
const kept = join(machine.homes[1], 'kept');
let domino: SimulatedDomino;
let server: Server;
let writer: Program;
let databases: ManifestDatabase[];

interface Told {
  readonly type: string;
  readonly text?: string;
  readonly report?:
    (BackupReport & { readonly restored?: readonly string[]; readonly failures?: readonly object[] }) | null;
}

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
}

function request(...args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, ProgramData: machine.programData, ...machine.environment() };
  return new Promise((resolve) => {
    execFile(requester, args, { env }, (error, stdout) => {
      resolve({ code: error ? error.code : 0, stdout });
    });
  });
}

const backUp = (component: string): Promise<Ended> =>
  request('backup', writerClassId, component, join(kept, component));
const restore = (component: string, how: string): Promise<Ended> =>
  request('restore', writerClassId, component, join(kept, component), how);

async function eventsUntil(type: string): Promise<Told[]> {
  const told: Told[] = [];
  for (;;) {
    told.push((await writer.expectNext()) as Told);
    if (told.at(-1)?.type === type) return told;
  }
}

const journals = (): string[] =>
  readdirSync(journalDirectory(machine.deltaDirectory)).filter((name) => name.endsWith('.journal'));
const verify = async (file: string): Promise<Verdict> => (await domino.simulation.verify([file]))[0]!;
/** Those below a directory link: what the server does not hold open all the time. */
const linked = (): ManifestDatabase[] => databases.filter(({ path }) => path.startsWith('archive/'));

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, links: true, pages: [4, 60] }, machine.homes[0]);
  server = await domino.serve({ threads: 2, transactionsPerSecond: 300 });
  const { programDirectory, notesIni } = domino.simulation;
  writer = machine.start('serve-writer-program.js', [
    programDirectory,
    notesIni,
    machine.deltaDirectory,
    JSON.stringify({ restores: true }),
  ]);
  const [serving] = await eventsUntil('serving');
  expect(serving).toMatchObject({ components: ['data', 'data-1', 'data-2'] });
}, 300_000);

afterAll(async () => {
  await writer.end();
  await server.stop();
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
  machine.expectNoLeaks();
  machine[Symbol.dispose]();
}, 300_000);

/** The number of the component that holds the databases below the directory link. */
let component = '';

async function backedUp(): Promise<void> {
  for (const candidate of ['data-1', 'data-2']) {
    const backup = await backUp(candidate);
    expect(backup).toMatchObject({ code: 0 });
    const { report } = (await eventsUntil('completed')).at(-1)!;
    databases = [];
    for await (const one of (await readManifest(report!.directory)).databases()) databases.push(one);
    component = candidate;
    if (linked().length > 0) break;
  }
  expect(linked()).toHaveLength(2);
}

async function expectConsistent(): Promise<void> {
  await server.pause();
  for (const { file, path } of linked())
    expect({ path, ...(await verify(file)) }).toMatchObject({ verdict: 'consistent' });
  await server.resume();
}

test('a requester restores one component after its files were destroyed, and the server uses them again', async () => {
  mkdirSync(kept, { recursive: true });
  await backedUp();
  await server.pause();
  for (const { file } of linked()) writeFileSync(file, 'destroyed');
  const restored = await restore(component, 'all');
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stdout).toContain('after: failure=00000000');
  const told = await eventsUntil('restored');
  expect(told.map(({ type }) => type).filter((type) => type.startsWith('rest'))).toEqual(['restoring', 'restored']);
  expect(told.at(-1)?.report?.restored).toEqual(
    linked()
      .map(({ path }) => path)
      .sort(),
  );
  await expectConsistent();
  for (const { path } of linked()) await server.run(path, 2);
  expect(journals()).toEqual([]);
}, 300_000);

test('what cannot be taken offline refuses the restore, and the requester hears which database and why', async () => {
  expect(await backUp('data')).toMatchObject({ code: 0 });
  await eventsUntil('completed');
  const refused = await restore('data', 'all');
  expect(refused.code).toBe(3);
  expect(refused.stdout).toMatch(/before: failure=800423f4 application=000013ea message=.*in use/i);
  expect(refused.stdout).toMatch(/component: before=.*ERR_/);
  await eventsUntil('restore-refused');
  for (const { path } of linked()) await server.run(path, 2);
  expect(journals()).toEqual([]);
}, 300_000);

test('to another place, or while another one restores: refused', async () => {
  const elsewhere = await restore(component, 'elsewhere');
  expect(elsewhere.code).toBe(3);
  expect(elsewhere.stdout).toContain('domino-vss restore --as');
  for (const { path } of linked()) await server.run(path, 2);
}, 300_000);

test('after a requester that has died in the middle the databases stay offline, others are refused, and all of it is said', async () => {
  const died = await restore(component, 'die');
  expect(died.code).not.toBe(0);
  await eventsUntil('restoring');
  expect((await restore(component, 'all')).stdout).toContain('another restore of the same databases is under way');
  // The end of the writer is the end of the restore.
  expect((await writer.end()).code).toBe(0);
  const looked = await recoverInterrupted({ deltaDirectory: machine.deltaDirectory, domino: domino.location });
  expect(looked.works).toMatchObject([{ done: false }]);
  for (const { path } of linked()) await expect(server.run(path, 1)).rejects.toThrow();

  const { programDirectory, notesIni } = domino.simulation;
  writer = machine.start('serve-writer-program.js', [
    programDirectory,
    notesIni,
    machine.deltaDirectory,
    JSON.stringify({ restores: true }),
  ]);
  await eventsUntil('serving');
  const again = await restore(component, 'all');
  expect(again).toMatchObject({ code: 0 });
  await eventsUntil('restored');
  await expectConsistent();
  for (const { path } of linked()) await server.run(path, 2);
  expect(journals()).toEqual([]);
}, 300_000);
