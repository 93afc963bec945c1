import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { proveAppliedShadow } from '../applied-shadow';
import { SimulatedDomino } from '../simulated-domino';
import { describeOnLoopImage, LoopImage } from './images';

describeOnLoopImage('btrfs', () => {
  test('the change information is applied in a kept snapshot, which is read-only again', async () => {
    using image = new LoopImage('btrfs', 1024);
    await using domino = await SimulatedDomino.create({ databases: 20, pages: [16, 64] }, image.subvolume('data'));
    const server = await domino.serve({ threads: 2 });
    try {
      const { report, files } = await proveAppliedShadow(domino, server, { shadowDirectory: undefined });
      expect(report.provider.name).toBe('btrfs');
      expect(() => {
        writeFileSync(files[0] ?? '', '');
      }).toThrow(/EROFS/);
      for (const { root } of report.volumes) execFileSync('btrfs', ['-q', 'subvolume', 'delete', root]);
      await domino.expectQuiet();
    } finally {
      await server.stop();
    }
  }, 120_000);
});
