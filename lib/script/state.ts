import type { NativeBinding } from '../native/session';
import { readBackups } from '../store/backups';
import { FileCalls, untiring } from '../store/stall';

/**
 * Removes the records of scripts about sets without any remaining shadow copy; otherwise the state directory would grow with
 * every run. `listIds` is called after the manifests have been read, so that a set made in the meantime is not affected.
 */
export async function pruneState(
  directory: string,
  { removeTree }: Pick<NativeBinding, 'removeTree'>,
  listIds: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  const backups = (await readBackups(directory, new FileCalls(untiring))).flatMap((backup) => {
    if (!('manifest' in backup)) return [];
    // A transportable set is not listed until it is imported, perhaps on another machine; only its ids are known.
    const attributes = backup.manifest.vss?.attributes ?? [];
    if (attributes.length === 0 || attributes.includes('transportable')) return [];
    return [{ ...backup, ids: backup.manifest.volumes.map(({ id }) => id.toLowerCase()) }];
  });
  if (backups.length === 0) return;
  const there = await listIds();
  for (const backup of backups) {
    if (backup.ids.some((id) => there.has(id))) continue;
    await removeTree(backup.directory);
  }
}
