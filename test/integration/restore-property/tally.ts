import type { RestoreOperation } from './operations';
import type { LogStyle } from './server';

/** Numbers of occurrences. */
type Counts = Record<string, number>;

/** What the cases of a sweep were, to check that every kind of case occurred. */
export class Tally {
  cases = 0;
  /** Restores that were planned and then run, or refused both times. */
  restores = 0;
  /** Restored databases that are as the model says. */
  databases = 0;
  readonly styles: Counts = {};
  readonly modes: Counts = {};
  readonly targets: Counts = {};
  /** `planned`, or the code of the error of the plan. */
  readonly verdicts: Counts = {};
  readonly reaches: Counts = {};
  readonly backups: Counts = {};
  /** Refused databases, by code. */
  readonly refusals: Counts = {};
  /**
   * Those that Domino would have recovered as requested. `ERR_RESTORE_TIME`: a time in the window of the backup, when
   * this database was in backup mode already. `ERR_RESTORE_LOG`: the log grew by an
   * extent between the query of its position and the start of this database.
   */
  readonly falseRefusals: Counts = {};

  countRestore({ mode, target }: RestoreOperation, style: LogStyle, verdict: string): void {
    this.restores += 1;
    count(this.styles, style);
    count(this.modes, mode);
    count(this.targets, target.type);
    count(this.verdicts, verdict);
  }

  countRestored(): void {
    this.databases += 1;
  }

  countReach(type: string): void {
    count(this.reaches, type);
  }

  countBackup(type: string): void {
    count(this.backups, type);
  }

  countRefusal(code: string): void {
    count(this.refusals, code);
  }

  countFalseRefusal(code: string): void {
    count(this.falseRefusals, code);
  }

  /** Adds what another process has counted. */
  add(other: Readonly<Tally>): void {
    this.cases += other.cases;
    this.restores += other.restores;
    this.databases += other.databases;
    for (const name of [
      'styles',
      'modes',
      'targets',
      'verdicts',
      'reaches',
      'backups',
      'refusals',
      'falseRefusals',
    ] as const)
      for (const [key, number] of Object.entries(other[name])) count(this[name], key, number);
  }
}

function count(counts: Counts, key: string, number = 1): void {
  counts[key] = (counts[key] ?? 0) + number;
}
