import { DominoError, FileSystemError, ServiceError, ShadowError, VssError } from './call-errors';
import type { ErrorClass } from './codes';
import { DominoVssError } from './domino-vss-error';
import { AbortError, BackupError, OptionError, ProcessError, RestoreError } from './work-errors';

export { type FailedWriter } from './call-errors';
export { decidedFailure, toDatabaseFailure, type DatabaseFailure } from './database-failure';
export { isDominoVssError, type CauseRecord, type CutOffDeletion } from './domino-vss-error';
export { describeFailure, formatHresult, isNativeFailure } from './native-failures';
export { databaseFailureOf, toPublicError } from './public-error';
export { runOnWindows } from './windows-only';
export {
  AbortError,
  BackupError,
  DominoError,
  DominoVssError,
  FileSystemError,
  OptionError,
  ProcessError,
  RestoreError,
  ServiceError,
  ShadowError,
  VssError,
};

/** The classes by name, to rebuild an error of another process. */
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
