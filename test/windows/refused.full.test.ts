// What VSS refuses at the beginning is reported with its call and code, changes nothing, and does not affect the next backup.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOn } from './command';
import { code } from './failure-rows';
import { Machine } from './machine';
import type { Outcome } from './requester-program';

const machine = new Machine();
const [home] = machine.homes;

afterEach(() => {
  expect(machine.shadows()).toEqual([]);
  machine.expectNoLeaks();
  machine.forgetCalls();
});

afterAll(() => {
  machine[Symbol.dispose]();
});

const inProgress = (): number => machine.calls().filter(({ result }) => result === 0x80042316).length;

test('a disk that is nested too deep is named; the next backup succeeds, in the same process and in another (V4)', async () => {
  const settings = { 'fault.AddToSnapshotSet.1': code.VSS_E_NESTED_VOLUME_LIMIT };
  const program = machine.start('requester-program.js', [machine.deltaDirectory], settings);
  const ask = async (): Promise<Outcome> => (await program.ask('{"task":"backup","options":{}}')) as Outcome;
  expect(await ask()).toMatchObject({
    isOurs: true,
    error: {
      code: 'ERR_VSS_VOLUME',
      operation: expect.stringContaining('AddToSnapshotSet') as string,
      hresultName: 'VSS_E_NESTED_VOLUME_LIMIT',
      hint: expect.stringContaining('nested too deep') as string,
    },
  });
  expect(await ask()).toHaveProperty('result');
  expect((await program.end()).code).toBe(0);
  const other = machine.start('requester-program.js', [machine.deltaDirectory]);
  expect(await other.ask('{"task":"backup","options":{}}')).toHaveProperty('result');
  await other.end();
  // The set of the failed backup is not in the way.
  expect(inProgress()).toBe(0);
});

test('InitializeForBackup: no backup is made, and nothing is read from the live volume (V6)', async () => {
  const run = commandOn(machine, { 'fault.InitializeForBackup.1': code.E_INVALIDARG });
  const delta = join(home, 'delta');
  const from = ['--source', 'volumes', '--volume', 'C:', '--keep', '--delta-dir', delta, '--json'];
  const ended = await run('backup', 'run', ...from);
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    error: {
      operation: expect.stringContaining('InitializeForBackup') as string,
      hresultHex: '0x80070057',
    },
  });
  expect(existsSync(delta) ? readdirSync(delta).filter((name) => !name.startsWith('.')) : []).toEqual([]);
});

test('InitializeForBackup: a script ends there, and its program is not run (V6)', async () => {
  const run = commandOn(machine, { 'fault.InitializeForBackup.1': code.E_INVALIDARG });
  const directory = join(home, 'refused');
  mkdirSync(directory);
  const mark = join(directory, 'mark.txt');
  writeFileSync(join(directory, 'copy.cmd'), `echo copied>"${mark}"\r\n`);
  const script = join(directory, 'night.dsh');
  const lines = [
    'begin backup',
    'add volume c: alias a',
    'create',
    `exec "${join(directory, 'copy.cmd')}"`,
    'end backup',
  ];
  writeFileSync(script, lines.join('\r\n'));
  const { code: exitCode, stdout, stderr } = await run('script', script);
  expect(exitCode).toBe(1);
  expect(stdout + stderr).toMatch(/InitializeForBackup/);
  expect(stdout + stderr).toMatch(/0x80070057/);
  expect(existsSync(mark)).toBe(false);
});
