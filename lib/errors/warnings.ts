import type { ErrorCode } from './codes';
import { printable } from './printable';
import { backupWarnings } from './warning-codes/backup';
import { doctorWarnings } from './warning-codes/doctor';
import type { WarningCodeEntry } from './warning-codes/entry';
import { restoreWarnings } from './warning-codes/restore';
import { scriptWarnings } from './warning-codes/script';
import { vssWarnings } from './warning-codes/vss';
import type { NativeWarning } from '../native/vss';

export type { WarningCodeEntry, WarningSubjects } from './warning-codes/entry';

/** Every code of a warning. Codes are stable, as those of errors are; `docs/errors.md` shows them. */
export const warningCodes = {
  ...backupWarnings,
  ...vssWarnings,
  ...restoreWarnings,
  ...doctorWarnings,
  ...scriptWarnings,
  WARN_UNCODED: {
    meaning: 'A warning of a manifest that was written before warnings had codes.',
    action: 'See the text.',
    subjects: 'none',
  },
} as const satisfies Record<string, WarningCodeEntry>;

/** A stable code of a warning, `WARN_…`. */
export type WarningCode = keyof typeof warningCodes;

/** Something that somebody should know, though the work has succeeded. A plain record, as manifests have it. */
export interface Warning {
  readonly code: WarningCode;
  /** In words. */
  readonly message: string;
  /** What it is about, such as the paths of all databases concerned; {@link warningCodes} says what they are. Empty for nothing. */
  readonly subjects: readonly string[];
  /** Code of the error behind it; absent for none. */
  readonly errorCode?: ErrorCode;
}

/** A warning as native code hands it over. */
export function fromNativeWarning({ code, message, subject }: NativeWarning): Warning {
  return warning(code, message, { subjects: subject === '' ? [] : [subject] });
}

/** What a warning is about. */
interface WarningContext {
  readonly subjects?: readonly string[];
  /** The error behind it. */
  readonly error?: { readonly code: ErrorCode };
}

/** Makes a warning, whose message is safe on a terminal. */
export function warning(code: WarningCode, message: string, { subjects = [], error }: WarningContext = {}): Warning {
  return { code, message: printable(message), subjects, ...(error && { errorCode: error.code }) };
}

/** What is said several times is one warning. */
export function withoutRepetition(warnings: readonly Warning[]): Warning[] {
  return [...new Map(warnings.map((one) => [`${one.code} ${one.message}`, one])).values()];
}

/** The line with which the command line tells of a warning outside of its output. */
export function warningLine({ code, message }: Warning): string {
  return `warning ${code}: ${message}\n`;
}
