import { lstat } from 'node:fs/promises';
import { undefinedWhereMissing } from '../call/files';

/** What tells a file from every other one, and its contents from later ones: `device:inode size modified`. */
export async function identityOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await lstat(file, { bigint: true });
  return `${dev}:${ino} ${size} ${mtimeNs}`;
}

/** How a file compares with an identity that was taken earlier. A file that was renamed since is the same one. */
export type Comparison = 'missing' | 'same' | 'changed' | 'another';

export async function compareIdentity(file: string, identity: string): Promise<Comparison> {
  const now = await identityOf(file).catch(undefinedWhereMissing);
  if (now === undefined) return 'missing';
  if (now === identity) return 'same';
  return now.split(' ')[0] === identity.split(' ')[0] ? 'changed' : 'another';
}

/** Whether there is anything at a path, a link that leads nowhere too. What cannot be looked at is not taken for missing. */
export async function isPresent(file: string): Promise<boolean> {
  return (await lstat(file).catch(undefinedWhereMissing)) !== undefined;
}
