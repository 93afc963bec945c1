// node build/bench/hash-cost.js [directory]: what SHA-256 of every copy costs, as a ratio to the same copy without it. Both are
// made in turn, file by file, in one run; which of the two comes first changes each time.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { forEachLimited } from '#lib/call/event-loop';
import { copyExactly } from '#lib/store/copy';
import { median } from './engine';

/** As `copyDatabases` does it. */
const atOnce = 4;
const rounds = 9;
const check = (): void => undefined;

async function measure(
  directory: string,
  files: readonly string[],
  sizeBytes: number,
  hashed: boolean,
): Promise<number> {
  const copies = files.map((_file, index) => join(directory, `copy-${index}`));
  const began = performance.now();
  await forEachLimited([...files.keys()], atOnce, async (index) => {
    const hash = hashed ? createHash('sha256') : undefined;
    await copyExactly({ from: files[index] ?? '', to: copies[index] ?? '', sizeBytes, check, hash });
    hash?.digest('hex');
  });
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
      const ratios: number[] = [];
      const plain: number[] = [];
      for (let round = 0; round < rounds; ++round) {
        const first = round % 2 === 0;
        const a = await measure(directory, files, sizeBytes, first);
        const b = await measure(directory, files, sizeBytes, !first);
        const [hashed, alone] = first ? [a, b] : [b, a];
        ratios.push(hashed / alone);
        plain.push(alone);
      }
      const speed = (count * megabytes * 1000) / median(plain);
      say(
        `${count} × ${megabytes} MB: with SHA-256 ÷ alone ${median(ratios).toFixed(2)}, alone ${speed.toFixed(0)} MB/s`,
      );
      for (const file of files) rmSync(file);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

void main();
