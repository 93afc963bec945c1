import { dateToTimedate, timedateToDate, type Innards } from '../domino/timedate';
import { decidedFailure, OptionError, RestoreError, type DatabaseFailure } from '../errors/errors';
import type { ManifestDatabase, ManifestHead } from '../store/manifest-format';

/** How far the clock of a server may be ahead of ours. */
const clockSkewMs = 60_000;

const isoWithZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Checks an option: `now`, `backup`, or a time in ISO 8601 with its zone. */
export function until(value: unknown, name: string): void {
  if (value === undefined || value === 'now' || value === 'backup') return;
  if (typeof value === 'string' && isoWithZone.test(value) && !Number.isNaN(Date.parse(value))) return;
  throw new OptionError(name, `${name} must be "now", "backup", or a time with its zone, as 2026-08-07T10:15:30+02:00`);
}

/** The unit in which Domino counts. Whether a time that is that of NSFBackupStart itself counts as before the backup is not documented. */
const hundredthMs = 10;

type Windows = Pick<ManifestHead, 'id' | 'timeAfterLastStart' | 'furtherWindows'>;

/**
 * The time that a recovery stops at: what was committed before it is applied. Undefined for `now`. The clock is that of the
 * server: the manifest holds its time of the backup, so that no zone and no other clock comes in.
 *
 * @throws {@link RestoreError} `ERR_RESTORE_TIME`: the log goes forward only, and no further than now.
 */
export function pointInTimeOf(wanted: string | undefined, head: Windows): Innards | undefined {
  if (wanted === undefined || wanted === 'now') return undefined;
  const refuse = (message: string): never => {
    throw new RestoreError('ERR_RESTORE_TIME', { message, phase: 'restore' });
  };
  const moments = momentsOf(head);
  if (wanted === 'backup') {
    const last = Math.max(...moments);
    if (Number.isNaN(last)) return refuse(`the backup ${head.id} does not know the server's time when it was made`);
    return dateToTimedate(new Date(last + hundredthMs));
  }
  const time = new Date(wanted);
  if (time.getTime() > Date.now() + clockSkewMs) return refuse(`${wanted} lies in the future`);
  const earliest = (moments[0] ?? NaN) + hundredthMs;
  if (time.getTime() < earliest) return refuse(tooEarly(wanted, head.id, earliest));
  return dateToTimedate(time);
}

/**
 * Why a database cannot be recovered to a time: it may not have been in backup mode yet. When each of them entered it Domino knows alone,
 * and breaks the recovery off for one that is younger; it is known of a whole window. Databases that an earlier backup holds are older.
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
  return `${wanted} lies before ${new Date(earliest).toISOString()}, the earliest time that the backup ${id} can be rolled forward to`;
}

/** Of each window when all of its databases were in backup mode; milliseconds since the epoch, of the clock of the server. */
function momentsOf(head: Windows): number[] {
  return [head, ...(head.furtherWindows ?? [])].map(({ timeAfterLastStart }) => momentOf(timeAfterLastStart));
}

/** Milliseconds since the epoch, of the clock of the server. */
function momentOf(time: ManifestHead['timeAfterLastStart']): number {
  if (time === null) return NaN;
  const [low, high] = time.innards.map((half) => parseInt(half, 16));
  return timedateToDate([low ?? 0, high ?? 0])?.getTime() ?? NaN;
}
