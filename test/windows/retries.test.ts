// A shadow that VSS cannot make immediately: another attempt, with a new object.

import { Machine, type VssSettings } from './machine';
import type { Order, Outcome } from './requester-program';

const machine = new Machine();

afterEach(() => {
  machine.forgetCalls();
});

afterAll(() => {
  machine[Symbol.dispose]();
});

async function retried(settings: VssSettings): Promise<Outcome> {
  const program = machine.start('requester-program.js', [machine.deltaDirectory], settings);
  const order: Order = { task: 'retried', options: { writers: 'all' } };
  const outcome = (await program.ask(JSON.stringify(order))) as Outcome;
  expect((await program.end()).code).toBe(0);
  return outcome;
}

const count = (method: string): number =>
  machine.calls().filter((call) => call.method === `IVssBackupComponents::${method}`).length;

test.each<[string, VssSettings]>([
  ['writes that could not be held', { 'fault.DoSnapshotSet.async.1': '0x80042314' }],
  ['file systems that could not be flushed', { 'fault.DoSnapshotSet.async.1': '0x80042313' }],
  ['a veto of the provider', { 'fault.DoSnapshotSet.async.1': '0x80042306' }],
  ['a writer that can be tried again', { 'writer.sql.fault.Freeze': 'retryable', 'writer.sql.fault_times': 1 }],
])('%s', async (_what, settings) => {
  const outcome = await retried(settings);
  expect(outcome).toMatchObject({
    result: expect.arrayContaining([expect.objectContaining({ code: 'WARN_ATTEMPT_FAILED' })]),
  });
  expect({ made: count('DoSnapshotSet'), aborted: count('AbortBackup'), told: count('BackupComplete') }).toEqual({
    made: 2,
    aborted: 1,
    told: 1,
  });
  const calls = machine.calls().map(({ method }) => method.replace('IVssBackupComponents::', ''));
  // The new object is created after the old one is released.
  expect(calls.lastIndexOf('InitializeForBackup')).toBeGreaterThan(calls.indexOf('AbortBackup'));
  expect(machine.shadows()).toEqual([]);
  machine.expectNoLeaks();
});

test('no more than three times', async () => {
  const outcome = await retried({ 'fault.DoSnapshotSet.async.*': '0x80042314' });
  expect(outcome).toMatchObject({ error: { code: 'ERR_VSS_TIMEOUT' }, isOurs: true });
  expect(count('DoSnapshotSet')).toBe(4);
  expect(machine.shadows()).toEqual([]);
  machine.expectNoLeaks();
});
