// Backup and restore by another requester, in component mode: a C++ program that knows nothing about Domino, our writer in
// another process, and a running server.

import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Server, Verdict } from 'domino-vss-simulator';
import { readManifest, recoverInterrupted, type BackupReport, type ManifestDatabase } from '#lib/index';
import { packageRoot } from '#lib/native/package-root';
import { journalDirectory } from '#lib/store/journals';
import { writerClassId } from '#lib/writer/serve';
import { SimulatedDomino } from '../integration/simulated-domino';
import { Machine, type Program, type VssSettings } from './machine';

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

const requesterEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  ProgramData: machine.programData,
  ...machine.environment(),
});

function request(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(requester, args, { env: requesterEnvironment() }, (error, stdout) => {
      resolve({ code: error ? error.code : 0, stdout });
    });
  });
}

const backUp = (component: string): Promise<Ended> =>
  request('backup', writerClassId, component, join(kept, component));
const restore = (component: string, how: string): Promise<Ended> =>
  request('restore', writerClassId, component, join(kept, component), how);

/** A restore that has copied its files and then waits for the command to continue. */
class Waiting {
  readonly copied: Promise<void>;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<Ended>;

  constructor(component: string) {
    const args = ['restore', writerClassId, component, join(kept, component), 'wait'];
    this.#child = spawn(requester, args, { env: requesterEnvironment(), stdio: ['pipe', 'pipe', 'ignore'] });
    let stdout = '';
    this.#child.stdout.setEncoding('utf8');
    this.copied = new Promise((resolve, reject) => {
      this.#child.stdout.on('data', (text: string) => {
        stdout += text;
        if (stdout.includes('waiting')) resolve();
      });
      this.#child.on('close', () => {
        reject(new Error(`the requester has ended: ${stdout}`));
      });
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        resolve({ code, stdout });
      });
    });
  }

  end(): Promise<Ended> {
    this.#child.stdin.end('\n');
    return this.#ended;
  }
}

async function serve(
  options: { readonly restoreTimeoutMs?: number; readonly autoRecovery?: boolean } = {},
  settings: VssSettings = {},
): Promise<Told[]> {
  const { programDirectory, notesIni } = domino.simulation;
  writer = machine.start(
    'serve-writer-program.js',
    [
      programDirectory,
      notesIni,
      machine.deltaDirectory,
      // So that there is change information to be applied in PostRestore.
      JSON.stringify({ restores: true, autoRecovery: false, ...options }),
    ],
    settings,
  );
  return eventsUntil('serving');
}

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
/** Databases below a directory link, which the server does not always hold open. */
const linked = (): ManifestDatabase[] => databases.filter(({ path }) => path.startsWith('archive/'));

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, links: true, pages: [4, 60] }, machine.homes[0]);
  server = await domino.serve({ threads: 2, transactionsPerSecond: 300 });
  const [serving] = await serve();
  expect(serving).toMatchObject({ components: ['data', 'data-1', 'data-2', 'transaction-log'] });
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

async function expectFailed(): Promise<void> {
  const { report } = (await eventsUntil('restore-failed')).at(-1)!;
  expect(report?.failures).toHaveLength(linked().length);
  for (const { path } of linked()) await expect(server.run(path, 1)).rejects.toThrow();
}

/** After a restore that has left databases offline. */
async function expectRestored(): Promise<void> {
  expect(await restore(component, 'all')).toMatchObject({ code: 0 });
  await eventsUntil('restored');
  await expectConsistent();
  for (const { path } of linked()) await server.run(path, 2);
  expect(journals()).toEqual([]);
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

test('the transaction log is backed up as a component of its own, and never restored', async () => {
  const backup = await backUp('transaction-log');
  expect(backup).toMatchObject({ code: 0 });
  expect(backup.stdout).toMatch(/^copied [1-9]/m);
  await eventsUntil('uninvolved');
  const refused = await restore('transaction-log', 'all');
  expect(refused.code).toBe(3);
  expect(refused.stdout).toMatch(/before: failure=800423f4 .*the server is writing to its transaction log/);
}, 300_000);

test('a restore to another place is refused', async () => {
  const elsewhere = await restore(component, 'elsewhere');
  expect(elsewhere.code).toBe(3);
  expect(elsewhere.stdout).toContain('domino-vss restore --as');
  for (const { path } of linked()) await server.run(path, 2);
}, 300_000);

test('a second requester is refused while the first one copies, which then ends as if it had been alone', async () => {
  await server.pause();
  for (const { file } of linked()) writeFileSync(file, 'destroyed');
  const first = new Waiting(component);
  await first.copied;
  await eventsUntil('restoring');
  const second = await restore(component, 'all');
  expect(second.code).toBe(3);
  expect(second.stdout).toContain('another restore of the same databases is in progress');
  expect(await first.end()).toMatchObject({ code: 0 });
  await eventsUntil('restored');
  await expectConsistent();
  expect(journals()).toEqual([]);
}, 300_000);

test('a requester that does not say what has become of the files: they stay offline, and it hears so', async () => {
  const silent = await restore(component, 'silent');
  expect(silent.code).toBe(3);
  expect(silent.stdout).toMatch(/component: .*after=.*stays offline/);
  await expectFailed();
  await expectRestored();
}, 300_000);

test('the death of a requester in the middle ends its restore at once', async () => {
  const died = await restore(component, 'die');
  expect(died.code).not.toBe(0);
  await expectFailed();
  await expectRestored();
}, 300_000);

test('the end of the writer ends the restore: the databases stay offline, recover names them, and the next writer restores them', async () => {
  const requester = new Waiting(component);
  await requester.copied;
  await eventsUntil('restoring');
  expect((await writer.end()).code).toBe(0);
  // Nothing reports the failure to it: the requester has to check whether the writer still exists.
  await requester.end();
  const looked = await recoverInterrupted({ deltaDirectory: machine.deltaDirectory, domino: domino.location });
  expect(looked.works).toMatchObject([{ done: false }]);
  for (const { path } of linked()) await expect(server.run(path, 1)).rejects.toThrow();

  await serve();
  await expectRestored();
}, 300_000);

test('a restore that is out of time: the writer tells of it at once, and the requester hears so at the end', async () => {
  expect((await writer.end()).code).toBe(0);
  await serve({ restoreTimeoutMs: 40_000 });
  const requester = new Waiting(component);
  await requester.copied;
  await eventsUntil('restoring');
  await expectFailed();
  const late = await requester.end();
  expect(late.code).toBe(3);
  expect(late.stdout).toMatch(/after: failure=800423f4 .*the requester did not end the restore in time/);
  await expectRestored();
}, 300_000);

test('what VSS does not say refuses the restore, and the requester hears which call it was', async () => {
  for (const method of ['GetSessionId', 'GetComponentCount']) {
    await writer.end();
    await serve({}, { [`fault.${method}.*`]: '0x80004005' });
    const refused = await restore(component, 'all');
    expect(refused.code).toBe(3);
    expect(refused.stdout).toMatch(new RegExp(`before: failure=800423f4 .*message=.*${method}`));
    expect(journals()).toEqual([]);
  }
  await writer.end();
  await serve();
}, 300_000);

test('nothing is applied to databases that were completed in the shadow', async () => {
  expect((await writer.end()).code).toBe(0);
  await domino.simulation.set({ SIM_DEVICE_PATHS: 'accepted' });
  await serve({ autoRecovery: true });
  const changed = (): ManifestDatabase[] => linked().filter(({ delta }) => delta !== '');
  for (let attempt = 0; attempt < 10 && (attempt === 0 || changed().length === 0); attempt += 1) await backedUp();
  expect(changed().length).toBeGreaterThan(0);
  expect(linked().every(({ appliedInShadow }) => appliedInShadow === true)).toBe(true);
  await server.pause();
  for (const { file } of linked()) writeFileSync(file, 'destroyed');
  expect(await restore(component, 'all')).toMatchObject({ code: 0 });
  await eventsUntil('restored');
  await expectConsistent();
  for (const { path } of linked()) await server.run(path, 2);
}, 300_000);
