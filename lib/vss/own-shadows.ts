import { journaledShadows } from '../store/journals';
import { readBackups } from '../store/backups';
import { FileCalls, untiring } from '../store/stall';
import { existingStateDirectory, stateDirectory } from '../store/state-directory';
import type { NativeBinding } from '../native/session';

/**
 * Determines which shadows are ours, so that shadows of other programs are never deleted unless they are named: those made by
 * this process, those named in the manifests of a delta directory, and those named in its journals of dead processes.
 */

/** Set ids by shadow id. */
const madeHere = new Map<string, string>();

/** Ids must be in normal form: in braces and lower case. */
export function rememberOwnShadows(ids: readonly string[], setId: string): void {
  for (const id of ids) madeHere.set(id, setId);
}

/** Call after deleting it on purpose. */
export function forgetOwnShadow(id: string): void {
  madeHere.delete(id);
}

/** After a set has been broken, VSS no longer lists its shadows. */
export function forgetOwnSet(setId: string): void {
  for (const [id, ofSet] of madeHere) if (ofSet === setId) madeHere.delete(id);
}

/** Whether this process made the shadow, and has neither deleted nor broken it since. */
export function isStillOwn(id: string): boolean {
  return madeHere.has(id);
}

/** Including those named in the manifests and journals of a delta directory. */
export async function ownShadows(deltaDirectory: string | undefined): Promise<ReadonlySet<string>> {
  const own = new Set(madeHere.keys());
  await addOwn(own, deltaDirectory);
  return own;
}

/** Including those of scripts, unless another user can write to the directory in which scripts record them. */
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
  for (const backup of await readBackups(deltaDirectory, new FileCalls(untiring))) {
    if (!('manifest' in backup)) continue;
    for (const { id } of backup.manifest.volumes) own.add(id.toLowerCase());
  }
  for (const id of await journaledShadows(deltaDirectory)) own.add(id.toLowerCase());
}
