import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { undefinedWhereMissing } from '../call/files';
import type { BackupDatabases } from '../domino/databases';
import { fileOnVolume } from './continuity';
import { shadowPath } from './shadow-plan';
import type { WaitingForFiles } from '../store/durable';

/** Databases, by their indexes, that have gone or got another file. */
export interface ChangedIndexes {
  readonly vanishedIndexes: readonly number[];
  readonly replacedIndexes: readonly number[];
}

/**
 * The snapshot of a volume contains whatever had the name of a database at that moment. If a database was deleted or replaced
 * between its NSFDbOpen and the snapshot, Domino still has the old file open and knows nothing of it. `after` is what had changed
 * after the snapshot; returned is what had changed before it, or may have, if the snapshot cannot be read from here.
 */
export async function changedBeforeSnapshot(
  after: ChangedIndexes,
  databases: BackupDatabases,
  roots: readonly string[],
  calls: WaitingForFiles,
): Promise<ChangedIndexes> {
  const numberInSnapshot = async (index: number): Promise<string | undefined> => {
    const file = join(roots[databases.volumeIndex[index] ?? 0] ?? '', ...shadowPath(databases, index).split('/'));
    const found = await calls.wait('stat', file, stat(file, { bigint: true }).catch(undefinedWhereMissing));
    return found && String(found.ino);
  };
  const vanishedIndexes: number[] = [];
  const replacedIndexes: number[] = [];
  for (const index of [...after.vanishedIndexes, ...after.replacedIndexes]) {
    const isReadable = (roots[databases.volumeIndex[index] ?? 0] ?? '') !== '';
    const found = isReadable ? await numberInSnapshot(index) : 'unknown';
    // A snapshot keeps the numbers of files.
    if (found === fileOnVolume(databases.fileIds[index] ?? '')) continue;
    if (found === undefined) vanishedIndexes.push(index);
    // One that was deleted is more likely to be in a snapshot that cannot be read than not.
    else if (isReadable || after.replacedIndexes.includes(index)) replacedIndexes.push(index);
  }
  return { vanishedIndexes, replacedIndexes };
}
