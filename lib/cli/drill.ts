import type { Command } from 'commander';
import { deltaDirectoryOf } from '../store/ended-process';
import { drillRestore, type DrilledDatabase, type DrillReport } from '../restore/drill';
import {
  addDominoOptions,
  addUnattendedOptions,
  backupPath,
  collect,
  locationOf,
  pathFrom,
  duration,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { formatBytes, formatMs, Output, shownRows } from './output';
import { ProgressBar } from './progress-bar';
import type { Finish } from './system-log';
import { counted } from '../errors/counted';

interface DrillArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly sample?: number;
  readonly include?: readonly string[];
  readonly until?: string;
  readonly copies?: string;
  readonly logArchive?: string;
  readonly requireSignature?: string;
  readonly timeout?: number;
  readonly databaseBudget?: number;
}

export function addDrillCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const drill = program
    .command('drill')
    .description('test whether databases of a backup can be restored, and remove them again')
    .argument('[backup]', 'id of a backup, or path of its directory or manifest (default: the last one of this server)')
    .option('--delta-dir <dir>', 'delta directory of the backups', pathFrom(context))
    .option('--sample <n>', 'number of databases, chosen at random (default: 10)', wholeNumber)
    .option('--include <glob>', 'choose only from these databases; can be repeated', collect)
    .option('--until <time>', 'recover up to now (default), to the backup, or to a time with its time zone')
    .option('--copies <dir>', 'where the copies are now, if they were moved', pathFrom(context))
    .option(
      '--log-archive <dir>',
      'archive of the transaction log, for extents that the server no longer has',
      pathFrom(context),
    )
    .option(
      '--require-signature <file>',
      'require a signature by this Ed25519 key (public key, PEM)',
      pathFrom(context),
    )
    .option('--timeout <duration>', 'time limit for the whole drill (default: 24h)', duration)
    .option('--database-budget <duration>', 'time limit for one call on a database (default: 60s)', duration);
  addUnattendedOptions(drill, context);
  addDominoOptions(drill, context)
    .addHelpText(
      'after',
      `
Restores a sample of the databases as new databases, recovers the logged ones from the transaction log, opens each of them, and
removes them again. No original is touched. Logged databases are restored to a directory domino-vss-drill-<id> below the data
directory, with new replica ids, so that they do not replicate. The others are opened outside the data directory. While a drill
runs, no backup or restore of the server can start. Intended for a schedule.

Examples:
  $ domino-vss drill --delta-dir /backup/domino
  $ domino-vss drill --delta-dir /backup/domino --sample 50 --include 'mail/**' --log-system

Exit codes: 0 all could be restored, 1 some could not, 2 usage, 4 precondition, 5 locked, 130 interrupted.
`,
    )
    .action(async (name: string | undefined, args: DrillArguments) => {
      const manifest = name === undefined ? undefined : backupPath(name, args.deltaDir, context);
      const deltaDirectory = manifest === undefined ? args.deltaDir : deltaDirectoryOf(manifest);
      const relaunched = await context.relaunch({
        domino: locationOf(args),
        deltaDirectory,
        loadsDomino: true,
        changes: true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const bar = new ProgressBar(context, args.json ?? false);
      let report: DrillReport;
      try {
        report = await drillRestore(context.loadBinding, {
          ...(manifest === undefined ? { deltaDirectory } : { manifest }),
          sample: args.sample,
          databases: args.include,
          until: args.until,
          copiesDirectory: args.copies,
          logArchive: args.logArchive,
          requireSignature: args.requireSignature,
          domino: locationOf(args),
          timeoutMs: args.timeout,
          databaseBudgetMs: args.databaseBudget,
          signal: context.signal,
          onProgress: bar.listener,
        });
      } finally {
        bar.end();
      }
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describe(report, output));
      const failures = report.databases.flatMap(({ failure }) => failure ?? []);
      finish(report.outcome === 'passed' ? exitCodes.ok : exitCodes.failed, failures);
    });
}

function describe(report: DrillReport, output: Output): string[] {
  const { backupId, created, outcome, of, databases, recoveredTo, durationMs, warnings } = report;
  const { green, red } = output.colors;
  const word = outcome === 'passed' ? green('passed') : red('failed');
  const having = (result: DrilledDatabase['result']): number => databases.filter((one) => one.result === result).length;
  const bytes = formatBytes(databases.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const failed = having('failed') > 0 ? red(`, ${having('failed')} failed`) : '';
  return [
    ...output.failures(databases.flatMap(({ failure }) => failure ?? [])),
    ...output.warnings(warnings),
    ...output.table([
      ['DATABASE', 'SIZE', 'RESULT'],
      ...databases
        .slice(0, shownRows)
        .map(({ database, sizeBytes, result }) => [database, formatBytes(sizeBytes), resultText(result)]),
    ]),
    ...output.moreThanShown(databases.length),
    '',
    `drill ${word}: ${databases.length} of ${counted(of, 'database')} of ${backupId} (${created}), ${bytes}, in ${formatMs(durationMs)}: ` +
      `${having('recovered')} recovered and opened, ${having('opened')} without logging opened${failed}`,
    ...(recoveredTo === null ? [] : [`the last transaction applied is of ${recoveredTo}`]),
    'checked: contents, change information, recovery, that Domino opens each, its replica id; not its documents one by one',
  ];
}

function resultText(result: DrilledDatabase['result']): string {
  return { recovered: 'recovered and opened', opened: 'opened (not logged)', failed: 'failed' }[result];
}
