import type { WarningCodeEntry } from './entry';

/** What a restore, a drill, and the care for backups and log archives find. */
export const restoreWarnings = {
  WARN_COPIES_MISSING: {
    meaning: 'Copies are not where the backup made them, so its shadow is used.',
    action: 'Name their directory (`copiesDirectory`, `--copies`) if they were moved.',
    subjects: 'databases',
  },
  WARN_STATE_OLDER: {
    meaning:
      'A database becomes a plain file as an earlier backup has it: what came after is in the transaction log only.',
    action: 'Restore it online or as a new database to have the log applied.',
    subjects: 'databases',
  },
  WARN_NOT_HASHED: {
    meaning: 'The backup has no hash of a database: only size, signature and header could be checked.',
    action: 'Back up with copies or with `hash` (`--hash`).',
    subjects: 'databases',
  },
  WARN_OTHER_LOG: {
    meaning: 'A database belongs to another transaction log: it comes back as it was at the backup.',
    action: 'Back it up after the restore. It replicates with its original where servers meet.',
    subjects: 'databases',
  },
  WARN_NOT_RECOVERED: {
    meaning: 'A database became a plain file that is still a backup, which ends when it is opened.',
    action: 'Recover it, on a server that has its transaction log, before anybody opens it.',
    subjects: 'databases',
  },
  WARN_LOG_EXTENT_UNUSABLE: {
    meaning: 'An extent of the transaction log is missing or damaged in the archive, or a catalogue cannot be read.',
    action: 'See `domino-vss logs list --verify`; bring it back from another copy of the archive.',
    subjects: 'files',
  },
  WARN_BACKUP_DUE: {
    meaning:
      'A database has a new instance id after the restore: the transaction log carries no earlier backup further.',
    action: 'Make a backup now.',
    subjects: 'databases',
  },
  WARN_FILE_NOT_REMOVED: {
    meaning: 'A file or directory that is not needed any more could not be removed.',
    action: 'Remove it when nobody uses it; `domino-vss recover` does so too, for what a journal names.',
    subjects: 'files',
  },
  WARN_JOURNAL_NOT_FINISHED: {
    meaning: 'The journal of a restore could not be finished.',
    action: 'Run `domino-vss recover`.',
    subjects: 'none',
  },
  WARN_DAOS_UNKNOWN: {
    meaning: 'notes.ini could not be read to see whether DAOS is in use.',
    action: 'If it is, list the missing objects: `tell daosmgr listnlo MISSING <database>`.',
    subjects: 'files',
  },
  WARN_SERVER_NOT_ASKED: {
    meaning: 'A plan was made without asking the server about the databases that are there now.',
    action: 'See `errorCode`.',
    subjects: 'none',
  },
  WARN_BACKUP_LEFT: {
    meaning: 'A backup should be removed and could not be, wholly or in part.',
    action: 'See the text; then prune again.',
    subjects: 'backups',
  },
  WARN_BACKUP_UNTOUCHED: {
    meaning: 'A directory holds an unfinished or damaged backup. Nothing of it was removed.',
    action: 'Run `domino-vss recover`; of a damaged one bring the manifest back, or remove the directory.',
    subjects: 'backups',
  },
  WARN_ARCHIVING_NOT_ENDED: {
    meaning: 'All extents are archived, but the server was not told that this run has ended.',
    action: 'End this process: until then the server refuses the next archiver.',
    subjects: 'none',
  },
  WARN_LOG_GAP: {
    meaning: 'An archive does not hold some extents between its first and its last one.',
    action: 'Bring them back from another copy; otherwise back up: recoveries cannot pass the gap.',
    subjects: 'transaction logs',
  },
} as const satisfies Record<string, WarningCodeEntry>;
