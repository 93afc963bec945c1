import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Call } from '../call/call';
import { counted } from '../errors/counted';
import { toPublicError } from '../errors/errors';
import { hashFile } from './copy';

/** A file whose first bytes are to be hashed. */
export interface FileToHash {
  readonly file: string;
  readonly sizeBytes: number;
}

/** The SHA-256 in hexadecimal, or why there is none. */
export type HashResult = { readonly sha256: string } | { readonly error: string };

/** What the worker reports about the file at a position of its list. */
export interface HashMessage {
  readonly position: number;
  readonly result: HashResult;
}

/**
 * Hashes files one by one in a separate thread with low priority, so that the server keeps its processor time and disks. For work
 * that may take hours and that nobody waits for.
 */
export async function hashInBackground(
  files: readonly FileToHash[],
  call: Call,
  onHash: (position: number, result: HashResult) => void,
): Promise<void> {
  if (files.length === 0) return;
  const program = join(__dirname, 'hash-worker.js');
  // A bundle does not contain it.
  if (!existsSync(program)) {
    await hashHere(files, call, onHash);
    return;
  }
  const workerData: readonly FileToHash[] = files.map(({ file, sizeBytes }) => ({ file, sizeBytes }));
  const worker = new Worker(program, { workerData });
  try {
    await call.race(
      new Promise<void>((resolve, reject) => {
        let left = files.length;
        worker.on('message', ({ position, result }: HashMessage) => {
          onHash(position, result);
          left -= 1;
          if (left === 0) resolve();
        });
        worker.on('error', reject);
        worker.on('exit', (code) => {
          reject(new Error(`the hashing thread ended early, with exit code ${code}`));
        });
      }),
    );
  } finally {
    await worker.terminate();
  }
}

/** The same in this thread; Node.js reads the files with its own threads. */
async function hashHere(
  files: readonly FileToHash[],
  call: Call,
  onHash: (position: number, result: HashResult) => void,
): Promise<void> {
  const check = (): void => {
    call.check();
  };
  for (const [position, { file, sizeBytes }] of files.entries()) {
    check();
    try {
      const { size } = await stat(file);
      const sha256 = await hashFile(file, { check, sizeBytes });
      onHash(
        position,
        size < sizeBytes ? { error: `it has only ${size} of ${counted(sizeBytes, 'byte')}` } : { sha256 },
      );
    } catch (error) {
      check();
      onHash(position, { error: toPublicError(error).message });
    }
  }
  check();
}
