import { readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { undefinedWhereMissing } from '../call/files';
import type { NativeFailure } from '../native/failure';
import type { NativeBinding } from '../native/session';
import { makeDirectory, missingDirectories } from './durable';
import { warning, type Warning } from '../errors/warnings';

/** Write access for everybody. In a sticky directory, users still cannot rename or remove the files of others. */
const othersWrite = 0o002;
const groupWrites = 0o020;
const sticky = 0o1000;

/** The functions for access lists; Windows only. */
type DirectoryAccess = Pick<NativeBinding, 'createPrivateDirectory' | 'directoryAccess'>;

/** `refusal`: why a directory is unsafe, empty if it is not. `warning`: a smaller risk. */
export interface DirectoryRisk {
  readonly refusal: string;
  readonly warning: Warning | undefined;
}

/**
 * Whether users other than root and the user of this process can change the contents of a directory, or put another directory in
 * its place. They could then forge the journal, replace change information, or redirect our deletions to other files. `path` is a
 * real path. On Windows, a directory owned by an ordinary user is refused. An access list that allows everybody is only a warning
 * there, because new volumes give such a list to every directory; directories that we create are always private.
 */
export async function directoryRisk(path: string, { directoryAccess }: DirectoryAccess = {}): Promise<DirectoryRisk> {
  if (directoryAccess) {
    const { othersOwn, othersChange } = await directoryAccess(path);
    if (othersOwn)
      return {
        refusal: `${path} belongs to an ordinary user, who could change the permissions`,
        warning: undefined,
      };
    if (othersChange === '') return { refusal: '', warning: undefined };
    const remedy = `icacls "${othersChange}" /inheritance:r /grant:r *S-1-5-32-544:(OI)(CI)F *S-1-5-18:(OI)(CI)F`;
    const message = `ordinary users can change ${othersChange}: ${remedy}`;
    return { refusal: '', warning: warning('WARN_DIRECTORY_SHARED', message, { subjects: [path] }) };
  }
  if (process.platform === 'win32') return { refusal: '', warning: undefined };
  const own = await stat(path);
  if (!isTrusted(own.uid))
    return {
      refusal: `${path} belongs to the user ${own.uid}, who could change what is kept there`,
      warning: undefined,
    };
  if ((own.mode & othersWrite) !== 0)
    return { refusal: `everybody may write to ${path}: chmod o-w`, warning: undefined };
  for (let above = dirname(path); ; above = dirname(above)) {
    const { uid, mode } = await stat(above);
    if ((mode & othersWrite) !== 0 && (mode & sticky) === 0) {
      return {
        refusal: `everybody may write to ${above}, and could replace ${path} by another directory`,
        warning: undefined,
      };
    }
    if (!isTrusted(uid) && uid !== overflowUser()) {
      const refusal = `${above} belongs to the user ${uid}, who could replace ${path} by another directory`;
      return { refusal, warning: undefined };
    }
    if (above === dirname(above)) break;
  }
  if ((own.mode & groupWrites) === 0) return { refusal: '', warning: undefined };
  const message = `the group ${own.gid} may write to ${path}: chmod g-w, unless only you are in this group`;
  return { refusal: '', warning: warning('WARN_DIRECTORY_SHARED', message, { subjects: [path] }) };
}

/** Creates a directory and its missing parents for this user only. An existing one is not changed. */
export async function makeOwnDirectory(path: string, { createPrivateDirectory }: DirectoryAccess): Promise<void> {
  if (createPrivateDirectory) {
    for (const missing of await missingDirectories([path])) {
      await createPrivateDirectory(missing).catch((error: unknown) => {
        // Another process of ours was faster.
        if ((error as Partial<NativeFailure>).statusName !== 'ERROR_ALREADY_EXISTS') throw error;
      });
    }
  }
  await makeDirectory(path, 0o700);
}

/** Whether a path is a directory or is inside it. */
export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  // On Windows, the relative path to another drive is an absolute path.
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * Whether a path that exists or will be created leads to a directory or into it, also through a link or a bind mount. A directory
 * that does not exist contains nothing.
 */
export async function leadsInto(path: string, directory: string): Promise<boolean> {
  const wanted = await directoryIdentity(directory);
  if (wanted === undefined) return false;
  for (let at = await realPathToBe(path); ; at = dirname(at)) {
    if ((await directoryIdentity(at)) === wanted) return true;
    if (dirname(at) === at) return false;
  }
}

/** Distinguishes a directory from all others, by whatever path it is reached; undefined if it does not exist. */
export async function directoryIdentity(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(undefinedWhereMissing);
  return found && `${found.dev}:${found.ino}`;
}

/** The real path of a directory that exists or will be created. */
export async function realPathToBe(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(await realPathToBe(dirname(path)), basename(path));
  }
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/**
 * The owner that the system reports for a directory outside this user namespace, for example the root directory of some
 * containers.
 */
function overflowUser(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
  } catch {
    return 65_534;
  }
}
