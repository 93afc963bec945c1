import { statfs, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BackupDatabases } from '../domino/databases';
import { requireOpenFiles } from '../domino/open-files';
import { requireFreeSpace } from '../store/copy';

/** Files of the engine, a shard at a time: the database that is copied, its copy, and its change information. */
const filesPerShard = 3;

/** What a backup is about to need, as far as it can be known before anything is held. */
export interface NeededResources {
  readonly databases: BackupDatabases;
  /** Whether each database is opened, and all of them at once. */
  readonly opensDatabases: boolean;
  readonly shards: number;
  /** Where a copy of all databases of each volume goes, in the order of the volumes; none for shadows. */
  readonly copyDirectories: readonly string[];
}

/** Refuses a backup that would run out of descriptors or of room while databases are in backup mode. */
export async function requireResources(needed: NeededResources): Promise<void> {
  const { databases, opensDatabases, shards, copyDirectories } = needed;
  if (opensDatabases) await requireOpenFiles(databases.paths.length + shards * filesPerShard);
  const bytesOf = new Map<number, { readonly directory: string; bytes: number }>();
  for (const [volume, wanted] of copyDirectories.entries()) {
    const directory = await existing(wanted);
    const { dev } = await stat(directory);
    const entry = bytesOf.get(dev) ?? { directory, bytes: 0 };
    // What the files take now, not their sizes: holes stay holes in a copy.
    entry.bytes += databases.allocatedBytes[volume] ?? 0;
    bytesOf.set(dev, entry);
  }
  for (const { directory, bytes } of bytesOf.values()) await requireFreeSpace(directory, bytes);
}

/** The directory itself, or the nearest one above it that exists already. */
async function existing(directory: string): Promise<string> {
  const found = await statfs(directory).catch(() => undefined);
  return found || dirname(directory) === directory ? directory : existing(dirname(directory));
}
