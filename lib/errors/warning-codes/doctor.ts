import type { WarningCodeEntry } from './entry';

/** What the doctor finds that forbids no backup, beside what a backup would say itself. */
export const doctorWarnings = {
  WARN_ENVIRONMENT: {
    meaning: 'Variables that the Domino runtime wants are missing or wrong.',
    action: 'Start the process as the advice says; the command line does so itself.',
    subjects: 'settings',
  },
  WARN_PROGRAM_DIRECTORY_UNCHECKED: {
    meaning: 'Who could replace the Domino libraries was not looked at, because of `trustProgramDirectory`.',
    action: 'Leave it out once: the error names the command that takes the right from ordinary users.',
    subjects: 'directories',
  },
  WARN_RUN_AS_ROOT: {
    meaning: 'This process is root, and the server is not.',
    action: 'Run as the user that the server runs as.',
    subjects: 'none',
  },
  WARN_SERVICE_VARIABLE: {
    meaning: 'NOTESNTSERVICE is not set: Domino would end with the session of the user.',
    action: 'Set the system variable NOTESNTSERVICE=1 before this runs as a service.',
    subjects: 'settings',
  },
  WARN_NO_TRANSACTION_LOG: {
    meaning: 'The server writes no transaction log: backups can be restored to their own time only.',
    action: 'Switch transaction logging on for other points in time.',
    subjects: 'none',
  },
  WARN_LINK_BROKEN: {
    meaning: 'A link or a directory in the data directory cannot be followed.',
    action: 'Repair it, remove it, or exclude it: what lies behind it is not in the backup.',
    subjects: 'files',
  },
  WARN_NO_SNAPSHOTS: {
    meaning: 'The file system of the databases has neither snapshots nor clones, so databases are copied one by one.',
    action: 'Use btrfs, or XFS with reflink, for shorter windows.',
    subjects: 'none',
  },
  WARN_DELTA_SPACE: {
    meaning: 'There is little free space for the change information.',
    action: 'Free space, or choose another delta directory.',
    subjects: 'directories',
  },
  WARN_DAOS_MISSING: {
    meaning: 'The directory of DAOS that notes.ini names does not exist.',
    action: 'Check DAOSBasePath in notes.ini.',
    subjects: 'directories',
  },
  WARN_SERVER_TASKS: {
    meaning: 'The server loads a backup task of its own. A database is in one backup at a time.',
    action: 'Let it not run at the same time, or take it out of ServerTasks.',
    subjects: 'settings',
  },
  WARN_SETTING_INVALID: {
    meaning: 'A setting of notes.ini has a value that means nothing.',
    action: 'Correct it, or take it out.',
    subjects: 'settings',
  },
  WARN_TIME_LIMIT_SHORT: {
    meaning: 'BACKUP_TIMEOUT is shorter than the default of Domino.',
    action: 'Keep databases in backup mode for less, or raise it.',
    subjects: 'settings',
  },
} as const satisfies Record<string, WarningCodeEntry>;
