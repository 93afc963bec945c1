import { tmpdir } from 'node:os';

/**
 * A test of a Linux-only feature. Files without any tests for Windows end in `.linux.test.ts`; tests only for Windows are in
 * `test/windows`.
 */
export const linuxTest = process.platform === 'linux' ? test : test.skip;
export const linuxDescribe = process.platform === 'linux' ? describe : describe.skip;

/** A directory in memory if there is one: a busy disk would disturb measurements and waits. */
export const memoryDirectory =
  process.env['DOMINO_VSS_TEST_MEMORY'] ?? (process.platform === 'linux' ? '/dev/shm' : tmpdir());
