// A backup of a running server with VSS, kept and copied, whose process is ended (TerminateProcess) in a call of VSS:
// in the first and the last call of each function. So does recover, when it cleans up after such a death, and then runs again.
// In each case: no database in backup mode, no shadow without its backup, no journal, no file of an unfinished backup; at the end
// the next backup works. The order depends on DOMINO_VSS_TEST_SEED.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { journalDirectory } from '#lib/store/journals';
import { locationFlags } from '../integration/command-line';
import { SimulatedDomino } from '../integration/simulated-domino';
import { randomOf } from '../random';
import { commandOn, type CommandEnded } from './command';
import { Machine, type VssSettings } from './machine';

const machine = new Machine();
const copies = join(machine.deltaDirectory, '..', 'copies');
let domino: SimulatedDomino;
let server: Server;
const seed = Number(process.env['DOMINO_VSS_TEST_SEED'] ?? Date.now() % 1_000_000);
/** A test file has ten minutes, in which a slow machine does not get through all cases. */
const sweepMs = 240_000;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, pages: [4, 60] }, machine.homes[1]);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 100 });
}, 300_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

function run(settings: VssSettings, ...args: readonly string[]): Promise<CommandEnded> {
  // A machine has one environment of Domino, in the usual place.
  const command = commandOn(machine, settings, { ProgramData: process.env['ProgramData'] ?? '' });
  return command(...args, '--delta-dir', machine.deltaDirectory);
}
const backUp = (settings: VssSettings = {}): Promise<CommandEnded> =>
  run(settings, 'backup', 'run', '--keep', '--to', copies, ...locationFlags(domino));
const recover = (settings: VssSettings = {}): Promise<CommandEnded> =>
  run(settings, 'recover', ...locationFlags(domino));

/** The calls of VSS while something is done: a name and a number each, for the first and the last call of each method. */
async function callsDuring(body: () => Promise<CommandEnded>): Promise<(readonly [string, number])[]> {
  machine.forgetCalls();
  expect(await body()).toMatchObject({ code: 0 });
  const counts = new Map<string, number>();
  for (const { method } of machine.calls()) {
    const name = method.replace(/^\w+::/, '');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].flatMap(([name, count]) => [...new Set([1, count])].map((nth) => [name, nth] as const));
}

function shuffled<T>(cases: readonly T[]): T[] {
  const random = randomOf(seed);
  return cases
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one);
}

/** What is left after recover; a backup whose manifest was written is complete, and has its shadow and its copies. */
async function leftOvers(): Promise<unknown> {
  const { inBackup } = await domino.simulation.stats();
  const list = await run({}, 'backup', 'list', '--json');
  const ids = (JSON.parse(list.stdout) as { readonly id: string }[]).map(({ id }) => id);
  const entries = readdirSync(machine.deltaDirectory).filter((name) => /^\d{8}T/.test(name));
  const journals = existsSync(journalDirectory(machine.deltaDirectory))
    ? readdirSync(journalDirectory(machine.deltaDirectory)).filter((name) => name.endsWith('.journal'))
    : [];
  return {
    inBackup,
    journals,
    unlisted: entries.filter((name) => !ids.includes(name)),
    shadowsToo: machine.shadows().length - ids.length,
    copiesToo: existsSync(copies) ? readdirSync(copies).filter((name) => !ids.includes(name)) : [],
  };
}
const nothing = { inBackup: [], journals: [], unlisted: [], shadowsToo: 0, copiesToo: [] };

/** So that the next case begins with nothing. */
async function forget(): Promise<void> {
  if (machine.shadows().length > 0) {
    const deleted = await run({}, 'shadow', 'delete', '--all', '--own-only');
    expect(deleted).toMatchObject({ code: 0 });
  }
  for (const directory of [machine.deltaDirectory, copies]) rmSync(directory, { recursive: true, force: true });
}

async function sweep(
  cases: readonly (readonly [string, number])[],
  die: (settings: VssSettings) => Promise<void>,
): Promise<void> {
  const endsAt = performance.now() + sweepMs;
  let tried = 0;
  for (const [method, nth] of shuffled(cases)) {
    if (performance.now() > endsAt) break;
    const label = `${method} #${nth}, seed ${seed}`;
    await die({ [`fault.${method}.${nth}`]: 'die' });
    const recovered = await recover();
    expect({ label, code: recovered.code, stderr: recovered.stderr, left: await leftOvers() }).toEqual({
      label,
      code: 0,
      stderr: '',
      left: nothing,
    });
    await forget();
    tried += 1;
  }
  console.log(`${tried} of ${cases.length} deaths, seed ${seed}`);
  expect(tried).toBeGreaterThan(0);
  expect(await backUp()).toMatchObject({ code: 0 });
  expect(await leftOvers()).toEqual(nothing);
  await forget();
}

test('a backup that dies in a call of VSS', async () => {
  const cases = await callsDuring(() => backUp());
  await forget();
  await sweep(cases, async (settings) => {
    const died = await backUp(settings);
    expect(died.code).not.toBe(0);
  });
}, 600_000);

test('recover, after such a death, that dies in a call of VSS itself', async () => {
  const left = { 'fault.SaveAsXML.1': 'die' };
  mkdirSync(machine.deltaDirectory, { recursive: true });
  await backUp(left);
  const cases = await callsDuring(() => recover());
  await forget();
  await sweep(cases, async (settings) => {
    await backUp(left);
    await recover(settings);
  });
}, 600_000);
