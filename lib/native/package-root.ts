import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { NativeFailure } from './failure';

/**
 * Directory of the installed package, which contains the compiled files in `dist`. In a bundle it is some other directory, so
 * files that a bundle can contain are not read from it.
 */
export const packageRoot = join(__dirname, '..', '..');

/** Version of this package. */
export function readPackageVersion(): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- bundlers include what is required, but not what is read
  return (require('../../package.json') as { readonly version: string }).version;
}

/**
 * The file of a program of this package that runs as a separate process or thread. Throws a {@link NativeFailure} in a bundle.
 */
export function ownProgram(file: string): string {
  if (existsSync(file)) return file;
  const failure: NativeFailure = {
    code: 'ERR_UNSUPPORTED',
    phase: 'runtime',
    operation: '',
    domain: 'engine',
    status: 0,
    statusName: '',
    text: `${basename(file)} is not in ${join(file, '..')}: domino-vss is bundled here; it must be kept outside the bundle to start its own processes and threads`,
    subject: '',
  };
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- this wing throws records; its callers convert them to errors
  throw failure;
}
