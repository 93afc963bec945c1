import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from './command-line';

/** The parts of a built repository that its programs and the simulator need at run time, except their packages. */
const parts = [
  ...['package.json', 'dist', 'schema', 'build/Release/domino_vss.node', 'build/test'],
  ...['simulator/package.json', 'simulator/index.js', 'simulator/build/program', 'simulator/build/domino-sim'],
];

/**
 * A copy of this repository, and of the Node.js that runs it, for programs that run as another user: both may be in a directory
 * that only their owner can read, such as the home of root.
 */
export class ReadableCopy implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'domino-vss-readable-'));
  readonly node = join(this.directory, 'node');

  constructor() {
    for (const part of [...parts, ...packages()]) {
      mkdirSync(dirname(join(this.directory, part)), { recursive: true });
      cpSync(join(repository, part), join(this.directory, part), { recursive: true, verbatimSymlinks: true });
    }
    copyFileSync(process.execPath, this.node);
    execFileSync('chmod', ['-R', 'a+rX', this.directory]);
  }

  /** The copy of a file of the repository. */
  of(file: string): string {
    return file.replace(repository, this.directory);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** The directory of the packages that are needed at run time. */
function packages(): string[] {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { readonly dev?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, { dev }]) =>
    path.startsWith('node_modules/') && !dev ? [path] : [],
  );
}
