import type { Command } from 'commander';
import { resolve } from 'node:path';
import { extractServerFiles, type ExtractServerFilesReport } from '../restore/server-files';
import { addUnattendedOptions, backupPath, duration, pathFrom } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import type { Finish } from './system-log';
import { counted } from '../errors/counted';

interface ExtractArguments {
  readonly deltaDir?: string;
  readonly copies?: string;
  readonly requireSignature?: string;
  readonly timeout?: number;
  readonly json?: boolean;
}

export function addExtractCommand(backup: Command, context: CommandLineContext, finish: Finish): void {
  const extract = backup
    .command('extract')
    .description('copy notes.ini and the ID files out of a backup, to a new directory')
    .argument('<backup>', 'id of a backup, or path of its directory or manifest')
    .argument('<dir>', 'directory for the files: new or empty, and outside the data directory')
    .option('--delta-dir <dir>', 'delta directory, needed to name a backup by its id', pathFrom(context))
    .option('--copies <dir>', 'where the copies are now, if they were moved', pathFrom(context))
    .option(
      '--require-signature <file>',
      'require a signature by this Ed25519 key (public key, PEM)',
      pathFrom(context),
    )
    .option('--timeout <duration>', 'time limit for the whole command (default: 10m)', duration);
  addUnattendedOptions(extract, context)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
For backups that were made with "backup run --to <dir> --server-files". Each file is compared with the SHA-256 in the
manifest first. Nothing is ever overwritten, and no command puts these files back: compare them with those of the server
and copy what you need while the server is down. ID files are keys: remove the directory afterwards.

Example:
  $ domino-vss backup extract 20260807T101530Z-3f9a2c /root/server-files --delta-dir /backup/domino

Exit codes: 0 complete, 1 failed, 2 usage, 3 a file is damaged or could not be copied, 130 interrupted.
`,
    )
    .action(async (name: string, to: string, args: ExtractArguments) => {
      const report = await extractServerFiles(context.loadBinding, {
        manifest: backupPath(name, args.deltaDir, context),
        to: resolve(context.workingDirectory, to),
        copiesDirectory: args.copies,
        requireSignature: args.requireSignature,
        timeoutMs: args.timeout,
        signal: context.signal,
      });
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describe(report, output));
      finish(report.outcome === 'complete' ? exitCodes.ok : exitCodes.partial, report.failures);
    });
}

function describe({ directory, files, failures }: ExtractServerFilesReport, output: Output): string[] {
  return [
    ...output.failures(failures),
    ...output.table([['FILE', 'WHAT', 'WHERE IT WAS'], ...files.map(({ file, what, path }) => [file, what, path])]),
    '',
    `${counted(files.length, 'file')} in ${directory}; delete it when you no longer need it`,
  ];
}
