import { statfs, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BackupDatabases } from '../domino/databases';
import { requireOpenFiles } from '../domino/open-files';
import { requireFreeSpace } from '../store/copy';

/** Files that the engine opens for each shard: a database that is being copied, its copy, and its change information. */
const filesPerShard = 3;

/** What a backup will need, as far as it is known before anything is held. */
export interface NeededResources {
  readonly databases: BackupDatabases;
  /** Whether databases are opened; then all of them are open at once. */
  readonly opensDatabases: boolean;
  readonly shards: number;
  /** Directories for a copy of all databases of each volume, in the order of the volumes; empty for shadows. */
  readonly copyDirectories: readonly string[];
}

/** Refuses a backup that would run out of descriptors or space while databases are in backup mode. */
export async function requireResources(needed: NeededResources): Promise<void> {
  const { databases, opensDatabases, shards, copyDirectories } = needed;
  if (opensDatabases) await requireOpenFiles(databases.paths.length + shards * filesPerShard);
  const bytesOf = new Map<number, { readonly directory: string; bytes: number }>();
  for (const [volume, wanted] of copyDirectories.entries()) {
    const directory = await existing(wanted);
    const { dev } = await stat(directory);
    const entry = bytesOf.get(dev) ?? { directory, bytes: 0 };
    // The allocated space, not the size: holes remain holes in a copy.
    entry.bytes += databases.allocatedBytes[volume] ?? 0;
    bytesOf.set(dev, entry);
  }
  for (const { directory, bytes } of bytesOf.values()) await requireFreeSpace(directory, bytes);
}

/** The directory, or the nearest existing one above it. */
async function existing(directory: string): Promise<string> {
  const found = await statfs(directory).catch(() => undefined);
  return found || dirname(directory) === directory ? directory : existing(dirname(directory));
}
