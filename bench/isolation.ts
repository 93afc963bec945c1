// What a process of its own costs: the same backups with isolation `none` and `process`, in turn in one run.
//
//   node build/bench/isolation.js [databases] [rounds]
//
// Domino is the stand-in; each start and stop of a database takes 2 ms and the shadow 200 ms, so that the window is one that a
// server has. The shadow is made by a hook: with isolation its two messages lie inside the window.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSimulation, programDirectory } from 'domino-vss-simulator';
import { beginBackup, type HookProvider, type Isolation } from '#lib/index';

const databases = Number(process.argv[2] ?? 1000);
const rounds = Number(process.argv[3] ?? 9);
const calls = 200;

interface Figures {
  readonly beginMs: number;
  readonly createMs: number;
  readonly windowMs: number;
  readonly endMs: number;
  /** Of a call that does nothing. */
  readonly callMs: number;
}

async function timed<T>(body: () => Promise<T>): Promise<[T, number]> {
  const before = performance.now();
  const result = await body();
  return [result, performance.now() - before];
}

const hook: HookProvider = {
  name: 'sleep',
  flushesVolumes: true,
  create: async ({ volumes }) => {
    await sleep(200);
    return { shadows: volumes.map(({ path }) => ({ volume: path, root: path })) };
  },
};

async function measure(home: string, notesIni: string, isolation: Isolation): Promise<Figures> {
  const domino = { programDirectory, notesIni };
  const options = { domino, deltaDirectory: join(home, 'delta'), provider: hook, shards: 16, isolation };
  const [backup, beginMs] = await timed(() => beginBackup(options));
  const [set, createMs] = await timed(() => backup.createShadow());
  const each: number[] = [];
  for (let call = 0; call < calls; call += 1) each.push((await timed(async () => set.shadows[0]?.unexpose()))[1]);
  const [, endMs] = await timed(() => backup.endBackup());
  return { beginMs, createMs, endMs, windowMs: set.window.windowMs, callMs: median(each) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

async function main(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'isolation-bench-'));
  const simulation = await createSimulation({
    directory: join(home, 'domino'),
    databases,
    plainNames: true,
    pages: [3, 4],
  });
  try {
    await simulation.set({ SIM_LATENCY_NSFBackupStart_US: 2000, SIM_LATENCY_NSFBackupStop_US: 2000 });
    const pairs: { readonly none: Figures; readonly process: Figures }[] = [];
    // The first pair opens the runtime of this process and warms both up.
    for (let round = 0; round <= rounds; round += 1) {
      const none = await measure(home, simulation.notesIni, 'none');
      const isolated = await measure(home, simulation.notesIni, 'process');
      if (round > 0) pairs.push({ none, process: isolated });
    }
    process.stdout.write(`${databases} databases, ${rounds} rounds, medians\n`);
    for (const name of ['beginMs', 'createMs', 'windowMs', 'endMs', 'callMs'] as const) {
      const none = median(pairs.map((pair) => pair.none[name]));
      const isolated = median(pairs.map((pair) => pair.process[name]));
      const ratio = median(pairs.map((pair) => pair.process[name] / pair.none[name]));
      process.stdout.write(
        `${name.padEnd(9)} none ${none.toFixed(3)} process ${isolated.toFixed(3)} median of ratios ${ratio.toFixed(4)}\n`,
      );
    }
  } finally {
    await simulation.destroy();
    rmSync(home, { recursive: true, force: true });
  }
}

// The loader reads this when a process starts; without isolation it has to be this one.
if ((process.env['LD_LIBRARY_PATH'] ?? '').includes(programDirectory)) {
  void main();
} else {
  const env = { ...process.env, LD_LIBRARY_PATH: programDirectory, SIM_QUIET: '1' };
  process.exitCode = spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' }).status ?? 1;
}
