import { journaledShadows } from '../store/journals';
import { readBackups } from '../store/manifest';
import { existingStateDirectory, stateDirectory } from '../store/state-directory';
import type { NativeBinding } from '../native/session';

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

/** With those that the manifests and journals of a delta directory name. */
export async function ownShadows(deltaDirectory: string | undefined): Promise<ReadonlySet<string>> {
  const own = new Set(madeHere.keys());
  await addOwn(own, deltaDirectory);
  return own;
}

/** With those of scripts too, unless somebody else may have written where they keep them. */
export async function ownShadowsWithScripts(
  binding: NativeBinding,
  deltaDirectory: string | undefined,
): Promise<ReadonlySet<string>> {
  const own = new Set(madeHere.keys());
  await addOwn(own, deltaDirectory);
  await existingStateDirectory(binding, stateDirectory())
    .then((directory) => addOwn(own, directory))
    .catch(() => undefined);
  return own;
}

async function addOwn(own: Set<string>, deltaDirectory: string | undefined): Promise<void> {
  if (deltaDirectory === undefined) return;
  for (const backup of await readBackups(deltaDirectory)) {
    if (!('manifest' in backup)) continue;
    for (const { id } of backup.manifest.volumes) own.add(id.toLowerCase());
  }
  for (const id of await journaledShadows(deltaDirectory)) own.add(id.toLowerCase());
}
