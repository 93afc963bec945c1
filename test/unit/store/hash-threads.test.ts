import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyExactly } from '#lib/store/copy';
import { HashThreads, worthwhileThreads } from '#lib/store/hash-threads';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-hash-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

test.each([0, 1, 3])(
  'with %i threads files that are copied at the same time have the SHA-256 of their bytes',
  async (count) => {
    const threads = new HashThreads(count);
    try {
      const check = (): void => undefined;
      // Of several blocks, the last one not full; and an empty file.
      const files = [2_500_000, 3_000_001, 1, 0, 1_048_576].map((sizeBytes, index) => {
        const bytes = randomBytes(sizeBytes);
        const from = join(directory, `${index}`);
        writeFileSync(from, bytes);
        return { bytes, from, to: `${from}.copy`, sizeBytes };
      });
      await Promise.all(
        files.map(async ({ bytes, from, to, sizeBytes }) => {
          const hash = threads.begin();
          await copyExactly({ from, to, sizeBytes, check, hash });
          expect(await hash.digest()).toBe(sha256(bytes));
          expect(readFileSync(to).equals(bytes)).toBe(true);
        }),
      );
    } finally {
      await threads.end();
    }
  },
);

test('a block is not overwritten before its thread has read it', async () => {
  const threads = new HashThreads(1);
  try {
    const hash = threads.begin();
    const block = hash.allocate?.(4) ?? Buffer.alloc(4);
    for (const text of ['abcd', 'efgh']) {
      block.write(text);
      await hash.update(block);
    }
    expect(await hash.digest()).toBe(sha256(Buffer.from('abcdefgh')));
  } finally {
    await threads.end();
  }
});

test('what is asked of a thread that has ended fails, and nobody waits for it', async () => {
  const threads = new HashThreads(1);
  const hash = threads.begin();
  const asked = Promise.allSettled(Array.from({ length: 100 }, () => hash.update(Buffer.alloc(1_000_000))));
  await threads.end();
  await asked;
  await expect(hash.digest()).rejects.toThrow('has ended');
});

test('threads are started where they save more time than they take', () => {
  expect(worthwhileThreads(1000, 1_000_000, 4)).toBe(0);
  expect(worthwhileThreads(1, 1e12, 4)).toBe(0);
  expect(worthwhileThreads(40, 1e12, 1)).toBe(0);
});
