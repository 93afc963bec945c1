import { dateToTimedate, timedateToDate, type Innards } from '../domino/timedate';
import { OptionError, RestoreError } from '../errors/errors';
import type { ManifestHead } from '../store/manifest-format';

/** How far the clock of a server may be ahead of ours. */
const clockSkewMs = 60_000;

const isoWithZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Checks an option: `now`, `backup`, or a time in ISO 8601 with its zone. */
export function until(value: unknown, name: string): void {
  if (value === undefined || value === 'now' || value === 'backup') return;
  if (typeof value === 'string' && isoWithZone.test(value) && !Number.isNaN(Date.parse(value))) return;
  throw new OptionError(name, `${name} must be "now", "backup", or a time with its zone, as 2026-08-07T10:15:30+02:00`);
}

type Windows = Pick<ManifestHead, 'id' | 'timeAfterLastStart' | 'window' | 'furtherWindows'>;

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
  const windows = [head, ...(head.furtherWindows ?? [])];
  const moments = windows.map(({ timeAfterLastStart }) => momentOf(timeAfterLastStart));
  if (wanted === 'backup') {
    const last = Math.max(...moments);
    if (Number.isNaN(last)) return refuse(`the backup ${head.id} does not know the server's time when it was made`);
    // Whether a time that is that of NSFBackupStart itself counts as before the backup is not documented.
    return dateToTimedate(new Date(last + 10));
  }
  const time = new Date(wanted);
  if (time.getTime() > Date.now() + clockSkewMs) return refuse(`${wanted} lies in the future`);
  // Somewhere in the window each database has entered backup mode; Domino knows where, and refuses those that are younger.
  const begin = (moments[0] ?? NaN) - head.window.windowMs;
  if (time.getTime() < begin) {
    return refuse(`${wanted} lies before the backup ${head.id} of ${new Date(begin).toISOString()}`);
  }
  return dateToTimedate(time);
}

/** Milliseconds since the epoch, of the clock of the server. */
function momentOf(time: ManifestHead['timeAfterLastStart']): number {
  if (time === null) return NaN;
  const [low, high] = time.innards.map((half) => parseInt(half, 16));
  return timedateToDate([low ?? 0, high ?? 0])?.getTime() ?? NaN;
}
