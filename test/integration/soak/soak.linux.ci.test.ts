// Repeated backups and restores in one process, with faults: memory, files and threads do not grow. The full
// version has 1 000 cycles.

import { leaks } from './samples';
import { soak } from './soak';

// During so few cycles, code is still loaded and caches fill: they only show a leak as large as the one below.
const bounds = { heapBytesPerCycle: 60_000, peakBytes: 50_000_000 };

test('60 cycles leave the process as it was', async () => {
  const { samples, left, accounting } = await soak({ cycles: 60, sampleEvery: 6, seed: 20261128, leak: false });
  expect(samples).toHaveLength(10);
  expect(leaks(samples, bounds)).toEqual([]);
  const { succeeded = 0, failed = 0, restored = 0 } = samples.at(-1) ?? {};
  expect(Math.min(succeeded, failed, restored)).toBeGreaterThan(2);
  expect(left).toEqual([]);
  expect(accounting).toMatchObject({ crashedParticipants: 0, leakedBackupContexts: 0, leakedDatabaseHandles: 0 });
}, 300_000);

test('a leak is found', async () => {
  const { samples } = await soak({ cycles: 18, sampleEvery: 3, seed: 20261128, leak: true });
  const found = leaks(samples, bounds).join('; ');
  for (const kind of ['JavaScript grows', 'files more']) expect(found).toContain(kind);
}, 300_000);
