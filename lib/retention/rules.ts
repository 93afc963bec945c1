import { OptionError } from '../errors/errors';

/** Which backups are kept. A backup that any rule names is kept; at least one rule must be given. */
export interface RetentionRules {
  /** The newest so many. */
  readonly last?: number | undefined;
  /** The newest of each of the last so many days that have a backup, by the time zone of this machine. */
  readonly daily?: number | undefined;
  /** The newest of each of the last so many weeks, Monday to Sunday, that have a backup. */
  readonly weekly?: number | undefined;
  /** The newest of each of the last so many months that have a backup. */
  readonly monthly?: number | undefined;
  /** Those that are at most so many milliseconds older than the newest one: when no backup is made any more, none goes. */
  readonly withinMs?: number | undefined;
}

/** What the rules look at. */
export interface Retained {
  readonly id: string;
  /** ISO 8601. */
  readonly created: string;
  readonly outcome: 'complete' | 'partial';
}

/** Throws unless there is a rule that keeps something. */
export function checkRules(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) throw new OptionError(name, `${name} must be an object`);
  const rules = value as Readonly<Record<string, unknown>>;
  const known = ['last', 'daily', 'weekly', 'monthly', 'withinMs'];
  for (const [rule, given] of Object.entries(rules)) {
    if (!known.includes(rule)) throw new OptionError(`${name}.${rule}`, `${name} has no rule "${rule}"`);
    if (given === undefined) continue;
    if (!Number.isSafeInteger(given) || (given as number) < 1) {
      throw new OptionError(`${name}.${rule}`, `${name}.${rule} must be a whole number above 0`);
    }
  }
  if (known.every((rule) => rules[rule] === undefined)) {
    throw new OptionError(name, `${name} needs at least one rule: without one nothing would be kept`);
  }
}

/**
 * Why each backup of one server is kept, by its id; one that is not in the answer may go. The newest complete backup is
 * always kept: partial ones alone would not bring everything back.
 */
export function keptBackups(backups: readonly Retained[], rules: RetentionRules): Map<string, readonly string[]> {
  const newestFirst = [...backups].sort(
    (a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1),
  );
  const reasons = new Map<string, string[]>();
  const keep = ({ id }: Retained, reason: string): void => {
    reasons.set(id, [...(reasons.get(id) ?? []), reason]);
  };
  for (const backup of newestFirst.slice(0, rules.last ?? 0)) keep(backup, 'last');
  const periods = [
    { count: rules.daily ?? 0, name: 'day', of: dayOf },
    { count: rules.weekly ?? 0, name: 'week', of: weekOf },
    { count: rules.monthly ?? 0, name: 'month', of: monthOf },
  ];
  for (const { count, name, of } of periods) {
    const seen = new Set<string>();
    for (const backup of newestFirst) {
      if (seen.size >= count) break;
      const period = of(new Date(backup.created));
      if (!seen.has(period)) keep(backup, `${name} ${period}`);
      seen.add(period);
    }
  }
  const [newest] = newestFirst;
  if (newest && rules.withinMs !== undefined) {
    const since = Date.parse(newest.created) - rules.withinMs;
    for (const backup of newestFirst) if (Date.parse(backup.created) >= since) keep(backup, 'within');
  }
  const complete = newestFirst.find(({ outcome }) => outcome === 'complete');
  if (complete && !reasons.has(complete.id)) keep(complete, 'newest complete');
  return reasons;
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');

function monthOf(time: Date): string {
  return `${time.getFullYear()}-${twoDigits(time.getMonth() + 1)}`;
}

function dayOf(time: Date): string {
  return `${monthOf(time)}-${twoDigits(time.getDate())}`;
}

/** A week is called by its Monday. */
function weekOf(time: Date): string {
  const sinceMonday = (time.getDay() + 6) % 7;
  // At noon: no change of the clock makes another day of it.
  return dayOf(new Date(time.getFullYear(), time.getMonth(), time.getDate() - sinceMonday, 12));
}
