import type { Command } from 'commander';
import { archiveLogs, type ArchiveLogsReport } from '../logs/archive';
import { listArchivedLogs, type ArchivedLog } from '../logs/list';
import { pruneLogs, type ProvenExtent, type PruneLogsReport } from '../logs/prune';
import {
  addDeltaDirectory,
  collect,
  addDominoOptions,
  addUnattendedOptions,
  duration,
  locationOf,
  pathFrom,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { formatBytes, formatMs, Output } from './output';
import { ProgressBar } from './progress-bar';
import { addRecoveryDirectoryCommand } from './recovery-directory';
import type { Finish } from './system-log';
import { counted } from '../errors/counted';

interface ArchiveArguments extends DominoArguments {
  readonly logArchive: string;
  readonly timeout?: number;
  readonly callBudget?: number;
}

interface PruneArguments {
  readonly logArchive: string;
  readonly deltaDir: string;
  readonly alsoDeltaDir?: readonly string[];
  readonly unknownLogs?: boolean;
  readonly dryRun?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

interface ListArguments {
  readonly logArchive: string;
  readonly verify?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

export function addLogsCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const logs = program
    .command('logs')
    .description('archive the transaction log of a Domino server')
    .addHelpText(
      'after',
      `
For servers with archive-style transaction logging. A restore can also recover from the archive: restore --log-archive <dir>.

Examples:
  $ domino-vss logs archive --log-archive /backup/logs
  $ domino-vss logs list --log-archive /backup/logs --verify

Each command has its own help: domino-vss logs archive --help
`,
    );
  addArchiveCommand(logs, context, finish);
  addListCommand(logs, context, finish);
  addPruneCommand(logs, context, finish);
  addRecoveryDirectoryCommand(logs, context, finish);
}

/** The option that all these commands require. */
function addLogArchive(command: Command, context: CommandLineContext): Command {
  return command
    .option('--log-archive <dir>', 'directory of the archive (required)', pathFrom(context))
    .hook('preAction', (_program, action) => {
      if (action.opts()['logArchive'] === undefined) action.error("error: option '--log-archive <dir>' is required");
    });
}

function addArchiveCommand(logs: Command, context: CommandLineContext, finish: Finish): void {
  const archive = logs.command('archive').description('copy the waiting extents into the archive');
  addLogArchive(archive, context)
    .option('--timeout <duration>', 'time limit for the whole command (default: 24h)', duration)
    .option(
      '--call-budget <duration>',
      'time limit for one call to Domino or to the operating system (default: 60s)',
      duration,
    );
  addUnattendedOptions(archive, context);
  addDominoOptions(archive, context)
    .addHelpText(
      'after',
      `
Domino is told that an extent is archived only after its copy and the catalogue with its SHA-256 are on the disk. If it is
interrupted, run it again. Backups and restores may run at the same time. The server's log grows until its extents are archived:
run this every few hours. The transaction log is never encrypted, so only this user can read the archive.

Example:
  $ domino-vss logs archive --log-archive /backup/logs

Exit codes: 0 done, even if no extent was waiting; 1 failed, 2 usage, 4 precondition, 5 locked, 130 interrupted.
`,
    )
    .action(async (args: ArchiveArguments) => {
      const relaunched = await context.relaunch({ domino: locationOf(args), loadsDomino: true, changes: true });
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
      ? 'no extent is waiting'
      : `archived ${counted(copied, 'extent')}, ${formatBytes(copiedBytes)}, in ${formatMs(durationMs)}`;
  return [
    ...output.warnings(warnings),
    ...extents.map(({ name, sizeBytes, result }) =>
      [name, formatBytes(sizeBytes), result === 'known' ? 'already in the archive' : 'archived'].join('  '),
    ),
    output.colors.green(`${summary}; log ${logId}, extent ${currentExtent} is being written`),
  ];
}

function addListCommand(logs: Command, context: CommandLineContext, finish: Finish): void {
  const list = logs.command('list').description('list the contents of an archive');
  addLogArchive(list, context)
    .option('--verify', 'read every extent and compare its SHA-256')
    .option('--timeout <duration>', 'time limit for the whole command (default: 24h)', duration)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Example:
  $ domino-vss logs list --log-archive /backup/logs

Exit codes: 0 listed, 1 failed, 2 usage, 3 an extent is missing or damaged, or a catalogue cannot be used.
`,
    )
    .action(async ({ logArchive, verify, timeout, json = false }: ListArguments) => {
      const options = { archiveDirectory: logArchive, verify, timeoutMs: timeout };
      const found = await listArchivedLogs({ ...options, signal: context.signal });
      const output = new Output(context, json);
      output.result(found, () => found.flatMap((log) => describeLog(log, output)));
      const isWhole = found.every(({ problem, extents }) => problem === '' && !extents.some(isBad));
      finish(isWhole ? exitCodes.ok : exitCodes.partial);
    });
}

function addPruneCommand(logs: Command, context: CommandLineContext, finish: Finish): void {
  const prune = logs.command('prune').description('remove the extents that are not needed by any backup');
  addLogArchive(prune, context);
  addDeltaDirectory(prune, 'delta directory of the backups', context)
    .option(
      '--also-delta-dir <dir>',
      'a further delta directory whose backups are restored with this archive; can be repeated',
      collect,
    )
    .option('--unknown-logs', 'also remove logs that have no backup')
    .option('--timeout <duration>', 'time limit for the whole command (default: 24h)', duration)
    .option('--dry-run', 'only show what would be removed, and the proof');
  addUnattendedOptions(prune, context)
    .option('--json', 'print one JSON document with the proof for each extent')
    .addHelpText(
      'after',
      `
An extent is removed if no backup of its log needs it. All backups in the delta directories are read: name every directory
whose backups you may want to restore with this archive. If a backup is damaged or unfinished, nothing is removed. Remove old
backups first (backup prune), and try it with --dry-run. Nothing is removed while a backup or a restore of the servers is running.

Examples:
  $ domino-vss logs prune --log-archive /backup/logs --delta-dir /backup/domino --dry-run
  $ domino-vss logs prune --log-archive /backup/logs --delta-dir /backup/domino

Exit codes: 0 done, 1 failed, 2 usage, 5 locked, 130 interrupted.
`,
    )
    .action(async (args: PruneArguments) => {
      const output = new Output(context, args.json ?? false);
      const report = await pruneLogs(context.loadBinding, {
        archiveDirectory: args.logArchive,
        deltaDirectories: [args.deltaDir, ...(args.alsoDeltaDir ?? []).map(pathFrom(context))],
        unknownLogs: args.unknownLogs ? 'remove' : 'keep',
        dryRun: args.dryRun ?? false,
        timeoutMs: args.timeout,
        signal: context.signal,
        onPlan: (extents) => {
          output.before(() => describeProof(extents, output));
        },
      });
      output.result(report, () => describePruning(report, output));
      finish(exitCodes.ok);
    });
}

function describeProof(extents: readonly ProvenExtent[], output: Output): string[] {
  if (extents.length === 0) return ['the archive is empty'];
  const rows = extents.map(({ logId, name, number, sizeBytes, result, proof }) => [
    logId,
    name,
    String(number),
    formatBytes(sizeBytes),
    result === 'kept' ? 'keep' : 'remove',
    proof,
  ]);
  return [...output.table([['LOG', 'EXTENT', 'NUMBER', 'SIZE', '', 'WHY'], ...rows]), ''];
}

function describePruning({ outcome, backups, extents, removedBytes }: PruneLogsReport, output: Output): string[] {
  const gone = extents.filter(({ result }) => result !== 'kept').length;
  const { green } = output.colors;
  const what = `${counted(gone, 'extent')}, ${formatBytes(removedBytes)}, that none of ${counted(backups, 'backup')} needs`;
  if (outcome === 'nothing')
    return [green(`nothing to remove: ${counted(backups, 'backup')}, ${counted(extents.length, 'extent')}`)];
  return [outcome === 'planned' ? `would remove ${what}` : green(`removed ${what}`)];
}

function isBad({ state }: ArchivedLog['extents'][number]): boolean {
  return state === 'missing' || state === 'damaged';
}

function describeLog(log: ArchivedLog, output: Output): string[] {
  const { logId, dataDirectory, extents, sizeBytes, problem, warnings } = log;
  const { red } = output.colors;
  if (problem !== '') return [`log ${logId}: ${red(problem)}`, ''];
  return [
    `log ${logId} of ${dataDirectory}: ${counted(extents.length, 'extent')}, ${formatBytes(sizeBytes)}`,
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
    ...output.warnings(warnings),
    '',
  ];
}
