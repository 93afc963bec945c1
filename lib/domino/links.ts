import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isDatabaseName } from './databases';
import { RestoreError } from '../errors/errors';
import { undefinedWhereMissing } from '../call/files';
import { openRegularFile } from './regular-file';

/** Longest link file that is read; a database is always larger. */
const longestLink = 4096;

/**
 * Where a database lies or would lie: its path below the data directory, through directory links (`name.dir` holding a
 * directory), database links (a text file in place of the database) and links of the operating system. A path cannot
 * leave the data directory otherwise.
 */
export async function locateDatabase(dataDirectory: string, path: string): Promise<string> {
  const segments = segmentsOf(path);
  const name = segments.pop() ?? '';
  let directory = await realpath(dataDirectory);
  for (const segment of segments) {
    const next = join(directory, segment);
    directory = (await isDirectory(next)) ? await realpath(next) : ((await readLink(`${next}.dir`)) ?? next);
  }
  const file = join(directory, name);
  const linked = await readLink(file);
  if (linked === undefined) return behindSymbolicLink(file);
  return isDatabaseName(linked) ? linked : `${linked}.nsf`;
}

/**
 * Where a database becomes a plain file below a directory, which may not be there yet. Links below it are not followed: whoever
 * can write to it could lead us anywhere.
 */
export async function locateBelow(realDirectory: string, path: string): Promise<string> {
  let at = realDirectory;
  for (const segment of segmentsOf(path)) {
    at = join(at, segment);
    const found = await lstat(at).catch(undefinedWhereMissing);
    if (found?.isSymbolicLink()) {
      throw new RestoreError('ERR_RESTORE_TARGET', { message: `${at} is a link`, phase: 'restore' });
    }
  }
  return at;
}

function segmentsOf(path: string): string[] {
  const segments = path.split('/');
  // Windows also takes a backslash for a separator, and a colon for a drive or a stream of a file.
  const foreign = process.platform === 'win32' && /[\\:]/.test(path);
  if (foreign || segments.some((part) => part === '..' || part === '')) {
    const message = `"${path}" is no path inside the data directory`;
    throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
  }
  return segments;
}

/** The file that a symbolic link stands for, also when that file is gone. */
async function behindSymbolicLink(file: string): Promise<string> {
  const found = await lstat(file).catch(undefinedWhereMissing);
  if (!found?.isSymbolicLink()) return file;
  try {
    return await realpath(file);
  } catch {
    const target = resolve(dirname(file), await readlink(file));
    const directory = await realpath(dirname(target)).catch(() => dirname(target));
    return join(directory, basename(target));
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

/** The absolute path in a link file; undefined when the file is missing or is no link. */
async function readLink(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || found.size > longestLink) return undefined;
  const handle = await openRegularFile(file);
  try {
    const text = (await handle.readFile('utf8')).split(/\r?\n/)[0]?.trim() ?? '';
    return isAbsolute(text) ? text : undefined;
  } finally {
    await handle.close();
  }
}
