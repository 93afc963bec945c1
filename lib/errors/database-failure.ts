import { errorCodes, isErrorCode, type ErrorCode } from './codes';
import { adviceOnFailure, formatStatus } from './native-failures';
import { printable } from './printable';
import type { NativeFailure, Phase } from '../native/failure';

/** Why one database failed or was left out. A plain record, because there may be thousands. */
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

/** The record of this package's decision about one database. */
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
