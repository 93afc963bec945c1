import type { BackupReport } from '../backup/report';
import type { DominoVssError } from '../errors/errors';

interface Moment {
  /** ISO 8601, UTC. */
  readonly time: string;
}

interface OfSnapshot extends Moment {
  /** Id of the snapshot set, as the requester knows it; empty where VSS has told none. */
  readonly setId: string;
}

/** What happens to a writer. The databases do not wait for whoever listens. */
export type WriterEvent =
  /** Registered with VSS: from now on snapshots of these databases are backups. */
  | (Moment & { readonly type: 'serving'; readonly databases: number; readonly components: readonly string[] })
  /** The databases are on their way into backup mode, are in it, or leave it because the snapshot is taken. */
  | (OfSnapshot & { readonly type: 'begun' | 'held' | 'thawed'; readonly backupId: string })
  /** The snapshot is a backup now, with a manifest. */
  | (OfSnapshot & { readonly type: 'completed'; readonly backupId: string; readonly report: BackupReport })
  /** There is no backup, and the databases are out of backup mode. */
  | (OfSnapshot & { readonly type: 'failed'; readonly backupId: string; readonly error: DominoVssError })
  /** A snapshot of the databases was refused before anything had begun. */
  | (OfSnapshot & { readonly type: 'refused'; readonly error: DominoVssError })
  /** A snapshot has passed that has none of the databases. */
  | (OfSnapshot & { readonly type: 'uninvolved' })
  /** The writer goes on, but not as well as it should. */
  | (Moment & { readonly type: 'warning'; readonly error: DominoVssError });
