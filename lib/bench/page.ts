import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../native/package-root';
import { windowFigures } from '../backup/timeline';
import type { BenchResult } from './bench';

/** One HTML file with everything in it: the timeline of every database of the typical run, and the spread over the runs. */
export function benchPage({ report, typical }: BenchResult): string {
  const { timeline, paths } = typical;
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs, shard } = timeline.databases;
  const { beginMs } = timeline;
  const data = {
    report,
    paths,
    timeline: windowFigures(timeline),
    // Columns in base64, or the page of 100 000 databases would be four times as big. After the beginning of the window,
    // so that 24 bits are exact to a microsecond over ten seconds.
    columns: {
      startCalled: column(startCalledMs, beginMs),
      startReturned: column(startReturnedMs, beginMs),
      stopCalled: column(stopCalledMs, beginMs),
      stopReturned: column(stopReturnedMs, beginMs),
      shard: column(shard, 0),
    },
  };
  const template = readFileSync(join(packageRoot, 'lib', 'bench', 'page.html'), 'utf8');
  // Names of databases may hold anything, also what would end the element.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return template.replace('/*DATA*/', () => json);
}

function column(values: Float64Array | Uint16Array, zero: number): string {
  const bytes = new Uint8Array(Float32Array.from(values, (value) => value - zero).buffer);
  return Buffer.from(bytes).toString('base64');
}
