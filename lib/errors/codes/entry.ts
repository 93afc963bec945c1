/** The error class that carries a code. */
export type ErrorClass =
  | 'DominoVssError'
  | 'DominoError'
  | 'BackupError'
  | 'ShadowError'
  | 'VssError'
  | 'FileSystemError'
  | 'ServiceError'
  | 'AbortError'
  | 'OptionError'
  | 'RestoreError'
  | 'ProcessError';

/** Exit codes of the command line for an error. */
export type ErrorExitCode = 1 | 2 | 4 | 5 | 130;

/** What is known about one error code. */
export interface ErrorCodeEntry {
  /** What happened. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly action: string;
  readonly errorClass: ErrorClass;
  /** Whether the same call may succeed later without manual changes. */
  readonly retryable: boolean;
  /** Exit code of the command line when this error ends a command. */
  readonly exitCode: ErrorExitCode;
}

/** Fails again until something is changed. */
export const failure = { retryable: false, exitCode: 1 } as const;
/** May succeed later without changes. */
export const failureForNow = { retryable: true, exitCode: 1 } as const;
/** Something must be set up before the command can do anything. */
export const precondition = { retryable: false, exitCode: 4 } as const;
