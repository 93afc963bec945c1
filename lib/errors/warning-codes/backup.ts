import type { WarningCodeEntry } from './entry';

/** Warnings of backups, holds and rehearsals. */
export const backupWarnings = {
  WARN_GLOB_UNMATCHED: {
    meaning: 'A glob of `include` or `exclude` matches no database.',
    action: 'Compare it with the names that `findDatabases` or `backup show` prints.',
    subjects: 'globs',
  },
  WARN_EXCLUDED_BY_ALIAS: {
    meaning: 'A database is excluded only under a second name, which a link gives it.',
    action: 'Exclude it by its real path, or remove the glob if the database should be in the backup.',
    subjects: 'databases',
  },
  WARN_NOT_A_DATABASE: {
    meaning: 'Something is named like a database or a link, but is neither; it was not opened.',
    action: 'Remove or rename it, or exclude it.',
    subjects: 'databases',
  },
  WARN_WORK_UNFINISHED: {
    meaning: 'A process that died left something behind that could not be cleaned up.',
    action: 'Do what the text says, then run `domino-vss recover`.',
    subjects: 'works',
  },
  WARN_WORK_RECOVERED: {
    meaning: 'What a process that died had left behind was cleaned up first.',
    action: 'Find out why it died.',
    subjects: 'works',
  },
  WARN_JOURNAL_UNUSABLE: {
    meaning: 'A journal is damaged, of a later version or of another host. Nothing it names was touched.',
    action: 'Check what it names; run `domino-vss recover` on its own host.',
    subjects: 'files',
  },
  WARN_DIRECTORY_SHARED: {
    meaning: 'Users other than this one can change the contents of a directory for backups, copies or shadows.',
    action: 'Run the command in the text, unless they should have that right.',
    subjects: 'directories',
  },
  WARN_KEY_READABLE: {
    meaning: 'Every user of this machine can read the private key that signs the manifests. Not checked on Windows.',
    action: 'Run the command in the text; if others may have read the key, make a new one.',
    subjects: 'files',
  },
  WARN_DELTA_VOLUME: {
    meaning: 'The delta directory is on a volume with databases: if it is lost, both are.',
    action: 'Choose a delta directory on another volume, or save it elsewhere after each backup.',
    subjects: 'directories',
  },
  WARN_FUNCTION_MISSING: {
    meaning: 'This Domino release lacks functions that newer releases have.',
    action: 'Nothing, unless you need what depends on them: then update Domino.',
    subjects: 'functions',
  },
  WARN_BACKUP_UNREADABLE: {
    meaning: 'An earlier backup cannot be read: the new one could not be compared with it, or could not build on it.',
    action: 'See the text and `backup verify`; put its manifest back, or remove the backup.',
    subjects: 'backups',
  },
  WARN_DATABASE_REPLACED: {
    meaning: 'A path leads to another database than in the last backup: its replica id, instance id or file differs.',
    action: 'Nothing, if it was replaced, compacted or restored on purpose.',
    subjects: 'databases',
  },
  WARN_INSTANCE_ID_CHANGED: {
    meaning:
      'A database has a new instance id, so the transaction log can roll older backups forward only up to that change.',
    action: 'Back it up. To restore what was written after the change, use a backup made after the change.',
    subjects: 'databases',
  },
  WARN_NEVER_CAPTURED: {
    meaning: 'A database was left out, and as far as is known, no earlier backup contains it.',
    action: 'See the failures for the reason, and back it up.',
    subjects: 'databases',
  },
  WARN_NOTHING_TO_BUILD_ON: {
    meaning: 'There is no backup that an incremental one could build on, so all databases were captured.',
    action: 'Nothing, if it is the first one; otherwise keep copies or shadows, in the same delta directory.',
    subjects: 'directories',
  },
  WARN_CONTENTS_LOST: {
    meaning: 'Earlier backups have neither a copy nor a shadow of a database any more, so it was captured again.',
    action: 'Nothing, if they were removed on purpose. Those backups can no longer restore it.',
    subjects: 'databases',
  },
  WARN_DATABASE_UNANSWERED: {
    meaning: 'The server did not say whether a database has changed, so it was captured.',
    action: 'The text gives the reason.',
    subjects: 'databases',
  },
  WARN_LOG_NOT_ARCHIVED: {
    meaning: 'No archive is known to continue the transaction log, so logged databases were captured in full.',
    action: 'Archive the log (`logs archive`), and name the archive.',
    subjects: 'none',
  },
  WARN_CALL_HANGS: {
    meaning: 'A call to Domino has not returned. It may keep a database open until it returns or the process ends.',
    action: 'Check the database on the server, and end this process.',
    subjects: 'none',
  },
  WARN_ATTEMPT_FAILED: {
    meaning: 'An attempt to make the shadow failed and was repeated.',
    action: 'Nothing if it happens rarely; see `errorCode` otherwise.',
    subjects: 'none',
  },
  WARN_WINDOW_FAILED: {
    meaning: 'Another window for busy databases failed: they are still left out.',
    action: 'See `errorCode`; back those databases up at another time.',
    subjects: 'none',
  },
  WARN_DATABASE_STUCK: {
    meaning: 'A call on a database hangs: it may still be in backup mode.',
    action:
      'When this process has ended, run `domino-vss recover`: it ends backup mode if Domino permits. Restarting the server always does.',
    subjects: 'databases',
  },
  WARN_LINK_FOLLOWED: {
    meaning: 'A server file that notes.ini names is a link that leads out of its directory; its target was copied.',
    action: 'Check that the link was made on purpose.',
    subjects: 'files',
  },
  WARN_LINK_NOT_FOLLOWED: {
    meaning: 'A link named `*.id` leads out of its directory, and notes.ini does not name it; it was not copied.',
    action: 'Save its target yourself, if it is an ID file.',
    subjects: 'files',
  },
  WARN_SHADOW_NOT_HASHED: {
    meaning:
      'Databases in a kept shadow have no hash, because their files cannot be read where the hook says, or on this machine.',
    action:
      'Check the `root` that the hook names. `contents.unhashed` in the manifest names each database and the reason.',
    subjects: 'databases',
  },
  WARN_END_FAILED: {
    meaning:
      'The backup is good, but something after it failed: notifying the writers, or removing a shadow or a place where one was exposed.',
    action: 'See `errorCode`, and the same error in `problems`; run `domino-vss recover` to clean up what is left.',
    subjects: 'none',
  },
} as const satisfies Record<string, WarningCodeEntry>;
