import { journaledShadows } from '../store/journals';
import { readBackups } from '../store/manifest';

/**
 * Which shadows are ours, so that nobody's else are deleted without being named: those that this process has made,
 * those that the manifests of a delta directory name, and those that the journals in it of dead processes name.
 */

/** Ids of shadows, with those of their sets. */
const madeHere = new Map<string, string>();

/** Ids are normal ones: in braces and lower case. */
export function rememberOwnShadows(ids: readonly string[], setId: string): void {
  for (const id of ids) madeHere.set(id, setId);
}

/** It was deleted on purpose. */
export function forgetOwnShadow(id: string): void {
  madeHere.delete(id);
}

/** VSS does not list the shadows of a set any more that was broken. */
export function forgetOwnSet(setId: string): void {
  for (const [id, ofSet] of madeHere) if (ofSet === setId) madeHere.delete(id);
}

/** Whether this process has made the shadow and has neither deleted nor broken it since. */
export function isStillOwn(id: string): boolean {
  return madeHere.has(id);
}

export async function ownShadows(deltaDirectory: string | undefined): Promise<ReadonlySet<string>> {
  const own = new Set(madeHere.keys());
  if (deltaDirectory === undefined) return own;
  for (const backup of await readBackups(deltaDirectory)) {
    if (!('manifest' in backup)) continue;
    for (const { id } of backup.manifest.volumes) own.add(id.toLowerCase());
  }
  for (const id of await journaledShadows(deltaDirectory)) own.add(id.toLowerCase());
  return own;
}
