import { drawWindow } from '#lib/cli/window-picture';
import { formatMs } from '#lib/cli/output';
import type { NativeResults } from '#lib/native/session';
import { buildTimeline } from '#lib/backup/timeline';
import { windowSample } from '../samples';

/** Times of one database: start called, start returned, stop called, stop returned. */
type Times = readonly [number, number, number, number];

function resultsOf(times: readonly Times[], phases: NativeResults['phases'] = []): NativeResults {
  const column = (at: 0 | 1 | 2 | 3): Float64Array => Float64Array.from(times, (row) => row[at]);
  return {
    count: times.length,
    startCalledMs: column(0),
    startReturnedMs: column(1),
    stopCalledMs: column(2),
    stopReturnedMs: column(3),
    originNs: 42n,
    phases,
  } as unknown as NativeResults;
}

test('window, skew and the longest database are measured between the right ends', async () => {
  const timeline = await buildTimeline(
    resultsOf(
      [
        [10, 12, 50, 51],
        [11, 20, 52, 70],
        [NaN, NaN, NaN, NaN],
      ],
      [
        { phase: 'shadow', beginMs: 20, endMs: 45 },
        { phase: 'stop', beginMs: 45, endMs: 70 },
      ],
    ),
  );
  expect(timeline).toMatchObject({
    originNs: 42n,
    beginMs: 10,
    windowMs: 60,
    skewMs: 8,
    shadowMs: 25,
    longestDatabaseMs: 59,
  });
  expect(Math.max(...timeline.density)).toBe(2);
  expect(timeline.density[0]).toBe(0);
  expect(timeline.density.at(-1)).toBe(1);
});

test('a window in which nothing happened has no length', async () => {
  const timeline = await buildTimeline(resultsOf([[NaN, NaN, NaN, NaN]]));
  expect(timeline).toMatchObject({ windowMs: 0, skewMs: 0, longestDatabaseMs: 0, density: [] });
  expect(drawWindow(timeline)).toEqual(['no freeze window: no database was in backup mode']);
});

test('the picture shows the phases on one axis and how many databases were in backup mode', () => {
  expect(drawWindow(windowSample, 56)).toEqual([
    'freeze window 100 ms, skew 20 ms, longest database 95 ms',
    'into backup mode   │█████               │ 25 ms',
    'shadow             │     ████████       │ 40 ms',
    'out of backup mode │             ███████│ 35 ms',
    'in backup mode     │ ▁▂▂▃▄▅▆▆▇█▇▆▆▅▄▃▂▂▁│ at most 31',
    '                   │0             100 ms│',
  ]);
  // Even the narrowest terminal shows a picture.
  expect(drawWindow(windowSample, 5)[1]).toBe('into backup mode   │███       │ 25 ms');
});

test.each([
  [0.123, '0.12 ms'],
  [12.3, '12 ms'],
  [1500, '1.5s'],
  [61_000, '1m 1s'],
])('%d ms is shown as %s', (milliseconds, text) => {
  expect(formatMs(milliseconds)).toBe(text);
});
