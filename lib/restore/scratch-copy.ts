import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Call } from '../call/call';
import { timedateText } from '../domino/timedate';
import { RestoreError, toPublicError } from '../errors/errors';
import type { WarningCode } from '../errors/warnings';
import type { NativeBinding } from '../native/session';
import type { ExpectedContents } from '../store/contents';
import { copyExactly } from '../store/copy';
import { FileCalls, untiring } from '../store/stall';
import { fileCallsOf } from '../recover/tools';
import { journalDirectory, unfinishedName } from '../store/journals';
import type { ManifestDatabase } from '../store/manifest-format';
import { makeOwnDirectory } from '../store/safe-directory';

const removalMs = 60_000;

/** What a check works with. */
export interface ScratchTools {
  readonly binding: NativeBinding;
  readonly call: Call;
  /** Longest time for one call on a database. */
  readonly budgetMs: number;
}

/** A database in a backup. */
export interface ScratchSource {
  readonly database: ManifestDatabase;
  readonly source: string;
  /** Change information to apply; empty for none. */
  readonly delta: string;
  /** Length of the pieces of change information. */
  readonly pieceBytes: number;
  readonly contents: Pick<ExpectedContents, 'sha256'>;
}

/**
 * A directory for temporary copies, beside the journals: outside the data directory, where neither users nor replication can find
 * them. Its name contains the id of its process; if that process has died, any later work removes the directory.
 */
export async function withScratchDirectory<T>(
  backupDirectory: string,
  id: string,
  { binding, call, budgetMs }: ScratchTools,
  body: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = unfinishedName(join(journalDirectory(dirname(backupDirectory)), `${id}.scratch`));
  try {
    await fileCallsOf({ call, budgetMs }).wait('mkdir', directory, makeOwnDirectory(directory, binding));
    return await body(directory);
  } finally {
    await boundedRemoval(binding, directory).catch((thrown: unknown) => {
      const { message } = toPublicError(thrown);
      const text = `${directory} is no longer needed but could not be removed: ${message}`;
      process.emitWarning(text, { code: 'WARN_FILE_NOT_REMOVED' satisfies WarningCode });
    });
  }
}

/** Removes what was made for a check, even after an abort, but does not wait forever for a file system that does not respond. */
export function boundedRemoval(binding: NativeBinding, directory: string): Promise<void> {
  return new Call({ timeoutMs: removalMs, phase: 'end' }).race(binding.removeTree(directory));
}

/**
 * Copies a database, applies its change information to the copy, opens it (NSFDbOpen) and compares its replica id
 * (NSFDbReplicaInfoGet) with the manifest. The copy is opened outside the data directory, where nothing is logged. So a logged
 * database is not recovered, and gets another instance id, which does not matter here.
 */
export async function openScratchCopy(
  { database, source, delta, pieceBytes, contents }: ScratchSource,
  copyFile: string,
  { binding, call, budgetMs }: ScratchTools,
): Promise<void> {
  try {
    const hash = contents.sha256 === undefined ? undefined : createHash('sha256');
    const check = (): void => {
      call.check();
    };
    await copyExactly({ from: source, to: copyFile, sizeBytes: database.startSizeBytes, check, budgetMs, hash });
    if (hash && hash.digest('hex') !== contents.sha256)
      throw damaged(`${source} has a different SHA-256 from the one in the manifest`);
    if (delta !== '') {
      const applying = binding.applyChangeInfo({
        copyFile,
        deltaFile: delta,
        announcedBytes: database.announcedBytes,
        pieceBytes,
        ...(database.irregularPieces && { irregularPieces: Uint32Array.from(database.irregularPieces) }),
      });
      await call.bounded(applying, { budgetMs, operation: 'NSFBackupApplyNextChangeInfo', subject: copyFile });
    }
    const opening = binding.readIdentities({ paths: [copyFile] });
    const found = await call.bounded(opening, { budgetMs, operation: 'NSFDbOpen', subject: copyFile });
    const [failed] = found.failures;
    if (failed) throw toPublicError(failed.failure);
    const replicaId = timedateText(found.replicaId, 0);
    if (isUnknownReplicaId(replicaId)) throw unreadReplicaId(copyFile);
    if (replicaId !== database.replicaId) {
      throw damaged(`${source} has the replica id ${replicaId}, the manifest says ${database.replicaId}`);
    }
  } finally {
    // Also after an abort.
    await new FileCalls({ ...untiring, budgetMs }).wait('unlink', copyFile, rm(copyFile, { force: true }));
  }
}

/** What native code returns if NSFDbReplicaInfoGet failed. */
export const isUnknownReplicaId = (replicaId: string): boolean => /^0+$/.test(replicaId);

/** Not damage: another call may return it. */
export function unreadReplicaId(file: string): RestoreError {
  const message = `NSFDbReplicaInfoGet did not return the replica id of ${file}`;
  return new RestoreError('ERR_RESTORE_SOURCE', { message, phase: 'restore' });
}

function damaged(message: string): RestoreError {
  return new RestoreError('ERR_CONTENTS_DAMAGED', { message, phase: 'restore' });
}
