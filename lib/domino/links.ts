import { lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { isDatabaseName } from './databases';
import { RestoreError } from '../errors/errors';
import { undefinedWhereMissing } from '../call/files';
import { openRegularFile } from './regular-file';

/** Maximum length of a link file; a database is always longer. */
const longestLink = 4096;

/**
 * The real path of a database that exists or would be created, from its path below the data directory. It may lead through
 * directory links (`name.dir` naming a directory), database links (a text file in place of the database) and links of the
 * operating system, but not out of the data directory in any other way.
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
 * The path below a directory at which a database becomes a plain file; the directory may not exist yet. Links below it are not
 * followed: anyone who can write there could redirect us.
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
  // Windows also treats a backslash as a separator, and a colon as part of a drive or of an alternate stream.
  const foreign = process.platform === 'win32' && /[\\:]/.test(path);
  if (foreign || segments.some((part) => part === '..' || part === '')) {
    const message = `"${path}" is not a path inside the data directory`;
    throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
  }
  return segments;
}

/** The target of a symbolic link, even if the target is gone. */
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

/** The absolute path in a link file; undefined if the file is missing or is not a link. */
async function readLink(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || found.size > longestLink) return undefined;
  const handle = await openRegularFile(file);
  try {
    const text = (await handle.readFile('utf8')).split(/\r?\n/)[0]?.trim() ?? '';
    // No file has a name with a NUL.
    return isAbsolute(text) && !text.includes('\0') ? text : undefined;
  } finally {
    await handle.close();
  }
}
