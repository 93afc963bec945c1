// Stop mode with a real service, through the Service Control Manager: the server is down only for the snapshot, and
// in every case it runs afterwards if it ran before.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '#lib/native/package-root';
import { Machine, type Program, type VssCall, type VssSettings } from './machine';
import type { ServiceOrder, ServiceOutcome } from './stop-mode-program';

// Without the name of a Domino server, which other tests would find in the registry.
const name = 'Stand-in for Domino (Cdominodata)';
const machine = new Machine();
const [data] = machine.homes;
const notesIni = join(data, 'notes.ini');
/** Directory of the service: with the path of the checkout, its command line would name another's drive. */
const executable = join(machine.programData, 'domino-service.exe');
let program: Program;
let operator: Program;

beforeAll(() => {
  mkdirSync(machine.programData, { recursive: true });
  copyFileSync(join(packageRoot, 'simulator', 'build', 'win32-x64', 'domino-service.exe'), executable);
  writeFileSync(notesIni, `[Notes]\r\nDirectory=${data}\r\n`);
  administrator('install', name, data);
  operator = startProgram();
});

beforeEach(async () => {
  machine.forgetCalls();
  await restart({});
  program = startProgram();
});

afterEach(async () => {
  expect((await program.end()).code).toBe(0);
  machine.expectNoLeaks();
  expect(machine.shadows()).toEqual([]);
});

afterAll(async () => {
  await withService({ task: 'stop', timeoutMs: 60_000 });
  await operator.end();
  administrator('remove', name);
  machine[Symbol.dispose]();
});

function startProgram(settings: VssSettings = {}): Program {
  return machine.start('stop-mode-program.js', [name], settings);
}

/** What another program does with the service. */
function administrator(...args: string[]): void {
  execFileSync(executable, args);
}

/** Takes effect at the next start of the service. */
function configure(settings: Readonly<Record<string, number>>): void {
  writeFileSync(
    join(data, 'settings'),
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
}

/** Restarts the service with these settings. */
async function restart(settings: Readonly<Record<string, number>>): Promise<void> {
  await withService({ task: 'stop', timeoutMs: 60_000 });
  configure(settings);
  await withService({ task: 'start' });
  rmSync(join(data, 'events.log'));
}

/** By another program than the one under test, which does only what the test is about. */
async function withService(order: ServiceOrder): Promise<void> {
  const outcome = (await operator.ask(JSON.stringify(order))) as ServiceOutcome;
  expect(outcome).toMatchObject({ tookMs: expect.any(Number) as unknown });
}

async function ask(order: ServiceOrder): Promise<ServiceOutcome> {
  return (await program.ask(JSON.stringify(order))) as ServiceOutcome;
}

async function errorOf(order: ServiceOrder): Promise<Readonly<Record<string, unknown>>> {
  const outcome = await ask(order);
  if ('error' in outcome) return outcome.error;
  throw new Error(`it did not fail: ${JSON.stringify(outcome)}`);
}

async function isRunning(): Promise<unknown> {
  const outcome = await ask({ task: 'isRunning' });
  return 'result' in outcome ? outcome.result : outcome;
}

/** What happened to the service, and when. */
function events(): { readonly at: number; readonly what: string }[] {
  const file = join(data, 'events.log');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ at: Number(line.split(' ')[0]), what: line.split(' ')[1] ?? '' }));
}

const names = (): string[] => events().map(({ what }) => what);

/** The calls to VSS, by method name. */
function calls(method: string): VssCall[] {
  return machine.calls().filter((call) => call.method === `IVssBackupComponents::${method}`);
}

/** What happened to the service, and the successful calls to VSS, in chronological order. */
function inOrder(methods: readonly string[]): string[] {
  const succeeded = methods.flatMap((method) =>
    calls(method)
      .filter(({ result }) => result < 0x8000_0000)
      .map(({ startedAtMs }) => ({ at: startedAtMs, what: method })),
  );
  return [...events(), ...succeeded].sort((a, b) => a.at - b.at).map(({ what }) => what);
}

let copies = 0;
function backup(options: { timeoutMs?: number; abortAfterMs?: number } = {}): ServiceOrder & { readonly to: string } {
  const to = join(machine.deltaDirectory, `copies-${(copies += 1)}`);
  return { task: 'backup', notesIni, deltaDirectory: machine.deltaDirectory, to, timeoutMs: 60_000, ...options };
}

/** The one database of the server, in the copies of a backup. */
function copied(to: string): string {
  return readFileSync(join(to, 'data.nsf'), 'latin1');
}

test('the server is down for the snapshot alone, and the shadow has what it wrote last', async () => {
  await restart({ stop_ms: 1_000 });
  const order = backup();
  const outcome = await ask(order);
  // Its own writer stops with it.
  expect(outcome).toMatchObject({ result: { outcome: 'complete', captured: 1, excluded: ['domino'] } });
  expect(inOrder(['StartSnapshotSet', 'PrepareForBackup', 'DoSnapshotSet'])).toEqual([
    'StartSnapshotSet',
    'PrepareForBackup',
    'stopping',
    'stopped',
    'DoSnapshotSet',
    'starting',
    'started',
  ]);
  expect(await isRunning()).toBe(true);
  expect(copied(order.to)).toMatch(/open\nclosed\n$/);
  expect(readFileSync(join(data, 'data.nsf'), 'latin1')).toMatch(/open\n$/);
});

test('a server that did not run stays so', async () => {
  await withService({ task: 'stop', timeoutMs: 30_000 });
  rmSync(join(data, 'events.log'));
  expect(await ask(backup())).toMatchObject({ result: { outcome: 'complete' } });
  expect(names()).toEqual([]);
  expect(await isRunning()).toBe(false);
});

test('a server that somebody else is stopping is waited for, and stays down', async () => {
  await restart({ stop_ms: 1_500 });
  administrator('stop', name);
  expect(await ask(backup())).toMatchObject({ result: { outcome: 'complete' } });
  expect(inOrder(['DoSnapshotSet'])).toEqual(['stopping', 'stopped', 'DoSnapshotSet']);
  expect(await isRunning()).toBe(false);
});

test('a server that is just starting is stopped when it has started', async () => {
  await withService({ task: 'stop', timeoutMs: 30_000 });
  configure({ start_ms: 1_500 });
  rmSync(join(data, 'events.log'));
  administrator('start', name);
  expect(await ask(backup())).toMatchObject({ result: { outcome: 'complete' } });
  expect(names()).toEqual(['starting', 'started', 'stopping', 'stopped', 'starting', 'started']);
});

test('a stop that takes longer than the time is given up, and the server started again', async () => {
  await restart({ stop_ms: 8_000 });
  const error = await errorOf(backup({ timeoutMs: 4_000 }));
  expect(error).toMatchObject({ code: 'ERR_DEADLINE' });
  expect(names()).toEqual(['stopping', 'stopped', 'starting', 'started']);
  expect(await isRunning()).toBe(true);
  // It does not block others in the meantime.
  const [aborted] = calls('AbortBackup');
  expect(aborted?.startedAtMs).toBeLessThan(events()[1]?.at ?? NaN);
});

test('an abort while the server stops is heard, and the server started again', async () => {
  await restart({ stop_ms: 5_000 });
  expect(await errorOf(backup({ abortAfterMs: 3_000 }))).toMatchObject({ code: 'ERR_ABORTED' });
  expect(names()).toEqual(['stopping', 'stopped', 'starting', 'started']);
  expect(await isRunning()).toBe(true);
});

test('a server that cannot be started again is an error, and the journal keeps naming it', async () => {
  configure({ start_fails: 17 });
  const error = await errorOf(backup());
  expect(error).toMatchObject({
    name: 'ServiceError',
    code: 'ERR_SERVICE',
    service: name,
    message: `${name} could not be started again: it ended while it was starting, with its own exit code 17`,
  });
  expect(names()).toEqual(['stopping', 'stopped', 'starting', 'failed']);
  configure({});
  const journals = join(machine.deltaDirectory, '.journal');
  const [journal = ''] = readdirSync(journals);
  expect(readFileSync(join(journals, journal), 'utf8')).toContain(`"stoppedService":"${name}"`);
  rmSync(join(journals, journal));
});

test('while another requester makes a shadow the server goes on working', async () => {
  const holder = machine.start('requester-program.js', [join(machine.deltaDirectory, 'other')], {
    'latency.DoSnapshotSet.async': 5_000,
  });
  holder.say(JSON.stringify({ task: 'backup' }));
  while (calls('StartSnapshotSet').length === 0) await delay(50);
  expect(await ask(backup())).toMatchObject({ result: { outcome: 'complete' } });
  const starts = calls('StartSnapshotSet').filter(({ pid }) => pid === program.pid);
  expect(starts.length).toBeGreaterThan(1);
  expect(starts[0]?.result).toBe(0x8004_2316);
  const entered = starts.at(-1);
  expect(entered?.result).toBe(0);
  const [stopping] = events();
  expect(stopping?.what).toBe('stopping');
  expect(stopping?.at).toBeGreaterThanOrEqual(entered?.startedAtMs ?? NaN);
  expect(await holder.expectNext()).toHaveProperty('result');
  expect((await holder.end()).code).toBe(0);
});

test('errors have the call, the number of Windows and what to do', async () => {
  const other = machine.start('stop-mode-program.js', ['no such service'], {});
  const outcome = (await other.ask(JSON.stringify({ task: 'isRunning' }))) as ServiceOutcome;
  expect(outcome).toMatchObject({
    error: {
      name: 'ServiceError',
      code: 'ERR_SERVICE',
      service: 'no such service',
      operation: 'OpenServiceW',
      windowsError: 1060,
      windowsErrorName: 'ERROR_SERVICE_DOES_NOT_EXIST',
      hint: expect.stringContaining('sc query') as unknown,
    },
  });
  await other.end();
  // Nothing has used VSS.
  expect(await ask(backup())).toMatchObject({ result: { outcome: 'complete' } });
});

test('the command line stops and starts a service by its name', () => {
  const main = join(packageRoot, 'dist', 'cli', 'main.js');
  const args = [
    'backup',
    'run',
    '--keep-nothing',
    '--delta-dir',
    machine.deltaDirectory,
    '--ini',
    notesIni,
    '--stop-service',
    name,
  ];
  const env = { ...process.env, ...machine.environment() };
  const stdout = execFileSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
  expect(stdout).toContain('1 captured');
  expect(names()).toEqual(['stopping', 'stopped', 'starting', 'started']);
});
