/** What is known about one code of a warning. */
export interface WarningCodeEntry {
  /** What was found. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly action: string;
  /** What the `subjects` of such a warning are; `none` when it has none. */
  readonly subjects: WarningSubjects;
}

/** What the subjects of a warning can be. */
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
