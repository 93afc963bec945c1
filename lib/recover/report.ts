import type { DominoVssError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { LeftOver } from '../store/left-over';
import type { UnusableJournal } from '../store/journals';

/** Kinds of items that interrupted work leaves behind. */
export type RecoveredThing =
  /** A database that a restore had moved. */
  | 'database'
  /** Databases in backup mode. */
  | 'backup-mode'
  /** A server that was stopped. */
  | 'service'
  | 'shadow'
  /** A place where a shadow is exposed. */
  | 'exposure'
  /** Copies made from the shadow. */
  | 'copies'
  /** A temporary file of a restore. */
  | 'temporary-file'
  /** The directory of a backup. */
  | 'backup'
  /** The journal of the work itself; part of it is damaged. */
  | 'journal';

/** One item that interrupted work left behind. */
export interface RecoveryItem {
  readonly thing: RecoveredThing;
  /** The path, id or name of the item. */
  readonly subject: string;
  /** What was found, in words. */
  readonly found: string;
  /** `planned`: in a dry run. `kept`: it is valid and is kept on purpose. `left`: it could not be cleaned up. */
  readonly result: 'done' | 'planned' | 'kept' | 'left';
  /** What was done, or would be, in words. */
  readonly action: string;
  /** What to do next; empty unless it is left. */
  readonly advice: string;
  /** Why the clean-up failed; absent if the item was left by decision. */
  readonly error?: DominoVssError;
}

/** How one piece of interrupted work was resolved. */
export interface RecoveredWork {
  readonly leftOver: LeftOver;
  /** Empty if only its journal was left. */
  readonly items: readonly RecoveryItem[];
  /** Whether nothing of it is left and its journal is gone. */
  readonly done: boolean;
}

/** The result of `recoverInterrupted`. */
export interface RecoveryReport {
  /** `nothing`: no work was interrupted. `partial`: something is left, or a journal was moved aside. `planned`: a dry run that found something. */
  readonly outcome: 'nothing' | 'recovered' | 'partial' | 'planned';
  readonly works: readonly RecoveredWork[];
  /** Journals that this version or host cannot use; nothing they name was touched. */
  readonly unusable: readonly UnusableJournal[];
  /** One for each unusable journal. */
  readonly warnings: readonly Warning[];
}

export function outcomeOf(
  works: readonly RecoveredWork[],
  unusable: readonly UnusableJournal[],
  dryRun: boolean,
): RecoveryReport['outcome'] {
  // What such a journal names may still lie about.
  const isUnknown = unusable.some(({ movedTo }) => movedTo !== '');
  if (works.length === 0 && !isUnknown) return 'nothing';
  if (dryRun) return 'planned';
  return works.every(({ done }) => done) && !isUnknown ? 'recovered' : 'partial';
}

/** One readable line. */
export function describeItem({ thing, subject, found, result, action, advice, error }: RecoveryItem): string {
  const said = [found, result === 'left' ? '' : action].filter((part) => part !== '').join(': ');
  const why = error ? `: ${error.message}` : '';
  const next = advice === '' ? '' : `. ${advice}`;
  return `${thing.replace('-', ' ')} ${subject}: ${said}${why}${next}`;
}

/** One sentence that says what is left and what to do next. */
export function describeUnrecovered({ leftOver, items }: RecoveredWork): string {
  const { work, id, pid, journal } = leftOver;
  const left = items.filter(({ result }) => result === 'left').map(describeItem);
  return `the ${work} ${id} of process ${pid}, which died, left something behind: ${left.join('; ')} (journal ${journal})`;
}

export function warnOfUnrecovered(recovered: RecoveredWork): Warning {
  return warning('WARN_WORK_UNFINISHED', describeUnrecovered(recovered), { subjects: [recovered.leftOver.id] });
}
