import { readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { NativeFailure } from '../native/failure';
import type { NativeBinding } from '../native/session';
import { makeDirectory, missingDirectories } from './durable';
import { warning, type Warning } from '../errors/warnings';

/** Write access for everybody; what a sticky directory forbids all the same is renaming and removing what others own. */
const othersWrite = 0o002;
const groupWrites = 0o020;
const sticky = 0o1000;

/** What native code knows of access lists; Windows only. */
type DirectoryAccess = Pick<NativeBinding, 'createPrivateDirectory' | 'directoryAccess'>;

/** What makes a directory unsafe, in words, empty for nothing; and what is only worth a warning. */
export interface DirectoryRisk {
  readonly refusal: string;
  readonly warning: Warning | undefined;
}

/**
 * Whether somebody else than root and the user of this process could change what lies in a directory, or put another
 * directory in its place: then the journal could be forged, change information be replaced, and a deletion of ours be led
 * into other people's files. `path` is a real path. On Windows an owner who is an ordinary user is refused. An access list
 * that lets everybody in is only a warning there, for new volumes give one to every directory; what we make ourselves is
 * private all the same.
 */
export async function directoryRisk(path: string, { directoryAccess }: DirectoryAccess = {}): Promise<DirectoryRisk> {
  if (directoryAccess) {
    const { othersOwn, othersChange } = await directoryAccess(path);
    if (othersOwn)
      return {
        refusal: `${path} belongs to an ordinary user, who could change who may write there`,
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
        refusal: `everybody may write to ${above}, and so put another directory in the place of ${path}`,
        warning: undefined,
      };
    }
    if (!isTrusted(uid) && uid !== overflowUser()) {
      const refusal = `${above} belongs to the user ${uid}, who could put another directory in the place of ${path}`;
      return { refusal, warning: undefined };
    }
    if (above === dirname(above)) break;
  }
  if ((own.mode & groupWrites) === 0) return { refusal: '', warning: undefined };
  const message = `the group ${own.gid} may write to ${path}: chmod g-w, unless it is yours alone`;
  return { refusal: '', warning: warning('WARN_DIRECTORY_SHARED', message, { subjects: [path] }) };
}

/** Makes a directory, and those above it that are missing, for this user only. One that is there stays as it is. */
export async function makeOwnDirectory(path: string, { createPrivateDirectory }: DirectoryAccess): Promise<void> {
  if (createPrivateDirectory) {
    for (const missing of await missingDirectories([path])) {
      await createPrivateDirectory(missing).catch((error: unknown) => {
        // Somebody else of ours was quicker.
        if ((error as Partial<NativeFailure>).statusName !== 'ERROR_ALREADY_EXISTS') throw error;
      });
    }
  }
  await makeDirectory(path, 0o700);
}

/** Whether a path is a directory itself or lies below it. */
export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  // On Windows the way to another drive is an absolute path.
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** The real path that a directory has, or will have once it is made. */
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

/** What the owner of a directory outside of this user namespace is shown as: the root directory of some containers. */
function overflowUser(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/overflowuid', 'utf8'));
  } catch {
    return 65_534;
  }
}
