import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from '../call/files';

/**
 * Opens a file for reading. A pipe, a socket or a device that has taken its name is refused: reading from one may never
 * end, and opening a pipe does not even return.
 */
export async function openRegularFile(file: string): Promise<FileHandle> {
  const { O_RDONLY, O_NONBLOCK } = constants;
  const handle = await open(file, process.platform === 'win32' ? 'r' : O_RDONLY | O_NONBLOCK);
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw Object.assign(new Error(`${file} is no regular file`), { code: 'EINVAL' });
  } catch (error) {
    await handle.close();
    throw error;
  }
}
