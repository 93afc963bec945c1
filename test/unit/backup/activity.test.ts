import { activityOf, measuredCosts } from '#lib/backup/activity';

const now = Date.UTC(2026, 0, 1);
const second = 1000;

test('what was written to in backup mode comes before what was not, and of those the latest modified', () => {
  const busy = { costUs: 1, writeRate: 50_000 };
  const idle = { costUs: 1, writeRate: 0 };
  const activities = [
    activityOf(undefined, 0, now),
    activityOf(idle, now - 3600 * second, now),
    activityOf(undefined, now - 60 * second, now),
    activityOf(idle, now - 2 * second, now),
    activityOf(busy, now - 60 * second, now),
    activityOf(busy, now - 2 * second, now),
  ];
  expect([...activities].sort((a, b) => a - b)).toEqual(activities);
  expect(new Set(activities).size).toBe(activities.length);
});

test('a modification in the future counts as one of this moment', () => {
  expect(activityOf(undefined, now + 3600 * second, now)).toBe(activityOf(undefined, now, now));
});

test('the rate is the change information by the time in backup mode, and the earlier one counts half', () => {
  const column = (...values: number[]): Float64Array => Float64Array.from(values);
  const costOf = measuredCosts(
    ['new.nsf', 'known.nsf', 'failed.nsf'],
    {
      startCalledMs: column(0, 0, 0),
      startReturnedMs: column(2, 2, 2),
      stopCalledMs: column(499, 499, NaN),
      stopReturnedMs: column(500, 500, NaN),
      deltaBytes: column(4096, 0, 0),
    },
    new Map([['known.nsf', { costUs: 1, writeRate: 1000 }]]),
  );
  expect([0, 1, 2].map(costOf)).toEqual([
    { costUs: 3000, writeRate: 8192 },
    { costUs: 3000, writeRate: 500 },
    undefined,
  ]);
});
