import { readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Write access for everybody; what a sticky directory forbids all the same is renaming and removing what others own. */
const othersWrite = 0o002;
const groupWrites = 0o020;
const sticky = 0o1000;

/** What makes a directory unsafe, and what is only worth a warning. Both are sentences about the path; empty for nothing. */
export interface DirectoryRisk {
  readonly refusal: string;
  readonly warning: string;
}

/**
 * Whether somebody else than root and the user of this process could change what lies in a directory, or put another
 * directory in its place: then the journal could be forged, change information be replaced, and a deletion of ours be led
 * into other people's files. `path` is a real path. Linux; on Windows access lists decide, which this does not read.
 */
export async function directoryRisk(path: string): Promise<DirectoryRisk> {
  if (process.platform === 'win32') return { refusal: '', warning: '' };
  const own = await stat(path);
  if (!isTrusted(own.uid))
    return { refusal: `${path} belongs to the user ${own.uid}, who could change what is kept there`, warning: '' };
  if ((own.mode & othersWrite) !== 0) return { refusal: `everybody may write to ${path}: chmod o-w`, warning: '' };
  for (let above = dirname(path); ; above = dirname(above)) {
    const { uid, mode } = await stat(above);
    if ((mode & othersWrite) !== 0 && (mode & sticky) === 0) {
      return {
        refusal: `everybody may write to ${above}, and so put another directory in the place of ${path}`,
        warning: '',
      };
    }
    if (!isTrusted(uid) && uid !== overflowUser()) {
      const refusal = `${above} belongs to the user ${uid}, who could put another directory in the place of ${path}`;
      return { refusal, warning: '' };
    }
    if (above === dirname(above)) break;
  }
  const group = (own.mode & groupWrites) !== 0;
  return {
    refusal: '',
    warning: group ? `the group ${own.gid} may write to ${path}: chmod g-w, unless it is yours alone` : '',
  };
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
