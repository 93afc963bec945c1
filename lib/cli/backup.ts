import { Option, type Command } from 'commander';
import { join } from 'node:path';
import { beginBackup } from '../begin-backup';
import type { BackupReport } from '../backup-report';
import { loadManifest, readBackups, type ListedBackup, type Manifest } from '../manifest';
import type { ProviderName } from '../provider';
import { systemdService } from '../service';
import {
  addDeltaDirectory,
  addDominoOptions,
  backupPath,
  collect,
  locationOf,
  pathFrom,
  seconds,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { count, formatBytes, formatMs, Output } from './output';
import { ProgressBar } from './progress-bar';
import { drawWindow } from './window-picture';

interface RunArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly to?: string;
  readonly keep?: boolean;
  readonly provider: ProviderName;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly required?: readonly string[];
  readonly maxSkipped?: number;
  readonly shards?: number;
  readonly timeout?: number;
  readonly stopService?: string;
  readonly shadowDir?: string;
}

interface ListArguments {
  readonly deltaDir: string;
  readonly json?: boolean;
}

type Finish = (exitCode: number) => void;

export function addBackupCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const backup = program
    .command('backup')
    .description('make backups and look at them')
    .addHelpText(
      'after',
      `
Examples:
  $ domino-vss backup run --delta-dir /backup/domino --to /backup/copies
  $ domino-vss backup list --delta-dir /backup/domino

Each command has its own: domino-vss backup run --help
`,
    );
  addRun(backup, context, finish);

  const list = backup.command('list').description('list the backups of a delta directory');
  addDeltaDirectory(list, 'delta directory', context)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExample:\n  $ domino-vss backup list --delta-dir /backup/domino\n')
    .action(async ({ deltaDir, json = false }: ListArguments) => {
      const backups = await readBackups(deltaDir);
      const output = new Output(context, json);
      output.result(backups, () => describeList(backups, output));
      finish(exitCodes.ok);
    });

  backup
    .command('show')
    .description('show one backup with its freeze window')
    .argument('<backup>', 'id of a backup, or path of its directory or manifest')
    .option('--delta-dir <dir>', 'delta directory, to name a backup by its id', pathFrom(context))
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExample:\n  $ domino-vss backup show 20260807T101530Z-3f9a2c --delta-dir /backup/domino\n')
    .action(async (name: string, { deltaDir, json = false }: Partial<ListArguments>) => {
      const manifest = await loadManifest(backupPath(name, deltaDir, context));
      const output = new Output(context, json);
      output.result(manifest, () => describeManifest(manifest, output));
      finish(exitCodes.ok);
    });
}

function addRun(backup: Command, context: CommandLineContext, finish: Finish): void {
  const run = backup.command('run').description('back up the databases of the Domino server on this machine');
  addDeltaDirectory(run, 'directory for backups: manifests and change information', context)
    .option('--to <dir>', 'also copy the databases out of the shadow, to <dir>/<backup id>', pathFrom(context))
    .option('--keep', 'keep the shadow')
    .addOption(
      new Option('--provider <name>', 'how the shadow is made')
        .choices(['auto', 'btrfs', 'reflink', 'rolling'])
        .default('auto'),
    )
    .option('--include <glob>', 'only these databases; may be given several times', collect)
    .option('--exclude <glob>', 'not these databases; may be given several times', collect)
    .option('--required <glob>', 'fail if one of these is left out; may be given several times', collect)
    .option('--max-skipped <n>', 'fail if more databases have to be left out (default: no limit)', wholeNumber)
    .option('--shards <n>', 'threads that put databases into backup mode (default: 4 a processor)', wholeNumber)
    .option(
      '--timeout <seconds>',
      'longest time for the freeze window and what belongs to it (default: 120; 1800 in stop mode)',
      seconds,
    )
    .option('--stop-service <unit>', 'do without the backup API: stop this systemd unit for the snapshot')
    .option('--shadow-dir <dir>', 'directory for shadows, on the file system of the databases', pathFrom(context));
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
  $ domino-vss backup run --delta-dir /backup/domino --include "mail/**" --json

  Snapshot before an upgrade, with the server stopped for a moment:
  $ domino-vss backup run --delta-dir /backup/domino --keep --stop-service domino.service

Exit codes: 0 complete, 1 failed, 2 usage, 3 partial, 4 precondition not met (see doctor), 5 locked, 130 interrupted.
`,
    )
    .action(async (args: RunArguments) => {
      const relaunched = args.stopService === undefined ? await context.relaunch(locationOf(args)) : undefined;
      if (relaunched !== undefined) {
        finish(relaunched);
        return;
      }
      const report = await runBackup(args, context);
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describeReport(report, output));
      finish(report.outcome === 'complete' ? exitCodes.ok : exitCodes.partial);
    });
}

async function runBackup(args: RunArguments, context: CommandLineContext): Promise<BackupReport> {
  const { signal } = context;
  const bar = new ProgressBar(context, args.json ?? false);
  const onProgress = bar.listener;
  try {
    const backup = await beginBackup(context.loadBinding, {
      domino: locationOf(args),
      deltaDirectory: args.deltaDir,
      provider: args.provider,
      include: args.include,
      exclude: args.exclude,
      required: args.required,
      maxSkipped: args.maxSkipped,
      shards: args.shards,
      shadowDirectory: args.shadowDir,
      ...(args.stopService !== undefined && {
        mode: { type: 'stop-service', service: systemdService(args.stopService) },
      }),
      signal,
      onProgress,
    });
    try {
      const set = await backup.createShadow({ timeoutMs: args.timeout, signal, onProgress });
      if (args.to !== undefined) await set.copyDatabases({ to: join(args.to, backup.id), signal, onProgress });
      return await backup.endBackup({ keep: args.keep ?? false, signal });
    } finally {
      await backup.dispose();
    }
  } finally {
    bar.end();
  }
}

function describeReport(report: BackupReport, output: Output): string[] {
  const { counts, copies, volumes } = report;
  const kept = volumes.filter((volume) => volume.kept).map(({ root }) => root);
  return [
    ...output.failures([...report.skipped, ...(copies?.failures ?? [])]),
    ...output.warnings(report.warnings),
    ...drawWindow(report.window),
    '',
    ...output.table(
      [
        ['backup', `${report.id} ${outcome(report.outcome, output)}`],
        ['provider', `${report.provider.name} (${report.provider.reason})`],
        ['databases', describeCounts(counts)],
        ['deltas', `${count(counts.deltas, 'file')}, ${formatBytes(counts.deltaBytes)}`],
        ['shadow', kept.length > 0 ? `kept: ${kept.join(', ')}` : 'removed'],
        ...(copies ? [['copies', `${copies.databases} in ${copies.directory}, ${formatBytes(copies.bytes)}`]] : []),
        ['manifest', report.manifest],
      ],
      false,
    ),
    '',
    'also save, in this order:',
    ...output.table(
      report.alsoSave.map(({ what, path, when }) => [`  ${what}`, path, when]),
      false,
    ),
  ];
}

function outcome(state: 'complete' | 'partial', { colors }: Output): string {
  return state === 'complete' ? colors.green('complete') : colors.yellow('partial');
}

function describeCounts(counts: BackupReport['counts']): string {
  const left = counts.skipped > 0 ? `, ${counts.skipped} left out` : '';
  return `${counts.captured} captured${left}, ${formatBytes(counts.startSizeBytes)}, ${counts.logged} logged`;
}

function describeList(backups: readonly ListedBackup[], output: Output): string[] {
  if (backups.length === 0) return ['no backups'];
  const rows = backups.map((backup) => {
    if (!('manifest' in backup)) {
      return [backup.id, output.colors.red(backup.state), '', '', 'reason' in backup ? backup.reason : ''];
    }
    const { counts, window, provider, volumes, copies } = backup.manifest;
    const holds = [...(copies ? ['copies'] : []), ...(volumes.some(({ kept }) => kept) ? ['shadow'] : [])];
    return [
      backup.id,
      outcome(backup.state, output),
      `${counts.captured}, ${formatBytes(counts.startSizeBytes)}`,
      formatMs(window.windowMs),
      [provider.name, ...holds].join(', '),
    ];
  });
  return output.table([['ID', 'OUTCOME', 'DATABASES', 'WINDOW', 'PROVIDER, HOLDS'], ...rows]);
}

function describeManifest(manifest: Manifest, output: Output): string[] {
  const { counts, copies, volumes, changes, timeAfterLastStart } = manifest;
  return [
    ...output.failures(manifest.failures),
    ...output.warnings(manifest.warnings),
    ...drawWindow(manifest.window),
    '',
    ...output.table(
      [
        ['backup', `${manifest.id} ${outcome(manifest.outcome, output)}`],
        ['created', manifest.created],
        ['server', `${manifest.serverName || '(unknown)'}, ${manifest.dataDirectory}`],
        ['provider', `${manifest.provider.name} (${manifest.provider.reason})`],
        ['databases', describeCounts(counts)],
        ['deltas', `${count(counts.deltas, 'file')}, ${formatBytes(counts.deltaBytes)}`],
        ['transaction log', manifest.logStyle],
        ['common time', timeAfterLastStart?.iso ?? '(none)'],
        [
          'changes',
          `${changes.appeared.length} appeared, ${changes.vanished.length} vanished, ${changes.replaced.length} replaced`,
        ],
        ['copies', copies ? `${copies.databases} in ${copies.directory}` : '(none)'],
        ...volumes.map(({ path, root, kept }) => ['volume', `${path} → ${kept ? root : '(shadow removed)'}`]),
        ['made with', `${manifest.versions.package}, Node ${manifest.versions.node}, ${manifest.versions.platform}`],
      ],
      false,
    ),
  ];
}
