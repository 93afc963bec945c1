import type { DominoVssError } from '../errors/errors';
import type { LeftOver } from '../store/left-over';
import type { UnusableJournal } from '../store/journals';

/** Kinds of things that interrupted work leaves. */
export type RecoveredThing =
  /** A database that a restore had taken from its place. */
  | 'database'
  /** Databases that are in backup mode. */
  | 'backup-mode'
  /** A server that was stopped. */
  | 'service'
  | 'shadow'
  /** The place where a shadow is exposed. */
  | 'exposure'
  /** Copies that were made out of the shadow. */
  | 'copies'
  /** A file that a restore needed for a while. */
  | 'temporary-file'
  /** The directory of a backup. */
  | 'backup'
  /** What was written of the work itself; part of it is damaged. */
  | 'journal';

/** One thing that interrupted work has left. */
export interface RecoveryItem {
  readonly thing: RecoveredThing;
  /** Which one: a path, an id, or a name. */
  readonly subject: string;
  /** What was found, in words. */
  readonly found: string;
  /** `planned`: in a dry run. `kept`: it is good, and stays on purpose. `left`: it could not be put right. */
  readonly result: 'done' | 'planned' | 'kept' | 'left';
  /** What was done, or would be, in words. */
  readonly action: string;
  /** How to go on; empty unless it is left. */
  readonly advice: string;
  /** Why it could not be done; absent when it was decided so. */
  readonly error?: DominoVssError;
}

/** What became of one piece of interrupted work. */
export interface RecoveredWork {
  readonly leftOver: LeftOver;
  /** Empty when only its journal was left. */
  readonly items: readonly RecoveryItem[];
  /** Whether nothing of it is left any more, and its journal is gone. */
  readonly done: boolean;
}

/** What `recoverInterrupted` has found and done. */
export interface RecoveryReport {
  /** `nothing`: no work was interrupted. `partial`: something is left. `planned`: after a dry run that has found something. */
  readonly outcome: 'nothing' | 'recovered' | 'partial' | 'planned';
  readonly works: readonly RecoveredWork[];
  /** Journals that say nothing to this version or host; none of what they name was touched. */
  readonly unusable: readonly UnusableJournal[];
}

export function outcomeOf(
  works: readonly RecoveredWork[],
  unusable: readonly UnusableJournal[],
  dryRun: boolean,
): RecoveryReport['outcome'] {
  if (works.length === 0) return unusable.some(({ movedTo }) => movedTo !== '') ? 'recovered' : 'nothing';
  if (dryRun) return 'planned';
  return works.every(({ done }) => done) ? 'recovered' : 'partial';
}

/** One line for a person. */
export function describeItem({ thing, subject, found, result, action, advice, error }: RecoveryItem): string {
  const said = [found, result === 'left' ? '' : action].filter((part) => part !== '').join(': ');
  const why = error ? `: ${error.message}` : '';
  const next = advice === '' ? '' : `. ${advice}`;
  return `${thing.replace('-', ' ')} ${subject}: ${said}${why}${next}`;
}

/** One sentence that says what of it is left and how to go on. */
export function describeUnrecovered({ leftOver, items }: RecoveredWork): string {
  const { work, id, pid, journal } = leftOver;
  const left = items.filter(({ result }) => result === 'left').map(describeItem);
  return `the ${work} ${id} of process ${pid}, which died, has left something behind: ${left.join('; ')} (journal ${journal})`;
}
