import type { WindowFigures } from '../store/manifest-format';
import { channel } from 'node:diagnostics_channel';
import { forEachIndex } from '../call/event-loop';
import type { NativeResults } from '../native/session';

/** Number of equal slices of the window in {@link Timeline.density}. */
export const densitySlices = 64;

/** The freeze window, measured in native code on the clock of `process.hrtime.bigint()`. */
export interface Timeline extends WindowFigures {
  /** The zero point of all times here. */
  readonly originNs: bigint;
  /** Columns with one element for each database; NaN for events that did not happen. */
  readonly databases: {
    readonly startCalledMs: Float64Array;
    readonly startReturnedMs: Float64Array;
    readonly stopCalledMs: Float64Array;
    readonly stopReturnedMs: Float64Array;
    /** Number of the thread that handled the database. */
    readonly shard: Uint16Array;
  };
}

/** Published on the channel `domino-vss:window` after each freeze window. */
export interface WindowMessage {
  readonly backupId: string;
  readonly provider: string;
  readonly timeline: Timeline;
}

const windowChannel = channel('domino-vss:window');

export function publishWindow(message: WindowMessage): void {
  if (windowChannel.hasSubscribers) windowChannel.publish(message);
}

/**
 * Adds the window and its phases to the performance timeline of this process, as measures named `domino-vss window` and
 * `domino-vss <phase>`, with the id of the backup as `detail.backupId`.
 */
export function measurePerformance({ backupId, timeline }: Pick<WindowMessage, 'backupId' | 'timeline'>): void {
  // Both clocks run at the same rate; only their zero points differ.
  const zeroMs = Number(timeline.originNs - process.hrtime.bigint()) / 1e6 + performance.now();
  const measure = (name: string, fromMs: number, toMs: number): void => {
    const [start, end] = [zeroMs + fromMs, zeroMs + toMs];
    performance.measure(`domino-vss ${name}`, { start, end, detail: { backupId } });
  };
  for (const { phase, beginMs, endMs } of timeline.phases) measure(phase, beginMs, endMs);
  measure('window', timeline.beginMs, timeline.beginMs + timeline.windowMs);
}

export async function buildTimeline(results: NativeResults): Promise<Timeline> {
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs } = results;
  let begin = Infinity;
  let end = -Infinity;
  let firstReturned = Infinity;
  let lastReturned = -Infinity;
  let longestDatabaseMs = 0;
  await forEachIndex(results.count, (index) => {
    const called = startCalledMs[index] ?? NaN;
    const returned = startReturnedMs[index] ?? NaN;
    const stopped = stopReturnedMs[index] ?? NaN;
    // Comparisons with NaN are false, so events that did not happen change nothing.
    if (called < begin) begin = called;
    if (stopped > end) end = stopped;
    if (returned < firstReturned) firstReturned = returned;
    if (returned > lastReturned) lastReturned = returned;
    if (stopped - called > longestDatabaseMs) longestDatabaseMs = stopped - called;
  });
  const windowMs = end > begin ? end - begin : 0;
  return {
    originNs: results.originNs,
    beginMs: Number.isFinite(begin) ? begin : 0,
    windowMs,
    skewMs: lastReturned > firstReturned ? lastReturned - firstReturned : 0,
    shadowMs: results.phases
      .filter(({ phase }) => phase === 'shadow')
      .reduce((sum, { beginMs, endMs }) => sum + endMs - beginMs, 0),
    longestDatabaseMs,
    phases: results.phases,
    density: windowMs > 0 ? await measureDensity(results, begin, windowMs) : [],
    databases: { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs, shard: results.shard },
  };
}

async function measureDensity(results: NativeResults, begin: number, windowMs: number): Promise<number[]> {
  const sliceOf = (time: number): number =>
    Math.min(densitySlices - 1, Math.floor(((time - begin) / windowMs) * densitySlices));
  const changes = new Array<number>(densitySlices + 1).fill(0);
  await forEachIndex(results.count, (index) => {
    const from = results.startReturnedMs[index] ?? NaN;
    const to = results.stopReturnedMs[index] ?? NaN;
    if (!(to >= from)) return;
    changes[sliceOf(from)] = (changes[sliceOf(from)] ?? 0) + 1;
    changes[sliceOf(to) + 1] = (changes[sliceOf(to) + 1] ?? 0) - 1;
  });
  let inBackupMode = 0;
  return changes.slice(0, densitySlices).map((change) => (inBackupMode += change));
}

export function windowFigures(timeline: Timeline): WindowFigures {
  const { beginMs, windowMs, skewMs, shadowMs, longestDatabaseMs, phases, density } = timeline;
  return { beginMs, windowMs, skewMs, shadowMs, longestDatabaseMs, phases, density };
}
