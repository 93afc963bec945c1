import { EventEmitter } from 'node:events';
import { constants, createReadStream as createStream, type ReadStream, type Stats } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  open as openFile,
  readFile as readWhole,
  writeFile as writeWhole,
  type FileHandle,
} from 'node:fs/promises';
import { types } from 'node:util';

// Node.js names the file in errors of calls with a path, but not of calls with a descriptor: "EIO: i/o error, write" is useless
// to an administrator. So every file is opened here; a lint rule enforces it. `toPublicError` turns these errors into a
// `FileSystemError`.

/**
 * Flags for reading a file that others may have put there: opening a pipe without a writer would never return, not even for a signal.
 * Windows has no pipes among its files.
 */
export const readWithoutWaiting = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK);

/**
 * As `open` of Node.js, but the errors of the handle name the file, and a new file has exactly the mode: a program may have a umask
 * that takes rights from the owner.
 */
export async function open(file: string, flags: string | number, mode?: number): Promise<FileHandle> {
  const handle = await openFile(file, flags, mode);
  if (mode !== undefined)
    await setMode(
      mode,
      () => handle.stat(),
      () => handle.chmod(mode),
    );
  return new Proxy(handle, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => named(file, Reflect.apply(value, target, args));
    },
  });
}

/** As `mkdir` of Node.js, but the directory has exactly the mode. */
export async function mkdirWithMode(directory: string, mode: number): Promise<void> {
  await mkdir(directory, mode);
  if (process.platform === 'win32') return;
  // By its handle: somebody may have put a link in its place, where others can write.
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const handle = await openFile(directory, flags).catch(() => undefined);
  if (handle !== undefined) {
    try {
      await setMode(
        mode,
        () => handle.stat(),
        () => handle.chmod(mode),
      );
    } finally {
      await handle.close();
    }
  } else if (process.getuid?.() !== 0) {
    // The umask has taken the right to open it. Whoever is not root can only change what is his.
    await setMode(
      mode,
      () => lstat(directory),
      () => chmod(directory, mode),
    );
  }
}

/** Only where it differs, and without failing: some file systems have no modes. Windows has access lists instead. */
async function setMode(mode: number, look: () => Promise<Stats>, set: () => Promise<void>): Promise<void> {
  if (process.platform === 'win32') return;
  const found = await look().catch(() => undefined);
  if (found && (found.mode & 0o777) !== mode) await set().catch(() => undefined);
}

/** As `readFile` of Node.js, but its errors name the file. */
export function readFile(file: string): Promise<Buffer>;
export function readFile(file: string, encoding: BufferEncoding, flag?: number): Promise<string>;
export function readFile(
  file: string,
  encoding?: BufferEncoding,
  flag: number = constants.O_RDONLY,
): Promise<Buffer | string> {
  return readWhole(file, { encoding, flag }).catch((error: unknown) => {
    throw withFile(error, file);
  });
}

/** As `writeFile` of Node.js, but its errors name the file. */
export async function writeFile(file: string, text: string | Iterable<string>): Promise<void> {
  await writeWhole(file, text).catch((error: unknown) => {
    throw withFile(error, file);
  });
}

/** As `createReadStream` of Node.js, but its errors name the file, and it does not wait for the writer of a pipe. */
export function createReadStream(
  file: string,
  options?: Exclude<Parameters<typeof createStream>[1], string>,
): ReadStream {
  // Its types know only the names of flags.
  const flags = readWithoutWaiting as unknown as string;
  return named(file, createStream(file, { ...options, flags })) as ReadStream;
}

/** The same promise or stream, but its failure names the file. */
function named(file: string, result: unknown): unknown {
  if (result instanceof EventEmitter) {
    // Registered first, so that the caller's listeners see its effect.
    return result.prependListener('error', (error) => withFile(error, file));
  }
  if (!types.isPromise(result)) return result;
  return result.catch((error: unknown) => {
    throw withFile(error, file);
  });
}

/** The error of a call on a descriptor, worded like those of Node.js that name a file. */
export function withFile(error: unknown, file: string): unknown {
  if (!types.isNativeError(error)) return error;
  const known: NodeJS.ErrnoException = error;
  if (known.syscall !== undefined && known.path === undefined) {
    known.path = file;
    known.message += ` '${file}'`;
  }
  return known;
}

/**
 * For the failure of a call on a path: returns undefined if nothing exists there, and rethrows any other error. Nothing has a name that
 * is too long for the file system.
 */
export function undefinedWhereMissing(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
  throw error;
}
