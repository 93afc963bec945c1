import { execFile } from 'node:child_process';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { HookProvider } from '../provider';

const run = promisify(execFile);

/**
 * The snapshot as a script makes it: by the command of the file system, spawned inside the window. `directory` lies on the
 * file system of the databases; by default each volume holds its own snapshot.
 */
export function spawnedBtrfsSnapshot(directory: string | undefined): HookProvider {
  return {
    name: 'btrfs subvolume snapshot',
    create: async ({ backupId, volumes }, { signal }) => {
      const shadows = volumes.map(({ path }, index) => ({
        volume: path,
        root: join(directory ?? path, `.domino-vss-bench-${backupId}`, String(index)),
      }));
      for (const { volume, root } of shadows) {
        await mkdir(dirname(root), { recursive: true, mode: 0o700 });
        await run('btrfs', ['subvolume', 'snapshot', '-r', volume, root], { signal });
      }
      return { shadows };
    },
    remove: async ({ shadows }) => {
      for (const { root } of shadows) await run('btrfs', ['subvolume', 'delete', root]);
      for (const parent of new Set(shadows.map(({ root }) => dirname(root)))) await rmdir(parent);
    },
  };
}
