import { inspect } from 'node:util';
import { brand, isBranded } from './brand';
import { errorCodes, type ErrorCode } from './codes';
import { describeFailure, isNativeFailure } from './native-failures';
import { printable } from './printable';
import type { Phase } from '../native/failure';

/** How far `deleteShadows` or `pruneBackups` had come when it ran out of time or was cancelled. */
export interface CutOffDeletion {
  /** Ids of the deleted shadows or backups. */
  readonly deleted: readonly string[];
  /**
   * Ids of those not known to be deleted. Windows may still complete the deletion of the first shadow; the next call removes the
   * rest of the first backup.
   */
  readonly left: readonly string[];
  /** Ids of those whose deletion had failed; they are also in `left`. */
  readonly failed: readonly string[];
}

/** The contents of an error besides its code. */
export interface ErrorDetails {
  readonly deletion?: CutOffDeletion | undefined;
  readonly message: string;
  readonly phase?: Phase | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The cause of an error, or the reason of an abort, as a plain object. */
export interface CauseRecord {
  /**
   * For example `TypeError`, or `TimeoutError` for an `AbortSignal.timeout`; the type of a value that is not an error.
   */
  readonly name: string;
  readonly message: string;
  /** For example `EIO`, or a hook's own code. */
  readonly code?: string | number;
  readonly cause?: CauseRecord;
}

/** Maximum depth of recorded causes, which may be circular. */
const recordedCauses = 5;

/** Base of every error of this package. */
export class DominoVssError extends Error {
  override name = 'DominoVssError';
  /** Stable code; the table is in `docs/errors.md`. */
  readonly code: ErrorCode;
  /** The phase of the backup or restore in which it happened, if known. */
  readonly phase: Phase | undefined;
  /** What can be done about it. */
  readonly hint: string;
  /** Only for a `deleteShadows` or `pruneBackups` that its deadline or signal interrupted after it had begun to delete. */
  readonly deletion: CutOffDeletion | undefined;
  /** What could not be rolled back after a failed call of a backup; the journal names it. Undefined for nothing. */
  readonly leftBehind: DominoVssError | undefined;

  /** @internal */
  constructor(code: ErrorCode, details: ErrorDetails) {
    super(printable(details.message), details.cause === undefined ? {} : { cause: details.cause });
    Object.defineProperty(this, brand, { value: true });
    this.code = code;
    this.phase = details.phase;
    this.hint = details.hint ?? errorCodes[code].action;
    this.deletion = details.deletion;
    this.leftBehind = undefined;
  }

  /** Whether the same call may succeed later without manual changes. */
  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }

  /** All fields as a plain object, for logs and for `--json`; the cause, or the reason of an abort, as {@link CauseRecord}. */
  toJSON(): Record<string, unknown> {
    const { name, message, retryable } = this;
    const cause = causeRecord(this.cause, recordedCauses);
    return Object.assign({ name, message, retryable }, Object.fromEntries(Object.entries(this)), cause && { cause });
  }
}

/** Whether a value is an error of this package, made by this or any other loaded copy of it. */
export function isDominoVssError(value: unknown): value is DominoVssError {
  return isBranded(value);
}

/** Undefined if there is no cause. Users may throw any value, and none may make this fail. */
function causeRecord(cause: unknown, depth: number): CauseRecord | undefined {
  if (cause === undefined || depth === 0) return undefined;
  try {
    if (isNativeFailure(cause)) return { name: 'NativeFailure', message: describeFailure(cause), code: cause.code };
    if (typeof cause !== 'object' || cause === null)
      return { name: typeof cause, message: printable(typeof cause === 'string' ? cause : inspect(cause)) };
    const { name, message, code, cause: next } = cause as Partial<Record<keyof CauseRecord, unknown>>;
    const further = causeRecord(next, depth - 1);
    return {
      name: typeof name === 'string' ? printable(name) : 'object',
      message: printable(typeof message === 'string' ? message : JSON.stringify(cause)),
      ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
      ...(further && { cause: further }),
    };
  } catch {
    return { name: typeof cause, message: 'a cause that cannot be shown' };
  }
}
