import { failure, failureForNow, type ErrorCodeEntry } from './entry';

/** The databases of a backup. */
export const databaseCodes = {
  ERR_FIND: {
    meaning: 'The databases in the data directory could not be listed, or a link or directory link there is broken.',
    action: 'See the path in the message: check permissions, broken links, directories that are not mounted.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_NO_DATABASES: {
    meaning: 'No database was left to back up: nothing matches the selection, or none could be opened.',
    action: 'Check the include and exclude globs against `findDatabases`, and the failures of this error.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_REQUIRED_DATABASE: {
    meaning: 'A database named by the option `required` is missing or was skipped.',
    action: 'See the failures of this error for the reason.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_TOO_MANY_SKIPPED: {
    meaning: 'More databases were skipped than `maxSkipped` allows.',
    action: 'See the failures of this error for the reasons.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_DATABASE_VANISHED: {
    meaning: 'A database disappeared: between the start of the backup and the window, or since the last backup.',
    action: 'Nothing, if it was deleted on purpose.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_DATABASE_UNREADABLE: {
    meaning:
      'An earlier backup contains this database, but its file no longer starts like a database: it is empty or was overwritten.',
    action: 'Check the file, and restore the database from that backup if it is damaged.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DATABASE_REPLACED: {
    meaning: 'A database was replaced by another file (for example by a copy-style compact) during the backup.',
    action: 'Repeat the backup; a logged database also has a new instance id and needs a new full backup.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_WINDOW_TIMEOUT: {
    meaning: 'The freeze window was longer than windowTimeoutMs; the databases were taken out of backup mode.',
    action: 'Raise windowTimeoutMs, or find out which databases or which storage make it long (rehearse, bench).',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_DATABASE_BUDGET: {
    meaning:
      'A call on a database did not return within databaseBudgetMs, or its copy made no progress for that long. The database was skipped.',
    action: 'Raise databaseBudgetMs, or check whether maintenance is running on the database.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_DATABASE_STUCK: {
    meaning:
      'A call to the Domino C API did not return, on this database or on another one of the same thread. The database may still be in backup mode.',
    action:
      'When this process has ended, run `domino-vss recover`: it ends backup mode if Domino permits. Restarting the server always does.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_ORIGINAL_ASIDE: {
    meaning:
      'It is not certain what an interrupted restore did to this database: its original is beside its place, or missing.',
    action: 'Do what the text says, then run `domino-vss recover`, and back up again.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DATABASE_NOT_REACHED: {
    meaning: 'The deadline passed, or the backup was cancelled, before this database was reached.',
    action: 'Raise timeoutMs, or use more shards.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_BACKUP_ENDED_BY_DOMINO: {
    meaning:
      'Domino itself ended the backup mode of a database: it lasted too long (0x3810), or there were too many changes (0x2DD8).',
    action: 'Repeat the backup at a quieter time; BACKUP_TIMEOUT in notes.ini sets the time limit in minutes.',
    errorClass: 'DominoError',
    ...failureForNow,
  },
} as const satisfies Record<string, ErrorCodeEntry>;
