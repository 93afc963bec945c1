import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Random numbers from a seed, so that a case can be repeated. */
export class Chance {
  #state: string;
  constructor(start: string) {
    this.#state = start;
  }
  below(limit: number): number {
    this.#state = createHash('sha256').update(this.#state).digest('hex');
    return parseInt(this.#state.slice(0, 12), 16) % limit;
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** What can happen to a file. Each returns words for it; `others`: files that it may be confused with. */
export const damages: readonly ((file: string, others: readonly string[], chance: Chance) => string)[] = [
  (file, _others, chance) => {
    const bytes = readFileSync(file);
    const at = chance.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << chance.below(8));
    writeFileSync(file, bytes);
    return `a bit of byte ${at}`;
  },
  (file, _others, chance) => {
    const bytes = readFileSync(file);
    const at = chance.below(bytes.length);
    const made = chance.bytes(Math.min(1 + chance.below(64), bytes.length - at));
    made.copy(bytes, at);
    writeFileSync(file, bytes);
    return `${made.length} random bytes at ${at}`;
  },
  (file, _others, chance) => {
    const bytes = readFileSync(file);
    const at = chance.below(bytes.length);
    bytes.fill(0, at, Math.min(bytes.length, at + 1 + chance.below(4096)));
    writeFileSync(file, bytes);
    return `zeros from ${at}`;
  },
  (file, _others, chance) => {
    const bytes = readFileSync(file);
    const length = chance.below(bytes.length);
    writeFileSync(file, bytes.subarray(0, length));
    return `truncated to ${length}`;
  },
  (file, _others, chance) => {
    appendFileSync(file, chance.bytes(1 + chance.below(100)));
    return 'longer';
  },
  (file, _others, chance) => {
    writeFileSync(file, chance.bytes(statSync(file).size));
    return 'random bytes of its length';
  },
  (file, others, chance) => {
    const other = chance.of(others);
    const [mine, theirs] = [readFileSync(file), readFileSync(other)];
    writeFileSync(file, theirs);
    writeFileSync(other, mine);
    return `swapped with ${basename(other)}`;
  },
  (file, others, chance) => {
    const other = chance.of(others);
    writeFileSync(file, readFileSync(other));
    return `replaced by ${basename(other)}`;
  },
  (file, _others, chance) => {
    const lines = readFileSync(file, 'latin1').split('\n');
    const [a, b] = [chance.below(lines.length), chance.below(lines.length)];
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
    writeFileSync(file, lines.join('\n'), 'latin1');
    return `lines ${a} and ${b} swapped`;
  },
  (file) => {
    rmSync(file);
    return 'missing';
  },
  (file) => {
    rmSync(file);
    mkdirSync(file);
    return 'a directory';
  },
];
