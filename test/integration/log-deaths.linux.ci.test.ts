// Archiving, restoring and pruning are killed at random moments: no extent and no database is lost, no other file is taken for an
// extent, and the next run succeeds. LOG_DEATHS=100 LOG_DEATH_SEED=7 npm test -- --tier=ci integration/log-deaths

import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import {
  archiveLogs,
  beginBackup,
  listArchivedLogs,
  pruneLogs,
  restoreDatabases,
  type ArchivedLog,
  type RestoreOptions,
} from '#lib/index';
import { linuxTest } from '../platform';
import { randomOf } from '../random';
import { SimulatedDomino } from './simulated-domino';

const deaths = Number(process.env['LOG_DEATHS'] ?? 20);
const seed = Number(process.env['LOG_DEATH_SEED'] ?? 20261127);
const database = 'mail/db000001.nsf';

let domino: SimulatedDomino;
let server: Server;

const archiveDirectory = (): string => join(domino.home, 'archive');
const later = (): string => join(domino.home, 'later');

/** Of the last backup. */
let manifest: string;

const restoreOptions = (): RestoreOptions => ({
  manifest,
  domino: domino.location,
  databases: [database],
  logArchive: archiveDirectory(),
});

const inData = (path: string): string => join(domino.simulation.dataDirectory, path);

async function sequenceOf(path: string): Promise<number> {
  const [verdict] = await domino.simulation.verify([inData(path)]);
  expect(verdict).toMatchObject({ verdict: 'consistent' });
  return verdict?.sequence ?? NaN;
}

async function backUp(deltaDirectory: string): Promise<void> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
  });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.home, 'copies', backup.id) });
  manifest = (await backup.endBackup()).directory;
}

/**
 * Kills restores. Afterwards the database is as it was, or its original is beside its place, and the next restore brings
 * everything back.
 */
async function killRestores(count: number, random: () => number): Promise<void> {
  const whole = await sequenceOf(database);
  await restoreDatabases(restoreOptions());
  expect(await sequenceOf(database)).toBe(whole);
  // Applying the whole archive takes long. From here on, a newer backup is restored, which needs only part of it.
  await backUp(join(domino.home, 'newer'));
  await server.run(database, 1_500);
  await archiveLogs({ archiveDirectory: archiveDirectory(), domino: domino.location });
  let before = 0;
  await killAtWork('restore', {
    count,
    random,
    before: async () => {
      await server.run(database, 20);
      before = await sequenceOf(database);
    },
    after: async () => {
      const original = `${database}.domino-vss-original`;
      const there = existsSync(inData(original)) ? original : database;
      expect([there, await sequenceOf(there)]).toEqual([there, before]);
      await restoreDatabases(restoreOptions());
      expect(await sequenceOf(database)).toBe(before);
      expect(readdirSync(join(inData(database), '..')).filter((name) => name.includes('domino-vss'))).toEqual([]);
      await expectNothingLost(0);
    },
  });
}

type Mode = 'archive' | 'restore' | 'prune';

/**
 * Kills the program this many times, each time at a random moment of its work, and checks after every run what it has left. The
 * duration of the work is that of the last run that was not killed in time.
 */
async function killAtWork(
  mode: Mode,
  {
    count,
    random,
    before,
    after,
  }: { count: number; random: () => number; before: () => Promise<void>; after: () => Promise<void> },
): Promise<void> {
  await before();
  let workMs = (await runFor(mode, 60_000)).workMs;
  await after();
  let deaths = 0;
  let runs = 0;
  for (; deaths < count && runs < 4 * count; runs += 1) {
    await before();
    const run = await runFor(mode, random() * workMs);
    if (run.died) deaths += 1;
    else workMs = run.workMs;
    await after();
  }
  process.stdout.write(
    `${mode}: ${deaths} of ${runs} runs died at work (a whole run takes ${Math.round(workMs)} ms)\n`,
  );
  expect(deaths).toBe(count);
}

/** Kills the program this long after it has begun, unless it has already ended. */
async function runFor(mode: Mode, afterMs: number): Promise<{ readonly died: boolean; readonly workMs: number }> {
  const options = {
    archive: { archiveDirectory: archiveDirectory(), domino: domino.location },
    restore: restoreOptions(),
    prune: { archiveDirectory: archiveDirectory(), deltaDirectories: [later()] },
  }[mode];
  const child = spawn(process.execPath, [join(__dirname, 'log-deaths-program.js'), mode], {
    env: { ...process.env, ...domino.simulation.environment, TEST_OPTIONS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  let begunAt = NaN;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (timer !== undefined || !output.startsWith('begun')) return;
    begunAt = performance.now();
    timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject).on('close', (...ended) => {
      resolve(ended);
    });
  });
  clearTimeout(timer);
  if (signal === null && code !== 0) throw new Error(output);
  return { died: signal !== null, workMs: performance.now() - begunAt };
}

/** Every extent is in the archive, intact, or in the log directory; and from the first needed one on, no number is missing. */
async function expectNothingLost(from: number): Promise<ArchivedLog | undefined> {
  const [log] = await listArchivedLogs({ archiveDirectory: archiveDirectory(), verify: true });
  const live = readdirSync(join(domino.simulation.dataDirectory, 'logdir')).flatMap((name) => {
    const digits = /^S(\d{7})\.TXN$/.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  expect(log?.problem ?? '').toBe('');
  const intact = (log?.extents ?? []).filter(({ state }) => state === 'intact').map(({ number }) => number);
  expect((log?.extents ?? []).filter(({ state }) => state !== 'intact')).toEqual([]);
  const there = new Set([...intact, ...live]);
  for (let number = from; number <= Math.max(...live); number += 1)
    expect([number, there.has(number)]).toEqual([number, true]);
  return log;
}

beforeAll(async () => {
  domino = await SimulatedDomino.create({
    databases: 4,
    plainNames: true,
    unloggedShare: 0,
    log: 'archive',
    settings: { SIM_LOG_EXTENT_BYTES: 65_536 },
  });
  server = await domino.serve({ paused: true });
}, 60_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

linuxTest(
  `${deaths} deaths`,
  async () => {
    const random = randomOf(seed);
    await backUp(domino.deltaDirectory);
    await killAtWork('archive', {
      count: deaths,
      random,
      before: () => server.run(database, 1_500),
      after: async () => {
        await expectNothingLost(0);
      },
    });
    const report = await archiveLogs({ archiveDirectory: archiveDirectory(), domino: domino.location });
    const log = await expectNothingLost(0);
    expect(log?.gaps).toEqual([]);
    expect(log?.extents.at(-1)?.number).toBe(report.currentExtent - 1);
    expect(existsSync(join(domino.simulation.dataDirectory, 'logdir', 'S0000000.TXN'))).toBe(false);
    await killRestores(deaths / 2, random);

    // With only a later backup, all older extents are removed: half as many deaths again, all in the same archive.
    const aside = join(domino.home, 'aside');
    cpSync(archiveDirectory(), aside, { recursive: true, preserveTimestamps: true });
    await backUp(later());
    const { extents } = await pruneLogs({
      archiveDirectory: archiveDirectory(),
      deltaDirectories: [later()],
      dryRun: true,
    });
    const needed = extents.filter(({ result }) => result === 'kept').map(({ number }) => number);
    expect(needed.length).toBeLessThan(extents.length);
    await killAtWork('prune', {
      count: deaths / 2,
      random,
      before: () => {
        rmSync(archiveDirectory(), { recursive: true });
        cpSync(aside, archiveDirectory(), { recursive: true });
        return Promise.resolve();
      },
      after: async () => {
        const found = await expectNothingLost(Math.min(...needed));
        expect(found?.extents.map(({ number }) => number)).toEqual(expect.arrayContaining(needed));
        await pruneLogs({ archiveDirectory: archiveDirectory(), deltaDirectories: [later()] });
        const [left] = await listArchivedLogs({ archiveDirectory: archiveDirectory(), verify: true });
        expect(left?.extents.map(({ number, state }) => [number, state])).toEqual(
          needed.map((number) => [number, 'intact']),
        );
        expect(readdirSync(left?.directory ?? '')).toHaveLength(needed.length + 1);
      },
    });
  },
  60_000 + deaths * 12_000,
);
