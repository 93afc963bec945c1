/** Where a restored database is put, and what happens to the one already there. */
export type RestoreMode =
  /** Over the original, on a running server: the original is taken offline during the restore. */
  | {
      readonly type: 'online';
      /** How long to wait for users to leave a database. Default: 10 000. */
      readonly waitMs?: number | undefined;
    }
  /** Over the original, while the server is down. */
  | { readonly type: 'offline' }
  /** Next to the original, as a database with its own instance id. */
  | {
      readonly type: 'new-database';
      /**
       * Path relative to the data directory. With the extension of a database (`.nsf`, `.ntf`, `.box`), it is the path of the new
       * database, and only one may be restored; otherwise it is a directory for all of them, at their own paths.
       */
      readonly as: string;
      /** Also a new replica id, so that it never replicates with the original. Logged databases only. Default: false. */
      readonly newReplicaId?: boolean | undefined;
    }
  /**
   * As plain files below a directory outside the data directory, at their own paths. They are neither recovered nor opened: a
   * logged database remains a backup.
   */
  | {
      readonly type: 'directory';
      /** Absolute path; created if missing. */
      readonly directory: string;
    };

/** Whether databases take the places of their originals. */
export function isInPlace(mode: RestoreMode): boolean {
  return mode.type === 'online' || mode.type === 'offline';
}

/** How long to wait for users to leave a database. */
export function waitMsOf(mode: RestoreMode): number {
  return mode.type === 'online' ? (mode.waitMs ?? 10_000) : 0;
}

/** Whether databases get new replica ids. */
export function newReplicaIdOf(mode: RestoreMode): boolean {
  return mode.type === 'new-database' && mode.newReplicaId === true;
}
