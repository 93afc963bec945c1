import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyExactly } from '#lib/store/copy';
import { linuxTest } from '../../platform';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'domino-vss-sparse-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

/** A file with some bytes at each position, and holes in between. */
function sparseFile(sizeBytes: number, ...places: readonly number[]): string {
  const file = join(home, 'source.nsf');
  const handle = openSync(file, 'w');
  for (const place of places) writeSync(handle, Buffer.alloc(5000, 0x5a), 0, 5000, place);
  ftruncateSync(handle, sizeBytes);
  closeSync(handle);
  return file;
}

async function copy(from: string, sizeBytes: number): Promise<{ to: string; sha256: string }> {
  const to = join(home, 'copy.nsf');
  const hash = createHash('sha256');
  await copyExactly({ from, to, sizeBytes, check: () => undefined, hash });
  return { to, sha256: hash.digest('hex') };
}

const allocated = (file: string): number => statSync(file).blocks * 512;

linuxTest.each([
  ['holes in the middle', 40_000_000, [0, 20_000_000, 30_123_456]],
  ['a hole at the end', 10_000_001, [0, 70_000]],
  ['nothing but a hole', 5_000_000, []],
])('a copy has the bytes and the holes of its source: %s', async (_what, sizeBytes, places) => {
  const from = sparseFile(sizeBytes, ...places);
  const { to, sha256 } = await copy(from, sizeBytes);
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  expect(sha256).toBe(createHash('sha256').update(readFileSync(from)).digest('hex'));
  expect(allocated(to)).toBeLessThan(allocated(from) + (places.length + 1) * 128 * 1024);
  expect(allocated(to)).toBeLessThan(1_000_000);
});

linuxTest('what is allocated stays allocated, zeros or not', async () => {
  const from = join(home, 'source.nsf');
  const handle = openSync(from, 'w');
  writeSync(handle, Buffer.alloc(3_000_000));
  closeSync(handle);
  const { to } = await copy(from, 3_000_000);
  expect(allocated(to)).toBeGreaterThanOrEqual(3_000_000);
});

linuxTest('a shorter copy of a sparse file ends where it should', async () => {
  const from = sparseFile(10_000_000, 0, 6_000_000);
  const { to } = await copy(from, 5_000_000);
  expect(statSync(to).size).toBe(5_000_000);
  expect(readFileSync(to).equals(readFileSync(from).subarray(0, 5_000_000))).toBe(true);
});

linuxTest('a pipe in place of the source is refused, and holds nobody up', async () => {
  const pipe = join(home, 'pipe.nsf');
  execFileSync('mkfifo', [pipe]);
  await expect(copy(pipe, 100)).rejects.toMatchObject({ code: 'EINVAL' });
});
