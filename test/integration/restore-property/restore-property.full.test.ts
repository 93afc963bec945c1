import { seedOfSweep, sweep } from './groups';

const cases = Number(process.env['RESTORE_PROPERTY_CASES'] ?? 2000);
const minutes = Number(process.env['RESTORE_PROPERTY_MINUTES'] ?? 90);

test(
  `${cases} cases: what a plan says happens, and what is restored is what was there at the time that is reported`,
  async () => {
    const { violations } = await sweep(seedOfSweep(), { cases, ms: minutes * 60_000 });
    expect(violations).toEqual([]);
  },
  (minutes + 10) * 60_000,
);
