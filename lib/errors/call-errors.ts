import type { ErrorCode } from './codes';
import { DominoVssError, type ErrorDetails } from './domino-vss-error';
import { formatHresult, formatStatus } from './native-failures';
import { printable } from './printable';
import { adviceOnService } from './service-advice';
import { adviceOnStatus } from './status-advice';
import { adviceOnSystemError } from './system-advice';
import { errnoOf, isSystemError, systemErrorName } from './system-error';
import { adviceOnHresult } from './vss-advice';
import type { NativeFailure } from '../native/failure';
import type { WriterState } from '../native/vss';

/** A Domino C API call failed. */
export class DominoError extends DominoVssError {
  override name = 'DominoError';
  /** STATUS, masked to its 14 bits. */
  readonly status: number;
  /** {@link status} as text, for example `0x0EA4`. */
  readonly statusHex: string;
  /** For example `ERR_BACKUP_ALREADY_IN_PROGRESS`; empty when the number has no known name. */
  readonly statusName: string;
  /** The runtime's own text. */
  readonly text: string;
  /** The database or file that the call concerned; empty for none. */
  readonly database: string;
  /** The function of the C API. */
  readonly operation: string;

  /** @internal */
  constructor(code: ErrorCode, failure: NativeFailure, details: ErrorDetails) {
    super(code, { hint: adviceOnStatus(failure.status)?.action, ...details });
    this.status = failure.status;
    this.statusHex = formatStatus(failure);
    this.statusName = failure.statusName;
    this.text = printable(failure.text);
    this.database = failure.subject;
    this.operation = failure.operation;
  }

  override get retryable(): boolean {
    return adviceOnStatus(this.status)?.retryable ?? super.retryable;
  }
}

/** Making or removing a shadow failed. */
export class ShadowError extends DominoVssError {
  override name = 'ShadowError';
  /** The provider in use, if one had been chosen. */
  readonly provider: string;
  /** The system call, for example `ioctl(FICLONE)`; empty for none. */
  readonly operation: string;
  /** The file or directory. */
  readonly path: string;
  /** errno; 0 for none. */
  readonly errno: number;
  /** For example `EOPNOTSUPP`; empty for none. */
  readonly errnoName: string;
  /** Ids of the shadows concerned; empty if none exists. */
  readonly shadows: readonly string[];

  /** @internal */
  constructor(
    code: ErrorCode,
    where: {
      provider?: string;
      operation?: string;
      path?: string;
      errno?: number;
      errnoName?: string;
      shadows?: readonly string[];
    },
    details: ErrorDetails,
  ) {
    super(code, details);
    this.shadows = where.shadows ?? [];
    this.provider = where.provider ?? '';
    this.operation = where.operation ?? '';
    this.path = where.path ?? '';
    this.errno = where.errno ?? 0;
    this.errnoName = where.errnoName ?? '';
  }
}

/**
 * An operation on a file or directory failed: the disk is full or failing, permissions are missing, the limit of open files is
 * reached.
 */
export class FileSystemError extends DominoVssError {
  override name = 'FileSystemError';
  /** The system call, for example `write` or `fsync`; empty for a decision of this package. */
  readonly operation: string;
  /** The file or directory; empty for none. */
  readonly path: string;
  /** errno, or a Windows error number if native code made the call; 0 for a decision of this package. */
  readonly errno: number;
  /** For example `EIO`, `ENOSPC` or `ERROR_DISK_FULL`; empty for a decision of this package. */
  readonly errnoName: string;

  /** @internal Missing fields are taken from the cause if it is an operating system error. */
  constructor(
    code: ErrorCode,
    where: { operation?: string; path?: string; errno?: number; errnoName?: string; cause?: unknown },
    details: Omit<ErrorDetails, 'cause'>,
  ) {
    const known = isSystemError(where.cause) ? where.cause : undefined;
    const errnoName = where.errnoName ?? (known ? systemErrorName(known) : '');
    super(code, { hint: adviceOnSystemError(errnoName)?.hint, ...details, cause: where.cause });
    this.operation = where.operation ?? known?.syscall ?? '';
    this.path = where.path ?? known?.path ?? '';
    this.errno = where.errno ?? errnoOf(errnoName);
    this.errnoName = errnoName;
  }
}

/** A writer that failed, in a {@link VssError}. */
export interface FailedWriter {
  readonly name: string;
  /** Class id. */
  readonly id: string;
  readonly instanceId: string;
  readonly state: WriterState;
  /** HRESULT of the failure. */
  readonly hresult: number;
  /** {@link hresult} as text, for example `0x800423F4`. */
  readonly hresultHex: string;
  /** For example `VSS_E_WRITERERROR_NONRETRYABLE`; empty when the number has no known name. */
  readonly hresultName: string;
  /** The message of the writer's application; empty for none. */
  readonly applicationMessage: string;
  /** What can be done about it. */
  readonly hint: string;
}

/** A call to the Volume Shadow Copy Service failed, or a writer or provider did. */
export class VssError extends ShadowError {
  override name = 'VssError';
  /** HRESULT as an unsigned number; 0 for a decision of this package. */
  readonly hresult: number;
  /** {@link hresult} as text, for example `0x80042316`; empty for 0. */
  readonly hresultHex: string;
  /** For example `VSS_E_SNAPSHOT_SET_IN_PROGRESS`; empty when the number has no known name. */
  readonly hresultName: string;
  /** The volume, writer, shadow or file that the call concerned; empty for none. */
  readonly volume: string;
  /** Writers that had failed by then. */
  readonly writers: readonly FailedWriter[];

  /** @internal */
  constructor(
    code: ErrorCode,
    what: {
      operation?: string;
      hresult?: number;
      hresultName?: string;
      volume?: string;
      writers?: readonly FailedWriter[];
    },
    details: ErrorDetails,
  ) {
    const { operation = '', hresult = 0, hresultName = '', volume = '', writers = [] } = what;
    super(
      code,
      { provider: 'vss', operation, path: volume },
      { hint: adviceOnHresult(hresult, operation)?.hint, ...details },
    );
    this.hresult = hresult;
    this.hresultHex = hresult === 0 ? '' : formatHresult(hresult);
    this.hresultName = hresultName;
    this.volume = volume;
    this.writers = writers;
  }

  override get retryable(): boolean {
    return adviceOnHresult(this.hresult, this.operation)?.retryable ?? super.retryable;
  }
}

/** The service of stop mode could not be queried, stopped or started. */
export class ServiceError extends DominoVssError {
  override name = 'ServiceError';
  /** The service. */
  readonly service: string;
  /** The Windows call, for example `ControlService`; empty for none. */
  readonly operation: string;
  /** Windows error number; 0 for none. */
  readonly windowsError: number;
  /** For example `ERROR_ACCESS_DENIED`; empty when the number has no known name. */
  readonly windowsErrorName: string;

  /** @internal */
  constructor(
    what: { service: string; operation?: string; windowsError?: number; windowsErrorName?: string },
    details: ErrorDetails,
  ) {
    const { service, operation = '', windowsError = 0, windowsErrorName = '' } = what;
    super('ERR_SERVICE', { hint: adviceOnService(windowsError), ...details });
    this.service = service;
    this.operation = operation;
    this.windowsError = windowsError;
    this.windowsErrorName = windowsErrorName;
  }
}
