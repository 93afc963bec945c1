import type { BackupReport } from '../backup/report';
import type { DatabaseFailure, DominoVssError } from '../errors/errors';

interface Moment {
  /** ISO 8601, UTC. */
  readonly time: string;
}

interface OfSnapshot extends Moment {
  /** Id of the snapshot set, as the requester knows it; empty if VSS has not reported one. */
  readonly setId: string;
}

/** The outcome for databases whose files a requester has restored. Paths are relative to the data directory. */
export interface RequesterRestored {
  readonly backupId: string;
  /** Restored to their state at the backup. */
  readonly restored: readonly string[];
  /** Their files were not replaced: the databases are unchanged. */
  readonly untouched: readonly string[];
  /** Offline, and reported by `recoverInterrupted` until they are restored again. */
  readonly failures: readonly DatabaseFailure[];
}

/** An event of a writer. Native code does not wait for listeners. */
export type WriterEvent =
  /** Registered with VSS: from now on, snapshots of these databases are backups. */
  | (Moment & { readonly type: 'serving'; readonly databases: number; readonly components: readonly string[] })
  /** The databases are entering backup mode, are in it, or are leaving it because the snapshot has been taken. */
  | (OfSnapshot & { readonly type: 'begun' | 'held' | 'thawed'; readonly backupId: string })
  /** The snapshot is now a backup, with a manifest. */
  | (OfSnapshot & { readonly type: 'completed'; readonly backupId: string; readonly report: BackupReport })
  /** There is no backup, and the databases are out of backup mode. */
  | (OfSnapshot & { readonly type: 'failed'; readonly backupId: string; readonly error: DominoVssError })
  /**
   * A requester restores databases. `restoring`: they are offline until it has put their files back. `restore-refused`: they are
   * unchanged. Afterwards they are restored, or some of them are not and stay offline: `text` says which and why; see
   * {@link RequesterRestored}.
   */
  | (Moment & { readonly type: 'restoring' | 'restore-refused'; readonly text: string })
  | (Moment & {
      readonly type: 'restored' | 'restore-failed';
      readonly text: string;
      readonly report: RequesterRestored | null;
    })
  /** A snapshot of the databases was refused before anything had begun. */
  | (OfSnapshot & { readonly type: 'refused'; readonly error: DominoVssError })
  /** A snapshot was taken that contains none of the databases. */
  | (OfSnapshot & { readonly type: 'uninvolved' })
  /** The writer continues, but not as well as it should. */
  | (Moment & { readonly type: 'warning'; readonly error: DominoVssError });

/** An event without its time. */
export type UntimedEvent = WriterEvent extends infer One
  ? One extends WriterEvent
    ? Omit<One, 'time'>
    : never
  : never;
