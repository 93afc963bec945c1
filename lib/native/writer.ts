import type { NativeFailure } from './failure';

/** What a session with the provider `writer` needs to begin without JavaScript. */
export interface NativePreparedOptions {
  readonly backupId: string;
  /** Locked from the beginning of the backup until `NativeSession.unlock`. */
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
  /** Whether to ask for shadows that may be changed, and to apply change information in them. */
  readonly autoRecovery: boolean;
  /** Whether a failed backup also fails the snapshot. */
  readonly veto: boolean;
  /** Starts the program that restores for a requester: lib/restore/requester-program.ts. Empty: takes no part in restores. */
  readonly restoreCommand: string;
  /** Longest wait for its answer to PreRestore or PostRestore. */
  readonly restorePatienceMs: number;
  readonly components: readonly {
    readonly logicalPath: string;
    readonly name: string;
    readonly caption: string;
    /** Only databases are put into backup mode. A restore of the log is refused; attachments need no action. */
    readonly kind: 'databases' | 'transactionLog' | 'attachments';
    readonly files: readonly { readonly directory: string; readonly pattern: string; readonly recursive: boolean }[];
  }[];
}

/** A VSS event, reported after the native side has acted on it. */
export interface NativeWriterNotice {
  readonly moment: 'identified' | 'refused' | 'begun' | 'held' | 'thawed' | 'completed' | 'failed' | 'uninvolved';
  /** Id of the snapshot set; empty if there is none. */
  readonly setId: string;
  /** {@link NativePreparedOptions.backupId}; empty if none has begun. */
  readonly backupId: string;
  readonly failure: NativeFailure | null;
  /** The databases that take part, by their index in the order of `add`; known from `held` on. */
  readonly included: Uint32Array;
  /** Those that the requester has chosen, and that lie on no volume of its snapshot; by the same numbers. */
  readonly outside: Uint32Array;
  /**
   * Databases in shadows that could be changed, by their position in {@link included}: null if its change information has been
   * applied there, and otherwise why not. Only with `completed`; empty if VSS did not make the shadows so.
   */
  readonly inShadows: readonly { readonly index: number; readonly failure: NativeFailure | null }[];
}

/** Progress of a restore by a requester. */
export interface NativeRestoreNotice {
  readonly moment: 'restore-begun' | 'restore-refused' | 'restore-ended' | 'restore-failed';
  readonly text: string;
  /** From the program that restores: a `RequesterRestoreReport` as JSON; empty if there is none. */
  readonly report: string;
}

export interface NativeRegisteredWriter {
  /**
   * Sets the `NativeSession`, of the provider `writer`, for the next requester; null for none. Returns whether the previous one
   * was still unused; if not, it has begun, or there was none.
   */
  arm(session: object | null): boolean;
  /** Rolls back what has begun, and unsubscribes. */
  end(): Promise<void>;
}
