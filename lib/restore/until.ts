import { dateToTimedate, timedateToDate, type Innards } from '../domino/timedate';
import { decidedFailure, OptionError, RestoreError, type DatabaseFailure } from '../errors/errors';
import type { ManifestDatabase, ManifestHead } from '../store/manifest-format';

/** How far the server's clock may be ahead of ours. */
const clockSkewMs = 60_000;

const isoWithZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Whether the calendar has this day: for JavaScript, 30 February is 2 March, and 24:00 the next day. */
function isOnCalendar(time: string): boolean {
  const day = new Date(`${time.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(time.slice(0, 10)) && !time.includes('T24');
}

/** Checks an option: `now`, `backup`, or a time in ISO 8601 with its zone. */
export function until(value: unknown, name: string): void {
  if (value === undefined || value === 'now' || value === 'backup') return;
  if (typeof value === 'string' && isoWithZone.test(value) && !Number.isNaN(Date.parse(value)) && isOnCalendar(value))
    return;
  throw new OptionError(
    name,
    `${name} must be "now", "backup", or a time with its zone, for example 2026-08-07T10:15:30+02:00`,
  );
}

/**
 * The unit in which Domino counts time. It is not documented whether the exact time of NSFBackupStart counts as before the
 * backup.
 */
const hundredthMs = 10;

type Windows = Pick<ManifestHead, 'id' | 'timeAfterLastStart' | 'furtherWindows'>;

/**
 * The time at which a recovery stops: it applies everything committed before. Undefined for `now`. For `backup` it is the
 * server's own time from the manifest, so neither time zones nor other clocks matter.
 *
 * @throws {@link RestoreError} `ERR_RESTORE_TIME`: the log can only roll forward, and not beyond the present.
 */
export function pointInTimeOf(wanted: string | undefined, head: Windows): Innards | undefined {
  if (wanted === undefined || wanted === 'now') return undefined;
  const refuse = (message: string): never => {
    throw new RestoreError('ERR_RESTORE_TIME', { message, phase: 'restore' });
  };
  const moments = momentsOf(head);
  if (wanted === 'backup') {
    const last = Math.max(...moments);
    if (Number.isNaN(last)) return refuse(`the backup ${head.id} has no record of the server's time when it was made`);
    return dateToTimedate(new Date(last + hundredthMs));
  }
  const time = new Date(wanted);
  if (time.getTime() > Date.now() + clockSkewMs) return refuse(`${wanted} is in the future`);
  const earliest = (moments[0] ?? NaN) + hundredthMs;
  if (time.getTime() < earliest) return refuse(tooEarly(wanted, head.id, earliest));
  return dateToTimedate(time);
}

/**
 * Why a database cannot be recovered to a time: at that time it may not have been in backup mode yet. Only Domino knows when each
 * database entered backup mode, and it stops the recovery of one that entered it later. We know only when all databases of a
 * window were in it. Databases carried over from an earlier backup entered it earlier.
 */
export function refuseByTime(
  { path, from, shadow, delta }: ManifestDatabase,
  head: Windows,
  pointInTime: Innards | undefined,
): DatabaseFailure | undefined {
  const time = pointInTime && timedateToDate(pointInTime);
  if (!time || from !== undefined || shadow === undefined) return undefined;
  const [first = NaN, ...further] = momentsOf(head);
  const number = /^window-(\d+)\//.exec(delta)?.[1];
  const index = head.furtherWindows?.findIndex((window) => String(window.number) === number) ?? -1;
  const earliest = (further[index] ?? Math.max(first, ...further)) + hundredthMs;
  if (!(time.getTime() < earliest)) return undefined;
  return decidedFailure(path, 'ERR_RESTORE_TIME', 'restore', tooEarly(time.toISOString(), head.id, earliest));
}

function tooEarly(wanted: string, id: string, earliest: number): string {
  return `${wanted} is before ${new Date(earliest).toISOString()}, the earliest time that the backup ${id} can be rolled forward to`;
}

/**
 * For each window, the time at which all its databases were in backup mode; milliseconds since the epoch, by the server's clock.
 */
function momentsOf(head: Windows): number[] {
  return [head, ...(head.furtherWindows ?? [])].map(({ timeAfterLastStart }) => momentOf(timeAfterLastStart));
}

/** Milliseconds since the epoch, by the server's clock. */
function momentOf(time: ManifestHead['timeAfterLastStart']): number {
  if (time === null) return NaN;
  const [low, high] = time.innards.map((half) => parseInt(half, 16));
  return timedateToDate([low ?? 0, high ?? 0])?.getTime() ?? NaN;
}
