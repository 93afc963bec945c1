import { tmpdir } from 'node:os';

/**
 * A test of something that only Linux has. Files that have nothing for Windows at all end in `.linux.test.ts`; what only
 * Windows has lies in `test/windows`.
 */
export const linuxTest = process.platform === 'linux' ? test : test.skip;
export const linuxDescribe = process.platform === 'linux' ? describe : describe.skip;

/** A directory in memory where there is one: a disk that others keep busy would disturb what is measured or waited for. */
export const memoryDirectory =
  process.env['DOMINO_VSS_TEST_MEMORY'] ?? (process.platform === 'linux' ? '/dev/shm' : tmpdir());
