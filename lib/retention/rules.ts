import { OptionError } from '../errors/errors';

/** Which backups to keep. A backup is kept if any rule selects it; at least one rule is required. */
export interface RetentionRules {
  /** The newest ones, up to this number. */
  readonly last?: number | undefined;
  /** The newest of each day, for this many of the last days with a backup, in the time zone of this machine. */
  readonly daily?: number | undefined;
  /** The newest of each week (Monday to Sunday), for this many of the last weeks with a backup. */
  readonly weekly?: number | undefined;
  /** The newest of each month, for this many of the last months with a backup. */
  readonly monthly?: number | undefined;
  /** Those at most this many milliseconds older than the newest one. If no more backups are made, none is removed. */
  readonly withinMs?: number | undefined;
}

/** What the rules look at. */
export interface Retained {
  readonly id: string;
  /** ISO 8601. */
  readonly created: string;
  readonly outcome: 'complete' | 'partial';
}

/** Clocks of machines that share a delta directory differ a little. */
const clockToleranceMs = 3_600_000;

/** Throws unless there is at least one rule. */
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
 * Why each backup of one server is kept, by id. Backups that are not in the result may be removed. The newest complete backup is
 * always kept: partial ones alone would not restore everything.
 *
 * A backup that is dated after `nowMs` says that the clock is wrong now or was wrong then. Nobody knows how old it is, so it stays, and
 * the rules pass over it: as the newest one, it would make every later backup too old.
 */
export function keptBackups(
  backups: readonly Retained[],
  rules: RetentionRules,
  nowMs: number,
): Map<string, readonly string[]> {
  const reasons = new Map<string, string[]>();
  const keep = ({ id }: Retained, reason: string): void => {
    reasons.set(id, [...(reasons.get(id) ?? []), reason]);
  };
  const isInFuture = ({ created }: Retained): boolean => Date.parse(created) > nowMs + clockToleranceMs;
  for (const backup of backups) if (isInFuture(backup)) keep(backup, 'dated in the future');
  const newestFirst = backups
    .filter((backup) => !isInFuture(backup))
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1));
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

/** A week is named after its Monday. */
function weekOf(time: Date): string {
  const sinceMonday = (time.getDay() + 6) % 7;
  // At noon, so that no daylight saving change moves it to another day.
  return dayOf(new Date(time.getFullYear(), time.getMonth(), time.getDate() - sinceMonday, 12));
}
