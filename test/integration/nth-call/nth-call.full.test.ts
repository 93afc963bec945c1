import { linuxTest } from '../../platform';
import { seedOfSweep, sweepCalls } from './cases';

const cases = Number(process.env['NTH_CALL_CASES'] ?? Infinity);
const minutes = Number(process.env['NTH_CALL_MINUTES'] ?? 60);

linuxTest(
  'every call of a backup, a restore, a check and a recovery fails in every way, hangs, and is the last one',
  async () => {
    const { violations } = await sweepCalls(seedOfSweep(), { cases, ms: minutes * 60_000 });
    expect(violations).toEqual([]);
  },
  (minutes + 5) * 60_000,
);
