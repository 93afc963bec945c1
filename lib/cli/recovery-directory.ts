import type { Command } from 'commander';
import { resolve } from 'node:path';
import { prepareRecoveryDirectory, type RecoveryDirectory } from '../restore/recovery-directory';
import {
  addDominoOptions,
  addUnattendedOptions,
  backupPath,
  duration,
  locationOf,
  pathFrom,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import type { Finish } from './system-log';

interface RecoveryDirectoryArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly logArchive?: string;
  readonly requireSignature?: string;
  readonly timeout?: number;
}

export function addRecoveryDirectoryCommand(logs: Command, context: CommandLineContext, finish: Finish): void {
  const prepare = logs
    .command('recovery-directory')
    .description('prepare a directory in which databases of another transaction log can be recovered')
    .argument('<backup>', 'id of a backup, or path of its directory or manifest')
    .argument('<dir>', 'new or empty directory, outside the data directory')
    .option('--log-archive <dir>', 'archive with the transaction log of the backup (required)', pathFrom(context))
    .option('--delta-dir <dir>', 'delta directory, needed to name a backup by its id', pathFrom(context))
    .option(
      '--require-signature <file>',
      'require a signature by this Ed25519 key (public key, PEM)',
      pathFrom(context),
    )
    .option('--timeout <duration>', 'time limit for the whole command (default: 24h)', duration);
  addUnattendedOptions(prepare, context);
  addDominoOptions(prepare, context)
    .addHelpText(
      'after',
      `
For logged databases of another server, or of a server whose log was created anew: the present log of this server cannot roll them forward. The
directory gets a notes.ini of its own (TRANSLOG_MEDIAONLY=1) and the archived extents. No server ever starts there. Restore into
it with "domino-vss restore --ini <dir>/notes.ini --offline --other-server", then move the databases to the server.

Experimental: it has not been run with a real Domino server yet.

Example:
  $ domino-vss logs recovery-directory 20260807T101530Z-3f9a2c /srv/recovery --delta-dir /backup/domino --log-archive /backup/logs

Exit codes: 0 done, 1 failed, 2 usage, 130 interrupted.
`,
    )
    .action(async (name: string, directory: string, args: RecoveryDirectoryArguments) => {
      const { logArchive } = args;
      if (logArchive === undefined) return prepare.error("error: option '--log-archive <dir>' is required");
      const made = await prepareRecoveryDirectory(context.loadBinding, {
        manifest: backupPath(name, args.deltaDir, context),
        directory: resolve(context.workingDirectory, directory),
        logArchive,
        domino: locationOf(args),
        requireSignature: args.requireSignature,
        timeoutMs: args.timeout,
        signal: context.signal,
      });
      const output = new Output(context, args.json ?? false);
      output.result(made, () => describe(made));
      finish(exitCodes.ok);
    });
}

function describe({ backupId, notesIni, dataDirectory, logId, extents: { first, last } }: RecoveryDirectory): string[] {
  return [
    `extents ${first} to ${last} of the transaction log ${logId} are in place`,
    'restore the databases there, from this or an incremental backup of the same log:',
    `  domino-vss restore ${backupId} <database> --ini ${notesIni} --offline --other-server`,
    `then move them from ${dataDirectory} to the server, and remove the directory`,
  ];
}
