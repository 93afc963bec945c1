import type { WarningCodeEntry } from './entry';

/**
 * Warnings about scripts whose effect may not be what their author meant, and about side work of the command line that failed.
 */
export const scriptWarnings = {
  WARN_ALIAS_REDEFINED: {
    meaning: 'An alias had another value until now.',
    action: 'Choose another name, if both are needed.',
    subjects: 'aliases',
  },
  WARN_ALIAS_HIDES_VARIABLE: {
    meaning: 'An alias hides a variable of Windows from the programs that `exec` runs.',
    action: 'Choose another name.',
    subjects: 'aliases',
  },
  WARN_FULL_BACKUP: {
    meaning:
      'The script makes a full backup with writers: other applications treat it as their backup and may truncate their logs.',
    action: 'Leave out `begin backup`, or use `nowriters`, to keep them out of it.',
    subjects: 'none',
  },
  WARN_COPY_BACKUP_STAYS: {
    meaning: 'Shadow copies made before `begin backup` belong to a copy backup, and this does not change.',
    action: 'Write `begin backup` before `create`.',
    subjects: 'none',
  },
  WARN_SET_VOLATILE: {
    meaning: 'An imported set was not persistent and no longer exists.',
    action: 'Write `set context persistent` in the script that makes it.',
    subjects: 'none',
  },
  WARN_ENCODING_GUESSED: {
    meaning: 'A line of a script is neither ASCII nor UTF-8; it was read as windows-1252.',
    action: 'Save the script as UTF-8.',
    subjects: 'lines',
  },
  WARN_VOLUME_TAKEN_ALONG: {
    meaning: 'A volume with databases that the script does not add was included.',
    action: 'Add it in the script if the script needs its shadow copy.',
    subjects: 'volumes',
  },
  WARN_DATABASE_LEFT_OUT: {
    meaning: 'A database is not in the backup that a script made.',
    action: 'The text gives the reason; see also `errorCode`.',
    subjects: 'databases',
  },
  WARN_SYSTEM_LOG: {
    meaning: 'The result could not be written to the system log.',
    action: 'See the text; the command has done its work nevertheless.',
    subjects: 'none',
  },
  WARN_FAILURE_PROGRAM: {
    meaning: 'The program to run after a failure (`--failure-command`) failed itself.',
    action: 'Run it manually and check its output.',
    subjects: 'programs',
  },
  WARN_OUTPUT_UNREAD: {
    meaning: 'The reader of the output closed it before the end.',
    action: 'Nothing; the command has done its work nevertheless.',
    subjects: 'none',
  },
} as const satisfies Record<string, WarningCodeEntry>;
