// Backs up and restores repeatedly in one process, with faults, and regularly reports what the process occupies.
//
//   node --expose-gc soak-program.js      with the settings of a soak as JSON in SOAK_SETTINGS; a sample as JSON on each line

import { existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createSimulation, type Simulation } from 'domino-vss-simulator';
import { beginBackup, isDominoVssError, pruneBackups, restoreDatabases, type HookProvider } from '#lib/index';
import { randomOf } from '../../random';
import type { Sample, SoakSettings } from './samples';

const settings = JSON.parse(process.env['SOAK_SETTINGS'] ?? '') as SoakSettings;
const { cycles, sampleEvery, seed, home, leak } = settings;
const random = randomOf(seed);
/** SOAK_VERBOSE=1 shows what fails. */
const verbose = process.env['SOAK_VERBOSE'] === '1';
const { gc: collect } = globalThis as unknown as { gc: () => void };
const databases = Array.from({ length: 12 }, (_, index) => `mail/db${String(index).padStart(6, '0')}.nsf`);

/** Faults in the calls of a backup and of a restore. A hang lasts longer than `databaseBudgetMs`, then its thread returns. */
const calls = ['NSFDbOpen', 'NSFBackupStart', 'NSFBackupStop', 'NSFBackupGetNextChangeInfo', 'NSFBackupEnd'];
const callsOfRestore = ['NSFBackupStartApplyChangeInfo', 'NSFTakeDatabaseOffline', 'NSFBringDatabaseOnline'];
const effects = ['0x13aa', '0x0106', '0x2dd8', 'hang:400'];
const budgetMs = 200;

const one = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;

const hook: HookProvider = {
  name: 'nothing',
  flushesVolumes: true,
  create: ({ volumes }) => Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) }),
};

let simulation: Simulation;
const counts = { succeeded: 0, failed: 0, restored: 0 };
/** The last backup with copies. */
let manifest: string | undefined;
/** Kept by a deliberate leak, which the test must find. */
const kept: Buffer[] = [];

const place = () => ({
  domino: { programDirectory: simulation.programDirectory, notesIni: simulation.notesIni },
  databaseBudgetMs: budgetMs,
});
const deltaDirectory = join(home, 'backup');

async function backUp(signal: AbortSignal): Promise<void> {
  // With copies until there is something to restore.
  const isFirst = manifest === undefined;
  const provider = !isFirst && random() < 0.5 ? hook : 'rolling';
  await using backup = await beginBackup({
    ...place(),
    deltaDirectory,
    provider,
    signal,
    ...(provider === 'rolling' && { shadowDirectory: join(home, 'shadow') }),
  });
  const set = await backup.createShadow({ signal });
  if (random() < 0.1) return;
  const withCopies = provider === 'rolling' && (isFirst || random() < 0.5);
  if (withCopies) await set.copyDatabases({ to: join(home, 'copies', backup.id), signal });
  const report = await backup.endBackup({ keep: provider === 'rolling' && !withCopies, signal });
  if (withCopies && report.outcome === 'complete') manifest = report.manifest;
}

async function cycle(number: number): Promise<void> {
  const restores = manifest !== undefined && random() < 0.3;
  if (random() < 0.6) {
    const call = one(restores ? callsOfRestore : calls);
    await simulation.fault(`${call}:${1 + Math.floor(random() * (restores ? 1 : 12))}=${one(effects)}`);
  }
  const signal = random() < 0.15 ? AbortSignal.timeout(Math.floor(random() * 100)) : new AbortController().signal;
  const work =
    restores && manifest !== undefined
      ? restoreDatabases({ ...place(), manifest, databases: [one(databases)], signal }).then(
          () => (counts.restored += 1),
        )
      : backUp(signal).then(() => (counts.succeeded += 1));
  await work.catch((error: unknown) => {
    if (!isDominoVssError(error)) throw error;
    counts.failed += 1;
    if (verbose) process.stderr.write(`${number}: ${error.message}\n`);
  });
  await simulation.clearFaults();
  if (number % 10 === 9 && existsSync(deltaDirectory)) {
    await pruneBackups({ deltaDirectory, keep: { last: 2 } });
    if (manifest !== undefined && !existsSync(manifest)) manifest = undefined;
  }
  if (leak) {
    kept.push(Buffer.alloc(100_000, 1));
    openSync('/dev/null', 'r');
  }
}

const threads = (): number => Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

async function sample(cycle: number): Promise<Sample> {
  for (let turn = 0; turn < 3; turn += 1) {
    collect();
    await pause(10);
  }
  // Threads with a call that hung, and those of sessions that have just been collected, end by themselves.
  let [previous, same] = [threads(), 0];
  while (same < 10) {
    await pause(budgetMs / 2);
    const now = threads();
    same = now === previous ? same + 1 : 0;
    previous = now;
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const files = readdirSync('/proc/self/fd').length;
  const inBackup = (await simulation.stats()).inBackup.map((database) => JSON.stringify(database));
  return { cycle, rssBytes: rss, heapBytes: heapUsed + external, files, threads: previous, inBackup, ...counts };
}

async function run(): Promise<void> {
  simulation = await createSimulation({ directory: join(home, 'domino'), databases: 12, seed, plainNames: true });
  const say = async (number: number): Promise<void> => {
    process.stdout.write(`${JSON.stringify(await sample(number))}\n`);
  };
  for (let number = 0; number < cycles; number += 1) {
    await cycle(number);
    if (number % sampleEvery === sampleEvery - 1) await say(number + 1);
  }
  const journals = join(deltaDirectory, '.journal');
  const left = existsSync(journals) ? readdirSync(journals).filter((name) => name.endsWith('.journal')) : [];
  const { accounting } = await simulation.stats();
  process.stdout.write(`${JSON.stringify({ left, accounting })}\n`);
  await simulation.destroy();
}

void run();
