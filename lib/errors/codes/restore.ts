import { failure, failureForNow, precondition, type ErrorCodeEntry } from './entry';

/** Manifests, restores and the transaction log. */
export const restoreCodes = {
  ERR_MANIFEST: {
    meaning: 'A manifest is missing, was changed, does not match its schema, or is of a later version.',
    action: 'Use the manifest exactly as the backup wrote it, with its databases.ndjson beside it.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_BACKUP_CHAIN: {
    meaning:
      'An incremental backup builds on an earlier one that is missing, damaged, or no longer the same. The databases that the earlier one holds cannot be restored; the others can.',
    action:
      'Bring the earlier backup back to its place beside the incremental one, or restore from another backup. Make a full backup soon.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_SIGNATURE: {
    meaning: 'A signature was required, but the manifest has none, or one that does not match this public key.',
    action: 'Use a signed backup, and the public key that belongs to its private key. Do not trust this backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_CORRUPT_CHANGE_INFO: {
    meaning: 'Domino refused the change information: it is damaged or does not belong to this copy.',
    action: 'Use the delta of the same backup; otherwise restore from another backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_DELTA_DAMAGED: {
    meaning: 'A delta file is missing, or differs in size or SHA-256 from the manifest.',
    action: 'Put the delta file of this backup back, or restore from another backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_CONTENTS_DAMAGED: {
    meaning:
      'A copy, or a database in a kept shadow, has changed since the backup: its SHA-256, size, signature or header differs.',
    action: 'Restore from another copy or another backup, and find out why; the damaged file is not touched.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_SOURCE: {
    meaning:
      'The backup has no data for a database: there is no copy, and its shadow was not kept or no longer exists.',
    action: 'Name the directory with the copies, or use another backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_TARGET: {
    meaning:
      'A database cannot be restored to the place asked for: something else is there, or it lies outside the data directory.',
    action:
      'Choose another place (--as, --to-directory). If the backup is of another server or data directory, allow that (otherServer, --other-server).',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_LOG_STYLE: {
    meaning: 'The server does not use archive-style transaction logging, so there is nothing to archive.',
    action:
      'A circular or linear log is written over: take backups often enough. For an archive set TRANSLOG_Style=1 in notes.ini, and restart the server.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_LOG_ARCHIVE: {
    meaning:
      'The archive of the transaction log contradicts itself or the log: a catalogue was changed, or an extent has other contents than the log. Nothing was removed.',
    action:
      'Look at the file in the message; archive to another, empty directory until the cause is clear, because the log keeps growing.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_RESTORE_LOG: {
    meaning:
      'The recovery of a logged database needs a transaction log that the server does not write, or extents that no longer exist. Nothing was touched.',
    action:
      'Use a later backup. If the extents were archived, name the archive (logArchive, --log-archive). On another server, or if the log has been created anew, restore the state of the backup (--other-server, --until backup), or recover it in a directory of its own (logs recovery-directory).',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_TIME: {
    meaning:
      'The time to restore to is before the backup or in the future, or the backup does not contain its own time.',
    action: 'The transaction log can only roll forward: use an earlier backup, or a later time.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_IN_USE: {
    meaning: 'The restore is offline, but another process has the database open.',
    action: 'Stop the Domino server first, or restore online.',
    errorClass: 'RestoreError',
    ...failureForNow,
  },
  ERR_RESTORE_SYSTEM_DATABASE: {
    meaning: 'A database that the server always holds open is skipped when everything is restored.',
    action: 'Name it explicitly, with the server stopped, or restore it under another name.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_NOT_PUT_BACK: {
    meaning: 'A restore failed and the original database could not be put back; it is still beside its place.',
    action: 'Rename the file that the message names to its original name and bring the database online.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_FAILED: {
    meaning: 'No database could be restored.',
    action: 'See the failures of this error for the reasons.',
    errorClass: 'RestoreError',
    ...failure,
  },
} as const satisfies Record<string, ErrorCodeEntry>;
