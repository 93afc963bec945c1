import { proveAppliedShadow } from '../applied-shadow';
import { SimulatedDomino } from '../simulated-domino';
import { describeOnLoopImage, LoopImage } from './images';

describeOnLoopImage('xfs', () => {
  test('the change information is applied in kept clones', async () => {
    using image = new LoopImage('xfs', 1024);
    await using domino = await SimulatedDomino.create({ databases: 20, pages: [16, 64] }, image.mountPoint);
    const server = await domino.serve({ threads: 2 });
    try {
      const { report } = await proveAppliedShadow(domino, server, { shadowDirectory: undefined });
      expect(report.provider.name).toBe('reflink');
      await domino.expectQuiet();
    } finally {
      await server.stop();
    }
  }, 120_000);
});
