import { rename } from 'node:fs/promises';
import type { Call } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import { syncFile } from '../store/copy';
import { HashThreads, worthwhileThreads, type BlockHash } from '../store/hash-threads';
import { makeDirectory, syncDirectory } from '../store/durable';
import { identityOf, isPresent } from '../store/file-identity';
import { counted } from '../errors/counted';
import { databaseFailureOf, RestoreError, toPublicError, type DatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { Journal } from '../store/journal';
import { FileCalls, outcomeGraceMs, untiring, type FilePatience } from '../store/stall';
import { hasUnreturned } from '../call/unreturned-calls';
import type { RestorePhase } from '../store/journal-format';
import type { NativeBinding, NativeRecoverOptions } from '../native/session';
import type { Innards } from '../domino/timedate';
import type { Progress, ProgressReporter } from '../call/progress';
import { recoverFromLog } from './log-recovery';
import { OfflineDatabases } from './offline';
import { isInPlace, newReplicaIdOf, waitMsOf, type RestoreMode } from './mode';
import type { PlannedDatabase } from './plan';
import { makeCopyReady } from './ready-copy';
import { byDirectory, Replacement, watched } from './replacement';
import { RestoreJournal } from './restore-journal';
import { RollBack } from './roll-back';
import { UnneededFiles } from './unneeded-files';

/** Files processed at a time: as many as Node.js has threads for files. */
const atOnce = 4;

type LogArchive = Pick<NativeRecoverOptions, 'extents' | 'logArchives'>;

/** Executes a plan. Whatever fails, every database is afterwards either restored or as it was before. */
export class Restoration {
  readonly #failures: DatabaseFailure[] = [];
  readonly #journal: RestoreJournal;
  readonly #offline: OfflineDatabases;
  readonly #calls: FileCalls;
  readonly #unneeded: UnneededFiles;
  readonly #rollBack: RollBack;
  #planned: readonly PlannedDatabase[] = [];
  #replacements: Replacement[] = [];
  #doneBytes = 0;
  #copied = 0;
  #hasBegun = false;
  #lastApplied: Innards = [0, 0];

  constructor(
    private readonly binding: NativeBinding,
    journal: Journal,
    private readonly mode: RestoreMode,
    private readonly pointInTime: Innards | undefined,
    /** Longest time for one call on a database. */
    private readonly budgetMs: number,
    private readonly call: Call,
    private readonly progress: ProgressReporter,
  ) {
    this.#journal = new RestoreJournal(journal);
    this.#calls = new FileCalls(this.#forOutcomes);
    this.#offline = new OfflineDatabases(binding, call, budgetMs, this.#calls);
    this.#unneeded = new UnneededFiles(this.#calls);
    this.#rollBack = new RollBack(this.#offline, this.#unneeded, this.#calls);
  }

  /** Whether this object is now responsible for its journal. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Problems that did not change the outcome for any database. */
  get warnings(): readonly Warning[] {
    return [...this.#unneeded.warnings, ...this.#journal.warnings];
  }

  /** Time of the last transaction that was applied to any database; zeros if there was none. */
  get lastApplied(): Innards {
    return this.#lastApplied;
  }

  /** These databases need not be taken offline, and go online only if they are restored. */
  expectOffline(files: ReadonlySet<string>): void {
    this.#offline.expect(files);
  }

  /** `archive`: of the transaction log, for extents that a recovery may request. */
  async run(
    databases: readonly PlannedDatabase[],
    archive?: LogArchive,
  ): Promise<{ readonly done: PlannedDatabase[]; readonly failures: readonly DatabaseFailure[] }> {
    this.#hasBegun = true;
    this.#planned = databases;
    this.#replacements = databases.map((planned) => new Replacement(planned));
    try {
      const totalBytes = databases.reduce((sum, { database }) => sum + database.startSizeBytes, 0);
      await this.#journal.begin(databases, this.#calls);
      await this.#eachDirectory(this.#replacements, 'mkdir', makeDirectory);
      await this.#prepareAll(totalBytes);
      await this.#journal.nameRestoring(this.#replacements);
      await this.#replaceAll();
      this.call.check();
      // From here on, a copy that has changed since it was placed was changed by recovery, not by a user.
      if (this.#logged.length > 0) await this.#enter('recovering');
    } catch (error) {
      await this.#putBack(this.#replacements);
      await this.#finishJournal();
      throw this.#rollBack.abandoned.length === 0 ? error : this.#notPutBack(error);
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

  /** For calls whose outcome must be known. */
  get #forOutcomes(): FilePatience {
    return { ...this.#patience, graceMs: outcomeGraceMs };
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
      hadOriginal: await this.#calls.wait('lstat', file, isPresent(file)),
      copy: await this.#calls.wait('lstat', temporary, identityOf(temporary)),
    };
  }

  /** Moves the originals away and the copies into their places. This is quick. */
  async #replaceAll(): Promise<void> {
    if (isInPlace(this.mode)) {
      await this.#eachDatabase((replacement, done) => this.#keepOriginal(replacement, done));
      // A file system may write two renames in any order; with only the second one on disk, the original would have no name.
      const moved = this.#replacements.filter(({ originalKept }) => originalKept);
      await this.#eachDirectory(moved, 'fsync', syncDirectory);
    }
    await this.#eachDatabase(async (replacement, done) => {
      const { file, temporary, path } = replacement.planned;
      this.#report('place', path, done);
      await watched([replacement], rename(temporary, file), (placing) =>
        this.#calls.wait('rename', temporary, placing),
      );
      replacement.placed = true;
    });
    await this.#eachDirectory(this.#replacements, 'fsync', syncDirectory);
  }

  async #keepOriginal(replacement: Replacement, done: number): Promise<void> {
    const { file, original, path } = replacement.planned;
    if (this.mode.type === 'online') {
      this.#report('offline', path, done);
      await this.#offline.take(replacement, waitMsOf(this.mode));
    }
    replacement.originalKept = await watched([replacement], renameIfThere(file, original), (moving) =>
      this.#calls.wait('rename', file, moving),
    );
  }

  /** Creates the directories of databases, or makes renames durable with one sync for each. */
  async #eachDirectory(
    replacements: readonly Replacement[],
    operation: 'mkdir' | 'fsync',
    step: (directory: string) => Promise<void>,
  ): Promise<void> {
    for (const [directory, concerned] of byDirectory(replacements)) {
      try {
        await this.#calls.wait(operation, directory, step(directory));
      } catch (error) {
        this.call.check();
        await this.#fail(concerned, error);
      }
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
    await forEachLimited(this.#logged, atOnce, async (replacement) => {
      await syncFile(replacement.planned.file, this.#forOutcomes).catch((error: unknown) => {
        // Windows cannot open a file that Domino uses exclusively; then Domino has to flush it.
        if (process.platform !== 'win32') return this.#fail([replacement], error);
        return undefined;
      });
    });
  }

  async #recover(archive: LogArchive | undefined): Promise<void> {
    const newDbiid = this.mode.type === 'new-database';
    const settings = { newDbiid, newReplicaId: newReplicaIdOf(this.mode), pointInTime: this.pointInTime, ...archive };
    await recoverFromLog(this.#logged, {
      fileOf: ({ planned }) => planned.file,
      scan: async (logged, files, subject) => {
        this.#report('recover', logged.length === 1 ? (logged[0]?.planned.path ?? '') : '', 0);
        const bound = { budgetMs: this.budgetMs, operation: 'NSFRecoverDatabases', subject };
        const recovering = this.binding.recoverDatabases({ files, ...settings });
        const { lastApplied } = await watched(logged, recovering, (request) => this.call.finish(request, bound));
        this.#lastApplied = lastApplied;
      },
      refuse: (refused, error) => this.#fail(refused, error),
    });
  }

  async #bringOnline(): Promise<void> {
    const unneeded: string[] = [];
    for (const [done, replacement] of [...this.#replacements].entries()) {
      const { original, path } = replacement.planned;
      try {
        if (replacement.offline) {
          this.#report('online', path, done);
          await this.#offline.bringOnline(replacement);
        }
      } catch (error) {
        await this.#fail([replacement], error);
        continue;
      }
      // Users may be writing to the restored database by now: from here on it is never removed.
      if (replacement.originalKept) unneeded.push(original);
    }
    await forEachLimited(unneeded, atOnce, (original) => this.#unneeded.remove(original));
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
    await this.#putBack(replacements);
    this.#replacements = this.#replacements.filter((replacement) => !replacements.includes(replacement));
  }

  async #putBack(replacements: readonly Replacement[]): Promise<void> {
    this.#failures.push(...(await this.#rollBack.putBackAll(replacements, this.#journal.phase)));
  }

  #notPutBack(cause: unknown): RestoreError {
    const failures = this.#failures.filter(({ code }) => code === 'ERR_RESTORE_NOT_PUT_BACK');
    const ended = toPublicError(cause).message;
    const message = `could not put back ${counted(failures.length, 'database')}: ${failures[0]?.text ?? ''} (the restore had ended: ${ended})`;
    return new RestoreError('ERR_RESTORE_NOT_PUT_BACK', { message, phase: 'restore', cause }, failures);
  }

  /** Abandoned databases stay in the journal. */
  async #enter(phase: RestorePhase): Promise<void> {
    await this.#journal.enter(phase, [...this.#replacements, ...this.#rollBack.abandoned]);
  }

  async #finishJournal(): Promise<void> {
    const hanging = this.#planned.filter(({ file, temporary, original }) => hasUnreturned([file, temporary, original]));
    await this.#journal.finish(
      {
        abandoned: this.#rollBack.abandoned,
        unremoved: this.#unneeded.left,
        hanging: hanging.map(({ file }) => file),
      },
      new FileCalls({ ...untiring, budgetMs: this.budgetMs }),
    );
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
