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

/** A database as it lies in a backup. */
export interface ScratchSource {
  readonly database: ManifestDatabase;
  readonly source: string;
  /** Change information that has to be applied; empty for none. */
  readonly delta: string;
  /** Length of the pieces of change information. */
  readonly pieceBytes: number;
  readonly contents: Pick<ExpectedContents, 'sha256'>;
}

/**
 * A directory for copies that nobody needs, beside the journals: outside of the data directory, so that no user and no
 * replication meets them there. Its name says which process it belongs to; when that has died, any later work removes it.
 */
export async function withScratchDirectory<T>(
  backupDirectory: string,
  id: string,
  binding: NativeBinding,
  body: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = unfinishedName(join(journalDirectory(dirname(backupDirectory)), `${id}.scratch`));
  try {
    await makeOwnDirectory(directory, binding);
    return await body(directory);
  } finally {
    await boundedRemoval(binding, directory).catch((thrown: unknown) => {
      const { message } = toPublicError(thrown);
      const text = `${directory} is not needed any more and could not be removed: ${message}`;
      process.emitWarning(text, { code: 'WARN_FILE_NOT_REMOVED' satisfies WarningCode });
    });
  }
}

/** Removes what was made for a check, also after an interrupt. A file system that does not answer is not waited for for ever. */
export function boundedRemoval(binding: NativeBinding, directory: string): Promise<void> {
  return new Call({ timeoutMs: removalMs, phase: 'end' }).race(binding.removeTree(directory));
}

/**
 * Copies a database, applies its change information to the copy, opens that (NSFDbOpen) and compares its replica id
 * (NSFDbReplicaInfoGet) with the manifest. The copy is opened from outside of the data directory, where nothing is logged: so
 * a logged one is not recovered, and gets another instance id that nobody needs.
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
    await copyExactly({ from: source, to: copyFile, sizeBytes: database.startSizeBytes, check, hash });
    if (hash && hash.digest('hex') !== contents.sha256)
      throw damaged(`${source} has another SHA-256 than the manifest says`);
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
    if (replicaId !== database.replicaId) {
      throw damaged(`${source} has the replica id ${replicaId}, the manifest says ${database.replicaId}`);
    }
  } finally {
    await rm(copyFile, { force: true });
  }
}

function damaged(message: string): RestoreError {
  return new RestoreError('ERR_CONTENTS_DAMAGED', { message, phase: 'restore' });
}
