import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../call/call';
import { mkdirWithMode } from '../call/files';
import { checkOptions, integer, milliseconds, type Check } from '../call/options';
import type { ProgressReporter } from '../call/progress';
import { AbortError, VssError, type DatabaseFailure } from '../errors/errors';
import { warning } from '../errors/warnings';
import { FileCalls, untiring } from '../store/stall';
import { captureShadow, closeTimeoutMs, type BackupWork, type Capture } from './capture';
import { createSession, openSession } from './native-session';

/** How often `createShadow` tries again, and after what pause. */
export interface RetryOptions {
  /**
   * VSS only: further attempts after a temporary failure: file systems that could not be flushed or writes that could not be held
   * in time, a veto of the provider, a writer that reports a retryable error. Each attempt uses a new VSS object, as Microsoft
   * requires. All attempts together are limited by `timeoutMs`: an attempt that would begin after that is not made. The default of
   * `timeoutMs` therefore allows none, in stop mode at most two. Default: 3, Microsoft's limit.
   */
  readonly shadow?: number | undefined;
  /**
   * Pause before each further attempt. In the meantime every database is out of backup mode and closed, and in stop mode the
   * server is running. Default: 600 000, the ten minutes that Microsoft advises.
   */
  readonly pauseMs?: number | undefined;
  /**
   * Maximum number of further windows, after the first one, for databases that were busy in it: being compacted (STATUS 0x13AA),
   * in backup by another program (0x0EA4), changed too much (0x2DD8). Each window has a shadow of its own, with only these
   * databases; no further window is opened when none is left. A window for which `timeoutMs` leaves not enough time is not
   * opened. Needs the backup API, and a provider of this package, not a hook. Default: 0.
   */
  readonly busyDatabases?: number | undefined;
  /** Pause before each of these windows. No database is in backup mode in the meantime. Default: 30 000. */
  readonly busyPauseMs?: number | undefined;
}

export const checkRetries: Check = (value, name) => {
  checkOptions(
    value,
    { shadow: integer(0, 100), pauseMs: milliseconds, busyDatabases: integer(0, 100), busyPauseMs: milliseconds },
    `${name}.`,
  );
};

/** HRESULTs after which Microsoft advises to wait and to try again with a new object (DoSnapshotSet, GetWriterStatus). */
const passing: ReadonlySet<number> = new Set([
  0x80042306, // VSS_E_PROVIDER_VETO
  0x8004230f, // VSS_E_UNEXPECTED_PROVIDER_ERROR
  0x80042313, // VSS_E_FLUSH_WRITES_TIMEOUT
  0x80042314, // VSS_E_HOLD_WRITES_TIMEOUT
  0x80042328, // VSS_E_TRANSACTION_FREEZE_TIMEOUT
  0x80042329, // VSS_E_TRANSACTION_THAW_TIMEOUT
  0x800423f1, // VSS_E_WRITERERROR_OUTOFRESOURCES
  0x800423f2, // VSS_E_WRITERERROR_TIMEOUT
  0x800423f3, // VSS_E_WRITERERROR_RETRYABLE
]);

/** {@link captureShadow}, repeated after a pause if VSS failed temporarily. */
export async function captureWithRetries(
  work: BackupWork,
  retries: RetryOptions,
  call: Call,
  progress: ProgressReporter,
  mayStillCome?: (failure: DatabaseFailure) => boolean,
): Promise<Capture> {
  const { shadow: most = 3, pauseMs = 600_000 } = retries;
  for (let failed = 1; ; ++failed) {
    try {
      return await captureShadow(work, call, progress, mayStillCome);
    } catch (error) {
      const hasRoom = failed <= most && call.remainingMs() > pauseMs;
      if (!(error instanceof VssError) || !passing.has(error.hresult) || !hasRoom) throw error;
      if (!(await endFailedAttempt(work))) throw error;
      const message = `attempt ${failed} to make the shadow failed: ${error.message}`;
      work.warnings.push(warning('WARN_ATTEMPT_FAILED', message, { error }));
      progress.report({ type: 'retry', attempt: failed + 1, attempts: most + 1, pauseMs, reason: error.message }, true);
    }
    await pause(work, pauseMs, call);
    work.session = createSession(work.setup);
    await openSession(work.session, work.setup, call, progress);
  }
}

/** Ends the failed session. Returns whether nothing of it is left, above all no database in backup mode. */
export async function endFailedAttempt(work: BackupWork): Promise<boolean> {
  const { session, journal, directory } = work;
  try {
    const closing = { keepShadow: false, succeeded: false, deletedShadows: [], timeoutMs: closeTimeoutMs };
    await session.close(closing);
  } catch {
    return false; // the backup is taken back, which closes again and says what is left
  }
  if (session.stuck().length > 0) return false;
  const deltas = join(directory, 'deltas');
  const calls = new FileCalls({ ...untiring, budgetMs: work.setup.options.databaseBudgetMs });
  await calls.wait('unlink', deltas, work.binding.removeTree(deltas));
  await calls.wait('mkdir', deltas, mkdirWithMode(deltas, 0o700));
  const { snapshotSet, shadows, stuck } = work.earlier;
  await journal.update({ snapshotSet, shadows }, stuck);
  return true;
}

export async function pause({ interrupt }: BackupWork, pauseMs: number, call: Call): Promise<void> {
  await call.interruptible(async (signal) => {
    try {
      await sleep(pauseMs, undefined, { signal: AbortSignal.any([signal, interrupt.signal]) });
    } catch (error) {
      // The backup was disposed of; the signal of the call itself has not fired.
      throw interrupt.signal.aborted ? new AbortError(interrupt.signal.reason, 'prepare') : error;
    }
  });
}
