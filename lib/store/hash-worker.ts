import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { counted } from '../errors/counted';
import type { FileToHash, HashMessage, HashResult } from './background-hash';

// The complete code of a worker thread: see background-hash.ts. It reads synchronously, so that its own priority applies, and not
// that of the threads with which Node.js reads files.

const blockBytes = 1024 * 1024;

// Linux has a priority for each thread, and disks respect it. On other systems this would slow down the whole process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);

const block = Buffer.allocUnsafe(blockBytes);
for (const [position, file] of (workerData as readonly FileToHash[]).entries()) {
  parentPort?.postMessage({ position, result: hash(file) } satisfies HashMessage);
}

function hash({ file, sizeBytes }: FileToHash): HashResult {
  try {
    const sha256 = createHash('sha256');
    const descriptor = openSync(file, 'r');
    try {
      for (let done = 0; done < sizeBytes;) {
        const bytesRead = readSync(descriptor, block, 0, Math.min(block.length, sizeBytes - done), done);
        if (bytesRead === 0) return { error: `it has only ${done} of ${counted(sizeBytes, 'byte')}` };
        sha256.update(block.subarray(0, bytesRead));
        done += bytesRead;
      }
    } finally {
      closeSync(descriptor);
    }
    return { sha256: sha256.digest('hex') };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
