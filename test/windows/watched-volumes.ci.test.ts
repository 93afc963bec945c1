// A backup of plain volumes whose process dies: the one that has started it says what is left.

import { join } from 'node:path';
import { commandOn } from './command';
import { Machine } from './machine';

const machine = new Machine();

afterAll(() => {
  machine[Symbol.dispose]();
});

test('what a backup of plain volumes has left is said, and recover removes it', async () => {
  const delta = join(machine.homes[0], 'delta');
  const from = ['--source', 'volumes', '--volume', 'C:', '--keep', '--delta-dir', delta];
  const died = await commandOn(machine, { 'fault.DoSnapshotSet.1': 'die' })('backup', 'run', ...from);
  expect(died.code).toBe(1);
  expect(died.stderr).toContain('ERR_PROCESS_ENDED');
  expect(died.stderr).toContain('an unfinished backup may be left in');
  expect(died.stderr).toContain(`Run: domino-vss recover --delta-dir ${delta}`);
  expect(await commandOn(machine)('recover', '--delta-dir', delta)).toMatchObject({ code: 0 });
  expect(machine.shadows()).toEqual([]);
});
