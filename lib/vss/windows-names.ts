import { win32 } from 'node:path';
import { OptionError } from '../errors/errors';
import type { Check } from '../call/options';

/**
 * Names of volumes, places and GUIDs as Windows writes them. The rules of Windows apply on every system, because the names come
 * from Windows and are only compared with each other.
 */

/** A volume as users write it, as a path that ends in a backslash if it names a root: `D:` means the drive, not a directory. */
export function volumePath(name: string): string {
  if (/^[a-z]:?$/i.test(name)) return `${name.slice(0, 1).toUpperCase()}:\\`;
  const path = name.replaceAll('/', '\\');
  return /^[a-z]:\\/.test(path) ? path.slice(0, 1).toUpperCase() + path.slice(1) : path;
}

/** A volume: `D:`, a mount point, `\\?\Volume{…}\`, a share, or any file or directory on the volume. */
export const volumeName: Check = (value, name) => {
  const isVolume =
    typeof value === 'string' && !value.includes('\0') && (/^[a-z]:?$/i.test(value) || isFullPath(volumePath(value)));
  if (!isVolume) {
    const expected = 'a volume: "D:", a mount point, "\\\\?\\Volume{…}\\", or the absolute path of a file on it';
    throw new OptionError(name, `${name} must be ${expected}, got ${JSON.stringify(value)}`);
  }
};

function isFullPath(path: string): boolean {
  return /^[a-z]:\\/i.test(path) || path.startsWith('\\\\');
}

export function withBackslash(path: string): string {
  return path.endsWith('\\') ? path : `${path}\\`;
}

/** Whether two names of the same kind refer to the same volume, directory or GUID. */
export function isSameName(a: string, b: string): boolean {
  return withBackslash(a).toLowerCase() === withBackslash(b).toLowerCase();
}

/** Where a shadow is exposed: `B:`, or a directory without a trailing backslash. */
export function exposurePlace(as: string): string {
  // Also for `b:\\` and `b:\.`; win32.normalize makes `b:.` of `b:`.
  const place = win32.normalize(as).replace(/\\+$/, '');
  const drive = /^([a-z])(?::\.?)?$/i.exec(place)?.[1];
  return drive === undefined ? place : `${drive.toUpperCase()}:`;
}

/** A drive letter such as `B:`, or the absolute path of an empty directory. */
export const exposureName: Check = (value, name) => {
  const isPlace =
    typeof value === 'string' &&
    !value.includes('\0') &&
    (/^[a-z]:?[\\/]?$/i.test(value) || /^[a-z]:[\\/]./i.test(value));
  if (!isPlace) {
    const expected = 'a drive letter such as "B:" or the absolute path of an existing, empty directory';
    throw new OptionError(name, `${name} must be ${expected}, got ${JSON.stringify(value)}`);
  }
};

const guidPattern = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;

/** A GUID with or without braces. */
export const guid: Check = (value, name) => {
  if (typeof value !== 'string' || !guidPattern.test(value)) {
    const example = '{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}';
    throw new OptionError(name, `${name} must be an id such as ${example}, got ${JSON.stringify(value)}`);
  }
};

export function isGuid(text: string): boolean {
  return guidPattern.test(text);
}

/** A GUID as native code writes it: in braces and lower case. */
export function normalGuid(text: string): string {
  return `{${guidPattern.exec(text)?.[1]?.toLowerCase() ?? ''}}`;
}
