import type { WarningCodeEntry } from './entry';

/** Warnings of the Volume Shadow Copy Service and its requester. */
export const vssWarnings = {
  WARN_COM_SECURITY: {
    meaning:
      'COM security was set up by another module in this process, or not at all: calls from writers may be refused.',
    action:
      'If writers report event 8194, make the first call to this package before the other module sets up COM, or use a separate process.',
    subjects: 'none',
  },
  WARN_SHADOW_STORAGE: {
    meaning:
      'There is little space for the shadow of a volume. When the shadow storage is full, Windows deletes the oldest shadows.',
    action: 'Free space, or enlarge the storage (`vssadmin resize shadowstorage`).',
    subjects: 'volumes',
  },
  WARN_WRITER_UNKNOWN: {
    meaning: 'A writer or component to be excluded does not exist here.',
    action: 'Compare the name with `domino-vss writer list`.',
    subjects: 'writers',
  },
  WARN_WRITER_VANISHED: {
    meaning: 'A writer that was not required has vanished since the backup began.',
    action: 'Nothing, if its service was stopped on purpose.',
    subjects: 'writers',
  },
  WARN_WRITER_STATE_UNKNOWN: {
    meaning: 'A writer has too many sessions to report its state.',
    action: 'Restart its service, or run fewer backups at once.',
    subjects: 'writers',
  },
  WARN_ABORT_FAILED: {
    meaning: 'The writers could not be notified that the backup ended early.',
    action: 'See `domino-vss writer list`; restart the service of a writer that stays in a failed state.',
    subjects: 'none',
  },
  WARN_SHADOW_VANISHED: {
    meaning: 'The shadow was gone before it was deleted.',
    action: 'Enlarge the shadow storage: copies made from a shadow that vanished early would be incomplete, and fail.',
    subjects: 'sets',
  },
  WARN_EXPOSURE_LEFT: {
    meaning: 'A place where a shadow was exposed could not be removed, or it is not known whether one exists.',
    action: 'See `domino-vss shadow list`; remove the drive letter, link or share.',
    subjects: 'directories',
  },
  WARN_SHADOW_NOT_DELETED: {
    meaning: 'A non-persistent shadow could not be deleted; it disappears at the end of the backup.',
    action: 'Nothing.',
    subjects: 'sets',
  },
} as const satisfies Record<string, WarningCodeEntry>;
