import { seedOfSweep, sweepCalls } from '../nth-call/cases';
import { describeOnLoopImage, LoopImage } from './images';

const cases = Number(process.env['NTH_CALL_CASES'] ?? Infinity);
const minutes = Number(process.env['NTH_CALL_MINUTES'] ?? 20);

describeOnLoopImage('btrfs', () => {
  test(
    'every call for snapshots fails in every way, hangs, and is the last one',
    async () => {
      using image = new LoopImage('btrfs', 1024);
      const limits = {
        cases,
        ms: minutes * 60_000,
        works: ['backup'],
        calls: ['system'],
      } as const;
      const shadows = { provider: 'btrfs', parent: image.subvolume('data') } as const;
      const { violations } = await sweepCalls(seedOfSweep(), limits, { shadows });
      expect(violations).toEqual([]);
    },
    (minutes + 5) * 60_000,
  );
});
