// 1 000 cycles: npm test -- --tier=full soak.full. SOAK_SEED determines what happens in them, SOAK_CYCLES their number.

import { leaks } from './samples';
import { soak } from './soak';

const seed = Number(process.env['SOAK_SEED'] ?? 20261128);
const cycles = Number(process.env['SOAK_CYCLES'] ?? 1_000);

test(`${cycles} cycles leave the process as it was`, async () => {
  const { samples, left, accounting } = await soak({ cycles, sampleEvery: 20, seed, leak: false });
  for (const sample of samples) process.stdout.write(`${JSON.stringify(sample)}\n`);
  expect(leaks(samples, { heapBytesPerCycle: 2_000, peakBytes: 16_000_000 })).toEqual([]);
  expect(left).toEqual([]);
  expect(accounting).toMatchObject({ crashedParticipants: 0, leakedBackupContexts: 0, leakedDatabaseHandles: 0 });
}, 7_200_000);
