import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

type FileSystem = 'xfs' | 'btrfs' | 'ext4';

/** Debian packages that make and manage these file systems, and the programs needed from them. */
const tools: Readonly<Record<FileSystem, { readonly package: string; readonly programs: readonly string[] }>> = {
  xfs: { package: 'xfsprogs', programs: ['mkfs.xfs'] },
  btrfs: { package: 'btrfs-progs', programs: ['mkfs.btrfs', 'btrfs'] },
  ext4: { package: 'e2fsprogs', programs: ['mkfs.ext4'] },
};

/** A file system in an image file, mounted by the kernel's loop driver. Needs root; nothing else in a test does. */
export class LoopImage implements Disposable {
  readonly mountPoint: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'domino-vss-loop-'));

  constructor(fileSystem: FileSystem, sizeMiB: number);
  /** Clones the disk while it is in use: everything is the same, including the UUID of the file system and inode numbers. */
  constructor(clonedFrom: LoopImage, state?: 'frozen');
  constructor(origin: FileSystem | LoopImage, more?: number | 'frozen') {
    const image = join(this.#directory, 'image');
    this.mountPoint = join(this.#directory, 'mount');
    if (origin instanceof LoopImage) {
      if (more === 'frozen') origin.#copyTo(image);
      else origin.#freezeAndCopyTo(image);
    } else {
      writeFileSync(image, '');
      truncateSync(image, (more as number) * 1024 * 1024);
      execFileSync(`mkfs.${origin}`, ['-q', image], { stdio: ['ignore', 'ignore', 'pipe'] });
    }
    mkdirSync(this.mountPoint);
    // Only XFS refuses to mount the same UUID twice.
    const options = origin instanceof LoopImage ? 'loop,nouuid' : 'loop';
    execFileSync('mount', ['-o', options, image, this.mountPoint]);
  }

  #freezeAndCopyTo(image: string): void {
    execFileSync('fsfreeze', ['--freeze', this.mountPoint]);
    try {
      this.#copyTo(image);
    } finally {
      execFileSync('fsfreeze', ['--unfreeze', this.mountPoint]);
    }
  }

  #copyTo(image: string): void {
    execFileSync('cp', ['--sparse=always', join(this.#directory, 'image'), image]);
  }

  subvolume(name: string): string {
    const path = join(this.mountPoint, name);
    execFileSync('btrfs', ['-q', 'subvolume', 'create', path]);
    return path;
  }

  /** Fails while anything keeps the file system busy, so a leaked descriptor is noticed. */
  [Symbol.dispose](): void {
    execFileSync('umount', [this.mountPoint]);
    rmSync(this.#directory, { recursive: true });
  }
}

/** Tests on a {@link LoopImage}. If there cannot be one, they count as not run, under a name that says what is missing. */
export function describeOnLoopImage(
  fileSystem: FileSystem,
  tests: () => void,
  others: { readonly package: string; readonly programs: readonly string[] }[] = [],
): void {
  const missing = missingFor(fileSystem, others);
  if (missing.length === 0) describe(`on ${fileSystem}`, tests);
  else describe.skip(`on ${fileSystem}, which needs ${missing.join(' and ')}:`, tests);
}

function missingFor(fileSystem: FileSystem, others: readonly (typeof tools)[FileSystem][]): string[] {
  return [
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...(existsSync('/dev/loop-control') ? [] : ['loop devices']),
    ...[tools[fileSystem], ...others].flatMap(({ package: name, programs }) =>
      programs.every(isProgram) ? [] : [`the package ${name}`],
    ),
  ];
}

function isProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
