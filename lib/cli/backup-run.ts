import { Option, type Command } from 'commander';
import { join } from 'node:path';
import { beginBackup } from '../backup/begin-backup';
import { completionFailure, type BackupReport } from '../backup/report';
import type { ProviderName } from '../backup/provider';
import { counted } from '../errors/counted';
import { OptionError } from '../errors/errors';
import { systemdService, type DominoService } from '../domino/service';
import type { SnapshotSet } from '../backup/snapshot-set';
import type { VssOptions, WritersOption } from '../vss/context';
import { backupTypes, contextBits } from '../vss/words';
import type { VssBackupType, VssContext } from '../native/vss';
import { windowsService } from '../domino/windows-service';
import {
  addDeltaDirectory,
  addDominoOptions,
  addUnattendedOptions,
  collect,
  locationOf,
  pathFrom,
  placeFrom,
  duration,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { runDryRun } from './dry-run';
import { runOnShadow } from './exec';
import { Output } from './output';
import { backupFigures } from './metrics';
import type { Finish } from './system-log';
import { trustedProgram } from './trusted-file';
import { ProgressBar } from './progress-bar';
import { describeReport, failuresOf } from './backup-report';

interface RunArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly to?: string;
  readonly serverFiles?: boolean;
  readonly keep?: boolean;
  readonly provider: ProviderName;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly required?: readonly string[];
  readonly maxSkipped?: number;
  readonly shards?: number;
  readonly timeout?: number;
  readonly windowTimeout?: number;
  readonly databaseBudget?: number;
  readonly retries?: number;
  readonly retryPause?: number;
  readonly retryBusy?: number;
  readonly retryBusyPause?: number;
  readonly stopService?: string;
  readonly shadowDir?: string;
  readonly source: 'domino' | 'volumes';
  readonly volume?: readonly string[];
  readonly expose?: readonly string[];
  readonly writers?: 'none' | 'all';
  readonly excludeWriter?: readonly string[];
  readonly verifyWriter?: readonly string[];
  readonly backupType?: VssBackupType;
  readonly vssContext?: VssContext;
  readonly vssProvider?: string;
  readonly stopAt?: 'end' | 'thaw';
  readonly signKey?: string;
  readonly hash?: boolean;
  readonly applyDeltas?: boolean;
  readonly keepNothing?: boolean;
  readonly dryRun?: boolean;
  readonly exec?: string;
  readonly incremental?: boolean;
  readonly logArchive?: string;
}

/** `backup run` */
export function addRun(backup: Command, context: CommandLineContext, finish: Finish): void {
  const run = backup.command('run').description('back up the databases of the Domino server on this machine');
  addDeltaDirectory(run, 'directory for backups: manifests and change information', context)
    .option('--to <dir>', 'also copy the databases out of the shadow, to <dir>/<backup id>', pathFrom(context))
    .option(
      '--server-files',
      'with --to: also copy notes.ini and the ID files of the server, to <dir>/<backup id>/server-files',
    )
    .option('--keep', 'keep the shadow')
    .option(
      '--incremental',
      'back up only what the last backup of this server here does not contain: databases that are new, replaced or changed',
    )
    .option(
      '--log-archive <dir>',
      'with --incremental: do not back up logged databases that this archive of the transaction log covers',
      pathFrom(context),
    )
    .option(
      '--apply-deltas',
      'with --keep or --expose: apply the change information to the shadow (clones, rolling copies, btrfs), so that it can be used directly',
    )
    .option(
      '--hash',
      'with --keep or --expose: also hash every database in the shadow, which means reading it completely',
    )
    .option('--keep-nothing', 'keep nothing: for measurements only, as nothing can be restored from such a backup')
    .option('--exec <file>', 'run this program while the shadow exists, to save its contents', pathFrom(context))
    .option('--dry-run', 'only show which databases would be backed up, and whether the preconditions are met')
    .option(
      '--expose <place>',
      'keep the shadow and expose it; repeat it for each volume, in the order of the volumes',
      collect,
    )
    .addOption(
      new Option(
        '--provider <name>',
        'how the shadow is made; auto is vss on Windows, elsewhere the file systems decide',
      )
        .choices(['auto', 'vss', 'btrfs', 'reflink', 'rolling'])
        .default('auto'),
    )
    .addOption(
      new Option('--source <what>', 'databases of the Domino server, or plain volumes without it')
        .choices(['domino', 'volumes'])
        .default('domino'),
    )
    .option(
      '--volume <volume>',
      'one more volume in the same set: D:, a mount point, or any file on it; can be repeated',
      collect,
    )
    .option('--include <glob>', 'only these databases; can be repeated', collect)
    .option('--exclude <glob>', 'not these databases; can be repeated', collect)
    .option('--required <glob>', 'fail if one of these is skipped; can be repeated', collect)
    .option('--max-skipped <n>', 'fail if more databases than this are skipped (default: no limit)', wholeNumber)
    .option('--shards <n>', 'threads that put databases into backup mode (default: 4 per processor)', wholeNumber)
    .option(
      '--timeout <duration>',
      'time limit for the freeze window and everything around it, with all attempts (default: 2m; 30m in stop mode)',
      duration,
    )
    .option(
      '--window-timeout <duration>',
      'time limit from the first database in backup mode until the shadow is made (default: 60s)',
      duration,
    )
    .option(
      '--database-budget <duration>',
      'time limit for one call on a database; a database that exceeds it is skipped (default: 10s)',
      duration,
    )
    .option(
      '--retries <n>',
      'VSS: further attempts after a temporary failure, such as a time-out of held writes, if --timeout leaves enough time ' +
        '(default: 3)',
      wholeNumber,
    )
    .option(
      '--retry-pause <duration>',
      'time before each of these attempts, with no database in backup mode (default: 10m)',
      duration,
    )
    .option(
      '--retry-busy <n>',
      'further windows for databases that are being compacted, are in another backup, or change too much, each with a ' +
        'shadow of only these, if --timeout leaves enough time (default: 0)',
      wholeNumber,
    )
    .option('--retry-busy-pause <duration>', 'time before each of these windows (default: 30s)', duration)
    .option(
      '--stop-service <name>',
      'do not use the backup API: stop this service (Linux: systemd unit) for the snapshot and start it again',
    )
    .option('--shadow-dir <dir>', 'directory for shadows, on the file system of the databases', pathFrom(context))
    .option('--sign-key <file>', 'sign the manifest with this Ed25519 private key (PEM)', pathFrom(context))
    .addOption(new Option('--writers <which>', 'VSS: which writers take part (default: none)').choices(['none', 'all']))
    .option('--exclude-writer <name>', 'VSS: all writers except this one; can be repeated', collect)
    .option('--verify-writer <name>', 'VSS: fail unless this writer takes part; can be repeated', collect)
    .addOption(
      new Option('--backup-type <type>', 'VSS: what writers are told (default: copy)').choices(
        backupTypes.filter((type) => type !== 'undefined'),
      ),
    )
    .addOption(new Option('--vss-context <name>', 'VSS: the context, for experts').choices(Object.keys(contextBits)))
    .option('--vss-provider <id>', 'VSS: the provider, see "provider list" (default: Windows chooses)')
    .addOption(
      new Option(
        '--stop-at <moment>',
        'VSS: when databases leave backup mode (default: end; thaw is experimental)',
      ).choices(['end', 'thaw']),
    );
  addUnattendedOptions(run, context);
  addDominoOptions(run, context)
    .addHelpText(
      'after',
      `
Globs match paths relative to the data directory, for example "mail/**" or "names.nsf".

Examples:
  Back up all databases and keep copies:
  $ domino-vss backup run --delta-dir /backup/domino --to /backup/copies

  Keep the shadow to copy from later; fail if names.nsf cannot be backed up:
  $ domino-vss backup run --delta-dir /backup/domino --keep --required names.nsf

  Only mail files, for a program that reads JSON:
  $ domino-vss backup run --delta-dir /backup/domino --to /backup/copies --include "mail/**" --json

  Every hour only what has changed; "domino-vss logs archive" has to run as well:
  $ domino-vss backup run --delta-dir /backup/domino --to /backup/copies --incremental --log-archive /backup/logs

  Snapshot before an upgrade, with the server stopped for a moment:
  $ domino-vss backup run --delta-dir /backup/domino --keep --stop-service domino.service

  The same on Windows; the service has the name that "sc query" shows:
  $ domino-vss backup run --delta-dir E:\\delta --keep --stop-service "HCL Domino Server (CDominodata)"

  Windows: keep the shadow as drive B: until "domino-vss shadow delete --exposed B:":
  $ domino-vss backup run --delta-dir E:\\delta --expose B:

  Windows: a shadow of two volumes with all writers, without Domino:
  $ domino-vss backup run --delta-dir E:\\delta --source volumes --volume D: --volume F: --writers all --keep

Exit codes: 0 complete, 1 failed, 2 usage, 3 partial, 4 precondition not met (see doctor), 5 locked, 130 interrupted.
The exit code is also 1 if VSS writers could not be told that the backup is complete; the backup itself is then good.
`,
    )
    .action(async (args: RunArguments) => {
      requireSomethingKept(args);
      const relaunched = await context.relaunch({
        domino: args.source === 'domino' ? locationOf(args) : undefined,
        deltaDirectory: args.deltaDir,
        loadsDomino: args.source === 'domino' && args.stopService === undefined,
        changes: args.dryRun !== true,
      });
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      if (args.dryRun && args.incremental) {
        throw new OptionError(
          'dryRun',
          '--dry-run opens no database, so it does not know what an incremental backup would capture',
        );
      }
      if (args.dryRun) {
        finish(await runDryRun(args, context));
        return;
      }
      const report = await runBackup(args, context);
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describeReport(report, output));
      const failure = completionFailure(report);
      // With --json, the report is the only document, and contains the error too.
      if (failure && args.json !== true) output.error(failure);
      if (failure) finish(exitCodes.failed, [], backupFigures(report));
      else {
        const failures = failuresOf(report);
        const exitCode = report.outcome === 'complete' ? exitCodes.ok : exitCodes.partial;
        finish(exitCode, failures, backupFigures(report));
      }
    });
}

async function runBackup(args: RunArguments, context: CommandLineContext): Promise<BackupReport> {
  const { signal } = context;
  const program = args.exec === undefined ? undefined : await trustedProgram('exec', args.exec, context);
  const bar = new ProgressBar(context, args.json ?? false);
  const onProgress = bar.listener;
  const places = (args.expose ?? []).map((place) => placeFrom(context, place));
  const keep = args.keep === true || places.length > 0;
  try {
    const backup = await beginBackup(context.loadBinding, {
      // Commander always passes the location, but plain volumes have none.
      ...(args.source === 'domino' ? { domino: locationOf(args) } : { source: 'volumes' }),
      deltaDirectory: args.deltaDir,
      volumes: args.volume,
      lifetime: keep ? 'persistent' : undefined,
      writers: writersOf(args),
      vss: vssOf(args),
      provider: args.provider,
      incremental: args.incremental,
      // A configuration file may set it for all commands.
      logArchive: args.incremental ? args.logArchive : undefined,
      include: args.include,
      exclude: args.exclude,
      required: args.required,
      maxSkipped: args.maxSkipped,
      shards: args.shards,
      databaseBudgetMs: args.databaseBudget,
      windowTimeoutMs: args.windowTimeout,
      shadowDirectory: args.shadowDir,
      copiesTo: args.to,
      signKey: args.signKey,
      ...(args.stopService !== undefined && {
        mode: { type: 'stop-service', service: serviceNamed(args.stopService, context) },
      }),
      signal,
      onProgress,
    });
    try {
      const set = await backup.createShadow({
        timeoutMs: args.timeout,
        retries: {
          shadow: args.retries,
          pauseMs: args.retryPause,
          busyDatabases: args.retryBusy,
          busyPauseMs: args.retryBusyPause,
        },
        signal,
        onProgress,
      });
      await expose(set, places);
      if (args.to !== undefined) {
        const { serverFiles } = args;
        await set.copyDatabases({ to: join(args.to, backup.id), serverFiles, signal, onProgress });
      }
      if (program !== undefined) await runOnShadow(program, { set, deltaDirectory: args.deltaDir }, context);
      return await backup.endBackup({ keep, hash: args.hash, applyDeltas: args.applyDeltas, signal, onProgress });
    } catch (error) {
      return await backup.fail(error);
    }
  } finally {
    bar.end();
  }
}

/** Without copies and shadow, a backup looks complete, and nobody notices before a restore that it is empty. */
function requireSomethingKept({
  to,
  serverFiles,
  keep,
  expose: places = [],
  exec,
  hash,
  applyDeltas,
  keepNothing,
}: RunArguments): void {
  const keepsShadow = keep === true || places.length > 0;
  const keeps = keepsShadow || to !== undefined || exec !== undefined;
  if (keepNothing && keeps) {
    throw new OptionError('keepNothing', '--keep-nothing excludes --to, --keep, --expose and --exec');
  }
  if (serverFiles && to === undefined) {
    throw new OptionError('serverFiles', '--server-files needs --to <dir>: the files are copied next to the databases');
  }
  if (hash && !keepsShadow) throw new OptionError('hash', '--hash needs --keep or --expose; copies are always hashed');
  if (applyDeltas && !keepsShadow) throw new OptionError('applyDeltas', '--apply-deltas needs --keep or --expose');
  if (applyDeltas && exec !== undefined) {
    throw new OptionError(
      'applyDeltas',
      '--apply-deltas excludes --exec: its program would save the shadow as it was before',
    );
  }
  if (keeps || keepNothing) return;
  const message = 'nothing could be restored from a backup that keeps neither copies nor the shadow';
  throw new OptionError(
    'keep',
    `${message}: add --to <dir>, --keep, --expose or --exec, or --keep-nothing if you mean it`,
  );
}

function serviceNamed(name: string, { loadBinding }: CommandLineContext): DominoService {
  return process.platform === 'win32' ? windowsService(loadBinding, name) : systemdService(name);
}

function writersOf({ writers, excludeWriter, verifyWriter }: RunArguments): WritersOption | undefined {
  if (excludeWriter === undefined && verifyWriter === undefined) return writers;
  if (writers === 'none') {
    throw new OptionError('writers', 'writers is "none", so no writer can be excluded or verified');
  }
  return { exclude: excludeWriter, verify: verifyWriter };
}

function vssOf({ backupType, vssContext, vssProvider, stopAt }: RunArguments): VssOptions | undefined {
  const vss = { backupType, context: vssContext, providerId: vssProvider, stopAt };
  return Object.values(vss).every((value) => value === undefined) ? undefined : vss;
}

async function expose({ shadows }: SnapshotSet, places: readonly string[]): Promise<void> {
  if (places.length > shadows.length) {
    const message = `${places.length} places are named, but there is only ${counted(shadows.length, 'shadow')}`;
    throw new OptionError('expose', message);
  }
  for (const [index, as] of places.entries()) await shadows[index]?.expose({ as });
}
