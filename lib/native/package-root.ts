import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { NativeFailure } from './failure';

/**
 * Directory of the installed package: the compiled files lie in its directory `dist`. In a bundle it is some other directory, so what
 * a bundle can hold is not read from there.
 */
export const packageRoot = join(__dirname, '..', '..');

/** Version of this package. */
export function readPackageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- bundlers take what is required along, and not what is read
  return (require('../../package.json') as { readonly version: string }).version;
}

/** The file of a program of this package that is started as a process or as a thread. Throws a {@link NativeFailure} in a bundle. */
export function ownProgram(file: string): string {
  if (existsSync(file)) return file;
  const failure: NativeFailure = {
    code: 'ERR_UNSUPPORTED',
    phase: 'runtime',
    operation: '',
    domain: 'engine',
    status: 0,
    statusName: '',
    text: `${basename(file)} is not in ${join(file, '..')}: domino-vss is part of a bundle here, and has to be outside of it to start a process or thread of its own`,
    subject: '',
  };
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- what this wing throws are records; the callers make errors of them
  throw failure;
}
