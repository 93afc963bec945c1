import type { Command } from 'commander';
import { findDatabases, type FindDatabasesResult, type FoundDatabase } from '../domino/databases';
import { warningsOf } from '../domino/notice';
import { addDominoOptions, collect, duration, locationOf, type DominoArguments } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { formatBytes, formatTime, Output } from './output';
import type { Finish } from './system-log';
import { counted } from '../errors/counted';

interface ListArguments extends DominoArguments {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly timeout?: number;
}

export function addDatabasesCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const list = program
    .command('databases')
    .description('look at the databases of the Domino server on this machine')
    .command('list')
    .description('list the databases that a backup would include, and those that it would skip')
    .option('--include <glob>', 'only these databases; can be repeated', collect)
    .option('--exclude <glob>', 'not these databases; can be repeated', collect)
    .option('--timeout <duration>', 'time limit (default: 10m)', duration);
  addDominoOptions(list, context)
    .addHelpText(
      'after',
      `
The Domino runtime is not needed, and nothing is opened. Try globs with it before they go into a scheduled backup.

Examples:
  $ domino-vss databases list
  $ domino-vss databases list --include "mail/**" --exclude "mail/archive/**"

Exit codes: 0 listed, 1 failed, 2 usage, 4 no server was found.
`,
    )
    .action(async (args: ListArguments) => {
      const result = await findDatabases(context.loadBinding, {
        domino: locationOf(args),
        include: args.include,
        exclude: args.exclude,
        timeoutMs: args.timeout,
        signal: context.signal,
      });
      const output = new Output(context, args.json ?? false);
      output.result(result, () => [
        ...output.table([
          ['DATABASE', 'SIZE', 'CHANGED', 'LEFT OUT'],
          ...result.databases.map(({ path, sizeBytes, modified, leftOut = '' }) => [
            path,
            formatBytes(sizeBytes),
            formatTime(modified),
            leftOut,
          ]),
        ]),
        '',
        ...describeSelection(result, output),
      ]);
      finish(exitCodes.ok);
    });
}

/** How many databases a backup would include, and notices about the selection. */
export function describeSelection(
  { dataDirectory, databases, problems, notices }: FindDatabasesResult,
  output: Output,
): string[] {
  const taken = databases.filter(({ leftOut }) => leftOut === undefined);
  const size = (some: readonly FoundDatabase[]): string =>
    formatBytes(some.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const volumes = [...new Set(taken.map(({ volume }) => volume))];
  const left = databases.length - taken.length;
  return [
    ...output.failures(problems),
    ...output.warnings(warningsOf(notices)),
    `${counted(taken.length, 'database')} of ${dataDirectory} would be backed up, ${size(taken)}, on ${volumes.join(', ') || 'no volume'}` +
      (left > 0 ? `; ${left} left out` : ''),
  ];
}
