import { journaledShadows } from './journal';
import { readBackups } from './manifest';

/**
 * Which shadows are ours, so that nobody's else are deleted without being named: those that this process has made,
 * those that the manifests of a delta directory name, and those that the journals in it of dead processes name.
 */

const madeHere = new Set<string>();

/** Ids are normal ones: in braces and lower case. */
export function rememberOwnShadows(ids: readonly string[]): void {
  for (const id of ids) madeHere.add(id);
}

export async function ownShadows(deltaDirectory: string | undefined): Promise<ReadonlySet<string>> {
  const own = new Set(madeHere);
  if (deltaDirectory === undefined) return own;
  for (const backup of await readBackups(deltaDirectory)) {
    if (!('manifest' in backup)) continue;
    for (const { id } of backup.manifest.volumes) own.add(id.toLowerCase());
  }
  for (const id of await journaledShadows(deltaDirectory)) own.add(id.toLowerCase());
  return own;
}
