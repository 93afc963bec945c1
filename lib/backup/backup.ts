import { existsSync } from 'node:fs';
import { measuredCosts } from './activity';
import { buildManifestHead, type BackupFacts, type BackupReport } from './report';
import { announceDeadline, Call, publicCall } from '../call/call';
import { closeTimeoutMs, type BackupWork, type Capture } from './capture';
import { captureWithRetries, checkRetries, type RetryOptions } from './retry';
import { writeCosts, type Cost } from '../store/costs';
import { DominoVssError, OptionError, toPublicError } from '../errors/errors';
import { fromNativeWarning, warning, withoutRepetition, type Warning } from '../errors/warnings';
import { captureBusy, checkBusyRetries, isBusy, refuseAfterAll, type FurtherWindow } from './further-windows';
import { applyInShadows, requireWritableShadow } from './apply-in-shadow';
import { hashKept } from './kept-contents';
import type { LeftOver } from '../store/left-over';
import type { RecoveredWork } from '../recover/report';
import { writeManifest } from '../store/manifest';
import { abortSignal, boolean, checkOptions, functionValue, milliseconds } from '../call/options';
import { isStillOwn } from '../vss/own-shadows';
import { ProgressReporter, type ProgressListener } from '../call/progress';
import { removeShadowParents } from './provider';
import type { ManifestDatabase, ProviderChoice } from '../store/manifest-format';
import { holdOpen, release } from '../domino/runtime';
import type { BackupUse } from './shadow';
import { SnapshotSet } from './snapshot-set';
import { measurePerformance } from './timeline';
import { requireKept } from '../vss/vanished-shadow';
import { requireVss } from '../vss/call';
import { describeSet, reportOf } from '../vss/session';

export type { RetryOptions } from './retry';

/** Options of {@link Backup.createShadow}. */
export interface CreateShadowOptions {
  /** For all attempts together. Default: 120 000; half an hour in stop mode, where the server must stop and start. */
  readonly timeoutMs?: number | undefined;
  /** What is retried, and when. */
  readonly retries?: RetryOptions | undefined;
  /** Also adds the window and its phases to the performance timeline (`performance.measure`). Default: false. */
  readonly performanceMeasures?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Options of {@link Backup.endBackup}. */
export interface EndBackupOptions {
  /**
   * Whether to keep the shadow. Default: true if the backup's `lifetime` is `persistent`. VSS can keep only persistent
   * shadows.
   */
  readonly keep?: boolean | undefined;
  /**
   * VSS with writers only: whether to tell them that the backup is complete. Otherwise a full backup lets no
   * application drop or truncate anything. Default: true.
   */
  readonly tellWriters?: boolean | undefined;
  /**
   * Whether to hash every database in a kept shadow, which reads it completely: in one thread, with low priority on
   * Linux. Otherwise only headers are hashed. Copies are always hashed, including those made by `rolling`. Default:
   * false.
   */
  readonly hash?: boolean | undefined;
  /**
   * Whether to apply the change information to the databases in a kept shadow, so that each can be used in place. For clones,
   * rolling copies and btrfs snapshots, which are writable in the meantime; otherwise `ERR_UNSUPPORTED`. A program that copied
   * the shadow earlier has copied it without the changes. Default: false.
   */
  readonly applyDeltas?: boolean | undefined;
  /** Default: 600 000; 24 hours if a kept shadow is hashed. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** For what is left behind while another error is already on its way to the caller; the journal also names it. */
export function warnAboutLeft(thrown: unknown): void {
  const { message, code } = toPublicError(thrown);
  process.emitWarning(`a failed backup left something behind: ${message}`, { code });
}

/** What the end of a backup has to do. */
interface Ending {
  readonly keep: boolean;
  readonly tellWriters: boolean;
  readonly hash: boolean;
  readonly applyDeltas: boolean;
}

/** How the session ends. */
interface Closing {
  readonly keep: boolean;
  readonly tellWriters: boolean;
  /** The backup is good, whatever the writers are told. */
  readonly succeeded: boolean;
  readonly timeoutMs: number;
}

/**
 * A backup between its begin and its end. Call {@link createShadow}, then {@link endBackup}. A call that fails or is
 * aborted undoes everything and ends the backup. A backup keeps databases open until it ends, so call {@link
 * dispose} in a `finally`.
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
  #lateWork = Promise.resolve();
  /** Calls of the set and its shadows that are running now. */
  readonly #uses = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  #created:
    { readonly set: SnapshotSet; readonly capture: Capture; readonly further: readonly FurtherWindow[] } | undefined;

  /** @internal */
  constructor(work: BackupWork, facts: BackupFacts) {
    this.#work = work;
    this.#facts = facts;
    this.id = work.id;
    this.directory = work.directory;
    this.provider = { name: work.provider.name, reason: work.provider.reason };
    this.databases = work.databases.paths.length;
    this.leftOvers = facts.leftOvers;
    this.recovered = facts.recovered;
    holdOpen(work.binding, this);
  }

  /** One per window: each has its own session. */
  get #works(): readonly BackupWork[] {
    return [this.#work, ...this.#work.furtherWork];
  }

  /** What the user should know so far; each step may add to it. */
  get warnings(): readonly Warning[] {
    const said = this.#works.flatMap(({ session }) => (session.vssReport()?.warnings ?? []).map(fromNativeWarning));
    return [...this.#facts.warnings, ...this.#work.failedAttempts, ...said];
  }

  /**
   * The freeze window: every database into backup mode, the shadow, every database out again, in one native call.
   * Then the change information is fetched and hashed.
   *
   * @throws {@link BackupError} when the backup as a whole fails, {@link ShadowError} when the shadow cannot be made,
   * {@link AbortError} when cancelled. In each case the databases are out of backup mode and nothing is left behind.
   */
  createShadow(options: CreateShadowOptions = {}): Promise<SnapshotSet> {
    return this.#publicCall(async () => {
      checkOptions(options, {
        timeoutMs: milliseconds,
        retries: checkRetries,
        performanceMeasures: boolean,
        signal: abortSignal,
        onProgress: functionValue,
      });
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
   * Writes the manifest, removes exposures and deletes the shadow unless it is kept.
   *
   * @throws {@link AbortError} when cancelled before the manifest was complete, {@link ShadowError} when a shadow that
   * should be kept has vanished; the backup is then undone.
   */
  endBackup(options: EndBackupOptions = {}): Promise<BackupReport> {
    return this.#publicCall(async () => {
      checkOptions(options, {
        keep: boolean,
        tellWriters: boolean,
        hash: boolean,
        applyDeltas: boolean,
        timeoutMs: milliseconds,
        signal: abortSignal,
        onProgress: functionValue,
      });
      const keep = options.keep ?? this.#facts.lifetime === 'persistent';
      const { vss } = this.#work.provider;
      if (keep && vss && !vss.persistent) {
        const message = `a shadow in the context "${vss.context}" goes with its backup and cannot be kept; begin the backup`;
        throw new OptionError('keep', `${message} with lifetime: "persistent" (--keep on the command line)`);
      }
      if (options.hash && !keep) {
        throw new OptionError(
          'hash',
          'hash is about a shadow that is kept, and this one is not; copies are always hashed',
        );
      }
      if (options.applyDeltas) {
        if (!keep)
          throw new OptionError('applyDeltas', 'applyDeltas is about a shadow that is kept, and this one is not');
        requireWritableShadow(this.#work.provider);
      }
      return this.#run('created', async () => {
        const { signal, hash = false, applyDeltas = false, tellWriters = true } = options;
        const mayTakeHours = keep && (hash || this.#work.provider.native === 'rolling');
        const timeoutMs = options.timeoutMs ?? (mayTakeHours ? 86_400_000 : 600_000);
        const call = new Call({ signal, timeoutMs, phase: 'end' });
        return this.#end(
          { keep, tellWriters, hash, applyDeltas },
          call,
          new ProgressReporter(options.onProgress, call),
        );
      });
    });
  }

  /**
   * Ends the backup in any state; what {@link endBackup} has not completed is undone. Idempotent.
   *
   * @throws `ERR_DATABASE_STUCK` when a database may still be in backup mode, or the error for anything else left behind.
   * If a call of this backup has failed before, this is a process warning instead, and the `leftBehind` of that call's
   * error: thrown in a `finally`, it would hide the error that says why.
   */
  dispose(): Promise<void> {
    return publicCall(async () => {
      if (this.#running) {
        this.#work.interrupt.abort();
        for (const { session } of this.#works) session.cancel();
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
      const works = this.#works;
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
      removeShadowParents(plan);
      journal.removeSync();
    } catch {
      // The journal still names it all.
    }
  }

  /** @internal Whether it has ended or was undone, so that nothing is open. */
  get isOver(): boolean {
    return this.#running === undefined && (this.#state === 'ended' || this.#removed !== undefined);
  }

  /** @internal The late delivery of a hook is removed after the end; settles when it is removed. */
  get lateWork(): Promise<void> {
    return this.#lateWork;
  }

  /** @internal Undoes everything because of an error from outside this backup, and throws that error. */
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

  /** The shadow stays as long as somebody uses it. */
  #lend(): BackupUse {
    return {
      requireOpen: () => {
        if (this.#state === 'created' && !this.#removed && !this.#running) return;
        throw new DominoVssError('ERR_STATE', { message: `the backup ${this.id} has ended, its shadow may be gone` });
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

  /** Runs one call at a time, in the right order only, and undoes the backup if it fails. */
  async #run<T>(expected: 'begun' | 'created', body: () => Promise<T>): Promise<T> {
    if (this.#running || this.#removed || this.#state !== expected) {
      const now = this.#running ? 'another call is running' : this.#removed ? 'it has failed' : `it has ${this.#state}`;
      const wanted = expected === 'begun' ? 'createShadow comes first and once' : 'endBackup follows createShadow';
      throw new DominoVssError('ERR_STATE', { message: `${wanted}; of backup ${this.id}: ${now}` });
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

  async #end(
    { keep, tellWriters, hash, applyDeltas }: Ending,
    call: Call,
    progress: ProgressReporter,
  ): Promise<BackupReport> {
    const created = this.#created;
    if (!created) throw new DominoVssError('ERR_INTERNAL', { message: 'no shadow although one was created' });
    const { set, capture, further } = created;
    await call.race(Promise.all(this.#uses));
    if (keep) await this.#requireKept(set, call);
    const windows = [{ work: this.#work, capture }, ...further];
    const unapplied = keep && applyDeltas ? await applyInShadows(windows, call) : [];
    const hashed = keep ? await hashKept(windows, hash, call, progress) : undefined;
    const kept = hashed && { ...hashed, failures: [...unapplied, ...hashed.failures] };
    const head = await buildManifestHead(this.#work, this.#facts, created, kept);
    const manifest = await writeManifest(
      this.directory,
      describeAll(set, this.#work),
      (databasesSha256) => ({ ...head, databasesSha256 }),
      () => {
        call.check();
      },
      this.#facts.signKey,
    );
    await this.#rememberCosts(capture);
    // From here on the backup is valid, whatever happens to its shadow.
    this.#state = 'ended';
    const closing = { keep, tellWriters, succeeded: true, timeoutMs: Math.max(closeTimeoutMs, call.remainingMs()) };
    const problems = keep
      ? await this.#collect([...this.#closeSessions(closing), () => this.#leaveExposed()])
      : await this.#removeShadow(closing);
    // A failure with a kept shadow leaves nothing unknown behind: the manifest names the shadow.
    problems.push(...(await this.#collect([() => this.#finishJournal(keep ? [] : problems)])));
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

  /** A manifest must not promise a shadow that Windows has deleted for lack of space. */
  async #requireKept({ shadows }: SnapshotSet, call: Call): Promise<void> {
    if (!this.#work.provider.vss) return;
    // A transportable shadow, which has no device, is not listed until it is imported.
    const listed = shadows.filter(({ devicePath }) => devicePath !== '');
    await requireKept(requireVss(this.#work.binding), listed, call);
  }

  /** For the next backup, which uses them to spread the databases over its threads and to order them. */
  async #rememberCosts({ databases }: Capture): Promise<void> {
    const { dataDirectory, paths: taken } = databases.databases;
    const { costs } = this.#work.setup;
    const measured = measuredCosts(taken, databases.results, costs);
    const carried = this.#work.incremental?.carried.map(({ path }) => path) ?? [];
    const paths = [...taken, ...carried];
    const costOf = (index: number): Cost | undefined =>
      index < taken.length ? measured(index) : costs.get(paths[index] ?? '');
    // An estimate that cannot be saved is no reason to fail a backup that has succeeded.
    await writeCosts(this.directory, dataDirectory, paths, costOf).catch(() => undefined);
  }

  #takeBack(): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve();
    this.#removed ??= (async () => {
      this.#ending.abort(new DominoVssError('ERR_STATE', { message: `the backup ${this.id} has ended` }));
      const call = new Call({ timeoutMs: closeTimeoutMs, phase: 'end' });
      const left = await this.#collect([() => call.race(Promise.all(this.#uses))]);
      const removal = this.#removeShadow({
        keep: false,
        tellWriters: false,
        succeeded: false,
        timeoutMs: closeTimeoutMs,
      });
      left.push(...(await removal));
      left.push(
        ...(await this.#collect([
          () => this.#created?.set.removeCopies() ?? Promise.resolve(),
          () => this.#work.binding.removeTree(this.directory),
        ])),
      );
      const stuck = await this.#finishJournal(left);
      if (stuck.length > 0) throw stuckError(stuck);
      if (left.length > 0) throw left[0];
    })();
    return this.#removed;
  }

  /** The caller has an error already, so what is left is only a warning. */
  #takeBackAfterFailure(): Promise<void> {
    return (this.#removedAfterFailure ??= this.#takeBack().catch((error: unknown) => {
      this.#leftBehind = toPublicError(error);
      warnAboutLeft(error);
    }));
  }

  /** Takes the databases out first, then removes the shadow. Returns what could not be done. */
  #removeShadow(closing: Closing): Promise<unknown[]> {
    const unexpose = (this.#created?.set.shadows ?? []).map((shadow) => () => {
      const call = new Call({ timeoutMs: closing.timeoutMs, phase: 'end' });
      return call.race(shadow.takePlaceAway());
    });
    return this.#collect([
      // Nobody knows whether deleting a VSS shadow also removes its exposures.
      ...(this.#work.provider.vss ? unexpose : []),
      ...this.#closeSessions(closing),
      () => {
        // The journal names whatever a hook has not removed by then.
        const call = new Call({ timeoutMs: closing.timeoutMs, phase: 'end' });
        return call.race(this.#work.hookRun?.remove() ?? Promise.resolve());
      },
      ...(this.#work.provider.vss ? [] : unexpose),
      () => {
        removeShadowParents(this.#work.plan);
        return Promise.resolve();
      },
    ]);
  }

  /** A kept shadow stays exposed at its place, which the manifest names: this leaves nothing behind. */
  #leaveExposed(): Promise<void> {
    return this.#work.journal.update({ exposures: [] });
  }

  /** Writers are told only once the manifest is on disk: from then on they may rely on the backup. */
  #closeSessions({ keep, tellWriters, succeeded, timeoutMs }: Closing): (() => Promise<void>)[] {
    const shadows = this.#work.provider.vss ? (this.#created?.set.shadows ?? []) : [];
    // Deleted or broken by this process, on purpose.
    const deletedShadows = shadows.map(({ id }) => id).filter((id) => !isStillOwn(id));
    const untold = succeeded && !tellWriters;
    const closing = { keepShadow: keep, succeeded: tellWriters, untold, deletedShadows, timeoutMs };
    return this.#works.map(({ session }) => {
      // A failed window has nothing to keep.
      const failed =
        session !== this.#work.session && !this.#created?.further.some(({ work }) => work.session === session);
      return () => {
        announceDeadline(timeoutMs);
        return session.close(failed ? { ...closing, keepShadow: false, succeeded: false } : closing);
      };
    });
  }

  async #collect(steps: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  /**
   * What could not be removed, a service that could not be started, and databases that may be in backup mode stay in
   * it.
   */
  async #finishJournal(left: readonly unknown[]): Promise<readonly string[]> {
    const { journal, hookRun } = this.#work;
    release(this);
    hookRun?.detach();
    const stuck = this.#works.flatMap(({ session, databases }) =>
      session.stuck().map((index) => databases.paths[index] ?? ''),
    );
    const late = hookRun?.lateRemoval;
    if (late) {
      // Nobody waits for a hook that may never answer; the journal does.
      await journal.update({ ended: true }, stuck);
      this.#lateWork = this.#removeLate(late, left, stuck).catch(warnAboutLeft);
    } else {
      await this.#closeJournal(left, stuck);
    }
    return stuck;
  }

  async #removeLate(late: Promise<void>, left: readonly unknown[], stuck: readonly string[]): Promise<void> {
    const failed = await this.#collect([() => late]);
    failed.forEach(warnAboutLeft);
    await this.#closeJournal([...left, ...failed], stuck);
  }

  async #closeJournal(left: readonly unknown[], stuck: readonly string[]): Promise<void> {
    const { journal, hookRun } = this.#work;
    if (left.length === 0 && stuck.length === 0 && !journal.namesMore) {
      await journal.remove([this.directory, ...this.#work.plan.parents]);
      return;
    }
    const removed = left.length === 0 && { shadows: [], snapshotSet: '' };
    const removedByHook = hookRun && !hookRun.mayHaveLeft && { shadows: [], hook: null };
    await journal.update({ ended: true, pendingHook: '', ...removed, ...removedByHook }, stuck);
  }
}

/** What this backup holds, followed by what earlier ones hold. */
function* describeAll(set: SnapshotSet, { databases, incremental }: BackupWork): Generator<ManifestDatabase> {
  yield* set.describeDatabases();
  let index = databases.paths.length;
  for (const carried of incremental?.carried ?? []) yield { ...carried, index: index++ };
}

function stuckError(databases: readonly string[]): DominoVssError {
  const more = databases.length > 1 ? ` and ${databases.length - 1} more` : '';
  const message = `${databases[0] ?? ''}${more} may still be in backup mode: a call has not returned`;
  return new DominoVssError('ERR_DATABASE_STUCK', { message });
}
