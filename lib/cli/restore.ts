import type { Command } from 'commander';
import { deltaDirectoryOf } from '../store/ended-process';
import { counted } from '../errors/counted';
import { OptionError } from '../errors/errors';
import type { RestoredDatabase, RestoreLog, RestoreReport } from '../restore/report';
import { planRestore, restoreDatabases } from '../restore/restore';
import type { RestoreMode } from '../restore/mode';
import { describeStep } from '../restore/steps';
import {
  addDominoOptions,
  addUnattendedOptions,
  backupPath,
  collect,
  locationOf,
  pathFrom,
  duration,
  type DominoArguments,
} from './arguments';
import { shadowRootsOfBackup } from './shadow-roots';
import type { Finish } from './system-log';
import { exitCodes, type CommandLineContext } from './context';
import { Output, shownRows } from './output';
import { ProgressBar } from './progress-bar';

interface RestoreArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly copies?: string;
  readonly logArchive?: string;
  readonly shadowRoot?: readonly string[];
  readonly requireSignature?: string;
  readonly offline?: boolean;
  readonly online?: boolean;
  readonly as?: string;
  readonly newReplicaId?: boolean;
  readonly wait?: number;
  readonly until?: string;
  readonly otherServer?: boolean;
  readonly toDirectory?: string;
  readonly timeout?: number;
  readonly databaseBudget?: number;
  readonly dryRun?: boolean;
}

export function addRestoreCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const restore = program
    .command('restore')
    .description('restore databases of a backup')
    .argument('<backup>', 'id of a backup, or path of its directory or manifest')
    .argument('[databases...]', 'paths or globs relative to the data directory (default: all but server databases)')
    .option('--delta-dir <dir>', 'delta directory, needed to name a backup by its id', pathFrom(context))
    .option('--copies <dir>', 'where the copies are now, if they were moved', pathFrom(context))
    .option(
      '--log-archive <dir>',
      'archive of the transaction log, for extents that the server no longer has',
      pathFrom(context),
    )
    .option(
      '--shadow-root <dir>',
      'where the snapshot can be read now: a directory, or <volume>=<dir> if there are several volumes; can be repeated',
      collect,
    )
    .option(
      '--require-signature <file>',
      'require a signature by this Ed25519 key (public key, PEM)',
      pathFrom(context),
    )
    .option('--online', 'over the original, on a running server (default)')
    .option('--offline', 'over the original, with the server stopped')
    .option('--as <path>', 'as a new database, or into a new directory, below the data directory')
    .option('--new-replica-id', 'with --as: also give it a new replica id')
    .option('--to-directory <dir>', 'as plain files outside the data directory, not recovered', pathFrom(context))
    .option('--other-server', 'the backup may be of another server, data directory or transaction log')
    .option(
      '--until <time>',
      'recover up to now (default), to the backup, or to a time with its time zone: 2026-08-07T10:15:30+02:00',
    )
    .option('--wait <duration>', 'online: how long to wait for users to leave a database (default: 10s)', duration)
    .option('--timeout <duration>', 'time limit for the whole restore (default: 24h)', duration)
    .option('--database-budget <duration>', 'time limit for one call on a database (default: 60s)', duration)
    .option('--dry-run', 'only check everything and show what would happen');
  addUnattendedOptions(restore, context);
  addDominoOptions(restore, context)
    .addHelpText(
      'after',
      `
The original of each database is kept until its restore has succeeded. If anything fails, a database is either restored or
unchanged. Databases that a server always holds open (mail.box, log.nsf, names.nsf, …) are restored only if you name them.

The transaction log rolls a logged database forward to its last transaction. If its instance id has changed since the backup
(copy-style compact, fixup -j, restore), the log can roll it forward only to that change. Such databases are named, both before
the restore and afterwards.

With --other-server the databases of another server are restored to the same paths below the data directory of this server, or
to --as. Logged databases are restored to the state of the backup and get new instance ids, because only their own transaction
log could roll them forward. They keep their replica ids.

Examples:
  See what would happen:
  $ domino-vss restore 20260807T101530Z-3f9a2c mail/ada.nsf --delta-dir /backup/domino --dry-run

  Restore one database while the server runs:
  $ domino-vss restore 20260807T101530Z-3f9a2c mail/ada.nsf --delta-dir /backup/domino

  Restore an old state beside the database, to copy documents from it:
  $ domino-vss restore /backup/domino/20260807T101530Z-3f9a2c mail/ada.nsf --as restored/ada.nsf --new-replica-id

  Restore the state of this morning beside the database:
  $ domino-vss restore 20260807T101530Z-3f9a2c mail/ada.nsf --as restored/ada.nsf --until 2026-08-08T08:00:00+02:00

  Restore a database of another server to this one:
  $ domino-vss restore /backup/other/20260807T101530Z-3f9a2c mail/ada.nsf --other-server

  Write databases to a directory, for another machine or a program that reads files:
  $ domino-vss restore /backup/domino/20260807T101530Z-3f9a2c 'mail/**' --to-directory /srv/handover

  Restore everything, with the server stopped:
  $ domino-vss restore /backup/domino/20260807T101530Z-3f9a2c --offline

Exit codes: 0 all restored, 1 failed, 2 usage, 3 some left out or failed, 4 precondition, 5 locked, 130 interrupted.
`,
    )
    .action(async (name: string, databases: readonly string[], args: RestoreArguments) => {
      const mode = modeOf(args);
      const manifest = backupPath(name, args.deltaDir, context);
      const relaunched = await context.relaunch({
        domino: locationOf(args),
        deltaDirectory: deltaDirectoryOf(manifest),
        loadsDomino: true,
        changes: args.dryRun !== true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const bar = new ProgressBar(context, args.json ?? false);
      let report: RestoreReport;
      try {
        const options = {
          manifest,
          databases: databases.length > 0 ? databases : undefined,
          mode,
          until: args.until,
          otherServer: args.otherServer,
          copiesDirectory: args.copies,
          logArchive: args.logArchive,
          shadowRoots: await shadowRootsOfBackup(manifest, args.shadowRoot, context),
          requireSignature: args.requireSignature,
          domino: locationOf(args),
          timeoutMs: args.timeout,
          databaseBudgetMs: args.databaseBudget,
          signal: context.signal,
        };
        report =
          args.dryRun === true
            ? await planRestore(context.loadBinding, options)
            : await restoreDatabases(context.loadBinding, { ...options, onProgress: bar.listener });
      } finally {
        bar.end();
      }
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describeReport(report, output));
      const failures = report.databases.filter(isBad).map(({ failure }) => failure);
      finish(exitCodeOf(report), failures);
    });
}

/** A dry run fails if the restore would fail. In a restore of everything, databases are left out on purpose. */
function exitCodeOf({ outcome, databases }: RestoreReport): number {
  if (outcome !== 'planned') return outcome === 'partial' ? exitCodes.partial : exitCodes.ok;
  if (!databases.some(({ result }) => result === 'failed')) return exitCodes.ok;
  return databases.some(({ result }) => result === 'planned') ? exitCodes.partial : exitCodes.failed;
}

/** How the log affects a database. */
function describeReach({ reach }: GoodDatabase): string {
  switch (reach.type) {
    case 'backup':
      return 'state of the backup';
    case 'instance-change':
      return 'recovered only up to the change of its instance id';
    case 'other-log':
      return 'state of the backup, with a new instance id';
    case 'not-recovered':
      return 'state of the backup, not recovered';
    case 'now':
    case 'unknown':
      return 'recovered from the log';
  }
}

function modeOf({ offline, online, as, toDirectory, newReplicaId, wait }: RestoreArguments): RestoreMode {
  const beside = [as !== undefined && '--as', toDirectory !== undefined && '--to-directory'];
  const modes = [offline && '--offline', online && '--online', ...beside].filter(Boolean);
  if (modes.length > 1) throw new OptionError('mode', `${modes.join(' and ')} exclude each other`);
  if (newReplicaId && as === undefined) throw new OptionError('newReplicaId', '--new-replica-id needs --as');
  const isOnline = modes.length === 0 || online;
  if (wait !== undefined && !isOnline) throw new OptionError('waitMs', '--wait needs --online');
  if (as !== undefined) return { type: 'new-database', as, newReplicaId: newReplicaId ?? false };
  if (toDirectory !== undefined) return { type: 'directory', directory: toDirectory };
  return offline ? { type: 'offline' } : { type: 'online', waitMs: wait };
}

function describeReport(report: RestoreReport, output: Output): string[] {
  const bad = report.databases.filter(isBad);
  const good = report.databases.filter((database): database is GoodDatabase => !isBad(database));
  const lines = [...output.failures(bad.map(({ failure }) => failure)), ...output.warnings(report.warnings)];
  if (report.outcome === 'planned') {
    const steps = report.steps.map((step, index) => `${String(index + 1).padStart(4)}  ${describeStep(step)}`);
    const foreseen = good.slice(0, shownRows).map((database) => [`  ${database.database}`, foresee(database)]);
    return [
      ...lines,
      `would restore ${counted(good.length, 'database')} of ${report.backupId}:`,
      ...steps,
      ...report.logs.map(describeLog),
      'what the transaction log can do for them:',
      ...output.table(foreseen, false),
      ...output.moreThanShown(good.length),
    ];
  }
  const shown = good
    .slice(0, shownRows)
    .map((database) => [
      `  ${database.database}`,
      database.path === database.database ? '' : `→ ${database.path}`,
      describeReach(database),
      database.hashed ? '' : 'not hashed',
    ]);
  const { colors } = output;
  const summary =
    bad.length === 0
      ? colors.green(`restored ${counted(good.length, 'database')} of ${report.backupId}`)
      : colors.yellow(
          `restored ${counted(good.length, 'database')} of ${report.backupId}, ${bad.length} left out or failed`,
        );
  const reached = report.recoveredTo === null ? [] : [`last transaction from the log: ${report.recoveredTo}`];
  return [
    ...lines,
    ...output.table(shown, false),
    ...output.moreThanShown(good.length),
    ...reached,
    ...describeDaos(report),
    summary,
  ];
}

/** Where the recovery finds the extents that it reads. */
function describeLog({ firstExtent, directory, present, archive, archived }: RestoreLog): string {
  const names = archived.length > 4 ? [archived[0], ...archived.slice(-1)] : archived;
  const which = names.map((extent) => extent?.name).join(archived.length > 4 ? ' … ' : ', ');
  const fromArchive = archived.length === 0 ? '' : `, and ${archived.length} in ${archive} (${which})`;
  const where = directory === '' ? 'where the server keeps them' : `${present.length} are in ${directory}`;
  return `the recovery reads the extents of the log from ${firstExtent} on: ${where}${fromArchive}`;
}

/** The databases contain only references, and only the server knows which objects are missing. */
function describeDaos({ daos }: RestoreReport): string[] {
  if (!daos) return [];
  const { directory, isThere, commands } = daos;
  const more = commands.length - shownRows;
  return [
    `DAOS attachments are in ${directory}${isThere ? '' : ', which does not exist'}; list the missing ones on the console of the server:`,
    ...commands.slice(0, shownRows).map((command) => `  ${command}`),
    ...(more > 0 ? [`  … and ${more} more; --json shows all`] : []),
    'put them back from where they were saved, and do not run "tell daosmgr prune 0" before',
  ];
}

/** What a dry run expects. */
function foresee({ reach }: GoodDatabase): string {
  switch (reach.type) {
    case 'backup':
      return 'nothing: it is not logged, and is restored to its state at the backup';
    case 'other-log':
      return 'nothing: it belongs to another transaction log, and is restored to its state at the backup';
    case 'not-recovered':
      return 'nothing: it becomes a plain file in its state at the backup';
    case 'now':
      return 'rolls it forward to its last transaction';
    case 'instance-change':
      return 'rolls it forward only to the change of its instance id';
    case 'unknown':
      return `unknown whether its instance id has changed: ${reach.reason}`;
  }
}

type BadDatabase = Extract<RestoredDatabase, { readonly failure: unknown }>;
type GoodDatabase = Exclude<RestoredDatabase, BadDatabase>;

function isBad(database: RestoredDatabase): database is BadDatabase {
  return database.result === 'left-out' || database.result === 'failed';
}
