import { access } from 'node:fs/promises';
import type { Call } from '../call/call';
import type { NativeBinding } from '../native/session';

/** Windows drives, the most likely ones first. */
const drives = Array.from('CDEFGHIJKLMNOPQRSTUVWXYZAB', (letter) => `${letter}:\\`);

/**
 * Drive letters of volumes, by volume name (`\\?\Volume{…}\`) in lower case. Stops as soon as all are found: a network drive may
 * take long to answer.
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
    // A missing drive, or one without a medium, has no shadows either.
    const volume = await call
      .race(access(drive).then(() => binding.inspectVolume(drive)))
      .then(({ device }) => device.toLowerCase())
      .catch(() => undefined);
    if (volume !== undefined && missing.delete(volume)) found.set(volume, drive);
  }
  return found;
}
