import { linuxTest } from '../../platform';
import { killPrunes } from './prune-deaths';

linuxTest(
  'a prune that dies at any of its operations leaves the backup whole, or the next run removes the rest of it',
  async () => {
    const { deaths, whole, gone, violations } = await killPrunes(() => true);
    process.stdout.write(`${deaths} deaths: ${whole} whole, ${gone} gone\n`);
    expect(violations).toEqual([]);
    expect(whole).toBeGreaterThan(0);
    expect(gone).toBeGreaterThan(0);
  },
  900_000,
);
