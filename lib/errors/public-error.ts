import { types } from 'node:util';
import { DominoError, FileSystemError, ServiceError, ShadowError, VssError } from './call-errors';
import { errorCodes, isErrorCode, type ErrorCode } from './codes';
import { decidedFailure, toDatabaseFailure, type DatabaseFailure } from './database-failure';
import { DominoVssError, isDominoVssError, type ErrorDetails } from './domino-vss-error';
import { adviceOnFailure, describeFailure, isNativeFailure } from './native-failures';
import { adviceOnSystemError } from './system-advice';
import { isSystemError, systemErrorName } from './system-error';
import { adviceOnHresult } from './vss-advice';
import { AbortError, BackupError, RestoreError } from './work-errors';
import type { NativeFailure, Phase } from '../native/failure';

/** The record of any error that concerned one database. `as`: code and text to use instead of those of the error. */
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

/** Turns anything thrown inside the package into one of its errors. */
export function toPublicError(thrown: unknown): DominoVssError {
  if (isDominoVssError(thrown)) return thrown;
  if (isNativeFailure(thrown)) return fromNativeFailure(thrown);
  if (isSystemError(thrown)) {
    const name = systemErrorName(thrown);
    const code = adviceOnSystemError(name)?.code ?? 'ERR_FILE_SYSTEM';
    // If Node.js does not know the number, it writes only the number, twice.
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
  // A failure of the C API keeps its status, whatever class its code belongs to.
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

/** If native code reports only a general code, the HRESULT determines the code. */
function fromHresult(code: ErrorCode, failure: NativeFailure, details: ErrorDetails): VssError {
  const { operation, status, statusName, subject } = failure;
  const general = code === 'ERR_VSS' || code === 'ERR_SHADOW';
  const what = { operation, hresult: status, hresultName: statusName, volume: subject };
  return new VssError(general ? (adviceOnHresult(status, operation)?.code ?? 'ERR_VSS') : code, what, details);
}
