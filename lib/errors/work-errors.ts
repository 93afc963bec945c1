import type { ErrorCode } from './codes';
import type { DatabaseFailure } from './database-failure';
import { DominoVssError, type CutOffDeletion, type ErrorDetails } from './domino-vss-error';
import type { Phase } from '../native/failure';

/** A whole backup failed. Nothing of it is left, and no database is in backup mode unless a failure says so. */
export class BackupError extends DominoVssError {
  override name = 'BackupError';
  /** The databases that caused the failure or had failed by then. */
  readonly failures: readonly DatabaseFailure[];

  /** @internal */
  constructor(code: ErrorCode, details: ErrorDetails, failures: readonly DatabaseFailure[] = []) {
    super(code, details);
    this.failures = failures;
  }
}

/** A call was cancelled by its `AbortSignal`; `cause` is the signal's reason. */
export class AbortError extends DominoVssError {
  override name = 'AbortError';

  /** @internal */
  constructor(reason: unknown, phase?: Phase, deletion?: CutOffDeletion) {
    super('ERR_ABORTED', { message: 'The operation was aborted', phase, deletion, cause: reason });
  }
}

/** An option is wrong. Nothing was touched. */
export class OptionError extends DominoVssError {
  override name = 'OptionError';
  /** Name of the option, for example `deltaDirectory`. */
  readonly option: string;

  /** @internal */
  constructor(option: string, message: string) {
    super('ERR_OPTION', { message });
    this.option = option;
  }
}

/** Reading or restoring a backup failed. */
export class RestoreError extends DominoVssError {
  override name = 'RestoreError';
  /** The databases that caused the failure. */
  readonly failures: readonly DatabaseFailure[];

  /** @internal */
  constructor(code: ErrorCode, details: ErrorDetails, failures: readonly DatabaseFailure[] = []) {
    super(code, details);
    this.failures = failures;
  }
}

/** The process that ran Domino for a call with `isolation: 'process'` is gone: it died, or it hung and was ended. */
export class ProcessError extends DominoVssError {
  override name = 'ProcessError';
  /** The function that was called, for example `createShadow`; empty if the process died between two calls. */
  readonly call: string;
  readonly pid: number;
  /** Its exit code; undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  /** The signal that ended it, for example `SIGSEGV`; empty for none. */
  readonly signal: string;
  /** Whether it was ended because it hung past every deadline. */
  readonly hung: boolean;
  /** What it has left behind according to its journals, one sentence each; empty for nothing. */
  readonly left: readonly string[];

  /** @internal */
  constructor(
    what: Pick<ProcessError, 'call' | 'pid' | 'exitCode' | 'signal' | 'hung' | 'left'>,
    details: ErrorDetails,
  ) {
    super('ERR_PROCESS_ENDED', details);
    this.call = what.call;
    this.pid = what.pid;
    this.exitCode = what.exitCode;
    this.signal = what.signal;
    this.hung = what.hung;
    this.left = what.left;
  }
}
