// Change information that our writer applies in the shadows of others, and everything that may go wrong with it. Whatever could not be
// completed there is still a backup with its delta file, and nobody takes it for more.

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { readManifest, restoreDatabases, type ManifestDatabase } from '#lib/index';
import { SimulatedDomino } from '../integration/simulated-domino';
import {
  databasesOf,
  eventsUntil,
  requestSnapshot,
  rootsOf,
  shadowsOf,
  tearingSnapshot,
  wholeVolumes,
  type Told,
} from './foreign-snapshot';
import { Machine, type Program, type VssSettings } from './machine';

const machine = new Machine();
let domino: SimulatedDomino;
let server: Server;
let writer: Program;
const wholeVolume = wholeVolumes(machine, 'c:');

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 16, pages: [4, 40] }, machine.homes[0]);
  server = await domino.serve({ threads: 2, transactionsPerSecond: 300 });
  const { programDirectory, notesIni } = domino.simulation;
  const options = JSON.stringify({ databaseBudgetMs: 3_000 });
  writer = machine.start('serve-writer-program.js', [programDirectory, notesIni, machine.deltaDirectory, options]);
  await eventsUntil(writer, 'serving');
}, 300_000);

beforeEach(() => domino.simulation.set({ SIM_DEVICE_PATHS: 'accepted' }));

afterEach(async () => {
  await domino.simulation.clearFaults();
  expect((await requestSnapshot(machine, ['delete shadows all'])).code).toBe(0);
}, 120_000);

afterAll(async () => {
  expect((await writer.end()).code).toBe(0);
  await server.stop();
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

/** A database that is torn without its change information. */
const torn = (): string => domino.simulation.databases().find((path) => path.startsWith('mail/')) ?? '';

async function backUp(lines = wholeVolume): Promise<{ told: Told; output: string; databases: ManifestDatabase[] }> {
  await server.resume();
  const { requester, told } = await tearingSnapshot(machine, lines, { server, database: torn(), writer });
  await server.pause();
  const completed = told.at(-1)!;
  const databases = await databasesOf(await readManifest(completed.report!.directory));
  return { told: completed, output: requester.stdout + requester.stderr, databases };
}

const completedOf = (databases: readonly ManifestDatabase[]): string[] =>
  databases.filter(({ appliedInShadow }) => appliedInShadow === true).map(({ path }) => path);

/** Restores it from the shadow beside the original, and returns the steps. */
async function restored(path: string, { report }: Told): Promise<string[]> {
  const target = 'restored.nsf';
  const { steps } = await restoreDatabases({
    domino: domino.location,
    manifest: report!.directory,
    databases: [path],
    mode: { type: 'new-database', as: target },
    until: 'backup',
    shadowRoots: rootsOf(await shadowsOf(writer)),
  });
  const file = join(domino.simulation.dataDirectory, target);
  const [verdict] = await domino.simulation.verify([file]);
  expect(verdict).toMatchObject({ verdict: 'consistent' });
  rmSync(file);
  return steps.map(({ type }) => type);
}

test('a restore applies nothing to a database that is complete in the shadow', async () => {
  const { told, databases } = await backUp();
  const { outcome, skipped } = told.report!;
  expect({ outcome, skipped }).toEqual({ outcome: 'complete', skipped: [] });
  expect(completedOf(databases)).toHaveLength(databases.length);
  expect(databases.find(({ path }) => path === torn())?.delta).not.toBe('');
  expect(await restored(torn(), told)).not.toContain('apply-delta');
}, 120_000);

test.each([
  ['applying fails', 'NSFBackupStartApplyChangeInfo', '0x0EA4', 'ERR_DOMINO_CALL'],
  ['Domino hangs', 'NSFBackupStartApplyChangeInfo', 'hang', 'ERR_DATABASE_BUDGET'],
] as const)(
  '%s for one database',
  async (_what, call, fault, code) => {
    await domino.simulation.fault(`${call}@*${torn().replace('/', '?')}=${fault}`);
    const { told, output, databases } = await backUp();
    await domino.simulation.clearFaults();
    expect(told.report).toMatchObject({ outcome: 'partial', skipped: [{ database: torn(), code }] });
    expect(output).toContain('1 database could not be completed in the snapshot and needs its delta file');
    expect(completedOf(databases)).toEqual(databases.map(({ path }) => path).filter((path) => path !== torn()));
    // The requester does not keep what its writers call incomplete; others do.
    const { delta = '', deltaBytes } = databases.find(({ path }) => path === torn()) ?? {};
    expect(statSync(join(told.report!.directory, delta)).size).toBe(deltaBytes);
  },
  120_000,
);

test.each([
  ['Domino refuses the path of the device', { SIM_DEVICE_PATHS: 'refused' }, {}],
  ['the shadow cannot be changed', {}, { recovery_read_only: 1 }],
] as const)(
  '%s',
  async (_what, ofDomino, ofVss: VssSettings) => {
    await domino.simulation.set(ofDomino);
    await server.resume();
    const requester = await requestSnapshot(machine, wholeVolume, ofVss);
    await server.pause();
    expect(requester.stdout + requester.stderr).toContain('could not be completed in the snapshot');
    const { report } = (await eventsUntil(writer, 'completed')).at(-1)!;
    expect(report).toMatchObject({ outcome: 'partial' });
    const deltas = join(report!.directory, 'deltas');
    expect(readdirSync(deltas).filter((name) => !name.endsWith('.delta'))).toEqual([]);
  },
  120_000,
);

test('without permission for it everything is as ever', async () => {
  const { told, databases } = await backUp(['set option noautorecover', ...wholeVolume]);
  expect(told.report).toMatchObject({ outcome: 'complete' });
  expect(completedOf(databases)).toEqual([]);
  expect(await restored(torn(), told)).toContain('apply-delta');
}, 120_000);

test('a requester that dies in PostSnapshot', async () => {
  await server.resume();
  const requester = await requestSnapshot(machine, wholeVolume, { 'fault.phase.PostSnapshot.1': 'die' });
  expect(requester.code).not.toBe(0);
  await server.pause();
  const last = (await eventsUntil(writer, 'completed')).at(-1)!;
  expect(existsSync(last.report!.manifest)).toBe(true);
  expect((await domino.simulation.stats()).inBackup).toEqual([]);
}, 120_000);
