import type { WarningCodeEntry } from './entry';

/** What the Volume Shadow Copy Service, or the requester, says. */
export const vssWarnings = {
  WARN_COM_SECURITY: {
    meaning: 'The security of COM was set up by somebody else in this process, or not at all: writers may be refused.',
    action:
      'If writers report event 8194, let this package do its first call before the other module, or use a process of its own.',
    subjects: 'none',
  },
  WARN_SHADOW_STORAGE: {
    meaning: 'There is little room for the shadow of a volume. When it is full, Windows deletes the oldest shadows.',
    action: 'Free space, or enlarge the storage (`vssadmin resize shadowstorage`).',
    subjects: 'volumes',
  },
  WARN_WRITER_UNKNOWN: {
    meaning: 'A writer or component that should be left out does not exist here.',
    action: 'Compare the name with `domino-vss writer list`.',
    subjects: 'writers',
  },
  WARN_WRITER_VANISHED: {
    meaning: 'A writer on which nobody counts has vanished since the backup began.',
    action: 'Nothing, if its service was stopped on purpose.',
    subjects: 'writers',
  },
  WARN_WRITER_STATE_UNKNOWN: {
    meaning: 'A writer has too many sessions to tell its state.',
    action: 'Restart its service, or run fewer backups at once.',
    subjects: 'writers',
  },
  WARN_ABORT_FAILED: {
    meaning: 'The writers could not be told that the backup has ended early.',
    action: 'See `domino-vss writer list`; restart the service of a writer that stays in a failed state.',
    subjects: 'none',
  },
  WARN_SHADOW_VANISHED: {
    meaning: 'The shadow was gone before it was deleted.',
    action: 'Enlarge the shadow storage: copies made from a shadow that vanished early would be incomplete, and fail.',
    subjects: 'sets',
  },
  WARN_EXPOSURE_LEFT: {
    meaning: 'A place that showed the shadow could not be taken away, or it is not known whether there is one.',
    action: 'See `domino-vss shadow list`; remove the drive letter, link or share.',
    subjects: 'directories',
  },
  WARN_SHADOW_NOT_DELETED: {
    meaning: 'A shadow that is not persistent could not be deleted; it goes with the end of the backup.',
    action: 'Nothing.',
    subjects: 'sets',
  },
} as const satisfies Record<string, WarningCodeEntry>;
