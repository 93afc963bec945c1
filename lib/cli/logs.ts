import type { Command } from 'commander';
import { archiveLogs, type ArchiveLogsReport } from '../logs/archive';
import { listArchivedLogs, type ArchivedLog } from '../logs/list';
import {
  addDominoOptions,
  addUnattendedOptions,
  duration,
  locationOf,
  pathFrom,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { count, formatBytes, formatMs, Output } from './output';
import { ProgressBar } from './progress-bar';
import type { Finish } from './system-log';

interface ArchiveArguments extends DominoArguments {
  readonly logArchive: string;
  readonly timeout?: number;
  readonly callBudget?: number;
}

interface ListArguments {
  readonly logArchive: string;
  readonly verify?: boolean;
  readonly json?: boolean;
}

export function addLogsCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const logs = program
    .command('logs')
    .description('archive the transaction log of a Domino server')
    .addHelpText(
      'after',
      `
For servers whose transaction log is of archive style. A restore recovers from the archive too: restore --log-archive <dir>.

Examples:
  $ domino-vss logs archive --log-archive /backup/logs
  $ domino-vss logs list --log-archive /backup/logs --verify

Each command has its own: domino-vss logs archive --help
`,
    );
  addArchiveCommand(logs, context, finish);
  addListCommand(logs, context, finish);
}

/** The option that each of these commands needs. */
function addLogArchive(command: Command, context: CommandLineContext): Command {
  return command
    .option('--log-archive <dir>', 'directory of the archive (required)', pathFrom(context))
    .hook('preAction', (_program, action) => {
      if (action.opts()['logArchive'] === undefined) action.error("error: option '--log-archive <dir>' is required");
    });
}

function addArchiveCommand(logs: Command, context: CommandLineContext, finish: Finish): void {
  const archive = logs.command('archive').description('copy the extents that wait into the archive');
  addLogArchive(archive, context)
    .option('--timeout <duration>', 'longest time for everything (default: 24h)', duration)
    .option(
      '--call-budget <duration>',
      'longest time for one call of Domino or of the system (default: 60s)',
      duration,
    );
  addUnattendedOptions(archive, context);
  addDominoOptions(archive, context)
    .addHelpText(
      'after',
      `
Domino is told that an extent is archived only when its copy, with its SHA-256 in the catalogue, is on the disk. When it is
interrupted, run it again. Backups and restores may run meanwhile. Until its extents are archived the log of the server
grows: run it every few hours. The transaction log is never encrypted: the archive is for this user only.

Example:
  $ domino-vss logs archive --log-archive /backup/logs

Exit codes: 0 done, also when no extent waits; 1 failed, 2 usage, 4 precondition, 5 locked, 130 interrupted.
`,
    )
    .action(async (args: ArchiveArguments) => {
      const relaunched = await context.relaunch({ domino: locationOf(args), deltaDirectory: undefined });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const bar = new ProgressBar(context, args.json ?? false);
      let report: ArchiveLogsReport;
      try {
        report = await archiveLogs(context.loadBinding, {
          archiveDirectory: args.logArchive,
          domino: locationOf(args),
          timeoutMs: args.timeout,
          callBudgetMs: args.callBudget,
          signal: context.signal,
          onProgress: bar.listener,
        });
      } finally {
        bar.end();
      }
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describeArchiving(report, output));
      finish(exitCodes.ok);
    });
}

function describeArchiving(report: ArchiveLogsReport, output: Output): string[] {
  const { logId, currentExtent, extents, copiedBytes, durationMs, warnings } = report;
  const known = extents.filter(({ result }) => result === 'known').length;
  const copied = extents.length - known;
  const summary =
    extents.length === 0
      ? 'no extent waits'
      : `archived ${count(copied, 'extent')}, ${formatBytes(copiedBytes)}, in ${formatMs(durationMs)}`;
  return [
    ...output.warnings(warnings),
    ...extents.map(({ name, sizeBytes, result }) =>
      [name, formatBytes(sizeBytes), result === 'known' ? 'is in the archive already' : 'archived'].join('  '),
    ),
    output.colors.green(`${summary}; log ${logId}, extent ${currentExtent} is being written`),
  ];
}

function addListCommand(logs: Command, context: CommandLineContext, finish: Finish): void {
  const list = logs.command('list').description('list what an archive holds');
  addLogArchive(list, context)
    .option('--verify', 'read every extent and compare its SHA-256')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Example:
  $ domino-vss logs list --log-archive /backup/logs

Exit codes: 0 listed, 2 usage, 3 an extent is missing or damaged, or a catalogue cannot be used.
`,
    )
    .action(async ({ logArchive, verify, json = false }: ListArguments) => {
      const found = await listArchivedLogs({ archiveDirectory: logArchive, verify, signal: context.signal });
      const output = new Output(context, json);
      output.result(found, () => found.flatMap((log) => describeLog(log, output)));
      const isWhole = found.every(({ problem, extents }) => problem === '' && !extents.some(isBad));
      finish(isWhole ? exitCodes.ok : exitCodes.partial);
    });
}

function isBad({ state }: ArchivedLog['extents'][number]): boolean {
  return state === 'missing' || state === 'damaged';
}

function describeLog(log: ArchivedLog, output: Output): string[] {
  const { logId, dataDirectory, extents, gaps, sizeBytes, problem } = log;
  const { red } = output.colors;
  if (problem !== '') return [`log ${logId}: ${red(problem)}`, ''];
  return [
    `log ${logId} of ${dataDirectory}: ${count(extents.length, 'extent')}, ${formatBytes(sizeBytes)}`,
    ...output.table([
      ['EXTENT', 'NUMBER', 'SIZE', 'ARCHIVED', ''],
      ...extents.map((extent) => [
        extent.name,
        String(extent.number),
        formatBytes(extent.sizeBytes),
        extent.archived,
        isBad(extent) ? red(extent.state) : extent.state,
      ]),
    ]),
    ...output.warnings(gaps.map(([first, last]) => `extents ${first} to ${last} are not in the archive`)),
    '',
  ];
}
