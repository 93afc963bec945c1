// Databases leave backup mode at Thaw, while providers and writers are still finishing the shadow.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BeginBackupOptions } from '#lib/index';
import { SimulatedDomino } from '../integration/simulated-domino';
import { expectBacked } from './backed';
import { Machine, type VssSettings } from './machine';
import type { EndedBackup } from './consistency-program';

const machine = new Machine();
let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 20, pages: [3, 8] }, machine.homes[0]);
}, 300_000);

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 300_000);

type Options = Pick<BeginBackupOptions, 'writers' | 'vss'>;

/** One backup; the length of its window. */
async function windowMs(stopAt: 'end' | 'thaw', options: Options, settings: VssSettings): Promise<number> {
  const { programDirectory, notesIni } = domino.simulation;
  const copies = join(domino.home, 'copies');
  const vss = { ...options.vss, stopAt };
  const args = [programDirectory, notesIni, machine.deltaDirectory, copies];
  const program = machine.start('consistency-program.js', [...args, JSON.stringify({ ...options, vss })], settings);
  const backed = await expectBacked(program);
  expect(((await program.ask('end')) as EndedBackup).outcome).toBe('complete');
  expect((await program.end()).code).toBe(0);
  rmSync(copies, { recursive: true }); // they are on the volume, and would be in the next shadow
  return backed.windowMs;
}

const writersTakeTheirTime = { writers: 'sql', 'writer.sql.latency.PostSnapshot': 1000 };

test.each<[string, Options, VssSettings, number]>([
  ['nobody', {}, {}, 0],
  ['a provider', {}, { 'latency.phase.PostSnapshot': 1000 }, 1000],
  ['a provider', {}, { 'latency.phase.PostSnapshot': 5000 }, 5000],
  ['another writer', { writers: 'all' }, writersTakeTheirTime, 1000],
  ['another writer, with components', { writers: 'all', vss: { componentMode: true } }, writersTakeTheirTime, 1000],
])(
  '%s needs time after Thaw',
  async (_who, options, settings, laterMs) => {
    const end = await windowMs('end', options, settings);
    const thaw = await windowMs('thaw', options, settings);
    expect(end).toBeGreaterThanOrEqual(laterMs);
    if (laterMs > 0) expect(thaw).toBeLessThan(laterMs);
  },
  120_000,
);
