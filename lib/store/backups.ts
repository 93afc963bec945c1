import type { KeyObject } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileSystemError, toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { WaitingForFiles } from './durable';
import { isPresent } from './file-identity';
import { headFile, isBackupId, loadManifest, type Manifest } from './manifest';
import type { FileCalls } from './stall';

/** One backup in a delta directory. */
export type ListedBackup =
  | {
      readonly state: 'complete' | 'partial';
      readonly id: string;
      readonly directory: string;
      readonly manifest: Manifest;
    }
  /** There is no manifest: the backup is running, or its process died. */
  | { readonly state: 'unfinished'; readonly id: string; readonly directory: string }
  | { readonly state: 'damaged'; readonly id: string; readonly directory: string; readonly reason: string };

/** What distinguishes one server from another in a delta directory. */
export interface ServerOfBackup {
  readonly dataDirectory: string;
  /** Its hierarchical name. Empty if unknown: a backup in stop mode does not start Domino. */
  readonly serverName: string;
}

/** Whether a backup is of this server, as far as is known. Servers of two machines may have the same data directory. */
export function isOfServer(backup: ServerOfBackup, { dataDirectory, serverName }: ServerOfBackup): boolean {
  return backup.dataDirectory === dataDirectory && !haveOtherNames(backup, { serverName });
}

/** Whether both have a name, and not the same. */
export function haveOtherNames(
  { serverName: one }: Pick<ServerOfBackup, 'serverName'>,
  { serverName: other }: Pick<ServerOfBackup, 'serverName'>,
): boolean {
  return one !== '' && other !== '' && one.toLowerCase() !== other.toLowerCase();
}

/** Ids of the backups in a delta directory, oldest first, in any state. */
export async function backupIds(deltaDirectory: string): Promise<string[]> {
  const entries = await readdir(deltaDirectory, { withFileTypes: true }).catch((cause: unknown) => {
    const message = `the delta directory ${deltaDirectory} cannot be read: ${(cause as Error).message}`;
    throw new FileSystemError('ERR_FILE_SYSTEM', { path: deltaDirectory, cause }, { message });
  });
  return entries
    .filter((entry) => entry.isDirectory() && isBackupId(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** The backups in a delta directory, oldest first. One whose files do not answer in time is damaged. */
export async function readBackups(deltaDirectory: string, calls: FileCalls): Promise<ListedBackup[]> {
  const ids = await calls.wait('readdir', deltaDirectory, backupIds(deltaDirectory));
  const read = async (id: string): Promise<ListedBackup> => {
    const directory = join(deltaDirectory, id);
    try {
      const manifest = await calls.wait('read', directory, finishedManifest(directory));
      return manifest ? { state: manifest.outcome, id, directory, manifest } : { state: 'unfinished', id, directory };
    } catch (error) {
      calls.check();
      return { state: 'damaged', id, directory, reason: toPublicError(error).message };
    }
  };
  return Promise.all(ids.map(read));
}

async function finishedManifest(directory: string): Promise<Manifest | undefined> {
  return (await isPresent(join(directory, headFile))) ? loadManifest(directory) : undefined;
}

/**
 * The newest backup in a delta directory that `accepts` accepts and `read` can read. Unreadable ones are skipped and named in
 * `warnings`; their text begins with `purpose`, what the backup would have been used for.
 */
export async function newestBackup<Result>(
  deltaDirectory: string,
  {
    accepts,
    read,
    purpose,
    key,
  }: {
    readonly accepts: (manifest: Manifest) => boolean;
    readonly read: (manifest: Manifest) => Promise<Result>;
    readonly purpose: string;
    /** With a key, only signed backups are used. */
    readonly key?: KeyObject | undefined;
  },
  { check, calls }: { readonly check: () => void; readonly calls: WaitingForFiles },
): Promise<{ readonly newest: Result | undefined; readonly warnings: readonly Warning[] }> {
  const warnings: Warning[] = [];
  let newest: { readonly id: string; readonly created: string; readonly result: Result } | undefined;
  const ids = await calls.wait('readdir', deltaDirectory, backupIds(deltaDirectory));
  for (const id of ids.reverse()) {
    check();
    // Ids from the same second are in no particular order.
    if (newest && secondOf(id) !== secondOf(newest.id)) break;
    try {
      // Without a manifest it is not a finished backup: it is running, or was interrupted.
      const file = join(deltaDirectory, id, headFile);
      if (!(await calls.wait('lstat', file, isPresent(file)))) continue;
      const manifest = await calls.wait('read', file, loadManifest(join(deltaDirectory, id), key));
      if (!accepts(manifest)) continue;
      if (newest && manifest.created < newest.created) continue;
      newest = { id, created: manifest.created, result: await read(manifest) };
    } catch (error) {
      check();
      const known = toPublicError(error);
      const message = `${purpose} backup ${id}: ${known.message}`;
      warnings.push(warning('WARN_BACKUP_UNREADABLE', message, { subjects: [id], error: known }));
    }
  }
  return { newest: newest?.result, warnings };
}

/** The second in which a backup began, from its id; sorts by time. */
export function secondOf(id: string): string {
  return id.slice(0, id.indexOf('-'));
}
