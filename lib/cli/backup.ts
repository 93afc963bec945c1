import { type Command } from 'commander';
import { listBackups, readManifest } from '../store/listing';
import { addDeltaDirectory, backupPath, duration, pathFrom } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import type { Finish } from './system-log';
import { addPruneCommand } from './prune';
import { addVerifyCommand } from './verify';
import { describeList, describeManifest } from './backup-report';
import { addRun } from './backup-run';
import { addExtractCommand } from './extract';

interface ListArguments {
  readonly deltaDir: string;
  readonly timeout?: number;
  readonly json?: boolean;
}

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
    .option('--timeout <duration>', 'time limit (default: 10m)', duration)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExample:\n  $ domino-vss backup list --delta-dir /backup/domino\n')
    .action(async ({ deltaDir, timeout, json = false }: ListArguments) => {
      const backups = await listBackups(deltaDir, { timeoutMs: timeout, signal: context.signal });
      const output = new Output(context, json);
      output.result(backups, () => describeList(backups, output));
      finish(exitCodes.ok);
    });

  addVerifyCommand(backup, context, finish);
  addExtractCommand(backup, context, finish);
  addPruneCommand(backup, context, finish);

  backup
    .command('show')
    .description('show one backup with its freeze window')
    .argument('<backup>', 'id of a backup, or path of its directory or manifest')
    .option('--delta-dir <dir>', 'delta directory, needed to name a backup by its id', pathFrom(context))
    .option('--timeout <duration>', 'time limit (default: 10m)', duration)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', '\nExample:\n  $ domino-vss backup show 20260807T101530Z-3f9a2c --delta-dir /backup/domino\n')
    .action(async (name: string, { deltaDir, timeout, json = false }: Partial<ListArguments>) => {
      const limits = { timeoutMs: timeout, signal: context.signal };
      const manifest = await readManifest(backupPath(name, deltaDir, context), limits);
      const output = new Output(context, json);
      output.result(manifest, () => describeManifest(manifest, output));
      finish(exitCodes.ok);
    });
}
