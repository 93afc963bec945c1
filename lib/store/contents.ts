import { createHash } from 'node:crypto';
import { stat, type FileHandle } from 'node:fs/promises';
import { open, undefinedWhereMissing, readWithoutWaiting } from '../call/files';
import { counted } from '../errors/counted';
import { toPublicError } from '../errors/errors';
import { hashFile } from './copy';
import type { ManifestDatabase } from './manifest-format';
import { FileCalls, type FilePatience } from './stall';

/** The beginning of a database: it contains the header, with the replica id and the instance id. */
const frontBytes = 4096;

/** Every database begins with these two bytes; the size of its header follows. */
const signature = Buffer.from([0x1a, 0x00]);

/** What is known about the contents of a copy or of a file in a shadow. */
export interface ExpectedContents {
  /** Number of bytes that belong to the backup; in a shadow more may follow. */
  readonly sizeBytes: number;
  /** SHA-256 of these bytes; undefined if they were not hashed. */
  readonly sha256: string | undefined;
  /** SHA-256 of the beginning; undefined if it was not hashed. */
  readonly headerSha256: string | undefined;
}

/** What the manifest says about the copy of a database. */
export function expectedOfCopy({ startSizeBytes, copy }: ManifestDatabase): ExpectedContents {
  return { sizeBytes: startSizeBytes, sha256: copy?.sha256, headerSha256: undefined };
}

/** What the manifest says about the file of a database in its shadow. */
export function expectedOfShadow({ startSizeBytes, sha256, headerSha256 }: ManifestDatabase): ExpectedContents {
  return { sizeBytes: startSizeBytes, sha256, headerSha256 };
}

/** SHA-256 of the beginning of a database in a shadow, hexadecimal. */
export async function hashFront(file: string, sizeBytes: number): Promise<string> {
  return sha256Of(await readFront(file, sizeBytes));
}

/** Whether a file has the signature of a database; false for a file that is too short. */
export async function hasSignature(file: string): Promise<boolean> {
  return isDatabase(await readFront(file, signature.length));
}

/**
 * Checks a file without reading all of it: size, signature, header. Returns what is wrong, or undefined. If the file cannot be
 * read, throws the file system error.
 */
export async function examineFront(file: string, expected: ExpectedContents): Promise<string | undefined> {
  const { sizeBytes, headerSha256 } = expected;
  const handle = await open(file, readWithoutWaiting);
  try {
    const found = await handle.stat();
    if (!found.isFile()) return 'is not a file';
    if (found.size < sizeBytes) return `has ${counted(found.size, 'byte')} instead of ${sizeBytes}`;
    const front = await readFrontOf(handle, sizeBytes);
    if (!isDatabase(front)) return 'does not begin like a database';
    if (headerSha256 === undefined || sha256Of(front) === headerSha256) return undefined;
    return 'has a different database header from the one that was backed up (SHA-256)';
  } finally {
    await handle.close();
  }
}

/** Why a file could not be examined. */
export function whyUnreadable(file: string, error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['ENOENT', 'ENOTDIR'].includes(code) ? `${file} does not exist` : toPublicError(error).message;
}

/** What is wrong with the file of a database's change information; undefined if nothing is. */
export async function examineDelta(
  file: string,
  { deltaBytes, deltaSha256 }: ManifestDatabase,
  patience: FilePatience,
): Promise<string | undefined> {
  const found = await new FileCalls(patience).wait('stat', file, stat(file)).catch(undefinedWhereMissing);
  if (!found) return 'does not exist';
  if (!found.isFile()) return 'is not a file';
  if (found.size !== deltaBytes) return `has ${counted(found.size, 'byte')} instead of ${deltaBytes}`;
  const sha256 = await hashFile(file, patience);
  return sha256 === deltaSha256 ? undefined : 'has a different SHA-256 from the one in the manifest';
}

function isDatabase(front: Buffer): boolean {
  return front.subarray(0, signature.length).equals(signature);
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readFront(file: string, sizeBytes: number): Promise<Buffer> {
  const handle = await open(file, readWithoutWaiting);
  try {
    return await readFrontOf(handle, sizeBytes);
  } finally {
    await handle.close();
  }
}

async function readFrontOf(handle: FileHandle, sizeBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.min(frontBytes, sizeBytes));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return buffer.subarray(0, bytesRead);
}
