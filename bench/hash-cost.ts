// node build/bench/hash-cost.js [directory]: what SHA-256 of every copy costs, as a ratio to the same copies without it: computed
// by the thread that copies, and by as many threads as `copyDatabases` uses. The three are made in turn in one run; which of them
// comes first changes each time.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { forEachLimited } from '#lib/call/event-loop';
import { copyExactly } from '#lib/store/copy';
import { HashThreads, worthwhileThreads } from '#lib/store/hash-threads';
import { median } from './engine';

/** As `copyDatabases` does it. */
const atOnce = 4;
const rounds = 9;
const check = (): void => undefined;

type Hashing = 'none' | 'here' | 'threads';
const kinds: readonly Hashing[] = ['none', 'here', 'threads'];

async function measure(
  directory: string,
  files: readonly string[],
  sizeBytes: number,
  hashing: Hashing,
): Promise<number> {
  const copies = files.map((_file, index) => join(directory, `copy-${index}`));
  const began = performance.now();
  const count = hashing === 'threads' ? worthwhileThreads(files.length, files.length * sizeBytes, atOnce) : 0;
  const threads = hashing === 'none' ? undefined : new HashThreads(count);
  await forEachLimited([...files.keys()], atOnce, async (index) => {
    const hash = threads?.begin();
    await copyExactly({ from: files[index] ?? '', to: copies[index] ?? '', sizeBytes, check, hash });
    await hash?.digest();
  });
  await threads?.end();
  const tookMs = performance.now() - began;
  for (const copy of copies) await rm(copy);
  return tookMs;
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'domino-vss-hash-cost-'));
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  say(
    `load before: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}; ${rounds} rounds, medians`,
  );
  try {
    for (const [count, megabytes] of [
      [100, 1],
      [8, 20],
      [1, 200],
    ] as const) {
      const sizeBytes = megabytes * 1024 * 1024;
      const files = Array.from({ length: count }, (_value, index) => join(directory, `file-${index}`));
      for (const file of files) writeFileSync(file, randomBytes(sizeBytes));
      const here: number[] = [];
      const inThreads: number[] = [];
      const plain: number[] = [];
      for (let round = 0; round < rounds; ++round) {
        const took = { none: 0, here: 0, threads: 0 };
        for (let turn = 0; turn < kinds.length; ++turn) {
          const hashing = kinds[(round + turn) % kinds.length] ?? 'none';
          took[hashing] = await measure(directory, files, sizeBytes, hashing);
        }
        here.push(took.here / took.none);
        inThreads.push(took.threads / took.none);
        plain.push(took.none);
      }
      const speed = (count * megabytes * 1000) / median(plain);
      say(
        `${count} × ${megabytes} MB: with SHA-256 ÷ alone: one thread ${median(here).toFixed(2)}, ` +
          `several ${median(inThreads).toFixed(2)}; alone ${speed.toFixed(0)} MB/s`,
      );
      for (const file of files) rmSync(file);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

void main();
