import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in an image file, mounted by the kernel's loop driver. Needs root; everything else in a test does not. */
export class LoopImage implements Disposable {
  readonly mountPoint: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'domino-vss-loop-'));

  constructor(fileSystem: 'xfs' | 'btrfs' | 'ext4', sizeMiB: number) {
    const image = join(this.#directory, 'image');
    this.mountPoint = join(this.#directory, 'mount');
    writeFileSync(image, '');
    truncateSync(image, sizeMiB * 1024 * 1024);
    execFileSync(`mkfs.${fileSystem}`, ['-q', image], { stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('mkdir', [this.mountPoint]);
    execFileSync('mount', ['-o', 'loop', image, this.mountPoint]);
  }

  subvolume(name: string): string {
    const path = join(this.mountPoint, name);
    execFileSync('btrfs', ['-q', 'subvolume', 'create', path]);
    return path;
  }

  /** Fails while anything keeps the file system busy: a leaked descriptor does not go unnoticed. */
  [Symbol.dispose](): void {
    execFileSync('umount', [this.mountPoint]);
    rmSync(this.#directory, { recursive: true });
  }
}
