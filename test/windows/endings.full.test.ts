// A backup with VSS that does not reach its end: it is cancelled, or its process exits, fails or dies, at any
// time. No volatile shadow stays, no one is locked out, and the next backup works.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Machine, type Program, type VssSettings } from './machine';
import type { Order, Outcome } from './requester-program';
import { randomOf } from '../random';

const machine = new Machine();
/** The next process. */
let next: Program;

beforeAll(() => {
  for (const home of machine.homes) writeFileSync(join(home, 'file.txt'), home);
  next = start();
});

afterAll(async () => {
  expect((await next.end()).code).toBe(0);
  machine[Symbol.dispose]();
});

function start(settings?: VssSettings): Program {
  return machine.start('requester-program.js', [machine.deltaDirectory], settings);
}

async function ask(program: Program, order: Order): Promise<Outcome> {
  return (await program.ask(JSON.stringify(order))) as Outcome;
}

const withWriters = { writers: 'all', volumes: ['C:', 'D:'] } as const;
const persistent = { lifetime: 'persistent', volumes: ['C:', 'D:'] } as const;

/** So that a backup lasts about a second and can be interrupted in each of its phases. */
const slow: VssSettings = {
  ...Object.fromEntries(
    ['PrepareSnapshot', 'PreCommit', 'Flush', 'Hold', 'Commit', 'PostCommit', 'PostSnapshot'].map((phase) => [
      `latency.phase.${phase}`,
      60,
    ]),
  ),
  'latency.GatherWriterMetadata.async': 80,
  'latency.PrepareForBackup.async': 80,
  'latency.GatherWriterStatus.async': 30,
  'latency.BackupComplete.async': 80,
};

/** Other processes see no shadow, and can make one immediately. */
async function expectNothingLeft(): Promise<void> {
  expect(await ask(next, { task: 'list' })).toEqual({ result: [] });
  expect(await ask(next, { task: 'backup', options: withWriters })).toHaveProperty('result');
  expect(machine.shadows()).toEqual([]);
}

const seed = Number(process.env['DOMINO_VSS_TEST_SEED'] ?? Date.now() % 1_000_000);
/** Each takes nearly a second under Wine, and a test file has ten minutes; every run has its own seed. */
const cancellations = { quick: 12, ci: 30, full: 80 }[process.env['DOMINO_VSS_TEST_TIER'] ?? 'quick'] ?? 12;
const cancellationsTimeoutMs = 240_000;

async function cancelAtRandom(cancel: string): Promise<void> {
  const random = randomOf(seed);
  console.log(`DOMINO_VSS_TEST_SEED=${seed} repeats this`);
  const program = start({ ...slow, cancel });
  const outcomes = { cancelled: 0, ended: 0 };
  for (let index = 0; index < cancellations; ++index) {
    const options = { ...(random() < 0.5 ? withWriters : persistent), afterMs: Math.floor(random() * 1500) };
    const label = JSON.stringify({ seed, index, ...options });
    const outcome = await ask(program, { task: 'cancelled', options });
    outcomes['error' in outcome ? 'cancelled' : 'ended'] += 1;
    if ('error' in outcome) {
      expect({ label, ...outcome }).toMatchObject({ label, error: { name: 'AbortError', code: 'ERR_ABORTED' } });
    }
    expect({ label, shadows: machine.shadows() }).toEqual({ label, shadows: [] });
  }
  expect(outcomes.cancelled).toBeGreaterThan(0);
  expect(await ask(program, { task: 'backup', options: withWriters })).toHaveProperty('result');
  expect(await program.end()).toMatchObject({ code: 0, stderr: '' });
  await expectNothingLeft();
}

test.each(['immediate', 'late', 'fail'])(
  'cancelled at random points, where cancelling is %s',
  cancelAtRandom,
  cancellationsTimeoutMs,
);

const methods = [
  'GatherWriterMetadata.async',
  'StartSnapshotSet',
  'AddToSnapshotSet',
  'PrepareForBackup.async',
  'GatherWriterStatus.async',
  'DoSnapshotSet',
  'phase.PrepareSnapshot',
  'phase.PreCommit',
  'phase.Flush',
  'phase.Hold',
  'phase.Commit',
  'phase.PostCommit',
  'phase.PostSnapshot',
  'GetSnapshotProperties',
  'BackupComplete.async',
  'DeleteSnapshots',
];

test.each(methods)('a process that dies in %s leaves no volatile shadow', async (method) => {
  const program = start({ [`fault.${method}.1`]: 'die' });
  program.say(JSON.stringify({ task: 'backup', options: withWriters } satisfies Order));
  expect(await program.next()).toBeUndefined();
  expect(await program.ended).toMatchObject({ code: 137, lines: [] });
  await expectNothingLeft();
});

test('a persistent shadow of a process that has died is known by its journal', async () => {
  const program = start({ 'fault.SaveAsXML.1': 'die' });
  program.say(JSON.stringify({ task: 'backup', options: persistent } satisfies Order));
  expect(await program.ended).toMatchObject({ code: 137 });
  const listed = await ask(next, { task: 'list' });
  expect(listed).toMatchObject({
    result: [
      { own: true, persistent: true },
      { own: true, persistent: true },
    ],
  });
  expect(await ask(next, { task: 'deleteOwn' })).toMatchObject({ result: { failures: [], kept: [] } });
  await expectNothingLeft();
});

const lifetimes = { volatile: withWriters, persistent } as const;

describe.each(['volatile', 'persistent'] as const)('a %s backup that nobody ends', (lifetime) => {
  describe.each(['begun', 'creating', 'created'] as const)('%s', (state) => {
    test.each([
      ['exit', 0],
      ['throw', 1],
      ['end', 0],
    ] as const)('%s takes it back', async (ending, code) => {
      const program = start(state === 'creating' ? slow : {});
      expect(await ask(program, { task: state, options: lifetimes[lifetime] })).toEqual({});
      if (ending !== 'end') program.say(JSON.stringify({ task: ending } satisfies Order));
      expect((await program.end()).code).toBe(code);
      await expectNothingLeft();
    });
  });
});

test('a killed process leaves no volatile shadow', async () => {
  const program = start();
  expect(await ask(program, { task: 'created', options: withWriters })).toEqual({});
  expect(machine.shadows()).toHaveLength(2);
  program.kill();
  await program.ended;
  await expectNothingLeft();
});
