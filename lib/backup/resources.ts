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
  /** Directory for copies of all databases, made from the shadow; undefined for none. */
  readonly copiesTo?: string | undefined;
}

/** Refuses a backup that would run out of descriptors or space while databases are in backup mode. */
export async function requireResources(needed: NeededResources): Promise<void> {
  const { databases, opensDatabases, shards, copyDirectories, copiesTo } = needed;
  if (opensDatabases) await requireOpenFiles(databases.paths.length + shards * filesPerShard);
  const bytesOf = new Map<number, { readonly directory: string; bytes: number }>();
  // The allocated space, not the size: holes remain holes in a copy.
  const { allocatedBytes } = databases;
  const copies = copyDirectories.map((wanted, volume) => ({ wanted, bytes: allocatedBytes[volume] ?? 0 }));
  if (copiesTo !== undefined) {
    copies.push({ wanted: copiesTo, bytes: allocatedBytes.reduce((sum, bytes) => sum + bytes, 0) });
  }
  for (const { wanted, bytes } of copies) {
    const directory = await existing(wanted);
    const { dev } = await stat(directory);
    const entry = bytesOf.get(dev) ?? { directory, bytes: 0 };
    entry.bytes += bytes;
    bytesOf.set(dev, entry);
  }
  for (const { directory, bytes } of bytesOf.values()) await requireFreeSpace(directory, bytes);
}

/** The directory, or the nearest existing one above it. */
async function existing(directory: string): Promise<string> {
  const found = await statfs(directory).catch(() => undefined);
  return found || dirname(directory) === directory ? directory : existing(dirname(directory));
}
