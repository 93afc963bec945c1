import { existsSync } from 'node:fs';
import { lstat, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdirWithMode, open } from '../call/files';
import type { FileCalls } from './stall';

/** Those of the given directories, and of their parents, that do not exist; each after its parent. */
export async function missingDirectories(directories: Iterable<string>): Promise<string[]> {
  const missing = new Set<string>();
  const known = new Set<string>();
  for (const directory of directories) {
    const chain: string[] = [];
    for (let at = directory; !known.has(at) && dirname(at) !== at; at = dirname(at)) {
      known.add(at);
      const exists = await lstat(at).then(
        () => true,
        () => false,
      );
      if (exists) break;
      chain.unshift(at);
    }
    for (const at of chain) missing.add(at);
  }
  return [...missing];
}

/** Another process is reading the file, as every backup does with the journals of others: Windows cannot replace an open file. */
const openedBySomebody = ['EPERM', 'EACCES', 'EBUSY'];
const replacePatienceMs = 5_000;

/** Makes the entries of a directory survive a power loss. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory for this, and need not.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a directory and its missing parents so that they survive a power loss: each entry is in the parent directory, and
 * syncing the contents of a directory does not sync its parent. Done step by step, because the recursive mkdir of Node.js never
 * returns if a parent exists but accepts no new entries, as in /proc. Default mode: that of the directory above, but only its owner may write.
 */
export async function makeDirectory(directory: string, mode?: number): Promise<void> {
  for (const missing of await missingDirectories([directory])) {
    try {
      await mkdirWithMode(missing, mode ?? (await stat(dirname(missing))).mode & 0o755);
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    await syncDirectory(dirname(missing));
  }
  if (!(await stat(directory)).isDirectory()) {
    throw Object.assign(new Error(`EEXIST: file already exists, mkdir '${directory}'`), {
      code: 'EEXIST',
      syscall: 'mkdir',
      path: directory,
    });
  }
}

/**
 * Makes sure that removed or renamed files do not reappear after a power loss. Must be called before the journal that names them
 * is removed. If their directory is gone too, its parent is synced.
 */
export async function syncRemovals(files: Iterable<string>): Promise<void> {
  const directories = new Set<string>();
  for (const file of files) {
    let directory = dirname(file);
    while (!existsSync(directory) && dirname(directory) !== directory) directory = dirname(directory);
    directories.add(directory);
  }
  for (const directory of directories) await syncDirectory(directory);
}

/** A block of this length takes well below a millisecond to render; writing it lets the event loop turn. */
const blockLength = 32_768;

/** Waits for each call on a file. */
export type WaitingForFiles = Pick<FileCalls, 'wait' | 'open' | 'end'>;

/** For a caller that limits the whole work, or does not limit it. */
export const unlimited: WaitingForFiles = {
  wait: (_operation, _file, work) => work,
  open: (_file, opening) => opening,
  end: (work) => work(),
};

/** Writes texts one after the other, in blocks; `onBlock` gets each block before it is written. */
export async function writeTexts(
  handle: FileHandle,
  texts: Iterable<string>,
  onBlock: (block: string) => void = () => undefined,
  wait: (writing: Promise<void>) => Promise<void> = (writing) => writing,
): Promise<void> {
  let block = '';
  const flush = async (): Promise<void> => {
    onBlock(block);
    await wait(handle.appendFile(block));
    block = '';
  };
  for (const text of texts) {
    block += text;
    if (block.length > blockLength) await flush();
  }
  await flush();
}

export function* jsonLines(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`;
}

/** The name of a file while it is being written. */
export function unfinishedFile(file: string): string {
  return `${file}.new`;
}

/**
 * Writes a file completely or not at all, even if power is lost. A call that `calls` gives up is the last one: nothing follows it
 * when it returns after all.
 */
export async function writeDurably(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
  { unfinished = unfinishedFile(file), calls = unlimited }: { unfinished?: string; calls?: WaitingForFiles } = {},
): Promise<void> {
  const handle = await openNew(unfinished, calls);
  try {
    try {
      await write(handle);
      await calls.wait('fsync', unfinished, handle.sync());
    } finally {
      await calls.end(() => handle.close());
    }
    await calls.wait('rename', unfinished, replace(unfinished, file));
  } catch (error) {
    // On a full disk, for example. Not after a call that was given up, which may still rename it.
    const hasReturned = typeof (error as NodeJS.ErrnoException).errno === 'number';
    if (hasReturned) await calls.wait('unlink', unfinished, rm(unfinished, { force: true })).catch(() => undefined);
    throw error;
  }
  await calls.wait('fsync', dirname(file), syncDirectory(dirname(file)));
}

/** Opens the file as a new one: never through a link that someone has put there, and replacing what a dead process has left. */
async function openNew(file: string, calls: WaitingForFiles): Promise<FileHandle> {
  try {
    return await calls.open(file, open(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    await calls.wait('unlink', file, rm(file, { force: true }));
    return calls.open(file, open(file, 'wx', 0o600));
  }
}

async function replace(from: string, to: string): Promise<void> {
  const endsAt = performance.now() + (process.platform === 'win32' ? replacePatienceMs : 0);
  for (;;) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!openedBySomebody.includes(code) || performance.now() >= endsAt) throw error;
      await sleep(10);
    }
  }
}
