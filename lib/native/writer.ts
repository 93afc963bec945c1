import type { NativeFailure } from './failure';

/** What a session with the provider `writer` needs to begin without JavaScript. */
export interface NativePreparedOptions {
  readonly backupId: string;
  /** Locked from the begin of the backup until `NativeSession.unlock`. */
  readonly lockedDirectory: string;
  /** Renamed when the backup begins, before a database is touched. */
  readonly moves: readonly { readonly from: string; readonly to: string }[];
  /** Top directories of the volumes. */
  readonly volumes: readonly string[];
  readonly prepareTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** 32 bits. */
  readonly maxSkipped: number;
}

/** The writer as requesters see it. */
export interface NativeWriterOptions {
  readonly classId: string;
  readonly name: string;
  readonly instanceName: string;
  readonly freezeTimeoutMs: number;
  /** Whether a backup that fails fails the snapshot. */
  readonly veto: boolean;
  /** Starts the program that restores for a requester: lib/restore/requester-program.ts. Empty: no part in restores. */
  readonly restoreCommand: string;
  /** For its answer to PreRestore or PostRestore. */
  readonly restorePatienceMs: number;
  readonly components: readonly {
    readonly logicalPath: string;
    readonly name: string;
    readonly caption: string;
    /** Only databases are put into backup mode; the log is refused in a restore, attachments pass. */
    readonly kind: 'databases' | 'transactionLog' | 'attachments';
    readonly files: readonly { readonly directory: string; readonly pattern: string; readonly recursive: boolean }[];
  }[];
}

/** An event of VSS, told after the native side has acted upon it. */
export interface NativeWriterNotice {
  readonly moment: 'identified' | 'refused' | 'begun' | 'held' | 'thawed' | 'completed' | 'failed' | 'uninvolved';
  /** Id of the snapshot set; empty where there is none. */
  readonly setId: string;
  /** {@link NativePreparedOptions.backupId}; empty where none has begun. */
  readonly backupId: string;
  readonly failure: NativeFailure | null;
  /** Which of the databases take part, by their number in the order of `add`; known from `held` on. */
  readonly included: Uint32Array;
}

/** What becomes of a restore by a requester. */
export interface NativeRestoreNotice {
  readonly moment: 'restore-begun' | 'restore-refused' | 'restore-ended' | 'restore-failed';
  readonly text: string;
  /** Of the program that restores: a `RequesterRestoreReport` as JSON; empty where there is none. */
  readonly report: string;
}

export interface NativeRegisteredWriter {
  /**
   * The `NativeSession`, of the provider `writer`, for whoever asks next; null for none. Answers whether the former one was still
   * there; otherwise it has begun, or there was none.
   */
  arm(session: object | null): boolean;
  /** Takes back what has begun, and unsubscribes. */
  end(): Promise<void>;
}
