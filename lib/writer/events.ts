import type { BackupReport } from '../backup/report';
import type { DatabaseFailure, DominoVssError } from '../errors/errors';

interface Moment {
  /** ISO 8601, UTC. */
  readonly time: string;
}

interface OfSnapshot extends Moment {
  /** Id of the snapshot set, as the requester knows it; empty where VSS has told none. */
  readonly setId: string;
}

/** The outcome for databases whose files a requester has restored. Paths are relative to the data directory. */
export interface RequesterRestored {
  readonly backupId: string;
  /** As they were at the backup. */
  readonly restored: readonly string[];
  /** Their files were left alone: as they were before. */
  readonly untouched: readonly string[];
  /** Offline, and reported by `recoverInterrupted` until they are restored again. */
  readonly failures: readonly DatabaseFailure[];
}

/** An event of a writer. The databases do not wait for listeners. */
export type WriterEvent =
  /** Registered with VSS: from now on snapshots of these databases are backups. */
  | (Moment & { readonly type: 'serving'; readonly databases: number; readonly components: readonly string[] })
  /** The databases are on their way into backup mode, are in it, or leave it because the snapshot is taken. */
  | (OfSnapshot & { readonly type: 'begun' | 'held' | 'thawed'; readonly backupId: string })
  /** The snapshot is a backup now, with a manifest. */
  | (OfSnapshot & { readonly type: 'completed'; readonly backupId: string; readonly report: BackupReport })
  /** There is no backup, and the databases are out of backup mode. */
  | (OfSnapshot & { readonly type: 'failed'; readonly backupId: string; readonly error: DominoVssError })
  /**
   * A requester restores databases: they are offline until it has put their files back, or it was refused and they are as they
   * were; then they are restored, or some of them are not and stay offline. `text` says which and why; {@link RequesterRestored}.
   */
  | (Moment & { readonly type: 'restoring' | 'restore-refused'; readonly text: string })
  | (Moment & {
      readonly type: 'restored' | 'restore-failed';
      readonly text: string;
      readonly report: RequesterRestored | null;
    })
  /** A snapshot of the databases was refused before anything had begun. */
  | (OfSnapshot & { readonly type: 'refused'; readonly error: DominoVssError })
  /** A snapshot without any of the databases has taken place. */
  | (OfSnapshot & { readonly type: 'uninvolved' })
  /** The writer continues, but not as well as it should. */
  | (Moment & { readonly type: 'warning'; readonly error: DominoVssError });

/** An event that has yet to be told. */
export type UntimedEvent = WriterEvent extends infer One
  ? One extends WriterEvent
    ? Omit<One, 'time'>
    : never
  : never;
