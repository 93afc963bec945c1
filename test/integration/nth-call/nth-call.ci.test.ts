import { linuxTest } from '../../platform';
import { randomOf } from '../../random';
import { seedOfSweep, sweepCalls } from './cases';
import { works } from './works';

linuxTest(
  'whichever call fails, hangs or is the last one, nothing is left of it',
  async () => {
    const seed = seedOfSweep();
    // Counting the calls of a piece of work takes longer than a case.
    const random = randomOf(seed);
    const chosen = [random(), random()].map((part) => works[Math.floor(part * works.length)] ?? 'backup');
    const limits = { cases: 8, ms: 6_000, works: [...new Set(chosen)] };
    const { violations, cases } = await sweepCalls(seed, limits);
    expect(violations).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  },
  120_000,
);
