import { createHash } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { publicCall } from '../call/call';
import { absolutePath } from '../call/options';
import { databaseFailureOf, decidedFailure, RestoreError, type DatabaseFailure } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { whyUnreadable } from '../store/contents';
import { copyExactly, hashFile } from '../store/copy';
import { syncDirectory } from '../store/durable';
import type { Manifest } from '../store/manifest';
import type { ManifestServerFiles } from '../store/manifest-format';
import { FileCalls, type FilePatience } from '../store/stall';
import { makeNewDirectory } from './new-directory';
import { openBackup, type OneBackupOptions } from './one-backup';

/** The result of `verifyBackup` for a copy of notes.ini or an ID file. */
export interface VerifiedServerFile {
  readonly what: 'notes.ini' | 'ID file';
  /** The path from which it was copied. */
  readonly path: string;
  readonly result: 'verified' | 'damaged';
  /** What is wrong with it; empty if nothing is. */
  readonly failures: readonly DatabaseFailure[];
}

/** Options of `extractServerFiles`. */
export interface ExtractServerFilesOptions extends OneBackupOptions {
  /** Absolute path of a directory that is new or empty. Must not be inside a data directory. */
  readonly to: string;
  /** Absolute directory of the copies, if they are not where the manifest says. */
  readonly copiesDirectory?: string | undefined;
  /** Default: 10 minutes. */
  readonly timeoutMs?: number | undefined;
}

/** The result of `extractServerFiles`. */
export interface ExtractServerFilesReport {
  readonly backupId: string;
  /** `partial` if a file is damaged or could not be copied. */
  readonly outcome: 'complete' | 'partial';
  readonly directory: string;
  readonly files: readonly {
    readonly what: 'notes.ini' | 'ID file';
    /** Absolute path in {@link directory}. */
    readonly file: string;
    /** Its path on the server. */
    readonly path: string;
  }[];
  /** `database` is the path that the file had on the server. */
  readonly failures: readonly DatabaseFailure[];
}

/** Compares the copies of notes.ini and the ID files with the manifest. */
export async function verifyServerFiles(
  head: Manifest,
  copiesDirectory: string | undefined,
  patience: FilePatience,
): Promise<VerifiedServerFile[]> {
  const directory = copiesDirectory ?? head.copies?.directory;
  const verified: VerifiedServerFile[] = [];
  for (const entry of head.serverFiles?.files ?? []) {
    const { what, path } = entry;
    const failure = await examine(directory, entry, patience);
    verified.push({ what, path, result: failure ? 'damaged' : 'verified', failures: failure ? [failure] : [] });
  }
  return verified;
}

async function examine(
  directory: string | undefined,
  { path, file, sizeBytes, sha256 }: ManifestServerFiles['files'][number],
  patience: FilePatience,
): Promise<DatabaseFailure | undefined> {
  const { check, budgetMs } = patience;
  if (directory === undefined) return decidedFailure(path, 'ERR_RESTORE_SOURCE', 'restore', 'no copies were made');
  const copy = join(directory, file);
  try {
    check();
    const { size } = await new FileCalls(patience).wait('stat', copy, stat(copy));
    if (size === sizeBytes && (await hashFile(copy, { check, budgetMs })) === sha256) return undefined;
    return decidedFailure(path, 'ERR_CONTENTS_DAMAGED', 'restore', damage(copy));
  } catch (error) {
    check();
    return databaseFailureOf(path, 'restore', error, { code: 'ERR_RESTORE_SOURCE', text: whyUnreadable(copy, error) });
  }
}

const damage = (copy: string): string => `${copy} has another size or SHA-256 than the manifest says`;

export function extractServerFiles(
  loadBinding: () => NativeBinding,
  options: ExtractServerFilesOptions,
): Promise<ExtractServerFilesReport> {
  return publicCall(async () => {
    const { head, call } = await openBackup(options, {
      required: { to: absolutePath },
      optional: { copiesDirectory: absolutePath },
      usualTimeoutMs: 600_000,
    });
    const { to } = options;
    const check = (): void => {
      call.check();
    };
    const directory = options.copiesDirectory ?? head.copies?.directory;
    const entries = head.serverFiles?.files ?? [];
    if (entries.length === 0 || directory === undefined) {
      const message = `the backup ${head.id} has no copies of notes.ini and ID files: it was not asked for them (serverFiles, --server-files)`;
      throw new RestoreError('ERR_RESTORE_SOURCE', { message, phase: 'restore' });
    }
    await makeNewDirectory({
      directory: to,
      option: 'to',
      dataDirectories: [head.dataDirectory],
      binding: loadBinding(),
      call,
    });
    const files: ExtractServerFilesReport['files'][number][] = [];
    const failures: DatabaseFailure[] = [];
    for (const entry of entries) {
      check();
      const { what, path } = entry;
      // Only a name, so that no path in a manifest can lead out of the directory.
      const file = join(to, basename(entry.file));
      try {
        const copy = join(directory, entry.file);
        if (await copyVerified(copy, file, entry, check)) files.push({ what, file, path });
        else failures.push(decidedFailure(path, 'ERR_CONTENTS_DAMAGED', 'restore', damage(copy)));
      } catch (error) {
        check();
        failures.push(databaseFailureOf(path, 'restore', error));
      }
    }
    await new FileCalls({ check }).wait('fsync', to, syncDirectory(to));
    const outcome = failures.length > 0 ? 'partial' : 'complete';
    return { backupId: head.id, outcome, directory: to, files, failures };
  });
}

/**
 * Copies under a temporary name until the copy is complete. Returns whether the contents are those of the backup; if not, there
 * is no copy.
 */
async function copyVerified(
  copy: string,
  file: string,
  { sizeBytes, sha256 }: ManifestServerFiles['files'][number],
  check: () => void,
): Promise<boolean> {
  const unfinished = `${file}.unfinished`;
  const calls = new FileCalls({ check });
  const { size } = await calls.wait('stat', copy, stat(copy));
  if (size !== sizeBytes) return false;
  const hash = createHash('sha256');
  await copyExactly({ from: copy, to: unfinished, sizeBytes, check, hash, hasDirectory: true });
  if (hash.digest('hex') === sha256) {
    await calls.wait('rename', file, rename(unfinished, file));
    return true;
  }
  await calls.wait('unlink', unfinished, rm(unfinished));
  return false;
}
