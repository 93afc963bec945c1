// node build/bench/restore.js [small] [large]: an offline restore, as a ratio to `cp -a` of the same copies and one `sync`. Both are
// made in turn, in one run; which of the two comes first changes each time. Needs the environment of the stand-in: run it with
// LD_LIBRARY_PATH=simulator/build/program.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulation } from 'domino-vss-simulator';
import { beginBackup, restoreDatabases, type Progress } from '#lib/index';
import { median } from './engine';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** `pages` of 4 096 bytes. */
const parts = {
  small: { databases: 1000, pages: [4, 16], rounds: 5 },
  large: { databases: 40, pages: [5120, 5120], rounds: 5 },
} as const;

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  say(
    `load before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  for (const [name, part] of Object.entries(parts))
    if (asked.includes(name) || (asked.length === 0 && name === 'small')) await measure(part);
}

async function measure({ databases, pages, rounds }: (typeof parts)[keyof typeof parts]): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'domino-vss-restore-'));
  const directory = join(home, 'domino');
  const simulation = await createSimulation({ directory, databases, pages: [...pages], seed: 1, plainNames: true });
  try {
    const domino = { programDirectory: simulation.programDirectory, notesIni: simulation.notesIni };
    const backup = await beginBackup({ domino, deltaDirectory: join(home, 'backup'), provider: 'rolling' });
    const copies = await (await backup.createShadow()).copyDatabases({ to: join(home, 'copies') });
    const { manifest } = await backup.endBackup();
    const restored: number[] = [];
    const copied: number[] = [];
    for (let round = 0; round < rounds; ++round) {
      for (const turn of round % 2 === 0 ? (['restore', 'cp'] as const) : (['cp', 'restore'] as const)) {
        execFileSync('sync');
        const began = performance.now();
        if (turn === 'restore') {
          const steps = new Map<string, number>();
          const onProgress = (progress: Progress): void => {
            const step = progress.type === 'restore' ? progress.step : progress.type;
            if (!steps.has(step)) steps.set(step, performance.now() - began);
          };
          const report = await restoreDatabases({ manifest, domino, mode: { type: 'offline' }, onProgress });
          restored.push(performance.now() - began);
          if (report.outcome !== 'complete')
            throw new Error(JSON.stringify(report.databases.find((one) => 'failure' in one)));
          const at = [...steps].map(([step, ms]) => `${step} at ${ms.toFixed(0)}`).join(', ');
          if (process.env['RESTORE_STEPS'] === '1') say(`  ${restored.at(-1)?.toFixed(0) ?? ''} ms: ${at}`);
        } else {
          const target = join(home, 'plain');
          execFileSync('cp', ['-a', copies.directory, target]);
          execFileSync('sync', ['-f', target]);
          copied.push(performance.now() - began);
          rmSync(target, { recursive: true });
        }
      }
    }
    const ratios = restored.map((ms, index) => ms / (copied[index] ?? NaN));
    const each = ratios.map((ratio) => ratio.toFixed(2)).join(' ');
    say(
      `${databases} databases of ${(pages[1] * 4096) / 1024 / 1024} MB at most: restore ÷ cp ${median(ratios).toFixed(2)} ` +
        `(${each}); restore ${median(restored).toFixed(0)} ms, cp -a and sync ${median(copied).toFixed(0)} ms`,
    );
  } finally {
    await simulation.destroy();
    rmSync(home, { recursive: true });
  }
}

void main();
