import { timedateToDate } from '#lib/domino/timedate';
import { OptionError, RestoreError } from '#lib/errors/errors';
import { pointInTimeOf, refuseByTime, until } from '#lib/restore/until';
import type { ManifestDatabase, ManifestHead } from '#lib/store/manifest-format';

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
  // The first time that is certainly not before any of its databases.
  ['1996-12-10T19:49:04.010Z', '1996-12-10T19:49:04.010Z'],
])('%s, in hundredths of a second', (wanted, stop) => {
  expect(stopsAt(wanted)).toBe(stop);
});

test.each([
  [
    'before the backup',
    '1996-12-10T19:49:03Z',
    /is before 1996-12-10T19:49:04.010Z, the earliest time that the backup 19961210T194904Z-3f9a2c can be rolled/,
  ],
  // Only Domino knows which databases were in backup mode by then, and stops for those that were not.
  ['in the window', '1996-12-10T19:49:03.600Z', /is before 1996-12-10T19:49:04.010Z/],
  ['of the last start itself', '1996-12-10T19:49:04.009Z', /is before 1996-12-10T19:49:04.010Z/],
  ['in the future', '2999-01-01T00:00:00Z', /is in the future/],
])('a time %s is refused', (_what, wanted, message) => {
  expect(() => stopsAt(wanted)).toThrow(message);
  expect(() => stopsAt(wanted)).toThrow(RestoreError);
});

describe('with a second window', () => {
  const later = { innards: ['006CDCF2', '852563FC'], iso: '' } as const;
  const third = { innards: ['006CDD24', '852563FC'], iso: '' } as const;
  const furtherWindows = [later, third].map((time, index) => {
    return { number: index + 2, created: '', databases: 1, timeAfterLastStart: time, window };
  });
  const backup = { ...head, furtherWindows };
  const refusedAt = (iso: string, database: Partial<ManifestDatabase>): string => {
    const line = { path: 'a.nsf', delta: '', ...database } as ManifestDatabase;
    return refuseByTime(line, backup, pointInTimeOf(iso, backup))?.text ?? '';
  };

  test.each<[string, string, Partial<ManifestDatabase>]>([
    ['of the first window', '1996-12-10T19:49:04.010Z', {}],
    ['of the second one', '1996-12-10T19:49:04.510Z', { shadow: 'two', delta: 'window-2/deltas/0.delta' }],
    ['of an unknown one', '1996-12-10T19:49:05.010Z', { shadow: 'two' }],
  ])('a database %s is refused before its own moment', (_which, earliest, database) => {
    expect(refusedAt(earliest, database)).toBe('');
    const before = new Date(Date.parse(earliest) - 10).toISOString();
    if (database.shadow === undefined) expect(() => refusedAt(before, database)).toThrow(RestoreError);
    else expect(refusedAt(before, database)).toContain(`is before ${earliest}`);
  });

  test('one that an earlier backup holds is older', () => {
    expect(refusedAt('1996-12-10T19:49:04.010Z', { shadow: 'two', from: '19961209T194904Z-3f9a2c' })).toBe('');
  });
});

test('the moment of a backup without Domino is not known', () => {
  expect(() => pointInTimeOf('backup', { ...head, timeAfterLastStart: null })).toThrow(
    /has no record of the server's time/,
  );
});

test.each(['now', 'backup', '2026-08-07T10:15:30+02:00', '2026-08-07T10:15Z', undefined])('%s is accepted', (value) => {
  expect(() => {
    until(value, 'until');
  }).not.toThrow();
});

test.each([
  '2026-08-07T10:15:30',
  '2026-08-07',
  'yesterday',
  '',
  '2026-13-07T10:15:30Z',
  '2026-02-30T10:00:00Z',
  '2026-08-07T24:00:00Z',
  7,
  '2026-08-07T10:15:30 UTC',
])('%s is refused: a time without its zone is another one elsewhere', (value) => {
  expect(() => {
    until(value, 'until');
  }).toThrow(OptionError);
});
