import { densitySlices, type Timeline } from '../backup/timeline';

/** An event of the Trace Event Format; times in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'C' | 'M';
  readonly pid: 1;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * A window as a Chrome trace for Perfetto and chrome://tracing: the phases, one track for each shard with every call on a
 * database, and the number of databases in backup mode.
 */
export function* chromeTrace(timeline: Timeline, paths: readonly string[]): Generator<string> {
  yield '{"displayTimeUnit":"ms","traceEvents":[';
  let separator = '\n';
  for (const event of events(timeline, paths)) {
    yield separator + JSON.stringify(event);
    separator = ',\n';
  }
  yield '\n]}\n';
}

function* events(timeline: Timeline, paths: readonly string[]): Generator<TraceEvent> {
  const { phases, density, beginMs, windowMs, databases } = timeline;
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs, shard } = databases;
  yield named('process_name', 0, 'domino-vss');
  yield named('thread_name', 0, 'phases');
  for (const number of new Set(shard)) yield named('thread_name', number + 1, `shard ${number}`);
  for (const { phase, beginMs: from, endMs } of phases) yield span(phase, 0, from, endMs);
  for (const [slice, count] of density.entries()) {
    const ts = (beginMs + (slice / densitySlices) * windowMs) * 1000;
    yield { name: 'in backup mode', ph: 'C', pid: 1, tid: 0, ts, args: { databases: count } };
  }
  for (const [index, path] of paths.entries()) {
    const tid = (shard[index] ?? 0) + 1;
    const called = [
      ['NSFBackupStart', startCalledMs[index], startReturnedMs[index]],
      ['NSFBackupStop', stopCalledMs[index], stopReturnedMs[index]],
    ] as const;
    for (const [name, from = NaN, to = NaN] of called) {
      if (to >= from) yield { ...span(name, tid, from, to), args: { database: path } };
    }
  }
}

function span(name: string, tid: number, fromMs: number, toMs: number): TraceEvent {
  return { name, ph: 'X', pid: 1, tid, ts: fromMs * 1000, dur: (toMs - fromMs) * 1000 };
}

function named(name: 'process_name' | 'thread_name', tid: number, value: string): TraceEvent {
  return { name, ph: 'M', pid: 1, tid, args: { name: value } };
}
