import { RestoreError, toPublicError } from '../errors/errors';
import type { NativeIdentities } from '../native/session';
import type { ManifestDatabase } from '../store/manifest-format';
import { identityAt } from '../domino/identities';

/**
 * Checks a copy of a database of another transaction log after it was opened (NSFDbOpen, NSFDbGetLogInfo) inside the data
 * directory. The server adds such a copy to its own log under a new instance id, and the copy keeps its state at the backup.
 * NSFRecoverDatabases would refuse it (ERR_RM_FIXUP_DB).
 */
export function checkAdopted(copy: string, database: ManifestDatabase, found: NativeIdentities): void {
  const [failed] = found.failures;
  if (failed) throw toPublicError(failed.failure);
  const { replicaId, logId, dbiid } = identityAt(found, 0);
  if (replicaId !== database.replicaId) {
    const message = `${copy} has the replica id ${replicaId}, the manifest says ${database.replicaId}`;
    throw new RestoreError('ERR_CONTENTS_DAMAGED', { message, phase: 'restore' });
  }
  // Two databases with the same instance id in one log would receive each other's changes.
  if (logId !== '' && (logId === database.logId || dbiid === database.dbiid)) {
    const message = `${copy} was opened but kept the instance id ${dbiid} of the transaction log ${logId}`;
    throw new RestoreError('ERR_RESTORE_LOG', { message, phase: 'restore' });
  }
}
