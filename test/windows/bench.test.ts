// The benchmark with VSS, and for comparison the same backups with the shadow made by a script in a separate process. What is
// measured under Wine says nothing about Windows, but it shows that the benchmark works.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { BenchReport } from '#lib/bench/bench';
import type { RehearsalReport } from '#lib/index';
import { packageRoot } from '#lib/native/package-root';
import { SimulatedDomino } from '../integration/simulated-domino';
import { Machine, type VssSettings } from './machine';

const machine = new Machine();
let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 40 }, machine.homes[0]);
}, 120_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
});

/** The single JSON document of the command line. */
function command(name: string, args: readonly string[] = [], settings: VssSettings = {}): Promise<unknown> {
  const { programDirectory, notesIni } = domino.simulation;
  const main = join(packageRoot, 'dist', 'cli', 'main.js');
  const location = ['--program', programDirectory, '--ini', notesIni, '--delta-dir', machine.deltaDirectory];
  const env = { ...process.env, ...machine.environment(settings) };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [main, name, ...location, '--json', ...args], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${name}: ${stdout}${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout));
    });
  });
}

test('a benchmark compares with a spawned script', async () => {
  const report = (await command('bench', ['--runs', '2', '--warm-ups', '1', '--compare'])) as BenchReport;
  expect(report.conditions).toMatchObject({
    provider: 'vss',
    stopAt: 'end',
    databases: domino.simulation.databases().length,
  });
  expect(report.compared.map(({ way }) => way)).toEqual(['one database after another', 'spawned: domino-vss script']);
  // That window includes a process that starts, loads Node.js and ends.
  expect(report.compared[1]?.timesLonger).toBeGreaterThan(1);
  expect(report.figures['lastStartToShadowMs']).toMatchObject({ count: 2 });
  expect(machine.shadows()).toEqual([]);
  machine.expectNoLeaks();
  await domino.expectQuiet();
});

test('a benchmark that stops at Thaw compares with the end of DoSnapshotSet', async () => {
  const args = ['--runs', '1', '--warm-ups', '0', '--stop-at', 'thaw', '--compare'];
  const report = (await command('bench', args, { 'latency.phase.PostSnapshot': 1000 })) as BenchReport;
  expect(report.conditions).toMatchObject({ provider: 'vss', stopAt: 'thaw' });
  const [end, oneByOne, spawned] = report.compared;
  expect(end).toMatchObject({ way: 'stopped at the end of DoSnapshotSet', windowsMs: [end?.windowMs.median] });
  expect(end?.windowMs.min).toBeGreaterThan(1000);
  expect(end?.timesLonger).toBeGreaterThan(1);
  expect([oneByOne?.way, spawned?.way]).toEqual(['one database after another', 'spawned: domino-vss script']);
  expect(spawned?.windowMs.min).toBeGreaterThan(1000);
  expect(machine.shadows()).toEqual([]);
  await domino.expectQuiet();
});

test('a rehearsal needs no volume that can be flushed', async () => {
  const report = (await command('rehearse')) as RehearsalReport;
  expect(report).toMatchObject({ databases: domino.simulation.databases().length, refused: [] });
  expect(machine.shadows()).toEqual([]);
  await domino.expectQuiet();
});
