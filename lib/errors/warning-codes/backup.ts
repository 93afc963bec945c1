import type { WarningCodeEntry } from './entry';

/** What a backup, a hold and a rehearsal find. */
export const backupWarnings = {
  WARN_GLOB_UNMATCHED: {
    meaning: 'A glob of `include` or `exclude` matches no database.',
    action: 'Compare it with the names that `findDatabases` or `backup show` gives.',
    subjects: 'globs',
  },
  WARN_EXCLUDED_BY_ALIAS: {
    meaning: 'A database is excluded, but only by another name that a link gives it.',
    action: 'Exclude it by its true path, or take the glob away if the database should be in the backup.',
    subjects: 'databases',
  },
  WARN_NOT_A_DATABASE: {
    meaning: 'Something has the name of a database or of a link, but is none; it was not opened.',
    action: 'Remove or rename it, or exclude it.',
    subjects: 'databases',
  },
  WARN_WORK_UNFINISHED: {
    meaning: 'Work of a process that has died has left something that could not be put right.',
    action: 'Do what the text says, then run `domino-vss recover`.',
    subjects: 'works',
  },
  WARN_WORK_RECOVERED: {
    meaning: 'Work of a process that has died was put right before this work began.',
    action: 'Find out why it died.',
    subjects: 'works',
  },
  WARN_JOURNAL_UNUSABLE: {
    meaning: 'A journal is damaged, of a later version or of another host. Nothing that it names was touched.',
    action: 'Look at what it names; run `domino-vss recover` on its own host.',
    subjects: 'files',
  },
  WARN_DIRECTORY_SHARED: {
    meaning: 'Others than this user may change what is in the delta directory.',
    action: 'Run the command of the text, unless they are to have that right.',
    subjects: 'directories',
  },
  WARN_DELTA_VOLUME: {
    meaning: 'The delta directory is on a volume of the databases, whose loss would take both.',
    action: 'Choose a delta directory on another volume, or save it elsewhere after each backup.',
    subjects: 'directories',
  },
  WARN_FUNCTION_MISSING: {
    meaning: 'This Domino release does not have functions that newer ones have.',
    action: 'Nothing, unless what needs them is wanted: then update Domino.',
    subjects: 'functions',
  },
  WARN_BACKUP_UNREADABLE: {
    meaning: 'An earlier backup cannot be read: the new one could not be compared with it, or not build on it.',
    action: 'See the text and `backup verify`; bring its manifest back, or remove the backup.',
    subjects: 'backups',
  },
  WARN_DATABASE_REPLACED: {
    meaning: 'A path has another database than in the last backup: by replica id, instance id, or file.',
    action: 'Nothing, if somebody has replaced, compacted or restored it.',
    subjects: 'databases',
  },
  WARN_INSTANCE_ID_CHANGED: {
    meaning: 'A database has a new instance id, so the transaction log carries older backups up to that change only.',
    action: 'Back it up. For what was written after the change restore from a backup that has seen it.',
    subjects: 'databases',
  },
  WARN_NEVER_CAPTURED: {
    meaning: 'A database was left out, and no earlier backup has it, as far as is known.',
    action: 'See the failures for the reason; back it up.',
    subjects: 'databases',
  },
  WARN_NOTHING_TO_BUILD_ON: {
    meaning: 'There is no backup that an incremental one could build on, so it has taken everything.',
    action: 'Nothing, if it is the first one; otherwise keep copies or shadows, in the same delta directory.',
    subjects: 'directories',
  },
  WARN_CONTENTS_LOST: {
    meaning: 'Earlier backups have neither copy nor shadow any more of a database, so it was taken again.',
    action: 'Nothing, if they were removed; those backups can no longer restore it.',
    subjects: 'databases',
  },
  WARN_DATABASE_UNANSWERED: {
    meaning: 'The server did not say whether a database has changed, so it was taken.',
    action: 'See the reason in the text.',
    subjects: 'databases',
  },
  WARN_LOG_NOT_ARCHIVED: {
    meaning: 'No archive is known to carry the transaction log on, so logged databases were taken whole.',
    action: 'Archive the log (`logs archive`), and name the archive.',
    subjects: 'none',
  },
  WARN_CALL_HANGS: {
    meaning: 'A call to Domino has not returned. Until it does, or the process ends, it may keep a database open.',
    action: 'Check the database on the server, and end this process.',
    subjects: 'none',
  },
  WARN_ATTEMPT_FAILED: {
    meaning: 'An attempt to make the shadow failed, and was made again.',
    action: 'Nothing if it happens rarely; see `errorCode` otherwise.',
    subjects: 'none',
  },
  WARN_WINDOW_FAILED: {
    meaning: 'A further window for busy databases failed: they stay left out.',
    action: 'See `errorCode`; back those databases up at another time.',
    subjects: 'none',
  },
  WARN_DATABASE_STUCK: {
    meaning: 'A call on a database hangs: it may still be in backup mode.',
    action: 'Check the database on the server; restarting the server certainly ends its backup mode.',
    subjects: 'databases',
  },
  WARN_LINK_FOLLOWED: {
    meaning: 'A file of the server that notes.ini names is a link out of its directory; its target was copied.',
    action: 'Check that the link was made on purpose.',
    subjects: 'files',
  },
  WARN_LINK_NOT_FOLLOWED: {
    meaning: 'A link called `*.id` leads out of its directory, and notes.ini does not name it; it was not copied.',
    action: 'Save its target yourself, if it is an ID file.',
    subjects: 'files',
  },
  WARN_END_FAILED: {
    meaning: 'The backup is good, but something after it failed: telling the writers, removing a shadow or a place.',
    action: 'See `errorCode`, and the same error in `problems`; run `domino-vss recover` for what is left.',
    subjects: 'none',
  },
} as const satisfies Record<string, WarningCodeEntry>;
