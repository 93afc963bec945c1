import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginBackup } from '#lib/backup/begin-backup';
import type { HookProvider } from '#lib/backup/provider';
import { rehearse } from '#lib/backup/rehearse';
import { runBench, type BenchReport } from '#lib/bench/bench';
import { loadBinding } from '#lib/native/binding';
import { writeCosts } from '#lib/store/costs';
import { SimulatedDomino } from '../integration/simulated-domino';

// Guards against regressions of the freeze window. It checks ratios of values measured in the same run, never times, which depend
// on the machine. The best run counts, because the machine may be busy with other work.

let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({
    databases: 500,
    pages: [3, 4],
    plainNames: true,
    settings: { SIM_LATENCY_NSFBackupStart_US: 2000, SIM_LATENCY_NSFBackupStop_US: 1000 },
  });
}, 60_000);

afterAll(async () => {
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
});

async function bench(shards: number): Promise<BenchReport> {
  const { report } = await runBench(loadBinding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shards,
    runs: 3,
    warmUps: 1,
    shadow: { waitMs: 100 },
    timeoutMs: 60_000,
  });
  expect(report.skipped).toEqual([]);
  expect(report.conditions.databases).toBe(500);
  return report;
}

test('the window is hardly longer than what Domino and the shadow take', async () => {
  const eight = await bench(8);
  // 1.00 to 1.02 on an idle machine.
  expect(eight.figures['windowRatio']!.min).toBeGreaterThan(0.95);
  expect(eight.figures['windowRatio']!.min).toBeLessThan(1.2);
  expect(eight.figures['skewRatio']!.min).toBeLessThan(1.3);
  const gaps = eight.runs.map(
    ({ window }) => (window.lastStartToShadowMs + window.shadowToFirstStopMs) / window.windowMs,
  );
  expect(Math.min(...gaps)).toBeLessThan(0.02);

  // 500 × 3 ms, one after the other or on eight threads: sequentially, the window with the shadow is 5.5 times as long.
  const one = await bench(1);
  expect(one.figures['windowMs']!.min / eight.figures['windowMs']!.min).toBeGreaterThan(3);
}, 120_000);

test('a rehearsal predicts the window', async () => {
  const options = { domino: domino.location, deltaDirectory: domino.deltaDirectory, shards: 8, expectedShadowMs: 100 };
  const { databases, refused, predictedWindowMs } = await rehearse(loadBinding, options);
  expect([databases, refused]).toEqual([500, []]);
  const { figures } = await bench(8);
  const ratio = figures['windowMs']!.min / predictedWindowMs;
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(1.5);
}, 120_000);

test('what is written to most is in backup mode for the shortest time', async () => {
  const earlier = join(domino.deltaDirectory, '20260101T000000Z-a');
  mkdirSync(earlier, { recursive: true });
  try {
    const ofRank = (rank: number): number => 1e9 / (rank + 1);
    // Any order except that of the names, which no measurement would produce.
    const paths = Array.from(
      { length: 500 },
      (_value, rank) => `mail/db${String((rank * 211) % 500).padStart(6, '0')}.nsf`,
    );
    const costOf = (rank: number) => ({ costUs: 0, writeRate: ofRank(rank) });
    await writeCosts(earlier, domino.simulation.dataDirectory, paths, costOf);
    const options = { domino: domino.location, deltaDirectory: domino.deltaDirectory, shards: 8, timeoutMs: 60_000 };
    const { typical } = await runBench(loadBinding, { ...options, runs: 1, warmUps: 0, shadow: { waitMs: 50 } });
    expect(new Set(typical.paths)).toEqual(new Set(paths));

    const { startCalledMs, stopReturnedMs } = typical.timeline.databases;
    const ranks = new Map(paths.map((path, rank) => [path, rank]));
    let [weighted, writes, plain] = [0, 0, 0];
    for (const [index, path] of typical.paths.entries()) {
      const inBackupMs = stopReturnedMs[index]! - startCalledMs[index]!;
      weighted += ofRank(ranks.get(path)!) * inBackupMs;
      writes += ofRank(ranks.get(path)!);
      plain += inBackupMs / 500;
    }
    // Without known activity, both means are the same. 0.5 on an idle machine.
    expect(weighted / writes / plain).toBeLessThan(0.7);
  } finally {
    rmSync(earlier, { recursive: true });
  }
}, 60_000);

test('what is written to most is learnt from an earlier backup', async () => {
  const provider: HookProvider = {
    name: 'wait',
    create: async ({ volumes }) => {
      await sleep(300);
      return { shadows: volumes.map(({ path }) => ({ volume: path, root: path })) };
    },
  };
  const options = { domino: domino.location, deltaDirectory: domino.deltaDirectory, shards: 4, provider };
  const server = await domino.serve({ databases: 'mail/db00020?.nsf' });
  const learning = await beginBackup(loadBinding, options);
  await learning.createShadow();
  await learning.endBackup();
  await server.stop();

  const next = { domino: domino.location, deltaDirectory: domino.deltaDirectory, shards: 4, timeoutMs: 60_000 };
  const { typical } = await runBench(loadBinding, { ...next, runs: 1, warmUps: 0, shadow: { waitMs: 50 } });
  const { paths, timeline } = typical;
  const { startCalledMs, stopCalledMs, shard } = timeline.databases;
  const busy = paths.flatMap((path, index) => (path.startsWith('mail/db00020') ? [index] : []));
  expect(busy).toHaveLength(10);
  for (const index of busy) {
    const idle = paths.flatMap((path, other) =>
      shard[other] === shard[index] && !path.startsWith('mail/db00020') ? [other] : [],
    );
    expect(Math.max(...idle.map((other) => startCalledMs[other]!))).toBeLessThan(startCalledMs[index]!);
    expect(Math.min(...idle.map((other) => stopCalledMs[other]!))).toBeGreaterThan(stopCalledMs[index]!);
  }
}, 60_000);
