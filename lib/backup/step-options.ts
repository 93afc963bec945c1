import { abortSignal, boolean, checkOptions, functionValue, milliseconds } from '../call/options';
import type { ProgressListener } from '../call/progress';
import { OptionError } from '../errors/errors';
import { requireWritableShadow } from './apply-in-shadow';
import type { BackupWork } from './capture';
import { checkRetries, type RetryOptions } from './retry';

/** Options of `Backup.createShadow`. */
export interface CreateShadowOptions {
  /**
   * Longest time for all attempts together. Default: 120 000; half an hour in stop mode, where the server must stop and start.
   */
  readonly timeoutMs?: number | undefined;
  /** What to retry, and when. */
  readonly retries?: RetryOptions | undefined;
  /** Also adds the window and its phases to the performance timeline (`performance.measure`). Default: false. */
  readonly performanceMeasures?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Options of `Backup.endBackup`. */
export interface EndBackupOptions {
  /**
   * Whether to keep the shadow. Default: true if the backup's `lifetime` is `persistent`. VSS can keep only persistent
   * shadows.
   */
  readonly keep?: boolean | undefined;
  /**
   * VSS with writers only: whether to tell them that the backup is complete. If not, no application truncates or discards
   * anything after a full backup. Default: true.
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
  /** Default: 600 000; 24 hours if the shadow is kept and either hashed or made by `rolling`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

export function checkCreateShadowOptions(options: CreateShadowOptions): void {
  checkOptions(options, {
    timeoutMs: milliseconds,
    retries: checkRetries,
    performanceMeasures: boolean,
    signal: abortSignal,
    onProgress: functionValue,
  });
}

/** What the end of a backup has to do. */
export interface Ending {
  readonly keep: boolean;
  readonly tellWriters: boolean;
  readonly hash: boolean;
  readonly applyDeltas: boolean;
  readonly timeoutMs: number;
}

/** Checks the options of `endBackup` against what this backup supports, and fills in the defaults. */
export function checkEndBackupOptions(
  options: EndBackupOptions,
  { provider }: BackupWork,
  lifetime: 'backup' | 'persistent',
): Ending {
  checkOptions(options, {
    keep: boolean,
    tellWriters: boolean,
    hash: boolean,
    applyDeltas: boolean,
    timeoutMs: milliseconds,
    signal: abortSignal,
    onProgress: functionValue,
  });
  const { keep = lifetime === 'persistent', tellWriters = true, hash = false, applyDeltas = false } = options;
  const { vss } = provider;
  if (keep && vss && !vss.persistent) {
    const message = `a shadow in the context "${vss.context}" is deleted with its backup and cannot be kept; begin the backup`;
    throw new OptionError('keep', `${message} with lifetime: "persistent" (--keep on the command line)`);
  }
  if (hash && !keep) {
    throw new OptionError(
      'hash',
      'hash applies only to a kept shadow, and this one is not kept; copies are always hashed',
    );
  }
  if (applyDeltas) {
    if (!keep)
      throw new OptionError('applyDeltas', 'applyDeltas applies only to a kept shadow, and this one is not kept');
    requireWritableShadow(provider);
  }
  const mayTakeHours = keep && (hash || provider.native === 'rolling');
  return {
    keep,
    tellWriters,
    hash,
    applyDeltas,
    timeoutMs: options.timeoutMs ?? (mayTakeHours ? 86_400_000 : 600_000),
  };
}
