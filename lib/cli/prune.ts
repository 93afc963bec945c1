import { InvalidArgumentError, type Command } from 'commander';
import { counted } from '../errors/counted';
import { OptionError } from '../errors/errors';
import { pruneBackups, type PrunedBackup, type PruneReport } from '../retention/prune';
import { describeItem } from '../recover/report';
import { addDeltaDirectory, addUnattendedOptions, duration, wholeNumber } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { formatBytes, Output } from './output';
import type { Finish } from './system-log';

interface PruneArguments {
  readonly deltaDir: string;
  readonly keepLast?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepWithin?: number;
  readonly leaveHookShadows?: boolean;
  readonly forgetMissingCopies?: boolean;
  readonly dryRun?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

export function addPruneCommand(backup: Command, context: CommandLineContext, finish: Finish): void {
  const prune = backup.command('prune').description('remove the backups that are not kept by any rule');
  addDeltaDirectory(prune, 'delta directory', context)
    .option('--keep-last <n>', 'keep this many of the newest backups', wholeNumber)
    .option('--keep-daily <n>', 'keep the newest backup of each of the last <n> days that have one', wholeNumber)
    .option('--keep-weekly <n>', 'keep the newest backup of each of the last <n> weeks that have one', wholeNumber)
    .option('--keep-monthly <n>', 'keep the newest backup of each of the last <n> months that have one', wholeNumber)
    .option('--keep-within <time>', 'keep backups that are at most this much older than the newest: 36h, 14d, 8w', age)
    .option(
      '--leave-hook-shadows',
      'also remove backups whose shadow only the storage system can remove; the shadow stays',
    )
    .option(
      '--forget-missing-copies',
      'also remove backups whose copies have all disappeared from where they were made',
    )
    .option('--timeout <duration>', 'time limit for the whole command (default: 24h)', duration)
    .option('--dry-run', 'only show what would be removed');
  addUnattendedOptions(prune, context)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Removes backups with their change information, copies and kept shadows. It only removes what their manifests name. A backup
is kept if at least one rule keeps it, and so is the newest complete backup. The rules apply to each server separately. Nothing
is removed while a backup or a restore of these servers is running. If it is interrupted, run it again.

Examples:
  $ domino-vss backup prune --delta-dir /backup/domino --keep-daily 14 --keep-monthly 12 --dry-run
  $ domino-vss backup prune --delta-dir /backup/domino --keep-within 30d

Exit codes: 0 done, 1 failed, 2 usage, 3 something could not be removed; the reason is shown, 4 precondition, 5 locked,
130 interrupted.
`,
    )
    .action(async (args: PruneArguments) => {
      const { json = false, dryRun = false } = args;
      const keep = {
        last: args.keepLast,
        daily: args.keepDaily,
        weekly: args.keepWeekly,
        monthly: args.keepMonthly,
        withinMs: args.keepWithin,
      };
      if (Object.values(keep).every((rule) => rule === undefined)) {
        const flags = '--keep-last, --keep-daily, --keep-weekly, --keep-monthly or --keep-within';
        throw new OptionError('keep', `at least one of ${flags} is needed`);
      }
      const relaunched = await context.relaunch({
        deltaDirectory: args.deltaDir,
        loadsDomino: false,
        changes: !dryRun,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const output = new Output(context, json);
      const report = await pruneBackups(context.loadBinding, {
        deltaDirectory: args.deltaDir,
        keep,
        hookShadows: args.leaveHookShadows ? 'leave' : 'keep',
        missingCopies: args.forgetMissingCopies ? 'forget' : 'keep',
        dryRun,
        timeoutMs: args.timeout,
        signal: context.signal,
        onPlan: (backups) => {
          output.before(() => describePlan(backups, output));
        },
      });
      output.result(report, () => describeReport(report, output));
      finish(report.outcome === 'partial' ? exitCodes.partial : exitCodes.ok);
    });
}

/** Milliseconds of a time such as `36h`. */
function age(value: string): number {
  const [, amount, unit] = /^(\d{1,6})([hdw])$/.exec(value) ?? [];
  const hours = Number(amount) * ({ h: 1, d: 24, w: 168 }[unit ?? ''] ?? Number.NaN);
  if (!(hours > 0)) throw new InvalidArgumentError('It must be a number of hours, days or weeks: 36h, 14d, 8w.');
  return hours * 3_600_000;
}

function describePlan(backups: readonly PrunedBackup[], output: Output): string[] {
  if (backups.length === 0) return ['no backups'];
  const { yellow } = output.colors;
  const rows = backups.map(({ id, dataDirectory, serverName, result, keptAs, holds, bytes, why }) => {
    const [verb, what] = {
      kept: ['keep', keptAs.join(', ')],
      left: [yellow('left'), why],
      planned: ['remove', `${holds}, ${formatBytes(bytes)}`],
      removed: ['removed', holds],
    }[result] as [string, string];
    const server = [serverName, dataDirectory || '(plain volumes)'].filter((part) => part !== '').join(', ');
    return [id, server, verb, what];
  });
  return [...output.table([['ID', 'SERVER', '', 'WHY, OR WHAT'], ...rows]), ''];
}

function describeReport({ outcome, backups, recovered, warnings }: PruneReport, output: Output): string[] {
  const { green, yellow } = output.colors;
  const of = (result: PrunedBackup['result']): PrunedBackup[] => backups.filter((backup) => backup.result === result);
  const size = (some: readonly PrunedBackup[]): string => formatBytes(some.reduce((sum, { bytes }) => sum + bytes, 0));
  const [gone, planned, left] = [of('removed'), of('planned'), of('left')];
  const summary = {
    nothing: () => green('nothing to remove'),
    pruned: () => green(`removed ${counted(gone.length, 'backup')}, ${size(gone)}`),
    planned: () => `would remove ${counted(planned.length, 'backup')}, ${size(planned)}`,
    partial: () => yellow(`removed ${counted(gone.length, 'backup')}, ${size(gone)}; left ${left.length}`),
  }[outcome]();
  return [
    ...recovered.flatMap(({ leftOver, items }) => [
      `finished the interrupted removal of ${leftOver.id}`,
      ...items.map((item) => `  ${describeItem(item)}`),
    ]),
    ...output.warnings(warnings),
    summary,
  ];
}
