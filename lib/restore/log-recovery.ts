import { isNativeFailure } from '../errors/errors';
import type { NativeFailure } from '../native/failure';
import { noExist } from '../domino/status';

/** How logged databases are recovered with one scan of the transaction log. */
interface LogRecovery<Database> {
  readonly fileOf: (database: Database) => string;
  /** NSFRecoverDatabases for these databases. `subject`: the file, if there is only one. */
  readonly scan: (databases: readonly Database[], files: readonly string[], subject: string) => Promise<void>;
  /** Called for databases that cannot be recovered. */
  readonly refuse: (databases: readonly Database[], error: unknown) => Promise<void> | void;
}

/**
 * One scan of the log for all databases. Those that Domino refuses are passed to `refuse`, and the others are recovered without
 * them. Returns the recovered ones.
 */
export async function recoverFromLog<Database>(
  databases: readonly Database[],
  { fileOf, scan, refuse }: LogRecovery<Database>,
): Promise<readonly Database[]> {
  let left = databases;
  while (left.length > 0) {
    const files = left.map(fileOf);
    try {
      await scan(left, files, files.length === 1 ? (files[0] ?? '') : '');
      return left;
    } catch (error) {
      const named = isNativeFailure(error) ? left.find((one) => fileOf(one) === error.subject) : undefined;
      const refused = named && isNativeFailure(error) && leavesOthersUnharmed(error) ? [named] : left;
      await refuse(refused, error);
      left = left.filter((one) => !refused.includes(one));
    }
  }
  return left;
}

/** Failures that leave the databases unharmed, so that the same recovery can be repeated without the one that failed. */
function leavesOthersUnharmed({ domain, status }: NativeFailure): boolean {
  // ERR_RM_LATE_BACKUP, ERR_RM_RECOVER_NONBACKUP, ERR_RM_FIXUP_DB, ERR_NOEXIST
  return domain === 'domino' && [0x13eb, 0x13fa, 0x13c1, noExist].includes(status);
}
