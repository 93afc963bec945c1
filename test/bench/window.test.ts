import { runBench, type BenchReport } from '#lib/bench/bench';
import { loadBinding } from '#lib/native/binding';
import { rehearse } from '#lib/backup/rehearse';
import { SimulatedDomino } from '../integration/simulated-domino';

// Guards against regressions of the freeze window. Ratios of what was measured in one run, never times: those belong to
// the machine. The best run counts, for this one may be busy with something else.

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

  // 500 × 3 ms one after the other, or in eight threads at once: 5.5 times as long, with the shadow.
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
