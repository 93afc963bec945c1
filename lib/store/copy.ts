import { lstat, rm, statfs, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { createReadStream, open, undefinedWhereMissing } from '../call/files';
import { openRegularFile } from '../domino/regular-file';
import { counted } from '../errors/counted';
import { DominoVssError, FileSystemError } from '../errors/errors';
import { makeDirectory } from './durable';
import { hashHere, type BlockHash, type BlockSink } from './hash-threads';
import { FileCalls, untiring, type FilePatience } from './stall';

const blockBytes = 1024 * 1024;

/** What a copy is made from, and how. */
export interface CopyWork extends FilePatience {
  readonly from: string;
  /** Must not exist; its directory is created. */
  readonly to: string;
  /** Exactly this many bytes are copied. */
  readonly sizeBytes: number;
  readonly onBytes?: (bytes: number) => void;
  /** Gets every byte that is copied, in order, so that the copy need not be read again. */
  readonly hash?: BlockSink | undefined;
  /** Whether the directory of {@link to} is known to exist. Default: false. */
  readonly hasDirectory?: boolean;
  /** Called before the copy is synced to disk, to set its permissions and owner. */
  readonly finish?: (copy: FileHandle) => Promise<void>;
  /** Whether the copy is on disk when the call returns; false if the caller writes more to it. Default: true. */
  readonly syncs?: boolean;
}

/**
 * Copies exactly the first bytes of a file and, unless `syncs` is false, syncs them to disk. If it fails, nothing is left. Why
 * not the whole file: docs/decisions/copies-cut-to-the-start-size.md
 */
export async function copyExactly(work: CopyWork): Promise<void> {
  const { from, to, sizeBytes, check, onBytes, hash, hasDirectory = false, finish, syncs = true } = work;
  const calls = new FileCalls(work);
  if (!hasDirectory) await calls.wait('mkdir', to, makeDirectory(dirname(to)));
  const source = await calls.open(from, openRegularFile(from));
  try {
    const creating = open(to, 'wx', 0o600);
    const target = await calls.open(to, creating).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new DominoVssError('ERR_COPY', { message: `${to} already exists and is not overwritten`, cause });
    });
    try {
      // If the source has holes, blocks of zeros are not written. Otherwise everything is written, zeros or not.
      const { blocks, size } = await calls.wait('stat', from, source.stat());
      const leavesHoles = blocks * 512 < Math.min(size, sizeBytes);
      const bufferBytes = Math.max(1, Math.min(blockBytes, sizeBytes));
      const buffer = hash?.allocate?.(bufferBytes) ?? Buffer.allocUnsafe(bufferBytes);
      for (let done = 0; done < sizeBytes;) {
        check();
        const wanted = Math.min(buffer.length, sizeBytes - done);
        const { bytesRead } = await calls.wait('read', from, source.read(buffer, 0, wanted, done));
        if (bytesRead === 0) {
          const message = `${from} has only ${done} of the ${counted(sizeBytes, 'byte')} it had at the start of the backup`;
          throw new DominoVssError('ERR_COPY', { message });
        }
        const bytes = buffer.subarray(0, bytesRead);
        // A thread of the pool writes while this one, or one for hashes, hashes.
        const written = leavesHoles ? writeAllButZeros(target, bytes, done) : writeFully(target, bytes, done);
        const hashed = hash?.update(bytes);
        await calls.wait('write', to, Promise.all([written, hashed]));
        done += bytesRead;
        onBytes?.(bytesRead);
      }
      if (leavesHoles) await calls.wait('ftruncate', to, target.truncate(sizeBytes));
      if (finish) await calls.wait('chown', to, finish(target));
      if (syncs) await calls.wait('fsync', to, target.sync());
    } catch (error) {
      await calls.end(() => removeIfSame(to, target));
      throw error;
    } finally {
      await calls.end(() => target.close());
    }
  } finally {
    await calls.end(() => source.close());
  }
}

/** A directory above may have been replaced meanwhile, by a link to the databases of the server: then the name is that of another file. */
async function removeIfSame(file: string, handle: FileHandle): Promise<void> {
  const [own, named] = await Promise.all([
    handle.stat({ bigint: true }),
    lstat(file, { bigint: true }).catch(undefinedWhereMissing),
  ]);
  if (named?.dev === own.dev && named.ino === own.ino) await rm(file, { force: true });
}

async function writeFully(target: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await target.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** The smallest hole that is worth a system call. */
const holeBytes = 64 * 1024;
const zeros = Buffer.alloc(holeBytes);

async function writeAllButZeros(target: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let from = 0;
  for (let at = 0; at < bytes.length; at += holeBytes) {
    const piece = bytes.subarray(at, at + holeBytes);
    if (!piece.equals(zeros.subarray(0, piece.length))) continue;
    if (at > from) await writeFully(target, bytes.subarray(from, at), position + from);
    from = at + piece.length;
  }
  if (from < bytes.length) await writeFully(target, bytes.subarray(from), position + from);
}

/** Syncs a file to disk that another program has changed. */
export async function syncFile(file: string, patience: FilePatience = untiring): Promise<void> {
  const calls = new FileCalls(patience);
  const handle = await calls.open(file, open(file, 'r+'));
  try {
    await calls.wait('fsync', file, handle.sync());
  } finally {
    await calls.end(() => handle.close());
  }
}

/** How a file is hashed. */
export interface HashWork extends FilePatience {
  /** Only the first bytes are hashed. Default: the whole file. */
  readonly sizeBytes?: number;
  /** What computes the hash. Default: this thread. */
  readonly hash?: BlockHash;
}

/** SHA-256 of a file; hexadecimal. */
export async function hashFile(file: string, work: HashWork): Promise<string> {
  const { check, sizeBytes = Infinity, hash = hashHere() } = work;
  if (sizeBytes === 0) return hash.digest();
  const calls = new FileCalls(work);
  const stream = createReadStream(file, { highWaterMark: blockBytes, end: sizeBytes - 1 });
  try {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      check();
      const chunk = await calls.wait('read', file, chunks.next());
      if (chunk.done) return await calls.wait('hash', file, Promise.resolve(hash.digest()));
      await calls.wait('hash', file, Promise.resolve(hash.update(chunk.value)));
    }
  } finally {
    stream.destroy();
  }
}

/** Throws if there is obviously too little free space. */
export async function requireFreeSpace(directory: string, neededBytes: number): Promise<void> {
  const { bavail, blocks, bsize } = await statfs(directory);
  // A file system without a size, as those of the kernel and some of user space, does not tell.
  if (blocks === 0) return;
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  const message = `${directory} has ${prettyBytes(freeBytes)} free, ${prettyBytes(neededBytes)} are needed`;
  throw new FileSystemError('ERR_NO_SPACE', { path: directory }, { message });
}
