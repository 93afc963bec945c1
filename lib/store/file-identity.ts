import { lstat } from 'node:fs/promises';
import { undefinedWhereMissing } from '../call/files';

/** Distinguishes a file from all others, and its contents from later ones: `device:inode size modified`. */
export async function identityOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await lstat(file, { bigint: true });
  return `${dev}:${ino} ${size} ${mtimeNs}`;
}

/** How a file compares with an earlier identity. A renamed file is the same file. */
export type Comparison = 'missing' | 'same' | 'changed' | 'another';

export async function compareIdentity(file: string, identity: string): Promise<Comparison> {
  const now = await identityOf(file).catch(undefinedWhereMissing);
  if (now === undefined) return 'missing';
  if (now === identity) return 'same';
  return now.split(' ')[0] === identity.split(' ')[0] ? 'changed' : 'another';
}

/** Whether anything exists at a path, even a broken link. Throws if that cannot be determined. */
export async function isPresent(file: string): Promise<boolean> {
  return (await lstat(file).catch(undefinedWhereMissing)) !== undefined;
}
