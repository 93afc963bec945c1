import type { NativeResults } from '../native/session';
import type { Cost, Costs } from '../store/costs';

/** A write changes one page at least. */
const pageBytes = 4096;
/** Clocks of file systems are coarse, and those of file servers differ from ours. */
const shortestAgeMs = 1000;

type Measured = Pick<
  NativeResults,
  'startCalledMs' | 'startReturnedMs' | 'stopCalledMs' | 'stopReturnedMs' | 'deltaBytes'
>;

/**
 * How much is expected to be written to a database, in bytes a second: what earlier backups have seen while it was in backup
 * mode, and a page for the time that has passed since it was modified. The first says how much is written to the busy ones,
 * the second sets apart those that were not written to in such a short time, and is all that is known of a new one.
 */
export function activityOf(cost: Cost | undefined, modifiedMs: number, nowMs: number): number {
  const ageMs = Math.max(shortestAgeMs, nowMs - modifiedMs);
  return (cost?.writeRate ?? 0) + (pageBytes * 1000) / ageMs;
}

/** What a window has measured, for the next backup; undefined for a database that was not in backup mode from start to stop. */
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
