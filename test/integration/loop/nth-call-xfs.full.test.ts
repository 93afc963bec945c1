import { seedOfSweep, sweepCalls } from '../nth-call/cases';
import { describeOnLoopImage, LoopImage } from './images';

const cases = Number(process.env['NTH_CALL_CASES'] ?? Infinity);
const minutes = Number(process.env['NTH_CALL_MINUTES'] ?? 20);

describeOnLoopImage('xfs', () => {
  test(
    'every call for clones fails in every way, hangs, and is the last one',
    async () => {
      using image = new LoopImage('xfs', 1024);
      const limits = {
        cases,
        ms: minutes * 60_000,
        works: ['backup'],
        calls: ['system'],
      } as const;
      const shadows = { provider: 'reflink', parent: image.mountPoint } as const;
      const { violations } = await sweepCalls(seedOfSweep(), limits, { shadows });
      expect(violations).toEqual([]);
    },
    (minutes + 5) * 60_000,
  );
});
