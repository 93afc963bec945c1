// How much shorter the window is if databases leave backup mode at Thaw, by the time that a provider needs after it. Times are
// printed: under Wine only their ratio means something. docs/benchmarks.md has them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchReport } from '#lib/bench/bench';
import { locationFlags } from '../integration/command-line';
import { SimulatedDomino } from '../integration/simulated-domino';
import { commandOn } from './command';
import { Machine } from './machine';

const machine = new Machine();
/** `--html` writes its pages there; they go with the machine unless somebody wants to look at them. */
const pages = process.env['BENCH_PAGES'] ?? machine.homes[1];
const runs = 5;
let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 100, pages: [3, 8] }, machine.homes[0]);
}, 300_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

test.each([0, 1000, 5000])(
  'PostSnapshot takes %i ms',
  async (laterMs) => {
    // What Domino's stand-in shares with its server lies in the usual place.
    const environment = { ProgramData: process.env['ProgramData'] ?? '' };
    const page = join(pages, `stop-at-thaw-${laterMs}.html`);
    const options = [
      '--runs',
      String(runs),
      '--shards',
      '8',
      '--stop-at',
      'thaw',
      '--compare',
      '--html',
      page,
      '--json',
    ];
    const command = commandOn(machine, { 'latency.phase.PostSnapshot': laterMs }, environment);
    const { code, stdout, stderr } = await command(
      'bench',
      '--delta-dir',
      machine.deltaDirectory,
      ...locationFlags(domino),
      ...options,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(page)).toBe(true);
    const { compared, figures, runs: measured } = JSON.parse(stdout) as BenchReport;
    const thaw = measured.map(({ window }) => window.windowMs);
    console.log(
      JSON.stringify({ laterMs, thaw, compared: compared.map(({ way, windowsMs }) => ({ way, windowsMs })) }),
    );
    const end = compared.find(({ way }) => way === 'stopped at the end of DoSnapshotSet');
    expect(end?.windowMs).toMatchObject({ count: runs });
    expect(end?.windowMs.min).toBeGreaterThanOrEqual(laterMs);
    if (laterMs > 0) {
      expect(figures['windowMs']?.median).toBeLessThan(laterMs);
      expect(end?.timesLonger).toBeGreaterThan(1);
    }
    machine.expectNoLeaks();
    await domino.expectQuiet();
  },
  300_000,
);
