import { existsSync } from 'node:fs';
import { requireDeltas } from './delta-files';
import { measuredCosts } from './activity';
import { buildManifestHead, type BackupFacts, type BackupReport } from './report';
import { Call, publicCall } from '../call/call';
import { callsOf, closeTimeoutMs, type BackupWork, type Capture } from './capture';
import { captureWithRetries } from './retry';
import { writeCosts, type Cost } from '../store/costs';
import { DominoVssError, toPublicError } from '../errors/errors';
import { fromNativeWarning, warning, withoutRepetition, type Warning } from '../errors/warnings';
import { captureBusy, checkBusyRetries, isBusy, refuseAfterAll } from './further-windows';
import { applyInShadows, noteAppliedByWriter } from './apply-in-shadow';
import { hashKept } from './kept-contents';
import type { LeftOver } from '../store/left-over';
import type { RecoveredWork } from '../recover/report';
import { writeManifest } from '../store/manifest';
import { ProgressReporter } from '../call/progress';
import { removeShadowParentsNow } from './shadow-plan';
import type { ManifestDatabase, ProviderChoice } from '../store/manifest-format';
import { holdOpen } from '../domino/runtime';
import type { BackupUse } from './shadow';
import { SnapshotSet } from './snapshot-set';
import { takeBack } from './take-back';
import type { FileCalls } from '../store/stall';
import {
  checkCreateShadowOptions,
  checkEndBackupOptions,
  type CreateShadowOptions,
  type EndBackupOptions,
  type Ending,
} from './step-options';
import { measurePerformance } from './timeline';
import { requireKept } from '../vss/vanished-shadow';
import { requireVss } from '../vss/call';
import { describeSet, reportOf } from '../vss/session';
import { collectFailures, warnAboutLeft, WorkEnd, worksOf, type CreatedShadow } from './work-end';

export type { RetryOptions } from './retry';
export type { CreateShadowOptions, EndBackupOptions } from './step-options';

/**
 * A backup between its start and its end. Call {@link createShadow}, then {@link endBackup}. A call that fails or is aborted
 * rolls everything back and ends the backup. A backup keeps databases open until it ends, so call {@link dispose} in a `finally`.
 */
export class Backup {
  /** Id of the backup and the name of its directory. */
  readonly id: string;
  /** Directory of the backup, in the delta directory. */
  readonly directory: string;
  /** Which provider makes the shadow, and why. */
  readonly provider: ProviderChoice;
  /** Number of databases found and selected. */
  readonly databases: number;
  /** What earlier processes left behind and this backup could not clean up when it began. */
  readonly leftOvers: readonly LeftOver[];
  /** Interrupted work of earlier processes, and how it was resolved when this backup began. */
  readonly recovered: readonly RecoveredWork[];
  readonly #work: BackupWork;
  readonly #facts: BackupFacts;
  #state: 'begun' | 'created' | 'ended' = 'begun';
  #running: Promise<unknown> | undefined;
  #removed: Promise<void> | undefined;
  #hasFailed = false;
  #removedAfterFailure: Promise<void> | undefined;
  #leftBehind: DominoVssError | undefined;
  /** Calls of the set and its shadows that are running now. */
  readonly #uses = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #workEnd: WorkEnd;
  #created: CreatedShadow | undefined;
  /** Once the manifest is being written. */
  #writing: Ending | undefined;

  /** @internal */
  constructor(work: BackupWork, facts: BackupFacts) {
    this.#work = work;
    this.#facts = facts;
    this.#workEnd = new WorkEnd(work, this);
    this.id = work.id;
    this.directory = work.directory;
    this.provider = { name: work.provider.name, reason: work.provider.reason };
    this.databases = work.databases.paths.length;
    this.leftOvers = facts.leftOvers;
    this.recovered = facts.recovered;
    holdOpen(work.binding, this);
  }

  /** What the user should know so far; each step may add to it. */
  get warnings(): readonly Warning[] {
    const said = worksOf(this.#work).flatMap(({ session }) =>
      (session.vssReport()?.warnings ?? []).map(fromNativeWarning),
    );
    return [...this.#facts.warnings, ...this.#work.warnings, ...said];
  }

  /**
   * The freeze window, in one native call: puts every database into backup mode, takes the shadow, and takes every database out
   * again. Then the change information is fetched and hashed.
   *
   * @throws {@link BackupError} if the backup as a whole fails, {@link ShadowError} if the shadow cannot be made,
   * {@link AbortError} if cancelled. In each case the databases are out of backup mode and nothing is left behind.
   */
  createShadow(options: CreateShadowOptions = {}): Promise<SnapshotSet> {
    return this.#publicCall(async () => {
      checkCreateShadowOptions(options);
      return this.#run('begun', async () => {
        const call = new Call({
          signal: options.signal,
          timeoutMs: options.timeoutMs ?? (this.#work.mode.type === 'backup-api' ? 120_000 : 1_800_000),
          phase: 'prepare',
        });
        const reporter = (own: Call): ProgressReporter => new ProgressReporter(options.onProgress, own);
        const { retries = {} } = options;
        checkBusyRetries(this.#work, retries);
        const mayStillCome = (retries.busyDatabases ?? 0) > 0 ? isBusy : undefined;
        const capture = await captureWithRetries(this.#work, retries, call, reporter(call), mayStillCome);
        const further = await captureBusy(this.#work, capture, retries, call, reporter);
        if (mayStillCome) refuseAfterAll(this.#work, capture, further);
        if (options.performanceMeasures) measurePerformance({ backupId: this.id, timeline: capture.timeline });
        const first = { work: this.#work, capture, vss: await describeSet(this.#work) };
        const others = [];
        for (const window of further) others.push({ ...window, vss: await describeSet(window.work) });
        const set = new SnapshotSet(first, others, this.#lend(), this.#facts.notesIni);
        call.check();
        this.#created = { set, capture, further };
        this.#state = 'created';
        return set;
      });
    });
  }

  /**
   * Writes the manifest, removes exposures, and deletes the shadow unless it is kept.
   *
   * @throws {@link AbortError} if cancelled before the manifest was complete, {@link ShadowError} if a shadow that should be kept
   * has vanished; the backup is then rolled back.
   */
  endBackup(options: EndBackupOptions = {}): Promise<BackupReport> {
    return this.#publicCall(async () => {
      const ending = checkEndBackupOptions(options, this.#work, this.#facts.lifetime);
      return this.#run('created', async () => {
        const call = new Call({ signal: options.signal, timeoutMs: ending.timeoutMs, phase: 'end' });
        return this.#end(ending, call, new ProgressReporter(options.onProgress, call));
      });
    });
  }

  /**
   * Ends the backup in any state, and rolls back what {@link endBackup} has not completed. Idempotent.
   *
   * @throws `ERR_DATABASE_STUCK` if a database may still be in backup mode, or the error for anything else left behind. If a call
   * of this backup has failed before, this becomes a process warning and the `leftBehind` of that call's error instead: thrown in
   * a `finally`, it would hide the error that gives the reason.
   */
  dispose(): Promise<void> {
    return publicCall(async () => {
      if (this.#running) {
        this.#work.interrupt.abort();
        for (const { session } of worksOf(this.#work)) session.cancel();
        await this.#running.catch(() => undefined);
      }
      await (this.#hasFailed ? this.#takeBackAfterFailure() : this.#takeBack());
    });
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /**
   * @internal For the exit of the process, after native code has aborted the session. The journal is removed only if
   * all is well; otherwise it keeps naming what may be left.
   */
  abandon(): void {
    const { provider, plan, hookRun, journal } = this.#work;
    try {
      const works = worksOf(this.#work);
      const clean = works.every(({ session }) => session.progress().phase === 'closed' && session.stuck().length === 0);
      // Checking whether a persistent VSS shadow was deleted would require waiting.
      const maybeKept =
        provider.vss?.persistent === true && works.some(({ session }) => reportOf(session).setId !== '');
      const targets = works.flatMap((work) => work.plan.targets);
      const made = targets.some((target) => existsSync(target)) || hookRun?.mayHaveLeft === true;
      const gone = !made && !maybeKept;
      // Copies, too, can be found only through the journal.
      const copied = journal.leftOver.copiedFiles > 0;
      if (this.#state === 'ended' || !clean || !gone || copied || journal.namesMore) return;
      this.#work.binding.removeTreeNow(this.directory);
      removeShadowParentsNow(plan);
      journal.removeSync();
    } catch {
      // The journal still names everything.
    }
  }

  /** @internal Whether it has ended or was rolled back, so that nothing is open. */
  get isOver(): boolean {
    return this.#running === undefined && (this.#state === 'ended' || this.#removed !== undefined);
  }

  /** @internal Settles when a shadow that a hook delivered after the end has been removed. */
  get lateWork(): Promise<void> {
    return this.#workEnd.lateWork;
  }

  /** @internal Rolls everything back because of an error from outside this backup, and throws that error. */
  async fail(thrown: unknown): Promise<never> {
    this.#hasFailed = true;
    await this.#takeBackAfterFailure();
    throw Object.assign(toPublicError(thrown), { leftBehind: this.#leftBehind });
  }

  async #publicCall<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await publicCall(body);
    } catch (error) {
      this.#hasFailed = true;
      throw Object.assign(error as DominoVssError, { leftBehind: this.#leftBehind });
    }
  }

  /** Keeps the shadow for as long as a call uses it. */
  #lend(): BackupUse {
    return {
      requireOpen: () => {
        if (this.#state === 'created' && !this.#removed && !this.#running) return;
        throw new DominoVssError('ERR_STATE', { message: `the backup ${this.id} has ended; its shadow may be gone` });
      },
      call: (body) => {
        let end = (): void => undefined;
        const use = new Promise<void>((resolve) => {
          end = resolve;
        });
        this.#uses.add(use);
        return this.#publicCall(async () => {
          try {
            return await body(this.#ending.signal);
          } finally {
            this.#uses.delete(use);
            end();
          }
        });
      },
    };
  }

  /** Runs one call at a time, only in the right order, and rolls the backup back if it fails. */
  async #run<T>(expected: 'begun' | 'created', body: () => Promise<T>): Promise<T> {
    if (this.#running || this.#removed || this.#state !== expected) {
      const now = this.#running ? 'another call is running' : this.#removed ? 'it has failed' : `it has ${this.#state}`;
      const wanted =
        expected === 'begun' ? 'call createShadow first, and only once' : 'call endBackup after createShadow';
      throw new DominoVssError('ERR_STATE', { message: `${wanted}; backup ${this.id}: ${now}` });
    }
    const work = body();
    this.#running = work;
    try {
      return await work;
    } catch (error) {
      await this.#takeBackAfterFailure();
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  async #end(ending: Ending, call: Call, progress: ProgressReporter): Promise<BackupReport> {
    const { keep, tellWriters, hash, applyDeltas } = ending;
    const created = this.#created;
    if (!created) throw new DominoVssError('ERR_INTERNAL', { message: 'no shadow although one was created' });
    const { set, capture, further } = created;
    await call.race(Promise.all(this.#uses));
    if (keep) await this.#requireKept(set, call);
    const windows = [{ work: this.#work, capture }, ...further];
    const unapplied =
      keep && applyDeltas ? await applyInShadows(windows, call) : noteAppliedByWriter({ work: this.#work, capture });
    const hashed = keep ? await hashKept(windows, hash, call, progress) : undefined;
    const kept = hashed && { ...hashed, failures: [...unapplied, ...hashed.failures] };
    const check = (): void => {
      call.check();
    };
    const calls = callsOf(this.#work, call);
    const head = await buildManifestHead(this.#work, this.#facts, created, kept, calls);
    await requireDeltas(this.directory, describeAll(set, this.#work), calls);
    this.#writing = ending;
    const manifest = await writeManifest(
      this.directory,
      describeAll(set, this.#work),
      (databasesSha256) => ({ ...head, databasesSha256 }),
      { check, key: this.#facts.signKey, calls },
    );
    // From here on the backup is valid, whatever happens to its shadow.
    this.#state = 'ended';
    await this.#rememberCosts(capture, calls);
    const closing = { keep, tellWriters, succeeded: true, timeoutMs: Math.max(closeTimeoutMs, call.remainingMs()) };
    const problems = keep
      ? await this.#workEnd.keepShadow(created, closing)
      : await this.#workEnd.removeShadow(created, closing);
    // If the shadow is kept, a failure leaves nothing unknown behind: the manifest names the shadow.
    problems.push(...(await collectFailures([() => this.#workEnd.finishJournal(keep ? [] : problems)])));
    const errors = problems.map(toPublicError);
    const afterwards = errors.map((error) => warning('WARN_END_FAILED', error.message, { error }));
    const warnings = withoutRepetition([...head.warnings, ...this.warnings, ...afterwards]);
    const { outcome, provider, lifetime, window, counts, volumes, vss = null, changes, alsoSave } = head;
    const { continuity, contents, furtherWindows = [], incremental } = head;
    return {
      id: this.id,
      serverName: head.serverName,
      outcome,
      directory: this.directory,
      manifest,
      provider,
      lifetime,
      window,
      furtherWindows,
      counts,
      volumes,
      vss,
      skipped: [...set.skipped, ...(kept?.failures ?? [])],
      changes,
      continuity,
      incremental,
      contents,
      copies: set.copyReport ?? null,
      alsoSave,
      warnings,
      notices: this.#facts.notices,
      problems: errors,
      leftOvers: this.leftOvers,
      recovered: this.recovered,
    };
  }

  /** A manifest must not name a shadow as kept if Windows has deleted it for lack of space. */
  async #requireKept({ shadows }: SnapshotSet, call: Call): Promise<void> {
    if (!this.#work.provider.vss) return;
    // A transportable shadow, which has no device, is not listed until it is imported.
    const listed = shadows.filter(({ devicePath }) => devicePath !== '');
    await requireKept(requireVss(this.#work.binding), listed, call);
  }

  /** For the next backup, which distributes the databases over its threads and orders them by these measurements. */
  async #rememberCosts({ databases }: Capture, calls: FileCalls): Promise<void> {
    const { dataDirectory, paths: taken } = databases.databases;
    const { costs } = this.#work.setup;
    const measured = measuredCosts(taken, databases.results, costs);
    const carried = this.#work.incremental?.carried.map(({ path }) => path) ?? [];
    const paths = [...taken, ...carried];
    const costOf = (index: number): Cost | undefined =>
      index < taken.length ? measured(index) : costs.get(paths[index] ?? '');
    // A successful backup must not fail because an estimate cannot be saved.
    const writing = writeCosts(this.directory, dataDirectory, paths, costOf);
    await calls.wait('write', this.directory, writing).catch(() => undefined);
  }

  #takeBack(): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve();
    this.#ending.abort(new DominoVssError('ERR_STATE', { message: `the backup ${this.id} has ended` }));
    this.#removed ??= takeBack({
      work: this.#work,
      workEnd: this.#workEnd,
      created: this.#created,
      uses: this.#uses,
      ending: this.#writing,
    });
    return this.#removed;
  }

  /** The caller already gets an error, so whatever is left is only a warning. */
  #takeBackAfterFailure(): Promise<void> {
    return (this.#removedAfterFailure ??= this.#takeBack().catch((error: unknown) => {
      this.#leftBehind = toPublicError(error);
      warnAboutLeft(error);
    }));
  }
}

/** The databases in this backup, followed by those in earlier ones. */
function* describeAll(set: SnapshotSet, { databases, incremental }: BackupWork): Generator<ManifestDatabase> {
  yield* set.describeDatabases();
  let index = databases.paths.length;
  for (const carried of incremental?.carried ?? []) yield { ...carried, index: index++ };
}
