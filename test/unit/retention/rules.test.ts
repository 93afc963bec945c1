import { OptionError } from '#lib/errors/errors';
import { checkRules, keptBackups, type Retained, type RetentionRules } from '#lib/retention/rules';

const hourMs = 3_600_000;

/** A backup that was made at the given local time. */
function made(local: string, outcome: Retained['outcome'] = 'complete'): Retained {
  return { id: local, created: new Date(local).toISOString(), outcome };
}

function kept(
  backups: readonly Retained[],
  rules: RetentionRules,
  now = '2026-08-04T22:00',
): Record<string, readonly string[]> {
  return Object.fromEntries(keptBackups(backups, rules, Date.parse(now)));
}

const july = ['2026-07-30T22:00', '2026-07-31T22:00'].map((time) => made(time));
const august = ['2026-08-01T22:00', '2026-08-02T10:00', '2026-08-02T22:00', '2026-08-03T22:00'].map((time) =>
  made(time),
);
const all = [...august, ...july];

test('the given number of newest backups stays', () => {
  expect(kept(all, { last: 2 })).toEqual({ '2026-08-03T22:00': ['last'], '2026-08-02T22:00': ['last'] });
});

test('of each day the newest stays, and days without a backup do not count', () => {
  expect(kept([...all, made('2026-07-20T22:00')], { daily: 6 })).toEqual({
    '2026-08-03T22:00': ['day 2026-08-03'],
    '2026-08-02T22:00': ['day 2026-08-02'],
    '2026-08-01T22:00': ['day 2026-08-01'],
    '2026-07-31T22:00': ['day 2026-07-31'],
    '2026-07-30T22:00': ['day 2026-07-30'],
    '2026-07-20T22:00': ['day 2026-07-20'],
  });
});

test('a week is one from Monday to Sunday', () => {
  // 3 August 2026 is a Monday.
  expect(kept(all, { weekly: 3 })).toEqual({
    '2026-08-03T22:00': ['week 2026-08-03'],
    '2026-08-02T22:00': ['week 2026-07-27'],
  });
});

test('of each month the newest stays', () => {
  expect(kept(all, { monthly: 12 })).toEqual({
    '2026-08-03T22:00': ['month 2026-08'],
    '2026-07-31T22:00': ['month 2026-07'],
  });
});

test('a backup may stay for several reasons', () => {
  expect(kept(august.slice(3), { last: 1, daily: 1, weekly: 1, monthly: 1, withinMs: hourMs })).toEqual({
    '2026-08-03T22:00': ['last', 'day 2026-08-03', 'week 2026-08-03', 'month 2026-08', 'within'],
  });
});

test('the age is counted from the newest backup, so that none goes when no backup is made any more', () => {
  const old = [made('2001-02-02T10:00'), made('2001-02-03T10:00'), made('2001-02-03T22:00')];
  expect(Object.keys(kept(old, { withinMs: 12 * hourMs }))).toEqual(['2001-02-03T22:00', '2001-02-03T10:00']);
});

test('the newest complete backup stays although partial ones are newer', () => {
  const backups = [made('2026-08-01T22:00'), made('2026-08-02T22:00'), made('2026-08-03T22:00', 'partial')];
  expect(kept(backups, { last: 1 })).toEqual({ '2026-08-03T22:00': ['last'], '2026-08-02T22:00': ['newest complete'] });
});

test('of backups of the same moment the one with the higher id is the newer', () => {
  const created = new Date('2026-08-03T22:00').toISOString();
  const backups = ['b', 'c', 'a'].map((id) => ({ id, created, outcome: 'complete' as const }));
  expect(Object.keys(kept(backups, { last: 2 }))).toEqual(['c', 'b']);
});

test.each([[{}], [{ daily: undefined }], [{ last: 0 }], [{ weekly: 1.5 }], [{ yearly: 1 }], [null], ['last']])(
  '%j are no rules',
  (rules) => {
    expect(() => {
      checkRules(rules, 'keep');
    }).toThrow(OptionError);
  },
);

test('a backup from a night with a wrong clock does not push out the ones made since', () => {
  const wrong = made('2031-01-01T22:00');
  const reasons = { '2031-01-01T22:00': ['dated in the future'], '2026-08-03T22:00': ['within'] };
  expect(kept([wrong, ...all], { withinMs: hourMs })).toEqual(reasons);
  expect(kept([wrong, ...all], { last: 1 })).toEqual({ ...reasons, '2026-08-03T22:00': ['last'] });
});

test('while the clock is behind, nothing is removed but what is older than the clock says', () => {
  const now = '2026-08-01T21:30';
  expect(Object.keys(kept(all, { last: 1 }, now)).sort()).toEqual([
    // Within the difference that two clocks may have.
    '2026-08-01T22:00',
    '2026-08-02T10:00',
    '2026-08-02T22:00',
    '2026-08-03T22:00',
  ]);
});
