// Calls of VSS that never return. The calls that remove something have a minute, so they are rows of their own.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Machine, type VssSettings } from './machine';

interface Row {
  readonly task: string;
  readonly method: string;
  readonly settings?: VssSettings;
  /** Which of its calls hangs. Default: the first. */
  readonly nth?: number;
  readonly code?: string;
}

const inBackup = [
  'InitializeForBackup',
  'SetBackupState',
  'GatherWriterMetadata',
  'GetWriterMetadata',
  'IsVolumeSupported',
  'AddComponent',
  'StartSnapshotSet',
  'AddToSnapshotSet',
  'PrepareForBackup',
  'GatherWriterStatus',
  'GetWriterStatusEx',
  'DoSnapshotSet',
  'GetSnapshotProperties',
  'QueryStatus',
].map((method): Row => ({ task: 'backup', method }));

const administration: readonly Row[] = [
  { task: 'list', method: 'Query' },
  { task: 'providers', method: 'Next' },
  { task: 'writers', method: 'GatherWriterMetadata' },
  { task: 'delete', method: 'DeleteSnapshots' },
  { task: 'expose', method: 'ExposeSnapshot' },
  { task: 'unexpose', method: 'UnexposeSnapshot' },
  { task: 'break', method: 'BreakSnapshotSet' },
];

const atTheEnd: readonly Row[] = [
  { task: 'backup', method: 'AbortBackup', settings: { 'fault.phase.Commit.1': 0x80042306 } },
  { task: 'backup', method: 'BackupComplete' },
  { task: 'persistent', method: 'DeleteSnapshots' },
];

export const quickRows: readonly Row[] = [
  { task: 'backup', method: 'AddToSnapshotSet' },
  { task: 'delete', method: 'DeleteSnapshots' },
];

export const allRows: readonly Row[] = [...inBackup, ...administration, ...atTheEnd];

/** Whether the error, or what it reports as left, names the call. */
function names(outcome: unknown, method: string): boolean {
  return new RegExp(`::${method}\\b[^]*has not returned`).test(JSON.stringify(outcome));
}

/** Several at once: they only wait, and need no processor. */
export function testHangs(rows: readonly Row[], atOnce: number): void {
  const machines: Machine[] = [];

  afterAll(() => {
    for (const machine of machines) machine[Symbol.dispose]();
  });

  async function hang({ task, method, settings, nth = 1 }: Row): Promise<unknown> {
    const machine = new Machine();
    machines.push(machine);
    for (const home of machine.homes) writeFileSync(join(home, 'file.txt'), home);
    const faults = { ...settings, [`fault.${method}.${nth}`]: 'hang' };
    const hanging = machine.start('hangs-program.js', [machine.deltaDirectory, task], faults);
    const answered = (await hanging.next()) as { outcome: { code?: string; hint?: string }; ms: number } | undefined;
    const { code, stderr } = await hanging.ended;
    // The next process cleans up what is left, and can make shadows.
    const next = machine.start('requester-program.js', [machine.deltaDirectory]);
    const ask = async (order: object): Promise<unknown> => next.ask(JSON.stringify(order));
    const backup = await ask({ task: 'backup', options: {} });
    const recovered = await ask({ task: 'deleteOwn' });
    const left = await ask({ task: 'list' });
    await next.end();
    return {
      row: `${task} ${method}`,
      named: names(answered?.outcome, method) || answered,
      inTime: (answered?.ms ?? Infinity) < 80_000 || answered?.ms,
      typed: (answered?.outcome.code ?? '').startsWith('ERR_') && (answered?.outcome.hint ?? '') !== '',
      ended: code,
      stderr: code === 0 ? '' : stderr,
      backup: 'result' in (backup as object) || backup,
      recovered: 'result' in (recovered as object) || recovered,
      left,
    };
  }

  test('a call that hangs is named, and the process ends and leaves nothing that the next cannot put right', async () => {
    const seen: unknown[] = [];
    for (let from = 0; from < rows.length; from += atOnce) {
      seen.push(...(await Promise.all(rows.slice(from, from + atOnce).map(hang))));
    }
    expect(seen).toEqual(
      rows.map(({ task, method }) => ({
        row: `${task} ${method}`,
        named: true,
        inTime: true,
        typed: true,
        ended: 0,
        stderr: '',
        backup: true,
        recovered: true,
        left: { result: [] },
      })),
    );
  }, 590_000);
}
