import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Directory of the installed package: the compiled files lie in its directory `dist`. */
export const packageRoot = join(__dirname, '..', '..');

interface PackageFile {
  readonly name: string;
  readonly version: string;
}

export function readPackageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as PackageFile;
  return version;
}
