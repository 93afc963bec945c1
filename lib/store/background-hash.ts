import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Call } from '../call/call';

/** A file of which the first bytes are hashed. */
export interface FileToHash {
  readonly file: string;
  readonly sizeBytes: number;
}

/** SHA-256 in hexadecimal, or why there is none. */
export type HashResult = { readonly sha256: string } | { readonly error: string };

/** What the worker says about the file at a position of its list. */
export interface HashMessage {
  readonly position: number;
  readonly result: HashResult;
}

/**
 * Hashes files one after the other in a thread of its own, which takes what the server leaves of processor and disks. For
 * work that may take hours and that nobody waits for.
 */
export async function hashInBackground(
  files: readonly FileToHash[],
  call: Call,
  onHash: (position: number, result: HashResult) => void,
): Promise<void> {
  if (files.length === 0) return;
  const workerData: readonly FileToHash[] = files.map(({ file, sizeBytes }) => ({ file, sizeBytes }));
  const worker = new Worker(join(__dirname, 'hash-worker.js'), { workerData });
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
          reject(new Error(`the thread that hashes has ended early, with ${code}`));
        });
      }),
    );
  } finally {
    await worker.terminate();
  }
}
