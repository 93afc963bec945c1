import { linuxTest } from '../../platform';
import { killPrunes } from './prune-deaths';

linuxTest(
  'a prune that dies leaves the backup whole, or the next run removes the rest of it',
  async () => {
    const { deaths, whole, gone, violations } = await killPrunes((operation) => operation % 6 === 0);
    process.stdout.write(`${deaths} deaths: ${whole} whole, ${gone} gone\n`);
    expect(violations).toEqual([]);
    expect(deaths).toBeGreaterThan(3);
    expect(gone).toBeGreaterThan(0);
  },
  240_000,
);
