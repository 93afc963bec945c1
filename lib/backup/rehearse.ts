import { beginBackup, defaultShards } from './begin-backup';
import type { DatabaseChanges } from '../domino/databases';
import type { DatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { NativeBinding } from '../native/session';
import {
  abortSignal,
  absolutePath,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  integer,
  isolationOption,
  milliseconds,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import type { ProgressListener } from '../call/progress';
import type { HookProvider } from './hook-provider';
import { publicCall } from '../call/call';
import type { SelectionOptions } from '../domino/selection';
import type { SnapshotSet } from './snapshot-set';
import { spread, type Spread } from './spread';

/** Options of `rehearse`. */
export interface RehearseOptions extends SelectionOptions {
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /**
   * Absolute path of the delta directory of the backups: its journal keeps a backup and a rehearsal apart. Created if
   * missing.
   */
  readonly deltaDirectory: string;
  /** Number of threads that put databases into backup mode. Default: as in `beginBackup`. */
  readonly shards?: number | undefined;
  /** How long making the real shadow is expected to take; used in the prediction. Default: 0. */
  readonly expectedShadowMs?: number | undefined;
  /** Longest time for one database to open or to enter backup mode before it is left out. Default: 10 000. */
  readonly databaseBudgetMs?: number | undefined;
  /** Longest time for the whole rehearsal. Default: 600 000. */
  readonly timeoutMs?: number | undefined;
  /** Which process loads Domino: this one (`none`, the default), or one started for this call (`process`). */
  readonly isolation?: Isolation | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** One of the databases that take longest. */
export interface SlowDatabase {
  /** Relative to the data directory, with `/`. */
  readonly database: string;
  /** How long its `NSFBackupStart` took. */
  readonly startMs: number;
  /** How long its `NSFBackupStop` took. */
  readonly stopMs: number;
}

/** The result of `rehearse`. */
export interface RehearsalReport {
  /** Number of databases that entered and left backup mode. */
  readonly databases: number;
  /** Databases that a backup would leave out, each with its reason. */
  readonly refused: readonly DatabaseFailure[];
  readonly changes: DatabaseChanges;
  readonly shards: number;
  /** Duration of the individual `NSFBackupStart` calls, in milliseconds. */
  readonly start: Spread;
  /** Duration of the individual `NSFBackupStop` calls, in milliseconds. */
  readonly stop: Spread;
  /** The databases whose two calls together took longest, at most ten, slowest first. */
  readonly slowest: readonly SlowDatabase[];
  /** From the first `NSFBackupStart` to the last `NSFBackupStop` of this rehearsal. */
  readonly windowMs: number;
  /**
   * Freeze window to expect: all starts ÷ shards + {@link RehearseOptions.expectedShadowMs} + all stops ÷ shards. For a
   * provider that captures the whole volume at once.
   */
  readonly predictedWindowMs: number;
  readonly warnings: readonly Warning[];
}

/** Number of databases in {@link RehearsalReport.slowest}. */
const slowestCount = 10;

/** A provider that captures nothing. */
const nothing: HookProvider = {
  name: 'rehearsal',
  flushesVolumes: true, // nobody reads the disk
  create: ({ volumes }) => Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) }),
};

export function rehearse(loadBinding: () => NativeBinding, options: RehearseOptions): Promise<RehearsalReport> {
  return publicCall(async () => {
    checkOptions(options, {
      domino: dominoLocation,
      deltaDirectory: absolutePath,
      include: globs,
      exclude: globs,
      required: globs,
      shards: integer(1, 64),
      expectedShadowMs: integer(0, 2 ** 31 - 1),
      databaseBudgetMs: milliseconds,
      timeoutMs: milliseconds,
      isolation: isolationOption,
      signal: abortSignal,
      onProgress: functionValue,
    });
    const { expectedShadowMs = 0, shards = defaultShards(), timeoutMs = 600_000, ...backupOptions } = options;
    const { signal, onProgress } = options;
    const endsAt = performance.now() + timeoutMs;
    const backup = await beginBackup(loadBinding, { ...backupOptions, timeoutMs, shards, provider: nothing });
    const leftMs = Math.max(1, Math.ceil(endsAt - performance.now()));
    // If it fails, it rolls everything back itself.
    const set = await backup.createShadow({ timeoutMs: leftMs, signal, onProgress });
    await backup.dispose();
    return report(set, { shards, expectedShadowMs, warnings: backup.warnings });
  });
}

function report(
  set: SnapshotSet,
  given: { readonly shards: number; readonly expectedShadowMs: number; readonly warnings: readonly Warning[] },
): RehearsalReport {
  const { shards, expectedShadowMs, warnings } = given;
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs } = set.window.databases;
  const durations: SlowDatabase[] = [];
  for (const { index, path } of set.describeDatabases()) {
    durations.push({
      database: path,
      startMs: (startReturnedMs[index] ?? NaN) - (startCalledMs[index] ?? NaN),
      stopMs: (stopReturnedMs[index] ?? NaN) - (stopCalledMs[index] ?? NaN),
    });
  }
  const start = spread(durations.map(({ startMs }) => startMs));
  const stop = spread(durations.map(({ stopMs }) => stopMs));
  const slowest = durations.sort((a, b) => b.startMs + b.stopMs - a.startMs - a.stopMs).slice(0, slowestCount);
  return {
    databases: set.databases,
    refused: set.skipped,
    changes: set.changes,
    shards,
    start,
    stop,
    slowest,
    windowMs: set.window.windowMs,
    predictedWindowMs: (start.sum + stop.sum) / shards + expectedShadowMs,
    warnings,
  };
}
