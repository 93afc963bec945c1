import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../native/package-root';
import type { HookProvider } from '../backup/provider';
import { writeFile } from '../call/files';
import { makeDirectory } from '../store/durable';

const run = promisify(execFile);

/**
 * The snapshot as a script makes it: with the command of the file system, spawned inside the window. `directory` is on the file
 * system of the databases; by default, each volume contains its own snapshot.
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
        await makeDirectory(dirname(root), 0o700);
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

/**
 * The shadow as a batch file makes it: with a diskshadow script in a separate process, inside the window. If Windows has no
 * diskshadow, `domino-vss script` runs the script; its process starts more slowly.
 */
export function spawnedScript(): HookProvider {
  const diskshadow = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'diskshadow.exe');
  const [name, program, ...args] = existsSync(diskshadow)
    ? ['diskshadow', diskshadow]
    : ['domino-vss script', process.execPath, join(packageRoot, 'dist', 'cli', 'main.js'), 'script'];
  const runScript = async (directory: string, lines: readonly string[], signal?: AbortSignal): Promise<void> => {
    const file = join(directory, 'script.txt');
    await writeFile(file, [...lines, ''].join('\r\n'));
    await run(program, [...args, '-s', file], { signal });
  };
  let made: string | undefined;
  const remove = async (): Promise<void> => {
    if (made === undefined) return;
    const metadata = join(made, 'bench.cab');
    if (existsSync(metadata))
      await runScript(made, [`load metadata "${metadata}"`, 'delete shadows set %VSS_SHADOW_SET%']);
    await rm(made, { recursive: true });
    made = undefined;
  };
  return {
    name,
    flushesVolumes: true,
    create: async ({ volumes }, { signal }) => {
      made = await mkdtemp(join(tmpdir(), 'domino-vss-bench-'));
      const metadata = `set metadata "${join(made, 'bench.cab')}"`;
      const added = volumes.map(({ path }, index) => `add volume ${path} alias bench_${index}`);
      try {
        await runScript(made, ['set context persistent nowriters', metadata, ...added, 'create'], signal);
      } catch (error) {
        await remove();
        throw error;
      }
      return { shadows: volumes.map(({ path }) => ({ volume: path, root: path })) };
    },
    remove,
  };
}
