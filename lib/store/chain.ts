import type { KeyObject } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toPublicError } from '../errors/errors';
import { isPresent } from './file-identity';
import { loadManifest } from './manifest';
import type { ManifestDatabase, ManifestHead, ManifestLink } from './manifest-format';

/** The head of a manifest, and its directory. */
export type BackupHead = ManifestHead & { readonly directory: string };

/** A backup and the earlier ones that it builds on. */
export interface Chain<Head extends BackupHead = BackupHead> {
  readonly head: Head;
  /**
   * The backups that contain the databases {@link head} has carried over, by id; a text if one cannot be used, with the reason.
   */
  readonly links: ReadonlyMap<string, BackupHead | string>;
}

/**
 * Finds the backups that another one builds on, beside it in the same delta directory. A missing, damaged or different one is not
 * an error here, because the caller may not need it. With a key all must be signed.
 */
export async function loadLinks({ directory, id, incremental }: BackupHead, key?: KeyObject): Promise<Chain['links']> {
  const links = new Map<string, BackupHead | string>();
  if (!incremental || incremental.links.length === 0) return links;
  // If a backup is named by a symbolic link, the others are beside the link's target.
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
  // If it cannot be accessed, it may exist; reading it will report the error.
  if (!(await isPresent(directory).catch(() => true))) {
    return `backup ${builder} builds on backup ${id}, which is missing: ${directory}`;
  }
  try {
    const head = await loadManifest(directory, key);
    if (head.id === id && head.databasesSha256 === databasesSha256) return head;
    return `backup ${builder} builds on backup ${id}, but ${directory} is a different one now`;
  } catch (error) {
    return `backup ${builder} builds on backup ${id}, which cannot be used: ${toPublicError(error).message}`;
  }
}

/** The backup that contains a database; a text if it cannot be used, with the reason. */
export function holderOf({ from }: Pick<ManifestDatabase, 'from'>, { head, links }: Chain): BackupHead | string {
  if (from === undefined) return head;
  return links.get(from) ?? `backup ${head.id} does not say that it builds on backup ${from}`;
}
