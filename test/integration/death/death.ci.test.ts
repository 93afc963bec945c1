import { linuxTest } from '../../platform';
import { seedOfSweep, sweepDeaths } from './cases';

linuxTest(
  'whenever a process dies, recover puts everything right',
  async () => {
    const { violations, deaths, decided } = await sweepDeaths(seedOfSweep(), 24);
    process.stdout.write(`${deaths} deaths, ${decided} decided by a person, ${violations.length} violations\n`);
    expect(violations).toEqual([]);
    // A process to be killed at a random time may end before that.
    expect(deaths).toBeGreaterThan(12);
  },
  600_000,
);
