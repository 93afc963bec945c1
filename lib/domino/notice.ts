import { warning, warningCodes, type Warning, type WarningCode, type WarningCodeEntry } from '../errors/warnings';

/** What the codes of notices mean and what to do; shown in `docs/errors.md`. Codes are part of the public interface. */
export const noticeCodes = {
  WARN_GLOB_UNMATCHED: warningCodes.WARN_GLOB_UNMATCHED,
  WARN_EXCLUDED_BY_ALIAS: warningCodes.WARN_EXCLUDED_BY_ALIAS,
  WARN_NOT_A_DATABASE: warningCodes.WARN_NOT_A_DATABASE,
  INFO_REBUILT_BY_SERVER: {
    meaning: 'A database that the server rebuilds automatically was left out. This is not a warning.',
    action: 'Nothing. To include it, name it in `include`, together with `**` for all others.',
    subjects: 'databases',
  },
} as const satisfies Record<string, WarningCodeEntry>;

/** Code of a {@link Notice}. */
export type NoticeCode = keyof typeof noticeCodes;

/** Something worth knowing about the selection of databases, although nothing failed. */
export interface Notice {
  /** The table is in `docs/errors.md`. */
  readonly code: NoticeCode;
  /** The text for people. */
  readonly text: string;
  /** The globs or databases concerned. */
  readonly subjects: readonly string[];
}

/** The notices that may indicate a mistake. */
export function warningsOf(notices: readonly Notice[]): Warning[] {
  return notices.flatMap(({ code, text, subjects }) => (isWarning(code) ? [warning(code, text, { subjects })] : []));
}

function isWarning(code: NoticeCode): code is Extract<NoticeCode, WarningCode> {
  return code in warningCodes;
}

/** `a, b, c and 4 more` */
export function listed(names: readonly string[], shown = 3): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return names.slice(0, shown).join(', ') + more;
}
