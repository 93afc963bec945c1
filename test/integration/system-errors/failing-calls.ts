import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../command-line';

/** Returns the library to be preloaded, in which calls to the system fail: fail.c says how it is told which. */
export function buildFailingCalls(directory: string): string {
  const library = join(directory, 'fail.so');
  const source = join(repository, 'test/integration/system-errors/fail.c');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl']);
  return library;
}
