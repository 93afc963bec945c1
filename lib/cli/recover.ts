import type { Command } from 'commander';
import { recoverInterrupted } from '../recover/recover';
import { describeItem, type RecoveredWork, type RecoveryReport } from '../recover/report';
import {
  addDominoOptions,
  addUnattendedOptions,
  duration,
  locationOf,
  pathFrom,
  type DominoArguments,
} from './arguments';
import type { Finish } from './system-log';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import { counted } from '../errors/counted';

interface RecoverArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly dryRun?: boolean;
  readonly databaseBudget?: number;
  readonly timeout?: number;
}

export function addRecoverCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const recover = program
    .command('recover')
    .description('clean up after backups and restores whose process has died')
    .option('--delta-dir <dir>', 'delta directory of the backups', pathFrom(context))
    .option('--dry-run', 'only show what was found and what would be done')
    .option('--timeout <duration>', 'time limit for the whole command (default: 10m)', duration)
    .option('--database-budget <duration>', 'time limit for one call on a database or shadow (default: 60s)', duration);
  addUnattendedOptions(recover, context);
  addDominoOptions(recover, context)
    .addHelpText(
      'after',
      `
Moves databases back to their places and brings them online, ends their backups, restarts the server if it was stopped, and
removes shadows, their mount points and links, and unfinished copies. Finished backups stay. You can interrupt it and run it
again. "backup run" and "restore" do the same when they start. Without --delta-dir, it only cleans up after operations that used
no delta directory.

Examples:
  $ domino-vss recover --delta-dir /backup/domino --dry-run
  $ domino-vss recover --delta-dir /backup/domino

Exit codes: 0 nothing is left, or with --dry-run, 1 failed, 2 usage, 3 something is left; the output says what to do,
4 precondition, 5 locked, 130 interrupted.
`,
    )
    .action(async (args: RecoverArguments) => {
      const relaunched = await context.relaunch({
        domino: locationOf(args),
        deltaDirectory: args.deltaDir,
        loadsDomino: true,
        changes: args.dryRun !== true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const report = await recoverInterrupted(context.loadBinding, {
        deltaDirectory: args.deltaDir,
        domino: locationOf(args),
        dryRun: args.dryRun,
        databaseBudgetMs: args.databaseBudget,
        timeoutMs: args.timeout,
        signal: context.signal,
      });
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describeReport(report, output));
      finish(report.outcome === 'partial' ? exitCodes.partial : exitCodes.ok);
    });
}

function describeReport(report: RecoveryReport, output: Output): string[] {
  const { works, warnings, outcome } = report;
  const { green, yellow } = output.colors;
  const left = works.filter(({ done }) => !done).length;
  const summary = {
    nothing: () => green('nothing was interrupted'),
    recovered: () => green(`cleaned up: ${counted(works.length, 'interrupted piece')} of work`),
    partial: () => yellow(`something is left of ${counted(left, 'interrupted piece')} of work; see above`),
    planned: () => `would clean up ${counted(works.length, 'interrupted piece')} of work`,
  }[outcome]();
  return [...output.warnings(warnings), ...works.flatMap((work) => describeWork(work, output)), summary];
}

function describeWork({ leftOver, items }: RecoveredWork, { colors }: Output): string[] {
  const { work, id, pid, created } = leftOver;
  const lines = items.map((item) => {
    const mark = item.result === 'left' ? colors.yellow('left   ') : item.result.padEnd(7);
    return `  ${mark} ${describeItem(item)}`;
  });
  return [
    `${work} ${id} of process ${pid}, begun ${created}`,
    ...(lines.length > 0 ? lines : ['  nothing but its journal']),
  ];
}
