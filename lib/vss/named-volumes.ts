import type { Call } from '../call/call';
import type { BackupDatabases } from '../domino/databases';
import { OptionError } from '../errors/errors';
import type { NativeBinding, NativeVolume } from '../native/session';
import { absolutePath, type Check } from '../call/options';
import { volumeName, volumePath } from './windows-names';

/** Volumes that are named explicitly, in addition to those of the databases. */

/** One path per volume; on Windows also `D:` and `\\?\Volume{…}\`. */
export const volumeNames: Check = (value, name) => {
  const check = process.platform === 'win32' ? volumeName : absolutePath;
  if (!Array.isArray(value)) throw new OptionError(name, `${name} must be an array of volumes`);
  for (const [index, volume] of value.entries()) check(volume, `${name}[${index}]`);
};

/** Adds the named volumes to those of the databases, each only once, whatever names it has. */
export async function withNamedVolumes(
  binding: NativeBinding,
  databases: BackupDatabases,
  names: readonly string[],
  call: Call,
): Promise<BackupDatabases> {
  const volumes: NativeVolume[] = [...databases.volumes];
  for (const name of names) {
    const path = process.platform === 'win32' ? volumePath(name) : name;
    const volume = await call.race(binding.inspectVolume(path));
    // A subvolume shares its device with others; a Windows volume may be mounted in several places.
    const known = volumes.some(
      ({ path: other, device }) => other === volume.path || isSameWindowsVolume(device, volume),
    );
    if (!known) volumes.push(volume);
  }
  return { ...databases, volumes };
}

function isSameWindowsVolume(device: string, volume: NativeVolume): boolean {
  return process.platform === 'win32' && device.toLowerCase() === volume.device.toLowerCase();
}

/** The databases of a backup without databases. */
export const noDatabases: BackupDatabases = {
  dataDirectory: '',
  paths: [],
  files: [],
  fileIds: [],
  modifiedMs: new Float64Array(),
  volumeIndex: new Uint16Array(),
  volumes: [],
  required: new Set(),
  sizeBytes: 0,
  allocatedBytes: [],
  aliases: [],
};
