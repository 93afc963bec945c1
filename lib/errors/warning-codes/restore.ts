import type { WarningCodeEntry } from './entry';

/** Warnings of restores, drills, and the maintenance of backups and log archives. */
export const restoreWarnings = {
  WARN_COPIES_MISSING: {
    meaning: 'The copies are not where the backup put them, so its shadow is used.',
    action: 'Name their directory (`copiesDirectory`, `--copies`) if they were moved.',
    subjects: 'databases',
  },
  WARN_STATE_OLDER: {
    meaning:
      'A database becomes a plain file in its state at an earlier backup: later changes are in the transaction log only.',
    action: 'Restore it online or as a new database to have the log applied.',
    subjects: 'databases',
  },
  WARN_NOT_HASHED: {
    meaning: 'The backup has no hash of a database: only size, signature and header could be checked.',
    action: 'Back up with copies or with `hash` (`--hash`).',
    subjects: 'databases',
  },
  WARN_OTHER_LOG: {
    meaning: 'A database belongs to another transaction log: it is restored to its state at the backup.',
    action: 'Back it up after the restore. It replicates with its original wherever their servers replicate.',
    subjects: 'databases',
  },
  WARN_NOT_RECOVERED: {
    meaning: 'A database became a plain file that can still be recovered, but only until it is opened.',
    action: 'Recover it on a server with its transaction log before it is opened.',
    subjects: 'databases',
  },
  WARN_LOG_EXTENT_UNUSABLE: {
    meaning: 'An extent of the transaction log is missing or damaged in the archive, or a catalogue cannot be read.',
    action: 'See `domino-vss logs list --verify`; put it back from another copy of the archive.',
    subjects: 'files',
  },
  WARN_BACKUP_DUE: {
    meaning:
      'A database has a new instance id after the restore: the transaction log can no longer roll earlier backups forward.',
    action: 'Make a backup now.',
    subjects: 'databases',
  },
  WARN_FILE_NOT_REMOVED: {
    meaning: 'A file or directory that is no longer needed could not be removed.',
    action: 'Remove it when no program uses it; `domino-vss recover` also does this if a journal names it.',
    subjects: 'files',
  },
  WARN_JOURNAL_NOT_FINISHED: {
    meaning: 'The journal of a restore could not be finished.',
    action: 'Run `domino-vss recover`.',
    subjects: 'none',
  },
  WARN_DAOS_UNKNOWN: {
    meaning: 'notes.ini could not be read to find out whether DAOS is in use.',
    action: 'If it is, list the missing objects: `tell daosmgr listnlo MISSING <database>`.',
    subjects: 'files',
  },
  WARN_SERVER_NOT_ASKED: {
    meaning: 'A plan was made without asking the server about the databases that exist now.',
    action: 'See `errorCode`.',
    subjects: 'none',
  },
  WARN_BACKUP_LEFT: {
    meaning: 'A backup that should be removed could not be, at least in part.',
    action: 'See the text; then prune again.',
    subjects: 'backups',
  },
  WARN_BACKUP_UNTOUCHED: {
    meaning: 'A directory holds an unfinished or damaged backup. Nothing of it was removed.',
    action: 'Run `domino-vss recover`. If the backup is damaged, put its manifest back, or remove the directory.',
    subjects: 'backups',
  },
  WARN_ARCHIVING_NOT_ENDED: {
    meaning: 'All extents are archived, but the server was not told that this run has ended.',
    action: 'End this process: until then the server refuses the next archiver.',
    subjects: 'none',
  },
  WARN_LOG_GAP: {
    meaning: 'An archive lacks some extents between its first and its last one.',
    action: 'Put them back from another copy; otherwise make a backup: recoveries cannot pass the gap.',
    subjects: 'transaction logs',
  },
} as const satisfies Record<string, WarningCodeEntry>;
