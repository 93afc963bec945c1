/** What is known about one warning code. */
export interface WarningCodeEntry {
  /** What was found. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly action: string;
  /** What kind of `subjects` such a warning has; `none` if it has none. */
  readonly subjects: WarningSubjects;
}

/** The kinds of subjects of warnings. */
export type WarningSubjects =
  | 'aliases'
  | 'backups'
  | 'databases'
  | 'directories'
  | 'files'
  | 'functions'
  | 'globs'
  | 'lines'
  | 'none'
  | 'programs'
  | 'settings'
  | 'sets'
  | 'transaction logs'
  | 'volumes'
  | 'works'
  | 'writers';
