import { linuxTest } from '../../platform';
import { seedOfSweep, sweepCalls } from './cases';

linuxTest(
  'whichever call fails or hangs, nothing is left of it',
  async () => {
    const { violations, cases } = await sweepCalls(seedOfSweep(), { cases: 8, ms: 6_000 });
    expect(violations).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  },
  120_000,
);
