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

export const rowsOfBackups: readonly Row[] = [
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

/** The administration of shadows, and the ends of backups. */
export const otherRows: readonly Row[] = [
  { task: 'list', method: 'Query' },
  { task: 'providers', method: 'Next' },
  { task: 'writers', method: 'GatherWriterMetadata' },
  { task: 'delete', method: 'DeleteSnapshots' },
  { task: 'expose', method: 'ExposeSnapshot' },
  { task: 'unexpose', method: 'UnexposeSnapshot' },
  { task: 'break', method: 'BreakSnapshotSet' },
  { task: 'backup', method: 'AbortBackup', settings: { 'fault.phase.Commit.1': 0x80042306 } },
  { task: 'backup', method: 'BackupComplete' },
  { task: 'persistent', method: 'DeleteSnapshots' },
];

export const quickRows: readonly Row[] = [
  { task: 'backup', method: 'InitializeForBackup' },
  { task: 'backup', method: 'AddToSnapshotSet' },
  { task: 'delete', method: 'DeleteSnapshots' },
];

/** Whether the error, or what it reports as left, names the call. */
function names(outcome: unknown, method: string): boolean {
  return new RegExp(`::${method}\\b[^]*has not returned`).test(JSON.stringify(outcome));
}

/** Those that `HANG_ROWS` chooses, a regular expression for the task and the method: `backup AddToSnapshotSet` for example. */
const wanted = new RegExp(process.env['HANG_ROWS'] ?? '');

/** Several at once: they only wait, and need no processor. */
export function testHangs(all: readonly Row[]): void {
  const rows = all.filter(({ task, method }) => wanted.test(`${task} ${method}`));
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

  test.concurrent.each(rows.map((row): [string, Row] => [`${row.task} ${row.method}`, row]))(
    '%s hangs: it is named, and the process ends and leaves nothing that the next cannot put right',
    async (name, row) => {
      expect(await hang(row)).toEqual({
        row: name,
        named: true,
        inTime: true,
        typed: true,
        ended: 0,
        stderr: '',
        backup: true,
        recovered: true,
        left: { result: [] },
      });
    },
    590_000,
  );
}
