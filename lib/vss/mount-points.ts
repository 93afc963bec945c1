import { access } from 'node:fs/promises';
import type { Call } from '../call/call';
import type { NativeBinding } from '../native/session';

/** Drives of Windows, in the order in which they are likely to hold something. */
const drives = Array.from('CDEFGHIJKLMNOPQRSTUVWXYZAB', (letter) => `${letter}:\\`);

/**
 * Under which drive letters volumes are known, by their names (`\\?\Volume{…}\`) in lower case. Looks no further once all
 * are found: a drive of the network may take long to answer.
 */
export async function findMountPoints(
  binding: NativeBinding,
  volumes: Iterable<string>,
  call: Call,
): Promise<ReadonlyMap<string, string>> {
  const missing = new Set([...volumes].map((volume) => volume.toLowerCase()));
  const found = new Map<string, string>();
  for (const drive of drives) {
    if (missing.size === 0) break;
    call.check();
    // A drive without a medium, or none at all, has no shadows either.
    const volume = await call
      .race(access(drive).then(() => binding.inspectVolume(drive)))
      .then(({ device }) => device.toLowerCase())
      .catch(() => undefined);
    if (volume !== undefined && missing.delete(volume)) found.set(volume, drive);
  }
  return found;
}
