import { timedateToDate } from '#lib/domino/timedate';
import { OptionError, RestoreError } from '#lib/errors/errors';
import { pointInTimeOf, until } from '#lib/restore/until';
import type { ManifestHead } from '#lib/store/manifest-format';

const moment = '1996-12-10T19:49:04.000Z';
const timeAfterLastStart = { innards: ['006CDCC0', '852563FC'], iso: moment } as const;
const window = { windowMs: 500 } as ManifestHead['window'];
const head = { id: '19961210T194904Z-3f9a2c', timeAfterLastStart, window };
const stopsAt = (wanted: string | undefined): string | undefined => {
  const time = pointInTimeOf(wanted, head);
  return time && timedateToDate(time)?.toISOString();
};

test.each([undefined, 'now'])('%s: to the last transaction', (wanted) => {
  expect(stopsAt(wanted)).toBeUndefined();
});

test('the moment of the backup is that of its last start, by the clock of the server', () => {
  expect(stopsAt('backup')).toBe('1996-12-10T19:49:04.010Z');
});

test('with further windows it is that of the last one', () => {
  const later = { innards: ['006CDCF2', '852563FC'], iso: '' } as const;
  const second = { number: 2, created: '', databases: 1, timeAfterLastStart: later, window };
  const time = pointInTimeOf('backup', { ...head, furtherWindows: [second] });
  expect(time && timedateToDate(time)?.toISOString()).toBe('1996-12-10T19:49:04.510Z');
});

test.each([
  ['1996-12-10T20:49:05+01:00', '1996-12-10T19:49:05.000Z'],
  ['1996-12-10T14:19:04.129-05:30', '1996-12-10T19:49:04.120Z'],
  // In the window: Domino knows which databases are younger.
  ['1996-12-10T19:49:03.600Z', '1996-12-10T19:49:03.600Z'],
])('%s, in hundredths of a second', (wanted, stop) => {
  expect(stopsAt(wanted)).toBe(stop);
});

test.each([
  [
    'before the backup',
    '1996-12-10T19:49:03Z',
    /lies before the backup 19961210T194904Z-3f9a2c of 1996-12-10T19:49:03.500Z/,
  ],
  ['in the future', '2999-01-01T00:00:00Z', /lies in the future/],
])('a time %s is refused', (_what, wanted, message) => {
  expect(() => stopsAt(wanted)).toThrow(message);
  expect(() => stopsAt(wanted)).toThrow(RestoreError);
});

test('the moment of a backup without Domino is not known', () => {
  expect(() => pointInTimeOf('backup', { ...head, timeAfterLastStart: null })).toThrow(
    /does not know the server's time/,
  );
});

test.each(['now', 'backup', '2026-08-07T10:15:30+02:00', '2026-08-07T10:15Z', undefined])('%s is accepted', (value) => {
  expect(() => {
    until(value, 'until');
  }).not.toThrow();
});

test.each(['2026-08-07T10:15:30', '2026-08-07', 'yesterday', '', '2026-13-07T10:15:30Z', 7, '2026-08-07T10:15:30 UTC'])(
  '%s is refused: a time without its zone is another one elsewhere',
  (value) => {
    expect(() => {
      until(value, 'until');
    }).toThrow(OptionError);
  },
);
