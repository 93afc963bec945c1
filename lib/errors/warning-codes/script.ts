import type { WarningCodeEntry } from './entry';

/** What a script does that its author may not have meant, and what the command line could not do beside its work. */
export const scriptWarnings = {
  WARN_ALIAS_REDEFINED: {
    meaning: 'An alias stood for something else until now.',
    action: 'Choose another name, if both are needed.',
    subjects: 'aliases',
  },
  WARN_ALIAS_HIDES_VARIABLE: {
    meaning: 'An alias hides a variable of Windows from the programs that `exec` runs.',
    action: 'Choose another name.',
    subjects: 'aliases',
  },
  WARN_FULL_BACKUP: {
    meaning: 'The script makes a full backup with writers: other applications count it and may truncate their logs.',
    action: 'Leave out `begin backup`, or use `nowriters`, to keep them out of it.',
    subjects: 'none',
  },
  WARN_COPY_BACKUP_STAYS: {
    meaning: 'Shadow copies made before `begin backup` belong to a copy backup and stay so.',
    action: 'Write `begin backup` before `create`.',
    subjects: 'none',
  },
  WARN_SET_VOLATILE: {
    meaning: 'A set that was imported is not persistent, and has gone again.',
    action: 'Write `set context persistent` where it is made.',
    subjects: 'none',
  },
  WARN_ENCODING_GUESSED: {
    meaning: 'A line of a script is neither ASCII nor UTF-8; it was read as windows-1252.',
    action: 'Save the script as UTF-8.',
    subjects: 'lines',
  },
  WARN_VOLUME_TAKEN_ALONG: {
    meaning: 'A volume that the script does not add holds databases, and was taken along.',
    action: 'Add it in the script, if its shadow copy is to be used there.',
    subjects: 'volumes',
  },
  WARN_DATABASE_LEFT_OUT: {
    meaning: 'A database is not in the backup that a script has made.',
    action: 'See the reason in the text, and `errorCode`.',
    subjects: 'databases',
  },
  WARN_SYSTEM_LOG: {
    meaning: 'The result could not be written to the log of the system.',
    action: 'See the text; the command has done its work all the same.',
    subjects: 'none',
  },
  WARN_FAILURE_PROGRAM: {
    meaning: 'The program that is to be told of a failure (`--on-failure`) has failed itself.',
    action: 'Run it by hand, and see its output.',
    subjects: 'programs',
  },
  WARN_OUTPUT_UNREAD: {
    meaning: 'Whoever read the output of the command stopped before its end.',
    action: 'Nothing; the command has done its work all the same.',
    subjects: 'none',
  },
} as const satisfies Record<string, WarningCodeEntry>;
