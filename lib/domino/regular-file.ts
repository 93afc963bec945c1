import type { FileHandle } from 'node:fs/promises';
import { open, readWithoutWaiting } from '../call/files';

/**
 * Opens a regular file for reading. A pipe, socket or device of that name is refused: reading from it may never end, and even
 * opening a pipe may not return.
 */
export async function openRegularFile(file: string): Promise<FileHandle> {
  const handle = await open(file, readWithoutWaiting);
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw Object.assign(new Error(`${file} is not a regular file`), { code: 'EINVAL' });
  } catch (error) {
    await handle.close();
    throw error;
  }
}
