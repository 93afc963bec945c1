// The writer as a service of Windows, under the Service Control Manager: installed, started, used by a requester that knows
// nothing of Domino, stopped, removed.

import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listBackups } from '#lib/index';
import { loadBinding } from '#lib/native/binding';
import { packageRoot } from '#lib/native/package-root';
import type { NativeServiceStatus } from '#lib/native/session';
import { serviceName } from '#lib/writer/service';
import { SimulatedDomino } from '../integration/simulated-domino';
import { commandOn, type CommandEnded } from './command';
import { Machine } from './machine';

const stopped = 1;
const running = 4;
const specificError = 1066;

const machine = new Machine();
const services = loadBinding().services!;
let domino: SimulatedDomino;
let name: string;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 10, pages: [4, 12], plainNames: true }, machine.homes[0]);
  name = serviceName(domino.simulation.dataDirectory);
}, 120_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 120_000);

const command = commandOn(machine);

/** A service has the environment of the system and not that of a test. It gets it by an option of Node.js, which the command keeps. */
function writerCommand(verb: string, ...args: string[]): Promise<CommandEnded> {
  const { programDirectory, notesIni } = domino.simulation;
  const preload = join(machine.homes[1], 'environment.js');
  const environment = { ...process.env, ...machine.environment() };
  writeFileSync(preload, `Object.assign(process.env, ${JSON.stringify(environment)});`);
  const main = join(packageRoot, 'dist', 'cli', 'main.js');
  const location = ['--ini', notesIni, '--program', programDirectory];
  return new Promise((resolve) => {
    const words = ['--require', preload, main, 'writer', verb, ...location, ...args];
    execFile(process.execPath, words, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

function install(...args: string[]): Promise<CommandEnded> {
  return writerCommand('install', '--delta-dir', machine.deltaDirectory, ...args);
}

async function reaches(wanted: number): Promise<NativeServiceStatus> {
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    const status = await services.query(name);
    if (status.state === wanted) return status;
    if (status.state === stopped) throw new Error(`the service has stopped: ${JSON.stringify(status)}`);
    await delay(200);
  }
  throw new Error(`not in state ${wanted}: ${JSON.stringify(await services.query(name))}`);
}

async function snapshot(): Promise<number | string | null | undefined> {
  const script = join(machine.homes[1], 'snapshot.txt');
  const lines = [
    `set metadata ${machine.homes[1]}`,
    'set context persistent',
    'begin backup',
    'add volume c:',
    'create',
    'end backup',
    'delete shadows all',
    '',
  ];
  writeFileSync(script, lines.join('\r\n'));
  return (await command('script', script)).code;
}

async function backups(): Promise<number> {
  return (await listBackups(machine.deltaDirectory)).length;
}

test('a service makes snapshots of others backups until it is stopped', async () => {
  expect(await install('--exclude', 'links/**')).toMatchObject({ code: 0, stderr: '' });
  expect((await services.query(name)).state).toBe(stopped);
  const again = await install();
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('writer uninstall');

  await services.requestStart(name);
  await reaches(running);
  expect(await snapshot()).toBe(0);
  expect(await backups()).toBe(1);

  await services.requestStop(name);
  expect(await reaches(stopped)).toMatchObject({ exitCode: 0, specificExitCode: 0 });
  // Nobody is asked any more, and nothing is left.
  expect(await snapshot()).toBe(0);
  expect(await backups()).toBe(1);
  expect(readdirSync(join(machine.deltaDirectory, '.journal'))).toEqual([]);
  await domino.expectQuiet();

  expect(await writerCommand('uninstall')).toMatchObject({ code: 0, stderr: '' });
  await expect(services.query(name)).rejects.toMatchObject({ status: 1060 });
}, 400_000);

afterEach(async () => {
  // Of a test that has failed.
  await services.requestStop(name).catch(() => undefined);
  await services.uninstall(name).catch(() => undefined);
});

test('a service that cannot serve says so with its exit code, and the manager counts it as failed', async () => {
  expect(await install('--required', 'not-there.nsf')).toMatchObject({ code: 0 });
  await services.requestStart(name);
  await expect(reaches(running)).rejects.toThrow('the service has stopped');
  expect(await services.query(name)).toMatchObject({ state: stopped, exitCode: specificError, specificExitCode: 1 });
  expect(await writerCommand('uninstall')).toMatchObject({ code: 0 });
}, 200_000);

test('nobody but the manager starts a service', async () => {
  const started = await writerCommand('serve', '--delta-dir', machine.deltaDirectory, '--service', name);
  expect(started.code).toBe(1);
  expect(started.stderr).toContain('ERR_SERVICE');
  expect(started.stderr).toContain('--service');
}, 120_000);
