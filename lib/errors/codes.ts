import { afterwardsCodes } from './codes/afterwards';
import { databaseCodes } from './codes/databases';
import { dominoCodes } from './codes/domino';
import { generalCodes } from './codes/general';
import { restoreCodes } from './codes/restore';
import { shadowCodes } from './codes/shadow';
import { vssCodes } from './codes/vss';
import type { ErrorCodeEntry } from './codes/entry';

export type { ErrorClass, ErrorCodeEntry, ErrorExitCode } from './codes/entry';

/** Every error code of the package. Codes are stable: they change or disappear only in a new major version. */
export const errorCodes = {
  ...generalCodes,
  ...dominoCodes,
  ...databaseCodes,
  ...shadowCodes,
  ...vssCodes,
  ...afterwardsCodes,
  ...restoreCodes,
} as const satisfies Record<string, ErrorCodeEntry>;

/** A stable error code, `ERR_…`. */
export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
