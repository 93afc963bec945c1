import { missingExtents, reachesOn } from '#lib/logs/extents';

const names = (first: number, last: number, base = 10): string[] =>
  Array.from(
    { length: last - first + 1 },
    (_value, index) => `S${(first + index).toString(base).padStart(7, '0')}.TXN`,
  );

test.each([
  ['all that a recovery reads are there', 3, names(0, 12)],
  ['the first one is the oldest', 7, names(7, 9)],
  ['the names begin anew in a circular log, so the numbers are not theirs', 500, names(0, 2)],
  ['hexadecimal names', 9, names(8, 20, 16)],
  ['letters in lower case', 9, names(8, 20, 16).map((name) => name.toLowerCase())],
])('nothing is missing: %s', (_what, first, present) => {
  expect(missingExtents(first, { names: present })).toBeUndefined();
});

test.each([
  ['a log that has wrapped', 3, names(8, 11), { first: 3, last: 7, oldest: 8 }],
  ['a hole', 3, [...names(0, 4), ...names(6, 7)], { first: 5, last: 5, oldest: 0 }],
  ['two holes', 3, [...names(0, 3), ...names(6, 7), ...names(9, 9)], { first: 4, last: 8, oldest: 0 }],
  ['hexadecimal names', 9, names(14, 20, 16), { first: 9, last: 13, oldest: 14 }],
  ['numbers of seven digits', 0, ['S9999999.TXN'], { first: 0, last: 9_999_998, oldest: 9_999_999 }],
])('extents are missing: %s', (_what, first, present, missing) => {
  expect(missingExtents(first, { names: present })).toEqual(missing);
});

test.each([
  ['up to the log directory', 3, names(8, 11), [3, 4, 5, 6, 7], undefined],
  ['with a hole', 3, names(8, 11), [3, 4, 6], { first: 5, last: 7, oldest: 8 }],
  ['only later ones', 3, names(8, 11), [5, 6, 7], { first: 3, last: 4, oldest: 8 }],
  ['hexadecimal names', 9, names(14, 20, 16), [9, 10, 11, 12, 13], undefined],
  [
    'one is missing before hexadecimal names',
    9,
    names(14, 20, 16),
    [9, 10, 12, 13],
    { first: 11, last: 11, oldest: 14 },
  ],
])('archived extents: %s', (_what, first, present, archived, missing) => {
  expect(missingExtents(first, { names: present }, archived)).toEqual(missing);
});

test.each([
  ['the log directory alone', 3, names(3, 12), [], true],
  ['archive and log directory, which overlap', 3, names(8, 12), [3, 4, 5, 6, 7, 8], true],
  ['hexadecimal names', 9, names(11, 20, 16), [9, 10, 11], true],
  ['a gap between the two', 3, names(8, 12), [3, 4, 5, 6], false],
  ['a gap in the archive', 3, names(8, 12), [3, 5, 6, 7], false],
  ['an archive that begins too late', 3, names(8, 12), [4, 5, 6, 7], false],
  ['a log that is not as far as that', 30, names(8, 12), [3], false],
  ['no extent in the log directory', 3, [], [3, 4], false],
])('whether the log reaches on: %s', (_what, first, present, archived, reaches) => {
  expect(reachesOn(first, { names: present }, archived)).toBe(reaches);
});
