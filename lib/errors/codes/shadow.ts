import { failure, failureForNow, precondition, type ErrorCodeEntry } from './entry';

/** Deltas, shadows, holds and the writer. */
export const shadowCodes = {
  ERR_DELTA_DIRECTORY: {
    meaning:
      'The delta directory cannot be created or written to, lies in the data directory, or others can tamper with it.',
    action: 'Choose a directory that only this user can write to, on a volume without databases.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DELTA_WRITE: {
    meaning: 'The change information of a database could not be written; without it the copy is worthless.',
    action: 'Check the free space and the health of the volume with the delta directory.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_SHADOW: {
    meaning: 'A call that creates or deletes the shadow failed.',
    action: 'See the system call and its error in the message.',
    errorClass: 'ShadowError',
    ...failure,
  },
  ERR_FILE_HANGS: {
    meaning:
      'A call to the file system did not return, for example on a mount whose server is gone. The call was abandoned.',
    action: 'Check the mount of the file in the message. When it responds again, or the process has ended, try again.',
    errorClass: 'FileSystemError',
    ...failureForNow,
  },
  ERR_SHADOW_HANGS: {
    meaning:
      'A call to VSS, the file system or the hook that creates or deletes the shadow did not return. The databases are out of backup mode; the call was abandoned.',
    action:
      'Check the storage that the message names, on Windows also the Application event log (VSS and its provider). End this process, restart the service that hangs, then run domino-vss recover: the journal names what may be left.',
    errorClass: 'ShadowError',
    ...failure,
  },
  ERR_SHADOW_DIRECTORY: {
    meaning:
      'The directory for shadows cannot be used: it is not writable, is writable by others, is on another file system, or is inside the data directory.',
    action: 'Name another one with shadowDirectory (--shadow-dir), on the same file system as the databases.',
    errorClass: 'ShadowError',
    ...precondition,
  },
  ERR_CLONE_REFUSED: {
    meaning: 'The file system refused to clone a file. domino-vss never makes a slow copy instead without telling you.',
    action: 'Use the provider `rolling`, or a file system with reflinks (XFS with reflink=1, btrfs).',
    errorClass: 'ShadowError',
    ...precondition,
  },
  ERR_HOOK: {
    meaning: 'The snapshot function of a hook provider failed or returned no usable shadow.',
    action: 'See the message: it contains the error of that function.',
    errorClass: 'ShadowError',
    ...failure,
  },
  ERR_HOOK_TIMEOUT: {
    meaning:
      'The snapshot function of a hook provider did not return in time. The databases were taken out of backup mode.',
    action: 'Make the snapshot faster, or raise windowTimeoutMs and, if necessary, timeoutMs.',
    errorClass: 'ShadowError',
    ...failureForNow,
  },
  ERR_HOLD_EXPIRED: {
    meaning:
      'The hold expired, and the databases left backup mode, before the release. The snapshot cannot be used as a backup.',
    action: 'Take the snapshot again, with a longer hold (maxHoldMs, --max-hold) or a quicker snapshot.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_NOT_HELD: {
    meaning:
      'Nothing is held: the hold was cancelled, or the process that held the databases has ended. A snapshot taken since then cannot be used as a backup.',
    action: 'Take the snapshot again, between hold and release; "domino-vss hold --status" shows what is held.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_WRITER_SNAPSHOT: {
    meaning:
      'A snapshot of another program, in which the VSS writer of domino-vss took part, failed. All databases are out of backup mode. As the reason of a skipped database: its volume is not in the snapshot.',
    action: 'See the message, and the log of the program that took the snapshot; take the snapshot again.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_WRITER_CONFLICT: {
    meaning: 'Another VSS writer already backs up the databases of this server.',
    action:
      'Remove backupvss from ServerTasks in notes.ini and end that task, or do not use "domino-vss writer serve".',
    errorClass: 'DominoVssError',
    ...precondition,
  },
} as const satisfies Record<string, ErrorCodeEntry>;
