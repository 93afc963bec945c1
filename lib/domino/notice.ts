/** What the codes of notices mean and what to do; shown in `docs/errors.md`. Codes are part of the public interface. */
export const noticeCodes = {
  WARN_GLOB_UNMATCHED: {
    meaning: 'A glob of `include` or `exclude` matches no database.',
    action: 'Compare it with the names that `findDatabases` or `backup show` gives.',
  },
  WARN_EXCLUDED_BY_ALIAS: {
    meaning: 'A database is excluded, but only by another name that a link gives it.',
    action: 'Exclude it by its true path, or take the glob away if the database should be in the backup.',
  },
  WARN_NOT_A_DATABASE: {
    meaning: 'Something has the name of a database or of a link, but is none; it was not opened.',
    action: 'Remove or rename it, or exclude it.',
  },
  INFO_REBUILT_BY_SERVER: {
    meaning: 'A database that the server rebuilds by itself was left out. No warning.',
    action: 'Nothing; to take it all the same, name it in `include`, with `**` for all others.',
  },
} as const;

/** Code of a {@link Notice}. */
export type NoticeCode = keyof typeof noticeCodes;

/** Something worth knowing about the selection of databases, although nothing failed. */
export interface Notice {
  /** The table is in `docs/errors.md`. */
  readonly code: NoticeCode;
  /** In words. */
  readonly text: string;
  /** The globs or databases concerned. */
  readonly subjects: readonly string[];
}

/** The texts of those that may indicate a mistake. */
export function warningsOf(notices: readonly Notice[]): string[] {
  return notices.filter(({ code }) => code.startsWith('WARN_')).map(({ text }) => text);
}

/** `a, b, c and 4 more` */
export function listed(names: readonly string[], shown = 3): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return names.slice(0, shown).join(', ') + more;
}
