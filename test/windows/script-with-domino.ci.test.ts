// A script as a backup of a running Domino server: its databases on D:, its program and the metadata on C:.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { locationFlags } from '../integration/command-line';
import { SimulatedDomino } from '../integration/simulated-domino';
import { commandOn } from './command';
import { Machine } from './machine';

const machine = new Machine();
// A machine has one environment of Domino, in the usual place.
const command = commandOn(machine, {}, { ProgramData: process.env['ProgramData'] ?? '' });
const metadata = join(machine.deltaDirectory, 'set.cab');
const victim = 'mail/db000003.nsf';
let domino: SimulatedDomino;
let server: Server;
/** Processes that a test has let die. */
let died = 0;

beforeAll(async () => {
  mkdirSync(machine.deltaDirectory);
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true, pages: [4, 60] }, machine.homes[1]);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 200 });
}, 300_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

afterEach(async () => {
  machine.expectNoLeaks();
  await domino.expectQuiet(died);
});

const script = (...lines: readonly string[]): ReturnType<typeof command> => {
  const path = join(machine.deltaDirectory, 'backup.txt');
  writeFileSync(path, lines.join('\r\n'));
  return command('script', path, '--with-domino', ...locationFlags(domino));
};
/** Ids of the backups beside the metadata. */
const backups = (): string[] => {
  return readdirSync(machine.deltaDirectory).filter((name) => /^\d{8}T\d{6}Z-/.test(name));
};
const methods = (): string[] => machine.calls().map(({ method }) => method.replace(/^\w+::/, ''));

test('create is a backup of the databases, which restore finds beside the metadata', async () => {
  const made = await script(
    'set context persistent',
    'set verbose on',
    `set metadata ${metadata}`,
    'begin backup',
    'add volume d: alias data',
    'create',
    'end backup',
  );
  expect(made).toMatchObject({ code: 0, stderr: '' });
  // It would begin a second backup of the same databases.
  expect(made.stdout).toContain('writer "Lotus Domino" is left out: domino');
  expect(made.stdout).toContain('writer "SqlServerWriter" is left out: component outside the set');
  expect(methods()).toContain('DisableWriterClasses');
  expect(methods()).toContain('BackupComplete.async');
  expect(made.stdout).toContain(`deltas and manifest of the databases: ${machine.deltaDirectory}`);
  const [id = ''] = backups();
  expect(backups()).toEqual([id]);

  const list = await command('backup', 'list', '--delta-dir', machine.deltaDirectory, '--json');
  expect(list.code).toBe(0);
  expect(list.stdout).toContain(id);
  const show = await command('backup', 'show', id, '--delta-dir', machine.deltaDirectory, '--json');
  const { counts, vss, volumes } = JSON.parse(show.stdout) as Record<string, unknown>;
  expect({ counts, vss, volumes }).toMatchObject({
    counts: { databases: domino.simulation.databases().length, skipped: 0 },
    vss: { context: 'app-rollback', backupType: 'full' },
    volumes: [{ path: 'D:\\', kept: true }],
  });

  const options = ['--delta-dir', machine.deltaDirectory, ...locationFlags(domino)];
  const restored = await command('restore', id, victim, '--as', 'restored/old.nsf', ...options);
  expect(restored).toMatchObject({ code: 0, stderr: '' });
  await server.pause();
  const verdicts = await domino.simulation.verify([join(domino.simulation.dataDirectory, 'restored', 'old.nsf')]);
  await server.resume();
  expect(verdicts).toMatchObject([{ verdict: 'consistent' }]);

  // Nothing is changed below a server that may be running.
  const refused = await script(`load metadata ${metadata}`, 'revert %data%');
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain('databases (data directory ');
  expect(methods()).not.toContain('RevertToSnapshot');
  expect(await script(`load metadata ${metadata}`, 'delete shadows set %VSS_SHADOW_SET%')).toMatchObject({ code: 0 });
  expect(machine.shadows()).toEqual([]);
});

test('a script that dies: the other process knows where its journal is, which only the script says', async () => {
  await domino.simulation.fault('NSFBackupStart:3=die');
  const lines = ['set context volatile nowriters', `set metadata ${metadata}`, 'add volume d:', 'create'];
  const ended = await script(...lines);
  died += 1;
  await domino.simulation.clearFaults();
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('ERR_PROCESS_ENDED');
  expect(ended.stderr).toContain('databases may still be in backup mode');
  const where = ['--delta-dir', machine.deltaDirectory];
  expect(ended.stderr).toContain(`Run: domino-vss recover ${where.join(' ')}`);
  expect(await command('recover', ...where, ...locationFlags(domino))).toMatchObject({ code: 0 });
  expect(machine.shadows()).toEqual([]);
});

test('volumes with databases are taken along; a script that fails leaves nothing of a volatile set', async () => {
  const before = backups();
  const failed = await script(
    'set context volatile nowriters',
    `set metadata ${metadata}`,
    'add volume c:',
    'create',
    'unexpose {11111111-2222-3333-4444-555555555555}',
  );
  expect(failed.code).toBe(1);
  expect(failed.stdout + failed.stderr).toContain('D:\\ contains databases and was included');
  expect(backups()).toEqual(before);
  expect(machine.shadows()).toEqual([]);
});
