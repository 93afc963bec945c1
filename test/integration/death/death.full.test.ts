import { linuxTest } from '../../platform';
import { seedOfSweep, sweepDeaths } from './cases';

const cases = Number(process.env['DEATH_CASES'] ?? 1000);
const minutes = Number(process.env['DEATH_MINUTES'] ?? 240);

linuxTest(
  `of up to ${cases} deaths each one is put right`,
  async () => {
    const startedAt = performance.now();
    const { violations, deaths, ...run } = await sweepDeaths(seedOfSweep(), cases, minutes * 60_000);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(
      `${run.cases} cases, ${deaths} deaths, ${run.decided} decided by a person, ${violations.length} violations, ${seconds} s\n`,
    );
    expect(violations).toEqual([]);
  },
  (minutes + 5) * 60_000,
);
