import { lstat, opendir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Call } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import { undefinedWhereMissing } from '../call/files';
import type { ProgressListener, ProgressReporter } from '../call/progress';
import { databaseFailureOf, decidedFailure, DominoVssError, OptionError, type DatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import { copyExactly, hashFile, requireFreeSpace, syncFile } from '../store/copy';
import { missingDirectories, syncDirectory, syncRemovals } from '../store/durable';
import { isPresent } from '../store/file-identity';
import { HashThreads, worthwhileThreads, type BlockHash } from '../store/hash-threads';
import type { ManifestDatabase } from '../store/manifest-format';
import { directoryIdentity, directoryRisk, leadsInto, makeOwnDirectory } from '../store/safe-directory';
import { FileCalls, untiring } from '../store/stall';
import { refuseVanished } from '../vss/vanished-shadow';
import { requireVss } from '../vss/call';
import { noteWarning, type BackupWork, type Capture } from './capture';
import { ServerFileCopies, type ServerFilesReport } from './server-files';
import type { Shadow } from './shadow';

/** Options of `SnapshotSet.copyDatabases`. */
export interface CopyDatabasesOptions {
  /** Absolute path of the directory for the copies; created if missing. Must not be inside the data directory. */
  readonly to: string;
  /**
   * Also copies notes.ini and the server's ID files, to the directory `server-files` below {@link to}, which only its owner can read.
   * Default: false.
   */
  readonly serverFiles?: boolean | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** The result of `SnapshotSet.copyDatabases`. */
export interface CopyReport {
  /** Directory of the copies, which have the same relative paths as in the data directory. */
  readonly directory: string;
  readonly databases: number;
  readonly bytes: number;
  /** Databases that could not be copied. */
  readonly failures: readonly DatabaseFailure[];
  /** The server's files; absent if not requested. */
  readonly serverFiles?: ServerFilesReport;
}

/** One window, the first or a later one, with its shadows. */
export interface Part {
  readonly work: BackupWork;
  readonly capture: Capture;
  readonly shadows: readonly Shadow[];
}

/** One copy to be made. */
interface CopyTask {
  readonly file: string;
  readonly call: Call;
  readonly hash: BlockHash;
  readonly onBytes: (bytes: number) => void;
}

interface CopiedDatabase {
  readonly part: Part;
  /** Index in its window. */
  readonly index: number;
  readonly describe: () => ManifestDatabase;
}

/** So many databases are copied at a time. */
const atOnce = 4;

/** Copies the databases of one backup from its shadows. */
export class DatabaseCopies {
  readonly #work: BackupWork;
  readonly #parts: readonly Part[];
  readonly #notesIni: string;
  /** The new copies, and the directories that did not exist before: they are removed if the backup fails. */
  #newCopies: { readonly to: string; readonly files: string[]; readonly directories: readonly string[] } | undefined;
  /** Identity of the directory of the copies. */
  #identity: string | undefined;

  constructor(work: BackupWork, parts: readonly Part[], notesIni: string) {
    this.#work = work;
    this.#parts = parts;
    this.#notesIni = notesIni;
  }

  /** Longest time for one call on a file, and for a copy to make no progress. */
  get #budgetMs(): number {
    return this.#work.setup.options.databaseBudgetMs;
  }

  /** Throws with nothing left, unless a removal fails. */
  async make(
    { to, serverFiles: wantsServerFiles = false }: CopyDatabasesOptions,
    call: Call,
    progress: ProgressReporter,
  ): Promise<CopyReport> {
    const all = this.#parts.flatMap((part) => {
      const { databases } = part.capture;
      return [...databases.indexes()].map((index) => ({ part, index, describe: () => databases.describe(index) }));
    });
    const totalBytes = all.reduce(
      (sum, { part, index }) => sum + (part.capture.databases.results.startSizeBytes[index] ?? 0),
      0,
    );
    const paths = all.map(({ describe }) => describe().path);
    const { dataDirectory } = this.#work.databases;
    const server = { notesIni: this.#notesIni, dataDirectory };
    const check = (): void => {
      call.check('drain');
    };
    const calls = new FileCalls({ check, budgetMs: this.#budgetMs });
    const serverFiles = wantsServerFiles
      ? await calls.wait('lstat', dataDirectory, ServerFileCopies.plan(to, server, paths))
      : undefined;
    const files = paths.map((path) => join(to, ...path.split('/')));
    await this.#noteCopies(to, [...(serverFiles?.files ?? []), ...files], calls);
    noteWarning(this.#work, await calls.wait('mkdir', to, makeTarget(to, this.#work)));
    // Holes in a file remain holes in its copy.
    const allocatedBytes = this.#work.databases.allocatedBytes.reduce((sum, bytes) => sum + bytes, 0);
    const neededBytes = Math.min(totalBytes, allocatedBytes) + (serverFiles?.sizeBytes ?? 0);
    await calls.wait('statfs', to, requireFreeSpace(to, neededBytes));
    const failures: DatabaseFailure[] = [];
    const directories = new Set([to]);
    let done = 0;
    let doneBytes = 0;
    const report = (last = false): void => {
      progress.report({ type: 'copy', done, total: all.length, doneBytes, totalBytes }, last);
    };
    const made = new Map<CopiedDatabase, string>();
    let madeServerFiles: ServerFilesReport | undefined;
    try {
      // While it is open, its identity stays the same on any file system.
      const opened = await calls.wait('opendir', to, opendir(to));
      this.#identity = await calls.wait('stat', to, directoryIdentity(to));
      const threads = new HashThreads(worthwhileThreads(all.length, totalBytes, atOnce));
      try {
        madeServerFiles = await serverFiles?.copy(this.#work.binding, { check, budgetMs: this.#budgetMs }, (file) => {
          this.#newCopies?.files.push(file);
        });
        if (madeServerFiles) directories.add(madeServerFiles.directory);
        await forEachLimited(all, atOnce, async (one) => {
          const database = one.describe();
          const file = join(to, ...database.path.split('/'));
          await this.#requireDirectory(to, calls);
          try {
            const sha256 = await this.#copyOne(one, database, {
              file,
              call,
              hash: threads.begin(),
              onBytes: (bytes) => {
                doneBytes += bytes;
                report();
              },
            });
            made.set(one, sha256);
            this.#newCopies?.files.push(file);
            for (let at = dirname(file); at.startsWith(to + sep); at = dirname(at)) directories.add(at);
          } catch (error) {
            call.check();
            await this.#refuseVanished(one, call);
            failures.push(databaseFailureOf(database.path, 'drain', error));
          }
          done += 1;
          report();
          call.check();
        });
        await this.#requireDirectory(to, calls);
        for (const one of await this.#missing(to, [...made.keys()], calls)) {
          made.delete(one);
          const text = 'its copy was removed or replaced before the copies of all databases were made';
          failures.push(decidedFailure(one.describe().path, 'ERR_COPY', 'drain', text));
        }
        for (const directory of directories) await calls.wait('fsync', directory, syncDirectory(directory));
        call.check();
      } finally {
        await threads.end();
        await calls.end(() => opened.close());
      }
    } catch (error) {
      await this.remove();
      throw error;
    }
    for (const [{ part, index, describe }, sha256] of made) {
      part.capture.databases.setCopy(index, { file: describe().path, deltaApplied: true, sha256 });
    }
    report(true);
    return {
      directory: to,
      databases: made.size,
      bytes: doneBytes,
      failures,
      ...(madeServerFiles && { serverFiles: madeServerFiles }),
    };
  }

  /** Records files and directories that do not exist yet. Existing ones are neither overwritten nor removed. */
  async #noteCopies(to: string, files: readonly string[], calls: FileCalls): Promise<void> {
    const missing: string[] = [];
    await forEachLimited(files, 4, async (file) => {
      if (!(await calls.wait('lstat', file, isPresent(file)))) missing.push(file);
    });
    const parents = missing.map((file) => dirname(file));
    const directories = await calls.wait('lstat', parents[0] ?? '', missingDirectories(parents));
    await this.#work.journal.noteCopies(missing, directories);
    this.#newCopies = { to, files: [], directories };
  }

  /**
   * Another directory may have taken the place of ours, or its file system may be gone: whatever is there then is not ours to write
   * to or to remove.
   */
  async #requireDirectory(to: string, calls: FileCalls): Promise<void> {
    if ((await calls.wait('stat', to, directoryIdentity(to))) === this.#identity) return;
    const message = `${to} is no longer the directory in which the copies were begun: it was removed or renamed, or its file system is gone`;
    throw new DominoVssError('ERR_COPY', { message });
  }

  /** The databases whose copies are not where they were made. */
  async #missing(to: string, copied: readonly CopiedDatabase[], calls: FileCalls): Promise<CopiedDatabase[]> {
    const missing: CopiedDatabase[] = [];
    await forEachLimited(copied, atOnce, async (one) => {
      const { path, startSizeBytes } = one.describe();
      const file = join(to, ...path.split('/'));
      const found = await calls.wait('lstat', file, lstat(file).catch(undefinedWhereMissing));
      if (!found?.isFile() || found.size < startSizeBytes) missing.push(one);
    });
    return missing;
  }

  /** Removes what {@link make} has made, and its directories if they contain nothing else. */
  async remove(): Promise<void> {
    if (!this.#newCopies) return;
    const { to, files, directories } = this.#newCopies;
    // Also after an abort. What remains is named in the journal.
    const calls = new FileCalls({ ...untiring, budgetMs: this.#budgetMs });
    if (files.length > 0) await this.#requireDirectory(to, calls);
    for (const file of files) await calls.wait('unlink', file, rm(file, { force: true }));
    for (const directory of [...directories].reverse()) {
      await calls.wait(
        'rmdir',
        directory,
        rmdir(directory).catch(() => undefined),
      );
    }
    await calls.wait('fsync', dirname(files[0] ?? ''), syncRemovals(files));
    this.#newCopies = undefined;
  }

  /** When the space for shadows is used up, Windows deletes volatile shadows and the oldest ones. */
  async #refuseVanished({ part, index }: CopiedDatabase, call: Call): Promise<void> {
    const shadow = part.shadows[part.work.databases.volumeIndex[index] ?? 0];
    if (this.#work.provider.vss && shadow) await refuseVanished(requireVss(this.#work.binding), shadow, call);
  }

  /**
   * Returns the SHA-256 of the finished copy. It is computed while copying, unless change information was applied: only Domino
   * knows which parts of the file that rewrites, so such a copy is read once more.
   */
  async #copyOne(
    { part: { work, capture }, index }: CopiedDatabase,
    database: ManifestDatabase,
    { file, call, hash, onBytes }: CopyTask,
  ): Promise<string> {
    const volume = work.databases.volumeIndex[index] ?? 0;
    const from = join(capture.roots[volume] ?? '', ...database.shadowPath.split('/'));
    const { startSizeBytes } = database;
    const check = (): void => {
      call.check('drain');
    };
    const isFinal = database.delta === '';
    await copyExactly({
      from,
      to: file,
      sizeBytes: startSizeBytes,
      check,
      onBytes,
      ...(isFinal && { hash }),
      budgetMs: this.#budgetMs,
    });
    try {
      const calls = new FileCalls({ check, budgetMs: this.#budgetMs });
      if (isFinal) return await calls.wait('hash', file, Promise.resolve(hash.digest()));
      const applying = this.#work.binding.applyChangeInfo({
        copyFile: file,
        deltaFile: join(this.#work.directory, database.delta),
        announcedBytes: database.announcedBytes,
        pieceBytes: capture.databases.results.pieceBytes,
        ...(database.irregularPieces && { irregularPieces: Uint32Array.from(database.irregularPieces) }),
      });
      const budgetMs = this.#budgetMs;
      await call.bounded(applying, { budgetMs, operation: 'NSFBackupApplyNextChangeInfo', subject: file });
      // Before the sync, while the pages just written are still in memory.
      const sha256 = await hashFile(file, { check, sizeBytes: startSizeBytes, budgetMs, hash });
      await syncFile(file, { check, budgetMs });
      return sha256;
    } catch (error) {
      const removal = new FileCalls({ ...untiring, budgetMs: this.#budgetMs });
      await this.#requireDirectory(this.#newCopies?.to ?? '', removal);
      await removal.wait('unlink', file, rm(file, { force: true }));
      throw error;
    }
  }
}

/**
 * Creates the directory of the copies. Uses its real path: a link may lead into the data directory, or to a place where others
 * can write. Returns a warning about a smaller risk.
 */
async function makeTarget(
  to: string,
  { binding, databases: { dataDirectory } }: Pick<BackupWork, 'binding' | 'databases'>,
): Promise<Warning | undefined> {
  if (await leadsInto(to, dataDirectory)) {
    throw new OptionError('to', `${to} leads into the data directory ${dataDirectory}: copies there would be served`);
  }
  await makeOwnDirectory(to, binding);
  const { refusal, warning } = await directoryRisk(await realpath(to), binding);
  if (refusal !== '') throw new OptionError('to', refusal);
  return warning;
}
