import type { Command } from 'commander';
import { rehearse, type RehearsalReport } from '../backup/rehearse';
import {
  addDeltaDirectory,
  addDominoOptions,
  collect,
  duration,
  locationOf,
  milliseconds,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { formatMs, Output } from './output';
import type { Finish } from './system-log';
import { ProgressBar } from './progress-bar';
import { counted } from '../errors/counted';

interface RehearseArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly shards?: number;
  readonly shadowMs?: number;
  readonly timeout?: number;
}

export function addRehearseCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const command = program
    .command('rehearse')
    .description('put every database into backup mode and take it out again, without a shadow');
  addDeltaDirectory(command, 'delta directory of the backups', context)
    .option('--include <glob>', 'only these databases; can be repeated', collect)
    .option('--exclude <glob>', 'not these databases; can be repeated', collect)
    .option('--shards <n>', 'threads that put databases into backup mode (default: 4 per processor)', wholeNumber)
    .option('--shadow-ms <ms>', 'expected time to create the shadow, for the prediction (default: 0)', milliseconds)
    .option('--timeout <duration>', 'time limit for the whole command (default: 10m)', duration);
  addDominoOptions(command, context)
    .addHelpText(
      'after',
      `
Finds the databases that a backup would skip, warms the caches, and predicts the freeze window. Users can go on working, and
nothing is left behind.

Example:
  $ domino-vss rehearse --delta-dir /backup/domino --shadow-ms 500

Exit codes: 0 every database took part, 1 failed, 3 some refused, 4 precondition not met (see doctor), 5 locked.
`,
    )
    .action(async (args: RehearseArguments) => {
      const relaunched = await context.relaunch({
        domino: locationOf(args),
        deltaDirectory: args.deltaDir,
        loadsDomino: true,
        changes: true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const bar = new ProgressBar(context, args.json ?? false);
      const work = rehearse(context.loadBinding, {
        domino: locationOf(args),
        deltaDirectory: args.deltaDir,
        include: args.include,
        exclude: args.exclude,
        shards: args.shards,
        expectedShadowMs: args.shadowMs,
        timeoutMs: args.timeout,
        signal: context.signal,
        onProgress: bar.listener,
      });
      const report = await work.finally(() => {
        bar.end();
      });
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describe(report, output));
      finish(report.refused.length === 0 ? exitCodes.ok : exitCodes.partial);
    });
}

function describe(report: RehearsalReport, output: Output): string[] {
  const { refused, warnings, databases, shards, start, stop, slowest, windowMs, predictedWindowMs } = report;
  const [worst] = slowest;
  const times = (call: string, { min, median, p95, p99, max }: RehearsalReport['start']): string[] => [
    call,
    ...[min, median, p95, p99, max].map(formatMs),
  ];
  return [
    ...output.failures(refused),
    ...output.warnings(warnings),
    ...output.table([
      ['CALL', 'MIN', 'MEDIAN', 'P95', 'P99', 'MAX'],
      times('NSFBackupStart', start),
      times('NSFBackupStop', stop),
    ]),
    '',
    ...output.table(
      [
        [
          'databases',
          `${counted(databases, 'database')} in and out with ${counted(shards, 'shard')}, ${refused.length} refused`,
        ],
        ['this window', `${formatMs(windowMs)}, without a shadow`],
        ['expected window', formatMs(predictedWindowMs)],
        ...(worst
          ? [['slowest', `${worst.database}: start ${formatMs(worst.startMs)}, stop ${formatMs(worst.stopMs)}`]]
          : []),
      ],
      false,
    ),
  ];
}
