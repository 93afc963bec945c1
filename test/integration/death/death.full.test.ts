import { linuxTest } from '../../platform';
import { seedOfSweep, sweepDeaths } from './cases';

const cases = Number(process.env['DEATH_CASES'] ?? 1000);
const minutes = Number(process.env['DEATH_MINUTES'] ?? 240);

linuxTest(
  `of up to ${cases} deaths each one is put right`,
  async () => {
    const { violations } = await sweepDeaths(seedOfSweep(), cases, minutes * 60_000);
    expect(violations).toEqual([]);
  },
  (minutes + 5) * 60_000,
);
