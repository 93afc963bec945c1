import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import type { Call } from '../call/call';
import { CapturedDatabases } from './captured';
import type { Continuity } from './continuity';
import type { Incremental } from './incremental';
import { listCatalog } from '../domino/catalog';
import { hashFile } from '../store/copy';
import { compareWithCatalog, type BackupDatabases, type DatabaseChanges } from '../domino/databases';
import { syncDirectory } from '../store/durable';
import { counted } from '../errors/counted';
import { BackupError, decidedFailure, toDatabaseFailure, toPublicError, type DatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import { forEachIndex, forEachLimited } from '../call/event-loop';
import type { HookRun } from './hook';
import type { RecoveredWork } from '../recover/report';
import { fileCallsOf } from '../recover/tools';
import type { FileCalls } from '../store/stall';
import { withCauses } from './left-overs';
import type { SessionSetup } from './native-session';
import type { Journal } from '../store/journal';
import type { NativeBinding, NativeResults, NativeSession } from '../native/session';
import { rememberOwnShadows } from '../vss/own-shadows';
import type { ProgressReporter } from '../call/progress';
import type { ResolvedProvider } from './provider';
import { makeShadowParent, type ShadowPlan } from './shadow-plan';
import type { Selector } from '../domino/selection';
import { withServiceStopped, type BackupMode, type DominoService } from '../domino/service';
import { buildTimeline, publishWindow, type Timeline } from './timeline';
import { changedBeforeSnapshot, type ChangedIndexes } from './snapshot-contents';
import { reportOf, shadowRoots, withFailedWriters } from '../vss/session';

/** Everything a backup in progress consists of. */
export interface BackupWork {
  readonly id: string;
  readonly source: 'domino' | 'volumes';
  /** Directory of this backup, in the delta directory. */
  readonly directory: string;
  readonly binding: NativeBinding;
  /** What the sessions of this backup are created with. */
  readonly setup: SessionSetup;
  /** The session of the current attempt to make the shadow. */
  session: NativeSession;
  /** About earlier attempts that failed, and directories; all windows of a backup share them. */
  readonly warnings: Warning[];
  /** Ends the pause before another attempt, because the backup is being rolled back. */
  readonly interrupt: AbortController;
  readonly journal: Journal;
  readonly databases: BackupDatabases;
  readonly selector: Selector;
  readonly mode: BackupMode;
  readonly provider: ResolvedProvider;
  readonly plan: ShadowPlan;
  readonly hookRun: HookRun | undefined;
  /**
   * Databases that are known but not in the snapshot: outside another program's snapshot, or carried over from an earlier backup.
   */
  readonly outside?: ReadonlySet<string>;
  /** Id of a snapshot set made by another program; absent otherwise. */
  readonly snapshotSetId?: string;
  /** What our writer did in another program's shadows, by the number of the database: null if it is complete there. */
  readonly inShadows?: readonly { readonly index: number; readonly failure: DatabaseFailure | null }[];
  /** Our own directories, which are not searched for databases. */
  readonly excludeDirectories: readonly string[];
  readonly limits: SkipLimits;
  /** Links and directories that could not be followed. */
  readonly problems: readonly DatabaseFailure[];
  /** How interrupted work was resolved when this backup began. */
  readonly recovered: readonly RecoveredWork[];
  readonly continuity: Continuity;
  /** What is left to earlier backups; undefined for a full backup. */
  readonly incremental?: Incremental | undefined;
  /** What the journal must continue to name while this window is made. */
  readonly earlier: EarlierWindows;
  /** Further windows of the same backup, including failed ones that may have left something. Only the first window has them. */
  readonly furtherWork: BackupWork[];
}

/** What earlier windows of the same backup have made, in the form of the journal. */
export interface EarlierWindows {
  readonly snapshotSet: string;
  readonly shadows: readonly string[];
  /** Databases that may still be in backup mode. */
  readonly stuck: readonly string[];
}

export const noEarlierWindows: EarlierWindows = { snapshotSet: '', shadows: [], stuck: [] };

/** How many left-out databases, and which, make the whole backup fail. */
export interface SkipLimits {
  readonly maxSkipped: number;
  readonly unmetRequired: readonly string[];
}

/** Longest time for a rollback. At the end of a backup, writers may take longer. */
export const closeTimeoutMs = 60_000;

/** Waits for calls on files, as long as for one on a database. */
export function callsOf({ setup }: Pick<BackupWork, 'setup'>, call: Call): FileCalls {
  return fileCallsOf({ call, budgetMs: setup.options.databaseBudgetMs });
}

/** Adds a warning to those of the backup, once. */
export function noteWarning({ warnings }: Pick<BackupWork, 'warnings'>, added: Warning | undefined): void {
  if (added && !warnings.some(({ message }) => message === added.message)) warnings.push(added);
}

/** Result of the freeze window. */
export interface Capture {
  readonly databases: CapturedDatabases;
  readonly changes: DatabaseChanges;
  readonly timeline: Timeline;
  /** Readable directory of each volume's shadow, in the order of the volumes. */
  readonly roots: readonly string[];
  /** Databases left out, and broken links. */
  readonly skipped: readonly DatabaseFailure[];
}

/**
 * Lists the databases again, prepares, runs the freeze window, and checks that the result is acceptable. A database that
 * `mayStillCome` in a further window does not count as left out yet.
 */
export async function captureShadow(
  work: BackupWork,
  call: Call,
  progress: ProgressReporter,
  mayStillCome: (failure: DatabaseFailure) => boolean = () => false,
): Promise<Capture> {
  const { session, journal, mode, provider, plan, databases, earlier } = work;
  const stopMode = mode.type === 'stop-service';
  // From here on, something may exist that after a crash only the journal knows of.
  const inBackupMode = stopMode ? [] : [...earlier.stuck, ...databases.paths];
  // VSS lets only one requester at a time make shadows, so preparation waits for the others, and is where most failures occur. In
  // stop mode, it is done before the server is touched. The price is that others wait while the server stops: at most for the
  // time of this call, and VSS tells them to try again, which the users of a stopped server cannot do.
  const prepareFirst = stopMode && provider.vss !== undefined;
  const prepare = async (): Promise<void> => {
    call.check('prepare');
    // At most half of the time if the rest is needed to stop the server.
    const share = prepareFirst ? 0.5 : 1;
    await progress.watch(session, () =>
      call.native(session, (timeoutMs) => session.prepare(Math.ceil(timeoutMs * share))),
    );
    if (provider.vss) await noteSnapshotSet(work, inBackupMode);
  };
  const captured = async (): Promise<Omit<Capture, 'timeline' | 'skipped'> & { results: NativeResults }> => {
    session.renewLease();
    const changes = await listAgain(work, call);
    // Otherwise as late as possible: with some providers it locks the whole machine until the shadow exists.
    if (!prepareFirst) await prepare();
    await runWindow(work, call, progress);
    const results = session.results();
    const roots = rootsOf(work);
    const meanwhile = await changedMeanwhile(work, changes, roots, call);
    const decided = new Map([...decideChanged(databases, meanwhile), ...decideChanged(databases, changes)]);
    return {
      databases: await CapturedDatabases.create(databases, results, decided),
      changes: {
        appeared: changes.appeared,
        vanished: [...changes.vanished, ...pathsAt(databases, meanwhile.vanishedIndexes)],
        replaced: [...changes.replaced, ...pathsAt(databases, meanwhile.replacedIndexes)],
      },
      roots,
      results,
    };
  };
  const capturedWhileStopped = async (service: DominoService): ReturnType<typeof captured> => {
    if (prepareFirst) await prepare();
    return withServiceStopped(service, call, {
      note: (stoppedService) => journal.update({ stoppedService }),
      work: captured,
      // Unlocks the machine for other shadows. The rollback of the backup waits for this and reports its result.
      giveUp: () => {
        const closing = { keepShadow: false, succeeded: false, deletedShadows: [], timeoutMs: closeTimeoutMs };
        session.close(closing).catch(() => undefined);
      },
    });
  };

  // With VSS nothing exists until the set has been prepared, which also returns the names.
  if (!provider.vss) {
    const shadows = [...earlier.shadows, ...plan.targets];
    await journal.update({ provider: provider.name, shadows, ...work.hookRun?.intention }, inBackupMode);
  }
  const calls = callsOf(work, call);
  for (const parent of plan.parents) {
    noteWarning(work, await calls.wait('mkdir', parent, makeShadowParent(parent, work.binding)));
  }
  const { results, ...capture } = await (stopMode ? capturedWhileStopped(mode.service) : captured()).catch(
    (thrown: unknown) => {
      throw provider.vss ? withFailedWriters(thrown, session) : thrown;
    },
  );
  const { stuck } = capture.databases;
  await journal.update({}, [...earlier.stuck, ...stuck]);

  const leftOut = [...work.problems, ...capture.databases.skipped];
  // A deleted database makes only one backup partial. If it counted towards the limit, every backup would fail until someone
  // raised the limit.
  const skipped = [...work.continuity.vanished, ...leftOut];
  if (work.source === 'domino') {
    withCauses(work.recovered, () => {
      const isFinal = (failure: DatabaseFailure): boolean => !mayStillCome(failure);
      const missing = capture.databases.missingRequired().filter(isFinal);
      refuseTooManySkipped(leftOut.filter(isFinal), missing, capture.databases.count, work.limits);
    });
  }
  await removeDeltasOfSkipped(work, capture.databases, calls);
  await hashDeltas(work, capture.databases, { call, calls, progress });
  const timeline = await buildTimeline(results);
  publishWindow({ backupId: work.id, provider: work.provider.name, timeline });
  return { ...capture, timeline, skipped };
}

/** Records the set and its shadows before they exist. */
async function noteSnapshotSet(
  { session, journal, provider, earlier }: BackupWork,
  databases: readonly string[],
): Promise<void> {
  const { setId, shadowIds } = reportOf(session);
  rememberOwnShadows(shadowIds, setId);
  const shadows = [...earlier.shadows, ...shadowIds];
  await journal.update({ provider: provider.name, snapshotSet: setId, shadows }, databases);
}

function rootsOf({ session, hookRun, provider, plan, databases }: BackupWork): readonly string[] {
  if (provider.vss) return shadowRoots(session);
  // Only the requester knows where it keeps its shadows.
  if (provider.native === 'writer') return databases.volumes.map(() => '');
  return hookRun ? hookRun.shadows.map(({ root }) => root) : plan.targets;
}

async function listAgain(work: BackupWork, call: Call): ReturnType<typeof compareWithCatalog> {
  call.check('find');
  if (work.source === 'volumes') {
    return { appeared: [], vanished: [], replaced: [], vanishedIndexes: [], replacedIndexes: [] };
  }
  const { dataDirectory } = work.databases;
  const { excludeDirectories } = work;
  const catalog = await listCatalog(work.binding, { dataDirectory, excludeDirectories }, call);
  const changes = await compareWithCatalog(work.databases, catalog, work.selector);
  const { outside } = work;
  return outside ? { ...changes, appeared: changes.appeared.filter((path) => !outside.has(path)) } : changes;
}

/** What has changed since the list before the window, and is therefore not in the snapshot. */
async function changedMeanwhile(
  work: BackupWork,
  before: ChangedIndexes,
  roots: readonly string[],
  call: Call,
): Promise<ChangedIndexes> {
  const { provider, mode, databases } = work;
  // They look at the file itself that they copy, or nobody uses the databases, or a requester waits.
  const isSure = ['rolling', 'reflink', 'writer'].includes(provider.native) || mode.type === 'stop-service';
  if (isSure) return { vanishedIndexes: [], replacedIndexes: [] };
  const known = new Set([...before.vanishedIndexes, ...before.replacedIndexes]);
  const { vanishedIndexes, replacedIndexes } = await listAgain(work, call);
  const isNew = (index: number): boolean => !known.has(index);
  const after = { vanishedIndexes: vanishedIndexes.filter(isNew), replacedIndexes: replacedIndexes.filter(isNew) };
  return changedBeforeSnapshot(after, databases, roots, callsOf(work, call));
}

function pathsAt({ paths }: BackupDatabases, indexes: readonly number[]): string[] {
  return indexes.map((index) => paths[index] ?? '');
}

async function runWindow(work: BackupWork, call: Call, progress: ProgressReporter): Promise<void> {
  const { session, hookRun } = work;
  const onAbort = (): void => hookRun?.abort(call.signal?.reason);
  call.signal?.addEventListener('abort', onAbort);
  try {
    call.check('start');
    await progress.watch(session, () => call.native(session, (timeoutMs) => session.capture(timeoutMs)));
    await hookRun?.noted();
  } catch (cause) {
    const thrown = hookRun ? hookRun.explain(cause) : cause;
    const error = toPublicError(thrown);
    hookRun?.captureFailed(error);
    throw error instanceof BackupError ? withFailures(error, work) : thrown;
  } finally {
    call.signal?.removeEventListener('abort', onAbort);
  }
}

/** Adds to an error of the whole window the databases that had failed by then. */
function withFailures(error: BackupError, { session, databases }: BackupWork): BackupError {
  const failures = session
    .failures()
    .map(({ index, failure }) => toDatabaseFailure(databases.paths[index] ?? '', failure));
  const { message, phase, cause } = error;
  return failures.length === 0 ? error : new BackupError(error.code, { message, phase, cause }, failures);
}

function decideChanged(
  databases: BackupDatabases,
  changes: { readonly vanishedIndexes: readonly number[]; readonly replacedIndexes: readonly number[] },
): Map<number, DatabaseFailure> {
  const decided = new Map<number, DatabaseFailure>();
  const decide = (index: number, code: 'ERR_DATABASE_VANISHED' | 'ERR_DATABASE_REPLACED', text: string): void => {
    decided.set(index, decidedFailure(databases.paths[index] ?? '', code, 'find', text));
  };
  for (const index of changes.vanishedIndexes) {
    decide(index, 'ERR_DATABASE_VANISHED', 'the database disappeared after the backup began');
  }
  for (const index of changes.replacedIndexes) {
    decide(index, 'ERR_DATABASE_REPLACED', 'the file was replaced by another one after the backup began');
  }
  return decided;
}

/** Throws if too many databases, or required ones, had to be left out. */
export function refuseTooManySkipped(
  skipped: readonly DatabaseFailure[],
  missingRequired: readonly DatabaseFailure[],
  left: number,
  limits: SkipLimits,
): void {
  const [unmet] = limits.unmetRequired;
  if (unmet !== undefined) {
    throw new BackupError('ERR_REQUIRED_DATABASE', { message: `no database matches the required "${unmet}"` }, skipped);
  }
  const [missing] = missingRequired;
  if (missing) {
    const more = missingRequired.length > 1 ? ` and ${missingRequired.length - 1} more` : '';
    const message = `the required database ${missing.database}${more} had to be left out: ${missing.text}`;
    throw new BackupError('ERR_REQUIRED_DATABASE', { message, phase: missing.phase }, missingRequired);
  }
  if (left === 0) {
    const message = skipped.length === 0 ? 'no database matches the selection' : 'every database had to be left out';
    throw new BackupError('ERR_NO_DATABASES', { message }, skipped);
  }
  if (skipped.length > limits.maxSkipped) {
    const message = `${counted(skipped.length, 'database')} had to be left out, at most ${limits.maxSkipped} may be`;
    throw new BackupError('ERR_TOO_MANY_SKIPPED', { message }, skipped);
  }
}

/** A delta whose database is not in the manifest would only be misleading. */
async function removeDeltasOfSkipped(work: BackupWork, databases: CapturedDatabases, calls: FileCalls): Promise<void> {
  const left: number[] = [];
  await forEachIndex(databases.results.count, (index) => {
    if (!databases.isCaptured(index)) left.push(index);
  });
  await forEachLimited(left, 4, async (index) => {
    const file = join(work.directory, CapturedDatabases.deltaFile(index));
    await calls.wait('unlink', file, rm(file, { force: true }));
  });
}

/** Reads again what the engine has just written: docs/decisions/deltas-hashed-after-the-window.md */
async function hashDeltas(
  work: BackupWork,
  databases: CapturedDatabases,
  { call, calls, progress }: { readonly call: Call; readonly calls: FileCalls; readonly progress: ProgressReporter },
): Promise<void> {
  const withDelta: number[] = [];
  await forEachIndex(databases.results.count, (index) => {
    if (databases.isCaptured(index) && (databases.results.deltaBytes[index] ?? 0) > 0) withDelta.push(index);
  });
  let done = 0;
  await forEachLimited(withDelta, 4, async (index) => {
    const file = join(work.directory, CapturedDatabases.deltaFile(index));
    const check = (): void => {
      call.check('drain');
    };
    databases.setDeltaHash(index, await hashFile(file, { check, budgetMs: work.setup.options.databaseBudgetMs }));
    done += 1;
    progress.report({ type: 'hash', done, total: withDelta.length }, done === withDelta.length);
  });
  const directory = join(work.directory, 'deltas');
  await calls.wait('fsync', directory, syncDirectory(directory));
}
