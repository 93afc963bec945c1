// Random work on a server, random backups, archiving, accidents, and restores to random times. RESTORE_PROPERTY_SEED repeats a run.

import { runGroup, seedOfSweep, sweep } from './groups';
import type { MutationName } from './mutation';
import type { LogStyle } from './server';

test('what a plan says happens, and what is restored is what was there at the time that is reported', async () => {
  const { tally, violations } = await sweep(seedOfSweep(), { cases: 40, ms: 30_000 });
  expect(violations).toEqual([]);
  expect(tally.databases).toBeGreaterThan(0);
}, 240_000);

test.each<[MutationName, LogStyle]>([
  ['refuses-nothing', 'circular'],
  ['stops-at-the-backup', 'linear'],
  ['loses-the-archive', 'archive'],
])(
  'a restore that %s is found',
  async (mutation, style) => {
    const { failure } = await runGroup({ style, seed: 20261127, cases: 50, mutation });
    expect(failure?.what).toContain('Violation');
  },
  120_000,
);
