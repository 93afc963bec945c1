import type { Timeline } from '../backup/timeline';
import { spread, type Spread } from '../backup/spread';

/** The duration of one freeze window, and what it would be if threads never waited for anything but Domino. */
export interface WindowMeasure {
  readonly windowMs: number;
  /** All starts ÷ shards + shadow + all stops ÷ shards, each as measured; null if the provider has no such order. */
  readonly idealMs: number | null;
  /** Window ÷ ideal. */
  readonly windowRatio: number | null;
  readonly skewMs: number;
  /** Skew ÷ (all starts ÷ shards). */
  readonly skewRatio: number;
  /** From the end of the preparation to the first call of `NSFBackupStart`. */
  readonly preparedToFirstStartMs: number;
  /** From the return of the last `NSFBackupStart` until the shadow is requested. */
  readonly lastStartToShadowMs: number;
  readonly shadowMs: number;
  /** From the end of the shadow to the first call of `NSFBackupStop`. */
  readonly shadowToFirstStopMs: number;
  /** Single calls. */
  readonly start: Spread;
  readonly stop: Spread;
  /** Duration of each phase, by name. */
  readonly phasesMs: Readonly<Record<string, number>>;
}

export function measureWindow(timeline: Timeline, shards: number): WindowMeasure {
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs } = timeline.databases;
  const start = spread(durations(startCalledMs, startReturnedMs));
  const stop = spread(durations(stopCalledMs, stopReturnedMs));
  const { windowMs, skewMs, shadowMs } = timeline;
  const phase = (name: string): { readonly beginMs: number; readonly endMs: number } =>
    timeline.phases.find((candidate) => candidate.phase === name) ?? { beginMs: NaN, endMs: NaN };
  // Only providers that capture everything at once have a separate phase for the stops.
  const capturesSet = timeline.phases.some(({ phase: name }) => name === 'stop');
  const threads = Math.max(1, Math.min(shards, start.count));
  const idealMs = capturesSet ? start.sum / threads + shadowMs + stop.sum / threads : null;
  return {
    windowMs,
    idealMs,
    windowRatio: idealMs !== null && idealMs > 0 ? windowMs / idealMs : null,
    skewMs,
    skewRatio: start.sum > 0 ? skewMs / (start.sum / threads) : 0,
    preparedToFirstStartMs: least(startCalledMs) - phase('prepare').endMs,
    lastStartToShadowMs: capturesSet ? phase('shadow').beginMs - greatest(startReturnedMs) : NaN,
    shadowMs,
    shadowToFirstStopMs: capturesSet ? least(stopCalledMs) - phase('shadow').endMs : NaN,
    start,
    stop,
    phasesMs: Object.fromEntries(timeline.phases.map(({ phase: name, beginMs, endMs }) => [name, endMs - beginMs])),
  };
}

function durations(from: Float64Array, to: Float64Array): Float64Array {
  return to.map((end, index) => end - (from[index] ?? NaN)).filter((duration) => !Number.isNaN(duration));
}

function least(column: Float64Array): number {
  return column.reduce((found, value) => (value < found ? value : found), Infinity);
}

function greatest(column: Float64Array): number {
  return column.reduce((found, value) => (value > found ? value : found), -Infinity);
}
