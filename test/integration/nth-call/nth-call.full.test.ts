import { linuxTest } from '../../platform';
import { seedOfSweep, sweepCalls } from './cases';

const cases = Number(process.env['NTH_CALL_CASES'] ?? Infinity);
const minutes = Number(process.env['NTH_CALL_MINUTES'] ?? 60);

linuxTest(
  'every call of a backup, a restore and a recovery fails in every way, and hangs',
  async () => {
    const startedAt = performance.now();
    const sweep = await sweepCalls(seedOfSweep(), { cases, ms: minutes * 60_000 });
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(`${sweep.cases} of ${sweep.all} cases, ${sweep.violations.length} violations, ${seconds} s\n`);
    expect(sweep.violations).toEqual([]);
  },
  (minutes + 5) * 60_000,
);
