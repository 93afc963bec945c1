import { guid, normalGuid, volumeName, volumePath, withBackslash } from '../vss/windows-names';
import type { Check } from '../call/options';
import { OptionError } from '../errors/errors';
import type { ExposePlace } from './target';

/** An id in braces and lower case; undefined if the text is not an id. */
export function readId(text: string): string | undefined {
  return passes(guid, text) ? normalGuid(text) : undefined;
}

/** A volume in normal form, with a trailing backslash: `D:\`; undefined if the text cannot be a volume. */
export function readVolume(text: string): string | undefined {
  return passes(volumeName, text) ? withBackslash(volumePath(text)) : undefined;
}

/**
 * Where to expose: text with a colon or a backslash is a local place, a plain name is a share. Undefined for anything else, and
 * for a single letter: whoever forgets the colon does not want to publish a whole volume.
 */
export function readPlace(text: string): ExposePlace | undefined {
  const drive = /^([a-z]):\\?$/i.exec(text)?.[1];
  if (drive !== undefined) return { kind: 'local', as: `${drive.toUpperCase()}:` };
  if (/^[a-z]:[\\/][^:*?"<>|]+$/i.test(text)) return { kind: 'local', as: text.replace(/[\\/]+$/, '') };
  return /^[^\\/:*?"<>|]{2,}$/.test(text) ? { kind: 'share', as: text } : undefined;
}

function passes(check: Check, value: string): boolean {
  try {
    check(value, 'value');
    return true;
  } catch (error) {
    if (error instanceof OptionError) return false;
    throw error;
  }
}
