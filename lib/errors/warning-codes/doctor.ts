import type { WarningCodeEntry } from './entry';

/** Warnings of the doctor that do not prevent a backup; it also reports those of a backup. */
export const doctorWarnings = {
  WARN_ENVIRONMENT: {
    meaning: 'Environment variables that the Domino runtime needs are missing or wrong.',
    action: 'Start the process as the advice says; the command line does this automatically.',
    subjects: 'settings',
  },
  WARN_PROGRAM_DIRECTORY_UNCHECKED: {
    meaning: 'It was not checked who can replace the Domino libraries, because of `trustProgramDirectory`.',
    action: 'Omit it once: the error names the command that removes this right from ordinary users.',
    subjects: 'directories',
  },
  WARN_RUN_AS_ROOT: {
    meaning: 'This process is root, and the server is not.',
    action: 'Run as the user that the server runs as.',
    subjects: 'none',
  },
  WARN_SERVICE_VARIABLE: {
    meaning: 'NOTESNTSERVICE is not set: Domino would end when the user logs off.',
    action: 'Set the system variable NOTESNTSERVICE=1 before this runs as a service.',
    subjects: 'settings',
  },
  WARN_NO_TRANSACTION_LOG: {
    meaning: 'The server writes no transaction log: backups can only be restored to their own time.',
    action: 'Switch transaction logging on to restore to other points in time.',
    subjects: 'none',
  },
  WARN_LINK_BROKEN: {
    meaning: 'A link or a directory in the data directory cannot be followed.',
    action: 'Repair it, remove it, or exclude it: what it leads to is not in the backup.',
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
    meaning: 'The DAOS directory that notes.ini names does not exist.',
    action: 'Check DAOSBasePath in notes.ini.',
    subjects: 'directories',
  },
  WARN_SERVER_TASKS: {
    meaning: 'The server loads a backup task of its own. A database can only be in one backup at a time.',
    action: 'Make sure that it does not run at the same time, or remove it from ServerTasks.',
    subjects: 'settings',
  },
  WARN_SETTING_INVALID: {
    meaning: 'A setting in notes.ini has a value with no meaning.',
    action: 'Correct it, or remove it.',
    subjects: 'settings',
  },
  WARN_TIME_LIMIT_SHORT: {
    meaning: 'BACKUP_TIMEOUT is shorter than the default of Domino.',
    action: 'Keep databases in backup mode for a shorter time, or raise it.',
    subjects: 'settings',
  },
} as const satisfies Record<string, WarningCodeEntry>;
