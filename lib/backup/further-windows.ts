import { join } from 'node:path';
import { Call } from '../call/call';
import type { ProgressReporter } from '../call/progress';
import { takeSubset } from '../domino/databases';
import { AbortError, OptionError, toPublicError, type DatabaseFailure } from '../errors/errors';
import { warning } from '../errors/warnings';
import { makeOwnDirectory } from '../store/safe-directory';
import { reportOf } from '../vss/session';
import type { FileCalls } from '../store/stall';
import {
  callsOf,
  captureShadow,
  refuseTooManySkipped,
  type BackupWork,
  type Capture,
  type EarlierWindows,
} from './capture';
import { Continuity } from './continuity';
import { createSession, openSession } from './native-session';
import { endFailedAttempt, pause, type RetryOptions } from './retry';

/**
 * A window after the first one, for databases that were busy in the first. It has its own session, shadows and deltas, but shares
 * the manifest: docs/decisions/further-windows.md
 */
export interface FurtherWindow {
  /** The first window of a backup is 1. */
  readonly number: number;
  readonly work: BackupWork;
  readonly capture: Capture;
  readonly created: Date;
}

/** STATUS values after which a database can be backed up a little later. */
const busy: ReadonlySet<number> = new Set([
  0x0ea4, // ERR_BACKUP_ALREADY_IN_PROGRESS: another backup program is at work
  0x13aa, // ERR_CANT_BACKUP_DURING_COMPACT
  0x2dd8, // ERR_BACKUP_ABORTED2: too many changes during the window, which was longer for all of them together
]);

/** The status code itself; the two bits above it only say where the error was displayed. */
const statusMask = 0x3fff;

/** Whether a database may be captured in a further window. */
export function isBusy({ status, statusHex }: DatabaseFailure): boolean {
  // Decimal numbers are from the operating system.
  return statusHex.startsWith('0x') && busy.has(status & statusMask);
}

/** Rejects options that further windows do not support. */
export function checkBusyRetries({ provider, mode, source }: BackupWork, { busyDatabases = 0 }: RetryOptions): void {
  if (busyDatabases === 0) return;
  const refuse = (why: string): never => {
    throw new OptionError('retries.busyDatabases', `retries.busyDatabases ${why}`);
  };
  if (provider.hook) refuse('needs a provider of this package: a hook makes one snapshot per backup');
  if (mode.type === 'stop-service') refuse('has no meaning in stop mode, where no database is busy');
  if (source === 'volumes') refuse('has no meaning for plain volumes');
}

/**
 * Tries busy databases again, after a pause, in windows of their own: at most `retries.busyDatabases` times. A failed window does
 * no harm: its databases are still left out, and whatever it left behind is closed together with the backup.
 */
export async function captureBusy(
  first: BackupWork,
  { databases }: Capture,
  { busyDatabases: most = 0, busyPauseMs = 30_000 }: RetryOptions,
  call: Call,
  reporter: (call: Call) => ProgressReporter,
): Promise<readonly FurtherWindow[]> {
  const windows: FurtherWindow[] = [];
  const indexOf = new Map(first.databases.paths.map((path, index) => [path, index]));
  const indexesOf = (failures: readonly DatabaseFailure[]): number[] =>
    failures.filter(isBusy).map(({ database }) => indexOf.get(database) ?? -1);
  let left = indexesOf(databases.skipped);
  for (let attempt = 1; attempt <= most && left.length > 0 && call.remainingMs() > busyPauseMs; ++attempt) {
    const number = attempt + 1;
    const one = {
      type: 'busy',
      window: number,
      windows: most + 1,
      pauseMs: busyPauseMs,
      databases: left.length,
    } as const;
    reporter(call).report(one, true);
    await pause(first, busyPauseMs, call);
    const captures = [databases, ...windows.map(({ capture }) => capture.databases)];
    const stuck = captures.flatMap((captured) => captured.stuck);
    const work = await furtherWork(first, left, number, earlierThan(first, windows, stuck), callsOf(first, call));
    const window = await captureOne(first, work, number, call, reporter);
    if (!window) continue;
    windows.push(window);
    left = indexesOf(window.capture.databases.skipped);
  }
  return windows;
}

/** The final state of each database: its last window decides. */
export function skippedAfterAll(capture: Capture, windows: readonly FurtherWindow[]): readonly DatabaseFailure[] {
  const last = new Map<string, DatabaseFailure | undefined>();
  for (const { capture: later } of windows) {
    for (const index of later.databases.indexes()) last.set(later.databases.databases.paths[index] ?? '', undefined);
    for (const failure of later.databases.skipped) last.set(failure.database, failure);
  }
  return capture.skipped.flatMap((failure) => {
    if (!last.has(failure.database)) return [failure];
    return last.get(failure.database) ?? [];
  });
}

/** Throws if too many databases, or required ones, are still left out after all windows. */
export function refuseAfterAll(work: BackupWork, capture: Capture, windows: readonly FurtherWindow[]): void {
  const skipped = skippedAfterAll(capture, windows);
  const vanished = new Set(work.continuity.vanished);
  const leftOut = skipped.filter((failure) => !vanished.has(failure));
  const still = new Set(leftOut.map(({ database }) => database));
  const missing = capture.databases.missingRequired().filter(({ database }) => still.has(database));
  refuseTooManySkipped(leftOut, missing, capture.databases.count, work.limits);
}

function earlierThan(first: BackupWork, windows: readonly FurtherWindow[], stuck: readonly string[]): EarlierWindows {
  const works = [first, ...windows.map(({ work }) => work)];
  const shadows = works.flatMap(({ provider, session, plan }) =>
    provider.vss ? reportOf(session).shadowIds : plan.targets,
  );
  const snapshotSet = first.provider.vss ? reportOf(first.session).setId : '';
  return { snapshotSet, shadows, stuck };
}

async function furtherWork(
  first: BackupWork,
  indexes: readonly number[],
  number: number,
  earlier: EarlierWindows,
  calls: FileCalls,
): Promise<BackupWork> {
  const directory = join(first.directory, `window-${number}`);
  const deltaDirectory = join(directory, 'deltas');
  await calls.wait('mkdir', directory, makeOwnDirectory(deltaDirectory, first.binding));
  const { databases, volumeNumbers } = takeSubset(first.databases, indexes);
  const targetOf = (volume: number): string => {
    const target = first.plan.targets[volume] ?? '';
    return target === '' ? '' : `${target}-${number}`;
  };
  const plan = {
    targets: first.plan.targets.length === 0 ? [] : volumeNumbers.map(targetOf),
    parents: first.plan.parents,
  };
  const volumes = volumeNumbers.map((volume) => ({
    source: first.setup.options.volumes[volume]?.source ?? '',
    target: targetOf(volume),
  }));
  const setup = { ...first.setup, options: { ...first.setup.options, volumes, deltaDirectory }, databases, plan };
  return {
    ...first,
    directory,
    setup,
    session: createSession(setup),
    databases,
    plan,
    earlier,
    // The first window has reported what concerns the whole backup; the rest is decided after the last window.
    problems: [],
    continuity: Continuity.none,
    limits: { maxSkipped: Infinity, unmetRequired: [] },
  };
}

async function captureOne(
  first: BackupWork,
  work: BackupWork,
  number: number,
  call: Call,
  reporter: (call: Call) => ProgressReporter,
): Promise<FurtherWindow | undefined> {
  first.furtherWork.push(work);
  // A slow window must not use up the time of the call, because then the whole backup would fail.
  const own = new Call({ signal: call.signal, timeoutMs: Math.ceil(call.remainingMs() * 0.8), phase: 'prepare' });
  try {
    const progress = reporter(own);
    await openSession(work.session, work.setup, own, progress);
    const capture = await captureShadow(work, own, progress);
    // Other databases may appear or disappear; the first window has made that comparison.
    return {
      number,
      work,
      capture: { ...capture, changes: { ...capture.changes, appeared: [] } },
      created: new Date(),
    };
  } catch (error) {
    if (await endFailedAttempt(work)) {
      first.furtherWork.splice(first.furtherWork.indexOf(work), 1);
      const { binding, directory } = work;
      await callsOf(work, call).wait('unlink', directory, binding.removeTree(directory));
    }
    if (error instanceof AbortError || first.interrupt.signal.aborted) throw error;
    const known = toPublicError(error);
    // If all are still busy, each has its own failure.
    if (known.code !== 'ERR_NO_DATABASES') {
      const message = `window ${number} for busy databases failed: ${known.message}`;
      first.warnings.push(warning('WARN_WINDOW_FAILED', message, { error: known }));
    }
    return undefined;
  }
}
