import { linuxTest } from '../../platform';
import { seedOfSweep, sweepCalls } from './cases';

linuxTest(
  'whichever call fails or hangs, nothing is left of it',
  async () => {
    const { violations, cases, all } = await sweepCalls(seedOfSweep(), { cases: 40, ms: 10_000 });
    process.stdout.write(`${cases} of ${all} cases, ${violations.length} violations\n`);
    expect(violations).toEqual([]);
    expect(cases).toBeGreaterThan(5);
  },
  120_000,
);
