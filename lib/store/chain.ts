import type { KeyObject } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toPublicError } from '../errors/errors';
import { isPresent } from './file-identity';
import { loadManifest } from './manifest';
import type { ManifestDatabase, ManifestHead, ManifestLink } from './manifest-format';

/** The head of a manifest, and where it lies. */
export type BackupHead = ManifestHead & { readonly directory: string };

/** A backup and the earlier ones that it builds on. */
export interface Chain<Head extends BackupHead = BackupHead> {
  readonly head: Head;
  /** Those that hold databases which {@link head} has carried over, by their ids; a text says why one cannot be used. */
  readonly links: ReadonlyMap<string, BackupHead | string>;
}

/**
 * Finds the backups that another one builds on: beside it, in the same delta directory. One that is missing or damaged, or that is
 * another one than it was, is no error here: whoever needs nothing of it can do without. With a key all must be signed.
 */
export async function loadLinks({ directory, id, incremental }: BackupHead, key?: KeyObject): Promise<Chain['links']> {
  const links = new Map<string, BackupHead | string>();
  if (!incremental || incremental.links.length === 0) return links;
  // Whoever names a backup by a symbolic link means the directory that it leads to.
  const beside = dirname(await realpath(directory).catch(() => directory));
  for (const link of incremental.links) {
    links.set(link.id, await loadLink(join(beside, link.id), link, id, key));
  }
  return links;
}

async function loadLink(
  directory: string,
  { id, databasesSha256 }: ManifestLink,
  builder: string,
  key: KeyObject | undefined,
): Promise<BackupHead | string> {
  // What cannot be looked at may be there; reading it says what is wrong.
  if (!(await isPresent(directory).catch(() => true))) {
    return `backup ${builder} builds on backup ${id}, which is missing: ${directory}`;
  }
  try {
    const head = await loadManifest(directory, key);
    if (head.id === id && head.databasesSha256 === databasesSha256) return head;
    return `backup ${builder} builds on backup ${id}, and ${directory} is another one now`;
  } catch (error) {
    return `backup ${builder} builds on backup ${id}, which cannot be used: ${toPublicError(error).message}`;
  }
}

/** The backup that holds a database; a text says why it cannot be used. */
export function holderOf({ from }: Pick<ManifestDatabase, 'from'>, { head, links }: Chain): BackupHead | string {
  if (from === undefined) return head;
  return links.get(from) ?? `backup ${head.id} does not say that it builds on backup ${from}`;
}
