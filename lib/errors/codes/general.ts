import { failure, failureForNow, precondition, type ErrorCodeEntry } from './entry';

/** Codes that any call can fail with. */
export const generalCodes = {
  ERR_OPTION: {
    meaning: 'An option is unknown, has the wrong type, or contradicts another one.',
    action: 'Correct the option that the message names.',
    errorClass: 'OptionError',
    retryable: false,
    exitCode: 2,
  },
  ERR_STATE: {
    meaning:
      'A call was made in the wrong order, for example createShadow twice, or a call on a backup that has ended.',
    action: 'Begin a new backup; the order is beginBackup, createShadow, endBackup.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_ABORTED: {
    meaning:
      'The call was cancelled by its AbortSignal. Everything has been rolled back, except for what the error lists in `leftBehind`.',
    action: 'Nothing; the cause of the error is the reason that was given to the signal.',
    errorClass: 'AbortError',
    retryable: true,
    exitCode: 130,
  },
  ERR_DEADLINE: {
    meaning: 'A call did not finish within its time. All databases are out of backup mode.',
    action: 'Raise timeoutMs, or look in the timeline for the phase that took the time.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_LEASE_EXPIRED: {
    meaning: 'The backup was idle, with its databases open, for longer than its lease, and ended itself.',
    action: 'Call createShadow soon after beginBackup, or raise leaseMs.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_LOCKED: {
    meaning:
      'Another backup or restore of the same data directory is running on this machine, with this or another delta directory; or another process is changing the same log archive.',
    action: 'Wait until it has ended, then try again.',
    errorClass: 'DominoVssError',
    retryable: true,
    exitCode: 5,
  },
  ERR_PROCESS_ENDED: {
    meaning:
      'The process that used Domino for this call has died, or was killed because it exceeded its time limits. Its journal says what is left.',
    action:
      'Run the `domino-vss recover` command of the message; the next backup to the same delta directory also does this first.',
    errorClass: 'ProcessError',
    ...failureForNow,
  },
  ERR_NATIVE_LOAD: {
    meaning: 'The native addon could not be loaded.',
    action:
      'The message says for which systems there are binaries. With a bundler, keep domino-vss outside the bundle, or name the file of the addon in `DOMINO_VSS_ADDON`. For another system, build the addon in a clone of the repository (`npm run build`) and name that file.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_UNSUPPORTED: {
    meaning: 'This platform, file system or Domino release cannot do what was asked for.',
    action: 'Choose another provider or mode; getCapabilities() reports what is possible, and why the rest is not.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_INTERNAL: {
    meaning: 'A defect in domino-vss itself.',
    action: 'Please report it, with the message and the cause.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_FILE_SYSTEM: {
    meaning: 'An operation on a file failed; the cause holds the error of the operating system.',
    action:
      'See the path and the system error in the message: check permissions, missing directories, read-only volumes.',
    errorClass: 'FileSystemError',
    ...failure,
  },
  ERR_OPEN_FILES: {
    meaning: 'This process may not open as many files as it needs: one for each database, and some more.',
    action:
      'Raise the limit to the number that the message or the hint names: ulimit -n, or LimitNOFILE in the systemd unit.',
    errorClass: 'FileSystemError',
    retryable: false,
    exitCode: 4,
  },
  ERR_NO_SPACE: {
    meaning: 'There is not enough free space for copies, deltas or the restored databases.',
    action: 'Free the space that the message names, or choose another directory.',
    errorClass: 'FileSystemError',
    ...precondition,
  },
} as const satisfies Record<string, ErrorCodeEntry>;
