import { constants } from 'node:os';
import { inspect, types } from 'node:util';
import { errorCodes, isErrorCode, type ErrorClass, type ErrorCode } from './codes';
import { printable } from './printable';
import type { NativeFailure, Phase } from '../native/failure';
import { adviceOnService } from './service-advice';
import { adviceOnStatus } from './status-advice';
import { adviceOnSystemError } from './system-advice';
import { adviceOnHresult } from './vss-advice';
import type { WriterState } from '../native/vss';

/** Marks errors of this package across several loaded copies of it. */
const brand = Symbol.for('domino-vss.error');

/** Why one database failed or was left out. A plain record, for there may be thousands. */
export interface DatabaseFailure {
  /** Path of the database relative to the data directory. */
  readonly database: string;
  readonly code: ErrorCode;
  readonly phase: Phase;
  /** The function that failed, for example `NSFBackupStart`; empty for a decision of this package. */
  readonly operation: string;
  /** STATUS of the Domino C API or errno; 0 for a decision of this package. */
  readonly status: number;
  /** {@link status} as text, for example `0x0EA4` for a STATUS or `13` for an errno; empty for none. */
  readonly statusHex: string;
  /** `ERR_BACKUP_ALREADY_IN_PROGRESS`, `EACCES`, …; empty when unknown. */
  readonly statusName: string;
  /** The text of the Domino runtime or of the operating system. */
  readonly text: string;
  /** What can be done about it. */
  readonly hint: string;
}

/** How far `deleteShadows` or `pruneBackups` had come when its time was over, or it was cancelled. */
export interface CutOffDeletion {
  /** Ids of the shadows, or backups, that are deleted. */
  readonly deleted: readonly string[];
  /**
   * Ids of those that are not, as far as is known: the deletion of the first may still end in Windows, and of the first backup
   * the next call removes what is left.
   */
  readonly left: readonly string[];
  /** Ids of those whose deletion had failed by then; they are among `left`. */
  readonly failed: readonly string[];
}

interface ErrorDetails {
  readonly deletion?: CutOffDeletion | undefined;
  readonly message: string;
  readonly phase?: Phase | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** What has caused an error, or why a call was aborted, as a plain object. */
export interface CauseRecord {
  /** For example `TypeError`, or `TimeoutError` for an `AbortSignal.timeout`; the type of a value that is no error. */
  readonly name: string;
  readonly message: string;
  /** For example `EIO`, or an own code of a hook. */
  readonly code?: string | number;
  readonly cause?: CauseRecord;
}

/** Causes of causes that are recorded: they may go round in a circle. */
const recordedCauses = 5;

/** Base of every error of this package. */
export class DominoVssError extends Error {
  override name = 'DominoVssError';
  /** Stable code; the table is in `docs/errors.md`. */
  readonly code: ErrorCode;
  /** Where in the life of a backup or restore it happened, where that is known. */
  readonly phase: Phase | undefined;
  /** What can be done about it. */
  readonly hint: string;
  /** Only of a `deleteShadows` or `pruneBackups` that was cut off, by its deadline or its signal, after it had begun to delete. */
  readonly deletion: CutOffDeletion | undefined;
  /** What could not be taken back after a call of a backup had failed; the journal names it. Undefined for nothing. */
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

  /** Whether the same call may succeed later without anything being changed by hand. */
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

/** A call of the Domino C API failed. */
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
  /** The database or file the call was about; empty when it was about none. */
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

/** A backup as a whole failed. Nothing of it is left and no database is in backup mode unless a failure says so. */
export class BackupError extends DominoVssError {
  override name = 'BackupError';
  /** The databases that made it fail, or that had failed by then. */
  readonly failures: readonly DatabaseFailure[];

  /** @internal */
  constructor(code: ErrorCode, details: ErrorDetails, failures: readonly DatabaseFailure[] = []) {
    super(code, details);
    this.failures = failures;
  }
}

/** Making or removing a shadow failed. */
export class ShadowError extends DominoVssError {
  override name = 'ShadowError';
  /** The provider at work, where one had been chosen. */
  readonly provider: string;
  /** The system call, for example `ioctl(FICLONE)`; empty for none. */
  readonly operation: string;
  /** The file or directory. */
  readonly path: string;
  /** errno; 0 for none. */
  readonly errno: number;
  /** For example `EOPNOTSUPP`; empty for none. */
  readonly errnoName: string;
  /** Ids of the shadows that the error is about; empty when it is about none that exists. */
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

/** An operation on a file or directory failed: the disk is full or failing, rights are missing, the limit of open files is reached. */
export class FileSystemError extends DominoVssError {
  override name = 'FileSystemError';
  /** The system call, for example `write` or `fsync`; empty for a decision of this package. */
  readonly operation: string;
  /** The file or directory; empty when it is about none. */
  readonly path: string;
  /** errno, or an error number of Windows where native code made the call; 0 for a decision of this package. */
  readonly errno: number;
  /** For example `EIO`, `ENOSPC` or `ERROR_DISK_FULL`; empty for a decision of this package. */
  readonly errnoName: string;

  /** @internal Fields that are not given are taken from a cause that is an error of the operating system. */
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
    this.errno = where.errno ?? numberOf(errnoName);
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
  /** What the application of the writer says about it; empty for nothing. */
  readonly applicationMessage: string;
  /** What can be done about it. */
  readonly hint: string;
}

/** A call of the Volume Shadow Copy Service failed, or a writer or provider did. */
export class VssError extends ShadowError {
  override name = 'VssError';
  /** HRESULT as an unsigned number; 0 for a decision of this package. */
  readonly hresult: number;
  /** {@link hresult} as text, for example `0x80042316`; empty for 0. */
  readonly hresultHex: string;
  /** For example `VSS_E_SNAPSHOT_SET_IN_PROGRESS`; empty when the number has no known name. */
  readonly hresultName: string;
  /** The volume, writer, shadow or file the call was about; empty when it was about none. */
  readonly volume: string;
  /** Writers that failed by then. */
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

/** The service of stop mode could not be asked, stopped or started. */
export class ServiceError extends DominoVssError {
  override name = 'ServiceError';
  /** The service. */
  readonly service: string;
  /** The call of Windows, for example `ControlService`; empty for none. */
  readonly operation: string;
  /** Error number of Windows; 0 for none. */
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

/** Reading a backup or restoring from it failed. */
export class RestoreError extends DominoVssError {
  override name = 'RestoreError';
  /** The databases that made it fail. */
  readonly failures: readonly DatabaseFailure[];

  /** @internal */
  constructor(code: ErrorCode, details: ErrorDetails, failures: readonly DatabaseFailure[] = []) {
    super(code, details);
    this.failures = failures;
  }
}

/** The process that held Domino for a call with `isolation: 'process'` is gone: it has died, or hung and was ended. */
export class ProcessError extends DominoVssError {
  override name = 'ProcessError';
  /** The function that was called, for example `createShadow`; empty when the process died between two calls. */
  readonly call: string;
  readonly pid: number;
  /** Its exit code; undefined when a signal has ended it. */
  readonly exitCode: number | undefined;
  /** The signal that has ended it, for example `SIGSEGV`; empty for none. */
  readonly signal: string;
  /** Whether it hung past every deadline and was ended for that. */
  readonly hung: boolean;
  /** What it has left behind by its journals, a sentence for each; empty for nothing. */
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

/** The classes by their names. */
export const errorClasses = {
  DominoVssError,
  DominoError,
  BackupError,
  ShadowError,
  VssError,
  FileSystemError,
  ServiceError,
  AbortError,
  OptionError,
  RestoreError,
  ProcessError,
} as const satisfies Record<ErrorClass, unknown>;

/** Nothing for no cause. What a user has thrown may be anything, and nothing that it does must fail here. */
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

/** Whether a value is an error of this package, made by this or any other loaded copy of it. */
export function isDominoVssError(value: unknown): value is DominoVssError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** Whether a value is the plain record that native code rejects with. */
export function isNativeFailure(value: unknown): value is NativeFailure {
  return (
    typeof value === 'object' &&
    value !== null &&
    !types.isNativeError(value) &&
    !isDominoVssError(value) &&
    typeof (value as Partial<NativeFailure>).code === 'string' &&
    typeof (value as Partial<NativeFailure>).domain === 'string'
  );
}

/** `0x0EA4` for a STATUS, `0x80042316` for an HRESULT, `13` for an errno, empty for a decision of the engine. */
function formatStatus(failure: Pick<NativeFailure, 'domain' | 'status'>): string {
  switch (failure.domain) {
    case 'domino':
      return `0x${failure.status.toString(16).toUpperCase().padStart(4, '0')}`;
    case 'com':
      return formatHresult(failure.status);
    case 'system':
      return String(failure.status);
    case 'engine':
      return '';
  }
}

/** `0x80042316`. */
export function formatHresult(hresult: number): string {
  return `0x${hresult.toString(16).toUpperCase().padStart(8, '0')}`;
}

/** The public record of a failure that concerns one database. */
export function toDatabaseFailure(database: string, failure: NativeFailure): DatabaseFailure {
  const code = isErrorCode(failure.code) ? failure.code : 'ERR_INTERNAL';
  return {
    database,
    code,
    phase: failure.phase,
    operation: failure.operation,
    status: failure.status,
    statusHex: formatStatus(failure),
    statusName: failure.statusName,
    text: printable(failure.text),
    hint: adviceOnFailure(failure) ?? errorCodes[code].action,
  };
}

/** What the number of a failed call tells more exactly than its code. */
function adviceOnFailure({ domain, status, statusName }: NativeFailure): string | undefined {
  if (domain === 'domino') return adviceOnStatus(status)?.action;
  return domain === 'system' ? adviceOnSystemError(statusName)?.hint : undefined;
}

/** The record of a decision of this package about one database. */
export function decidedFailure(database: string, code: ErrorCode, phase: Phase, text: string): DatabaseFailure {
  return toDatabaseFailure(database, {
    code,
    phase,
    operation: '',
    domain: 'engine',
    status: 0,
    statusName: '',
    text,
    subject: database,
  });
}

/** The record of any error that concerned one database; `as` says what it means there, where its own code does not. */
export function databaseFailureOf(
  database: string,
  phase: Phase,
  error: unknown,
  as?: { readonly code: ErrorCode; readonly text?: string | undefined },
): DatabaseFailure {
  if (isNativeFailure(error) && as === undefined) return toDatabaseFailure(database, error);
  const known = toPublicError(error);
  const advised = as === undefined || (known instanceof FileSystemError && adviceOnSystemError(known.errnoName));
  return {
    ...decidedFailure(database, as?.code ?? known.code, known.phase ?? phase, as?.text ?? known.message),
    ...(known instanceof DominoError && {
      operation: known.operation,
      status: known.status,
      statusHex: known.statusHex,
      statusName: known.statusName,
      text: known.text,
    }),
    ...(known instanceof FileSystemError && {
      operation: known.operation,
      status: known.errno,
      statusHex: known.errno === 0 ? '' : String(known.errno),
      statusName: known.errnoName,
    }),
    ...(advised && { hint: known.hint }),
  };
}

/** One line: what was called, on what, which status, what it means. */
export function describeFailure(failure: Omit<NativeFailure, 'code' | 'phase'>): string {
  const call = failure.operation === '' ? failure.subject : `${failure.operation} on ${failure.subject || '(nothing)'}`;
  const status = [failure.statusName, formatStatus(failure)].filter((part) => part !== '').join(' ');
  return [call, status, failure.text].filter((part) => part !== '').join(': ');
}

/** Turns what was thrown anywhere inside into an error of this package. */
export function toPublicError(thrown: unknown): DominoVssError {
  if (isDominoVssError(thrown)) return thrown;
  if (isNativeFailure(thrown)) return fromNativeFailure(thrown);
  if (isSystemError(thrown)) {
    const name = systemErrorName(thrown);
    const code = adviceOnSystemError(name)?.code ?? 'ERR_FILE_SYSTEM';
    // Where Node.js does not know the number it writes nothing else but that, twice.
    const message = thrown.message.replace(/^(Unknown system error -?\d+: ){1,2}/, '');
    const text = name === thrown.code ? thrown.message : message.replace(/^Unknown system error -?\d+/, name);
    return new FileSystemError(code, { cause: thrown }, { message: text });
  }
  const message = types.isNativeError(thrown) ? thrown.message : String(thrown);
  return new DominoVssError('ERR_INTERNAL', { message, cause: thrown });
}

function fromNativeFailure(failure: NativeFailure): DominoVssError {
  if (!isErrorCode(failure.code)) {
    const message = `native code reported the unknown code ${failure.code}: ${describeFailure(failure)}`;
    return new DominoVssError('ERR_INTERNAL', { message, phase: failure.phase, cause: failure });
  }
  const advice = failure.domain === 'system' ? adviceOnFailure(failure) : undefined;
  const details = { message: describeFailure(failure), phase: failure.phase, ...(advice && { hint: advice }) };
  const { errorClass } = errorCodes[failure.code];
  if (failure.domain === 'com' && (errorClass === 'VssError' || errorClass === 'ShadowError')) {
    return fromHresult(failure.code, failure, details);
  }
  // A status of the C API is kept whatever the code stands for.
  if (failure.domain === 'domino') return new DominoError(failure.code, failure, details);
  switch (errorClass) {
    case 'ShadowError':
      return new ShadowError(
        failure.code,
        {
          operation: failure.operation,
          path: failure.subject,
          errno: failure.status,
          errnoName: failure.statusName,
        },
        details,
      );
    case 'FileSystemError': {
      const { operation, subject: path, status: errno, statusName: errnoName } = failure;
      return new FileSystemError(failure.code, { operation, path, errno, errnoName }, details);
    }
    case 'VssError':
      return new VssError(failure.code, { operation: failure.operation, volume: failure.subject }, details);
    case 'ServiceError': {
      const { subject: service, operation, status: windowsError, statusName: windowsErrorName } = failure;
      return new ServiceError({ service, operation, windowsError, windowsErrorName }, details);
    }
    case 'BackupError':
      return new BackupError(failure.code, details);
    case 'RestoreError':
      return new RestoreError(failure.code, details);
    case 'AbortError':
      return new AbortError(undefined, failure.phase);
    default:
      return new DominoVssError(failure.code, details);
  }
}

/** Native code says what it knows of the circumstances; where that is nothing, the number tells what it is. */
function fromHresult(code: ErrorCode, failure: NativeFailure, details: ErrorDetails): VssError {
  const { operation, status, statusName, subject } = failure;
  const general = code === 'ERR_VSS' || code === 'ERR_SHADOW';
  const what = { operation, hresult: status, hresultName: statusName, volume: subject };
  return new VssError(general ? (adviceOnHresult(status, operation)?.code ?? 'ERR_VSS') : code, what, details);
}

/** errno of a name; 0 for one that the system does not know. */
function numberOf(errnoName: string): number {
  return Object.entries(constants.errno).find(([name]) => name === errnoName)?.[1] ?? 0;
}

/** Node.js has no name for some errors that file systems return, EDQUOT among them, and puts the number there. */
function systemErrorName({ code = '', errno }: NodeJS.ErrnoException): string {
  if (!code.startsWith('Unknown system error') || errno === undefined) return code;
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0] ?? `errno ${-errno}`;
}

function isSystemError(value: unknown): value is NodeJS.ErrnoException {
  return types.isNativeError(value) && 'syscall' in value && typeof (value as NodeJS.ErrnoException).code === 'string';
}
