import { dateToTimedate, timedateText, timedateToDate, unidBytes, unidText } from '#lib/domino/timedate';

test('the time in a TIMEDATE, whatever zone it was written in', () => {
  // The example in the reference of the C API: 10 December 1996, 19:49:04 GMT.
  expect(timedateToDate([0x006cdcc0, 0x852563fc])?.toISOString()).toBe('1996-12-10T19:49:04.000Z');
});

test.each([
  ['zeros', [0, 0]],
  ['a day without a time', [0xffffffff, 0x852563fc]],
] as const)('no time in %s', (_what, innards) => {
  expect(timedateToDate(innards)).toBeUndefined();
});

test.each(['1969-12-31T23:59:59.990Z', '1970-01-01T00:00:00.000Z', '2026-11-27T05:35:00.120Z'])(
  '%s and back',
  (iso) => {
    expect(timedateToDate(dateToTimedate(new Date(iso)))?.toISOString()).toBe(iso);
  },
);

test('ids are written with the second half of each TIMEDATE first', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  expect(timedateText(bytes, 0)).toBe('0807060504030201');
  expect(unidText(bytes, 0)).toBe('0807060504030201100F0E0D0C0B0A09');
  expect(unidBytes('0807060504030201100F0E0D0C0B0A09')).toEqual(bytes);
});
