import type { NativeResults } from '../native/session';
import type { Cost, Costs } from '../store/costs';

/** A write changes at least one page. */
const pageBytes = 4096;
/** The clocks of file systems are coarse, and those of file servers differ from ours. */
const shortestAgeMs = 1000;

type Measured = Pick<
  NativeResults,
  'startCalledMs' | 'startReturnedMs' | 'stopCalledMs' | 'stopReturnedMs' | 'deltaBytes'
>;

/**
 * Expected writes to a database in bytes per second: what earlier backups measured while it was in backup mode, plus one page for
 * the time since it was modified. The first part shows how busy a database is. The second distinguishes those without writes in
 * these short times, and is the only information about a new database.
 */
export function activityOf(cost: Cost | undefined, modifiedMs: number, nowMs: number): number {
  const ageMs = Math.max(shortestAgeMs, nowMs - modifiedMs);
  return (cost?.writeRate ?? 0) + (pageBytes * 1000) / ageMs;
}

/**
 * The measurements of a window for the next backup; undefined for a database that was not in backup mode for the whole window.
 */
export function measuredCosts(
  paths: readonly string[],
  { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs, deltaBytes }: Measured,
  earlier: Costs,
): (index: number) => Cost | undefined {
  return (index) => {
    const at = (column: Float64Array): number => column[index] ?? NaN;
    const costMs = at(startReturnedMs) - at(startCalledMs) + at(stopReturnedMs) - at(stopCalledMs);
    const inBackupMs = at(stopReturnedMs) - at(startCalledMs);
    if (!Number.isFinite(costMs) || inBackupMs <= 0) return undefined;
    const seen = (at(deltaBytes) * 1000) / inBackupMs;
    const before = earlier.get(paths[index] ?? '')?.writeRate ?? seen;
    return { costUs: costMs * 1000, writeRate: (before + seen) / 2 };
  };
}
