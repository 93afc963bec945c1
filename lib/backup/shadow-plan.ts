import { rmdirSync } from 'node:fs';
import { realpath, rmdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { BackupDatabases } from '../domino/databases';
import { ShadowError } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { NativeBinding, NativeProvider } from '../native/session';
import { directoryRisk, makeOwnDirectory } from '../store/safe-directory';
import type { FileCalls } from '../store/stall';

/** Default name of the directory for shadows on a volume. */
export const usualShadowDirectory = '.domino-vss';

/** Where the shadows of one backup will be, before they exist. */
export interface ShadowPlan {
  /** One per volume; empty for a hook. */
  readonly targets: readonly string[];
  /** Directories that only this backup uses and that must be created and removed. */
  readonly parents: readonly string[];
}

/** Each backup has its own directory in the directory for shadows of a volume. */
export function planShadows(backupId: string, directories: readonly { readonly path: string }[]): ShadowPlan {
  const parents = directories.map(({ path }) => join(path, backupId));
  return { targets: parents.map((parent, index) => join(parent, String(index))), parents: [...new Set(parents)] };
}

/** Path of a database inside its shadow, with `/`. */
export function shadowPath(databases: BackupDatabases, index: number): string {
  const volume = databases.volumes[databases.volumeIndex[index] ?? 0]?.path ?? '';
  const file = databases.files[index] ?? '';
  const top = volume.endsWith(sep) ? volume : volume + sep;
  // By far the most common case, and much faster: this runs for every database.
  const inside = file.startsWith(top) ? file.slice(top.length) : relative(volume, file);
  return sep === '/' ? inside : inside.split(sep).join('/');
}

/**
 * Where the engine puts a database's own file; for our writer, where it is in the shadow. Empty for other providers that take whole
 * volumes.
 */
export function databaseTarget(
  provider: NativeProvider,
  databases: BackupDatabases,
  plan: ShadowPlan,
  index: number,
): string {
  if (provider === 'writer') return shadowPath(databases, index);
  if (provider !== 'reflink' && provider !== 'rolling') return '';
  const target = plan.targets[databases.volumeIndex[index] ?? 0] ?? '';
  return `${target}/${shadowPath(databases, index)}`;
}

/** Creates a directory of one backup. Throws if other users could exchange it; returns a warning about a smaller risk. */
export async function makeShadowParent(parent: string, binding: NativeBinding): Promise<Warning | undefined> {
  try {
    await makeOwnDirectory(parent, binding);
  } catch (cause) {
    throw shadowDirectoryError(dirname(parent), `${parent} cannot be created: ${(cause as Error).message}`, cause);
  }
  const directory = await realpath(dirname(parent));
  const { refusal, warning } = await directoryRisk(directory, binding);
  if (refusal !== '') throw shadowDirectoryError(directory, refusal);
  return warning;
}

/** Removes the empty directories of one backup, and the default directory for shadows if it is empty. */
export async function removeShadowParents(plan: ShadowPlan, calls: FileCalls): Promise<void> {
  for (const parent of plan.parents) {
    for (const directory of directoriesOf(parent)) {
      try {
        await calls.wait('rmdir', directory, rmdir(directory));
      } catch (error) {
        if (isGoneOrInUse(error)) break;
        throw error;
      }
    }
  }
}

/** {@link removeShadowParents}, for the end of the process, which cannot wait. */
export function removeShadowParentsNow(plan: ShadowPlan): void {
  for (const parent of plan.parents) {
    for (const directory of directoriesOf(parent)) {
      try {
        rmdirSync(directory);
      } catch (error) {
        if (isGoneOrInUse(error)) break;
        throw error;
      }
    }
  }
}

function directoriesOf(parent: string): readonly string[] {
  const above = dirname(parent);
  return basename(above) === usualShadowDirectory ? [parent, above] : [parent];
}

function isGoneOrInUse(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT';
}

/** The error for a directory that shadows cannot be made in. */
export function shadowDirectoryError(path: string, message: string, cause?: unknown): ShadowError {
  return new ShadowError('ERR_SHADOW_DIRECTORY', { path }, { message, phase: 'prepare', cause });
}
