import { lstat, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Call } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import { syncFile } from '../store/copy';
import { HashThreads, worthwhileThreads, type BlockHash } from '../store/hash-threads';
import { makeDirectory, missingDirectories, syncDirectory } from '../store/durable';
import { identityOf, isPresent } from '../store/file-identity';
import { counted } from '../errors/counted';
import {
  databaseFailureOf,
  decidedFailure,
  isNativeFailure,
  RestoreError,
  toPublicError,
  type DatabaseFailure,
} from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { Journal } from '../store/journal';
import type { FilePatience } from '../store/stall';
import type { RestorePhase, RestoringDatabase } from '../store/journal-format';
import type { NativeBinding, NativeRecoverOptions } from '../native/session';
import type { NativeFailure, NativeRequest } from '../native/failure';
import type { Innards } from '../domino/timedate';
import type { Progress, ProgressReporter } from '../call/progress';
import { isInPlace, newReplicaIdOf, waitMsOf, type PlannedDatabase, type RestoreMode } from './plan';
import { makeCopyReady } from './ready-copy';

/** How long an abort waits for a call to return: what the call did to a database determines how that is put back. */
const interruptGraceMs = 3_000;

/** Files processed at a time: as many as Node.js has threads for files. */
const atOnce = 4;

/** ERR_NOEXIST: the database to be replaced does not exist. */
const noExist = 0x0103;
/** ERR_DBOFFLINE: already offline. */
const alreadyOffline = 0x13f9;

/** A database that is being restored, and how far the restore is: this determines what has to be put back. */
class Replacement {
  offline = false;
  originalKept = false;
  placed = false;
  /** A call on it has not returned. It is not known what the call will still do, so the database is not touched any more. */
  hangs = false;
  /** How far the restore was when it was abandoned. */
  phase: RestorePhase | undefined;
  /** Its entry in the journal, once the copy is ready. */
  journaled: RestoringDatabase | undefined;

  constructor(readonly planned: PlannedDatabase) {}
}

type LogArchive = Pick<NativeRecoverOptions, 'extents' | 'logArchives'>;

/** Executes a plan. Whatever fails, every database is afterwards either restored or as it was before. */
export class Restoration {
  readonly #failures: DatabaseFailure[] = [];
  #replacements: Replacement[] = [];
  /** Databases that could not be put back; the journal keeps naming them. */
  readonly #abandoned: Replacement[] = [];
  /** Files that are no longer needed but could not be removed. */
  readonly #unremoved: string[] = [];
  readonly #warnings: Warning[] = [];
  /** Places of all databases, including those that failed. */
  #files: readonly string[] = [];
  #doneBytes = 0;
  #copied = 0;
  #hasBegun = false;
  #phase: RestorePhase = 'replacing';
  #lastApplied: Innards = [0, 0];
  /** Files that an interrupted restore left offline, in an unknown state. */
  #leftOffline: ReadonlySet<string> = new Set();

  constructor(
    private readonly binding: NativeBinding,
    private readonly journal: Journal,
    private readonly mode: RestoreMode,
    private readonly pointInTime: Innards | undefined,
    /** Longest time for one call on a database. */
    private readonly budgetMs: number,
    private readonly call: Call,
    private readonly progress: ProgressReporter,
  ) {}

  /** Whether this object is now responsible for its journal. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Problems that did not change the outcome for any database. */
  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** Time of the last transaction that was applied to any database; zeros if there was none. */
  get lastApplied(): Innards {
    return this.#lastApplied;
  }

  /** These databases need not be taken offline, and go online only if they are restored. */
  expectOffline(files: ReadonlySet<string>): void {
    this.#leftOffline = files;
  }

  /** `archive`: of the transaction log, for extents that a recovery may request. */
  async run(
    databases: readonly PlannedDatabase[],
    archive?: LogArchive,
  ): Promise<{ readonly done: PlannedDatabase[]; readonly failures: readonly DatabaseFailure[] }> {
    this.#hasBegun = true;
    this.#replacements = databases.map((planned) => new Replacement(planned));
    try {
      const totalBytes = databases.reduce((sum, { database }) => sum + database.startSizeBytes, 0);
      // Copies take hours and much space, so they are named on disk before the first one is made.
      await this.journal.update({
        temporaryFiles: databases.map(({ temporary }) => temporary),
        newDirectories: await missingDirectories(databases.map(({ file }) => dirname(file))),
      });
      this.#files = databases.map(({ file }) => file);
      for (const directory of this.#byDirectory(this.#replacements).keys()) await makeDirectory(directory);
      await this.#prepareAll(totalBytes);
      await this.journal.update({ restoring: this.#journaled(this.#replacements) });
      await this.#replaceAll();
      this.call.check();
      // From here on, a copy that has changed since it was placed was changed by recovery, not by a user.
      if (this.#logged.length > 0) await this.#enter('recovering');
    } catch (error) {
      await this.#putBackAll(this.#replacements);
      await this.#finishJournal();
      throw this.#abandoned.length === 0 ? error : this.#notPutBack(error);
    }
    // From here on, an abort has almost no effect: it is cheaper to finish a recovery than to roll it back.
    await this.#recover(archive);
    await this.#beginFinishing();
    await this.#bringOnline();
    await this.#finishJournal();
    return { done: this.#replacements.map(({ planned }) => planned), failures: this.#failures };
  }

  /** For calls to the file system, which may hang like those to Domino. */
  get #patience(): FilePatience {
    return {
      check: () => {
        this.call.check();
      },
      budgetMs: this.budgetMs,
    };
  }

  /** Runs a step for each database. A database whose step fails is put back; the others continue. */
  async #eachDatabase(step: (replacement: Replacement, done: number) => Promise<void>, limit = 1): Promise<void> {
    await forEachLimited([...this.#replacements].entries(), limit, async ([done, replacement]) => {
      this.call.check();
      try {
        await step(replacement, done);
      } catch (error) {
        this.call.check();
        await this.#fail([replacement], error);
      }
    });
  }

  async #prepareAll(totalBytes: number): Promise<void> {
    const threads = new HashThreads(worthwhileThreads(this.#replacements.length, totalBytes, atOnce));
    try {
      const beginHash = (): BlockHash => threads.begin();
      await this.#eachDatabase((replacement) => this.#prepare(replacement, totalBytes, beginHash), atOnce);
    } finally {
      await threads.end();
    }
  }

  /** Prepares the copy beside its place, while the original is still in use. */
  async #prepare(replacement: Replacement, totalBytes: number, beginHash: () => BlockHash): Promise<void> {
    const { planned } = replacement;
    const { binding, call, budgetMs } = this;
    const onBytes = (bytes: number): void => {
      this.#doneBytes += bytes;
      const total = this.#replacements.length;
      this.progress.report({ type: 'copy', done: this.#copied, total, doneBytes: this.#doneBytes, totalBytes });
    };
    await makeCopyReady(planned, { binding, call, budgetMs, patience: this.#patience, onBytes, beginHash });
    this.#copied += 1;
    const { file, original, temporary } = planned;
    replacement.journaled = {
      file,
      original: !isInPlace(this.mode) ? '' : original,
      temporary,
      offline: this.mode.type === 'online',
      hadOriginal: await isPresent(file),
      copy: await identityOf(temporary),
    };
  }

  /** Moves the originals away and the copies into their places. This is quick. */
  async #replaceAll(): Promise<void> {
    if (isInPlace(this.mode)) {
      await this.#eachDatabase((replacement, done) => this.#keepOriginal(replacement, done));
      // A file system may write two renames in any order; with only the second one on disk, the original would have no name.
      await this.#syncDirectoriesOf(this.#replacements.filter(({ originalKept }) => originalKept));
    }
    await this.#eachDatabase(async (replacement, done) => {
      const { file, temporary, path } = replacement.planned;
      this.#report('place', path, done);
      await rename(temporary, file);
      replacement.placed = true;
    });
    await this.#syncDirectoriesOf(this.#replacements);
  }

  async #keepOriginal(replacement: Replacement, done: number): Promise<void> {
    const { file, original, path } = replacement.planned;
    if (this.mode.type === 'online') {
      this.#report('offline', path, done);
      replacement.offline = await this.#takeOffline(replacement, waitMsOf(this.mode));
    }
    replacement.originalKept = await renameIfThere(file, original);
  }

  #byDirectory(replacements: readonly Replacement[]): Map<string, Replacement[]> {
    const byDirectory = new Map<string, Replacement[]>();
    for (const replacement of replacements) {
      const directory = dirname(replacement.planned.file);
      const others = byDirectory.get(directory);
      if (others) others.push(replacement);
      else byDirectory.set(directory, [replacement]);
    }
    return byDirectory;
  }

  /** Makes the renames durable, with one sync for each directory. */
  async #syncDirectoriesOf(replacements: readonly Replacement[]): Promise<void> {
    for (const [directory, concerned] of this.#byDirectory(replacements)) {
      try {
        await syncDirectory(directory);
      } catch (error) {
        await this.#fail(concerned, error);
      }
    }
  }

  /** A database that does not exist cannot and need not be taken offline. */
  async #takeOffline(replacement: Replacement, waitMs: number): Promise<boolean> {
    const { file } = replacement.planned;
    try {
      const budgetMs = waitMs + this.budgetMs;
      const bound = { budgetMs, graceMs: interruptGraceMs, operation: 'NSFTakeDatabaseOffline', subject: file };
      await this.#watched([replacement], this.binding.takeDatabaseOffline({ file, waitMs }), (request) =>
        this.call.bounded(request, bound),
      );
      return true;
    } catch (error) {
      const isLeftOffline = isNativeFailure(error) && error.domain === 'domino' && error.status === alreadyOffline;
      if (isLeftOffline && this.#leftOffline.has(file)) return true;
      const isSaidToBeGone = isNativeFailure(error) && error.domain === 'domino' && error.status === noExist;
      // The same status is returned if a volume or a link is temporarily not accessible.
      if (isSaidToBeGone && (await isGone(file))) return false;
      throw error;
    }
  }

  /** Marks the databases as hanging if a call has not returned when the wait for it ends. */
  async #watched<T>(
    replacements: readonly Replacement[],
    request: NativeRequest<T>,
    wait: (request: NativeRequest<T>) => Promise<T>,
  ): Promise<T> {
    const seen = { returned: false };
    const noteReturn = (): void => {
      seen.returned = true;
    };
    // Registered first, so it runs before the waiting code continues.
    request.then(noteReturn, noteReturn);
    try {
      return await wait(request);
    } catch (error) {
      if (!seen.returned) for (const replacement of replacements) replacement.hangs = true;
      throw error;
    }
  }

  /** Databases that are recovered from the log. */
  get #logged(): readonly Replacement[] {
    return this.#replacements.filter(({ planned }) => planned.recover);
  }

  /** From here on, a clean-up by another process must not remove a database that users may be writing to. */
  async #beginFinishing(): Promise<void> {
    try {
      await this.#syncRecovered();
      await this.#enter('finishing');
    } catch (error) {
      await this.#fail(this.#replacements, error);
    }
  }

  /** The originals are removed next, and it is not documented that Domino has flushed what it wrote. */
  async #syncRecovered(): Promise<void> {
    await forEachLimited(this.#logged, atOnce, async ({ planned }) => {
      await syncFile(planned.file).catch((error: unknown) => {
        // Windows cannot open a file that Domino uses exclusively; then Domino has to flush it.
        if (process.platform !== 'win32') throw error;
      });
    });
  }

  /** Abandoned databases keep the phase they had. */
  async #enter(phase: RestorePhase): Promise<void> {
    const restoring = this.#journaled([...this.#replacements, ...this.#abandoned]);
    await this.journal.update({ restorePhase: phase, restoring });
    this.#phase = phase;
  }

  /** One scan of the log for all. A database that Domino refuses is put back, and the others are recovered without it. */
  async #recover(archive: LogArchive | undefined): Promise<void> {
    for (;;) {
      const logged = this.#logged;
      if (logged.length === 0) return;
      const files = logged.map(({ planned }) => planned.file);
      this.#report('recover', logged.length === 1 ? (logged[0]?.planned.path ?? '') : '', 0);
      try {
        const newDbiid = this.mode.type === 'new-database';
        const newReplicaId = newReplicaIdOf(this.mode);
        const options = { files, newDbiid, newReplicaId, pointInTime: this.pointInTime, ...archive };
        const subject = files.length === 1 ? (files[0] ?? '') : '';
        const bound = { budgetMs: this.budgetMs, operation: 'NSFRecoverDatabases', subject };
        const { lastApplied } = await this.#watched(logged, this.binding.recoverDatabases(options), (request) =>
          this.call.finish(request, bound),
        );
        this.#lastApplied = lastApplied;
        return;
      } catch (error) {
        const refused = isNativeFailure(error) && logged.find(({ planned }) => planned.file === error.subject);
        await this.#fail(refused && leavesOthersUnharmed(error) ? [refused] : logged, error);
      }
    }
  }

  async #bringOnline(): Promise<void> {
    const unneeded: string[] = [];
    for (const [done, replacement] of [...this.#replacements].entries()) {
      const { original, path } = replacement.planned;
      try {
        if (replacement.offline) {
          this.#report('online', path, done);
          await this.#bringOneOnline(replacement);
        }
      } catch (error) {
        await this.#fail([replacement], error);
        continue;
      }
      // Users may be writing to the restored database by now: from here on it is never removed.
      if (replacement.originalKept) unneeded.push(original);
    }
    await forEachLimited(unneeded, atOnce, (original) => this.#removeUnneeded(original));
  }

  /** Cannot be interrupted, but has a time limit. */
  async #bringOneOnline(replacement: Replacement): Promise<void> {
    const { file } = replacement.planned;
    const bound = { budgetMs: this.budgetMs, operation: 'NSFBringDatabaseOnline', subject: file };
    const patient = new Call({ timeoutMs: 2 * this.budgetMs, phase: 'restore' });
    await this.#watched([replacement], this.binding.bringDatabaseOnline({ file }), (request) =>
      patient.bounded(request, bound),
    );
    replacement.offline = false;
  }

  /** For a file that is no longer needed: if it cannot be removed, the result is still valid. */
  async #removeUnneeded(file: string): Promise<void> {
    try {
      await rm(file, { force: true });
    } catch (error) {
      this.#unremoved.push(file);
      const known = toPublicError(error);
      const message = `${file} is no longer needed but could not be removed: ${known.message}`;
      this.#warnings.push(warning('WARN_FILE_NOT_REMOVED', message, { subjects: [file], error: known }));
    }
  }

  #report(step: Extract<Progress, { readonly type: 'restore' }>['step'], database: string, done: number): void {
    const total = this.#replacements.length;
    // A recovery takes long, and reports no other progress.
    this.progress.report({ type: 'restore', step, database, done, total }, step === 'recover');
  }

  async #fail(replacements: readonly Replacement[], error: unknown): Promise<void> {
    for (const { planned } of replacements) {
      this.#failures.push(databaseFailureOf(planned.database.path, 'restore', error));
    }
    await this.#putBackAll(replacements);
    this.#replacements = this.#replacements.filter((replacement) => !replacements.includes(replacement));
  }

  async #putBackAll(replacements: readonly Replacement[]): Promise<void> {
    for (const replacement of replacements) {
      try {
        await this.#putBack(replacement);
      } catch (error) {
        replacement.phase = this.#phase;
        this.#abandoned.push(replacement);
        const { database, file, original } = replacement.planned;
        const { text } = databaseFailureOf(database.path, 'restore', error);
        const where = replacement.originalKept ? `its original is ${original}` : `its file is ${file}`;
        const offline = replacement.hangs
          ? ', and it may be offline'
          : replacement.offline
            ? ', and it is offline'
            : '';
        const what = `could not be put back, ${where}${offline}: ${text}`;
        this.#failures.push(decidedFailure(database.path, 'ERR_RESTORE_NOT_PUT_BACK', 'restore', what));
      }
    }
  }

  async #putBack(replacement: Replacement): Promise<void> {
    const { file, original, temporary } = replacement.planned;
    if (replacement.hangs) {
      const message = 'a call on it has not returned; run recover when this process has ended';
      throw new RestoreError('ERR_RESTORE_NOT_PUT_BACK', { message, phase: 'restore' });
    }
    // If there is an original, the rename replaces the copy in one step: there is never nothing in its place.
    if (replacement.originalKept) await rename(original, file);
    else if (replacement.placed) await rm(file, { force: true });
    replacement.originalKept = false;
    replacement.placed = false;
    if (replacement.offline && !this.#leftOffline.has(file)) await this.#bringOneOnline(replacement);
    await this.#removeUnneeded(temporary);
  }

  #notPutBack(cause: unknown): RestoreError {
    const failures = this.#failures.filter(({ code }) => code === 'ERR_RESTORE_NOT_PUT_BACK');
    const ended = toPublicError(cause).message;
    const message = `could not put back ${counted(failures.length, 'database')}: ${failures[0]?.text ?? ''} (the restore had ended: ${ended})`;
    return new RestoreError('ERR_RESTORE_NOT_PUT_BACK', { message, phase: 'restore', cause }, failures);
  }

  #journaled(replacements: readonly Replacement[]): RestoringDatabase[] {
    return replacements.flatMap(({ journaled, phase }) => (journaled ? { ...journaled, ...(phase && { phase }) } : []));
  }

  /** No longer affects the result for any database. */
  async #finishJournal(): Promise<void> {
    const restoring = this.#journaled(this.#abandoned);
    // A clean-up of an abandoned database also removes its copy, which may still be beside it.
    const copies = this.#abandoned.filter(({ placed }) => !placed).map(({ planned }) => planned.temporary);
    const temporaryFiles = [...this.#unremoved, ...copies];
    try {
      if (restoring.length + temporaryFiles.length === 0) await this.journal.remove(this.#files);
      else await this.journal.end({ restoring, temporaryFiles }, this.#files);
    } catch (error) {
      const known = toPublicError(error);
      const message = `the journal of the restore could not be finished: ${known.message}`;
      this.#warnings.push(warning('WARN_JOURNAL_NOT_FINISHED', message, { error: known }));
    }
  }
}

/** Failures that leave the databases unharmed, so that the same recovery can be repeated without the one that failed. */
export function leavesOthersUnharmed({ domain, status }: NativeFailure): boolean {
  // ERR_RM_LATE_BACKUP, ERR_RM_RECOVER_NONBACKUP, ERR_RM_FIXUP_DB, ERR_NOEXIST
  return domain === 'domino' && [0x13eb, 0x13fa, 0x13c1, noExist].includes(status);
}

async function isGone(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
