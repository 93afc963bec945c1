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

/** Every warning code. Like error codes, they are stable; `docs/errors.md` lists them. */
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

/** A stable warning code, `WARN_…`. */
export type WarningCode = keyof typeof warningCodes;

/** Something that the user should know although the work succeeded. A plain record, as in manifests. */
export interface Warning {
  readonly code: WarningCode;
  /** The text for people. */
  readonly message: string;
  /**
   * What it is about, such as the paths of all databases concerned; empty for nothing. {@link warningCodes} says what kind of
   * subjects each code has.
   */
  readonly subjects: readonly string[];
  /** Code of the underlying error, if there is one. */
  readonly errorCode?: ErrorCode;
}

/** Converts a warning from native code. */
export function fromNativeWarning({ code, message, subject }: NativeWarning): Warning {
  return warning(code, message, { subjects: subject === '' ? [] : [subject] });
}

/** What a warning is about. */
interface WarningContext {
  readonly subjects?: readonly string[];
  /** The underlying error. */
  readonly error?: { readonly code: ErrorCode };
}

/** Makes a warning whose message is safe to print on a terminal. */
export function warning(code: WarningCode, message: string, { subjects = [], error }: WarningContext = {}): Warning {
  return { code, message: printable(message), subjects, ...(error && { errorCode: error.code }) };
}

/** Removes repeated warnings. */
export function withoutRepetition(warnings: readonly Warning[]): Warning[] {
  return [...new Map(warnings.map((one) => [`${one.code} ${one.message}`, one])).values()];
}

/** The line that the command line prints for a warning that is not part of its output. */
export function warningLine({ code, message }: Warning): string {
  return `warning ${code}: ${message}\n`;
}
