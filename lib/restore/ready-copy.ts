import { rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Call } from '../call/call';
import { RestoreError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { copyExactly, syncFile } from '../store/copy';
import type { BlockHash } from '../store/hash-threads';
import { undefinedWhereMissing } from '../call/files';
import { FileCalls, type FilePatience } from '../store/stall';
import { checkAdopted } from './adoption';
import type { PlannedDatabase } from './plan';

/** What making a copy needs. */
export interface CopyTools {
  readonly binding: NativeBinding;
  readonly call: Call;
  /** Longest time for one call on a database. */
  readonly budgetMs: number;
  readonly patience: FilePatience;
  readonly onBytes: (bytes: number) => void;
  /** Begins the SHA-256 of a copy. */
  readonly beginHash: () => BlockHash;
}

/**
 * Makes the complete copy of a database beside its place, and makes it durable: nothing is left to be written when it takes the
 * place.
 */
export async function makeCopyReady(planned: PlannedDatabase, tools: CopyTools): Promise<void> {
  const { database, source, temporary, delta, contents, adopt } = planned;
  const { binding, call, budgetMs, patience } = tools;
  const calls = new FileCalls(patience);
  await calls.wait('unlink', temporary, rm(temporary, { force: true }));
  const isWhole = delta === '' && !adopt;
  const hash = contents.sha256 === undefined ? undefined : tools.beginHash();
  await copyExactly({
    from: source,
    to: temporary,
    sizeBytes: database.startSizeBytes,
    ...patience,
    onBytes: tools.onBytes,
    hash,
    hasDirectory: true,
    finish: (copy) => adoptOwner(copy, planned),
    syncs: isWhole,
  });
  const sha256 = hash && (await calls.wait('hash', source, Promise.resolve(hash.digest())));
  if (sha256 !== contents.sha256) {
    const message = `${source} has a different SHA-256 from the one in the manifest`;
    throw new RestoreError('ERR_CONTENTS_DAMAGED', { message, phase: 'restore' });
  }
  if (delta !== '') {
    const applying = binding.applyChangeInfo({
      copyFile: temporary,
      deltaFile: delta,
      announcedBytes: database.announcedBytes,
      pieceBytes: planned.pieceBytes,
      ...(database.irregularPieces && { irregularPieces: Uint32Array.from(database.irregularPieces) }),
    });
    await call.bounded(applying, { budgetMs, operation: 'NSFBackupApplyNextChangeInfo', subject: temporary });
  }
  if (adopt) {
    const opening = binding.readIdentities({ paths: [temporary] });
    const bound = { budgetMs, operation: 'NSFDbOpen', subject: temporary };
    checkAdopted(temporary, database, await call.bounded(opening, bound));
  }
  if (!isWhole) await syncFile(temporary, patience);
}

/** The copy gets the owner and permissions of the file it replaces; if there is none, the owner of its directory. */
async function adoptOwner(copy: FileHandle, { file }: PlannedDatabase): Promise<void> {
  const original = await stat(file).catch(undefinedWhereMissing);
  if (original) await copy.chmod(original.mode & 0o7777);
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = original ?? (await stat(dirname(file)));
  await copy.chown(uid, gid);
}
