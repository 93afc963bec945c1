import type { Command } from 'commander';
import { verifyBackup, type VerifyReport } from '../restore/verify';
import { deltaDirectoryOf } from '../store/ended-process';
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
import { Output } from './output';
import { ProgressBar } from './progress-bar';
import { counted } from '../errors/counted';

interface VerifyArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly copies?: string;
  readonly shadowRoot?: readonly string[];
  readonly requireSignature?: string;
  readonly apply?: boolean;
  readonly databaseBudget?: number;
  readonly timeout?: number;
}

export function addVerifyCommand(backup: Command, context: CommandLineContext, finish: Finish): void {
  const verify = backup
    .command('verify')
    .description('check that a backup is complete and unchanged')
    .argument('<backup>', 'id of a backup, or path of its directory or manifest')
    .option('--delta-dir <dir>', 'delta directory, needed to name a backup by its id', pathFrom(context))
    .option('--copies <dir>', 'where the copies are now, if they were moved', pathFrom(context))
    .option(
      '--shadow-root <dir>',
      'where the snapshot can be read now: a directory, or <volume>=<dir> if there are several volumes; can be repeated',
      collect,
    )
    .option('--apply', 'also apply the change information to copies and open them with Domino')
    .option('--timeout <duration>', 'time limit for the whole command (default: 24h)', duration)
    .option(
      '--require-signature <file>',
      'require a signature by this Ed25519 key (public key, PEM)',
      pathFrom(context),
    )
    .option(
      '--database-budget <duration>',
      'time limit for one call on a file and, with --apply, on a database (default: 60s)',
      duration,
    );
  addUnattendedOptions(verify, context);
  addDominoOptions(verify, context)
    .addHelpText(
      'after',
      `
Reads the manifest, the change information, the copies and the kept shadow, and compares them with the SHA-256 in the
manifest. If a shadow was kept without --hash, only sizes, signatures and headers can be compared; its databases are
reported as "not hashed".

With --apply each database is also copied into the delta directory, its change information is applied, and Domino opens the
copy, which is then removed. Logged databases are not recovered; "domino-vss drill" does that.

Examples:
  $ domino-vss backup verify 20260807T101530Z-3f9a2c --delta-dir /backup/domino
  $ domino-vss backup verify 20260807T101530Z-3f9a2c --delta-dir /backup/domino --apply

Exit codes: 0 intact, 1 something is damaged or missing, 2 usage, 4 precondition (--apply), 130 interrupted.
`,
    )
    .action(async (name: string, args: VerifyArguments) => {
      const { copies, shadowRoot, requireSignature, apply = false, json = false } = args;
      const manifest = backupPath(name, args.deltaDir, context);
      if (apply) {
        const relaunched = await context.relaunch({
          domino: locationOf(args),
          deltaDirectory: deltaDirectoryOf(manifest),
          loadsDomino: true,
          changes: true,
        });
        if (relaunched !== undefined) {
          finish(relaunched);
          return;
        }
      }
      const bar = new ProgressBar(context, json);
      let report: VerifyReport;
      try {
        report = await verifyBackup(context.loadBinding, {
          manifest,
          copiesDirectory: copies,
          shadowRoots: await shadowRootsOfBackup(manifest, shadowRoot, context),
          requireSignature,
          apply,
          domino: locationOf(args),
          databaseBudgetMs: args.databaseBudget,
          timeoutMs: args.timeout,
          signal: context.signal,
          onProgress: bar.listener,
        });
      } finally {
        bar.end();
      }
      const output = new Output(context, json);
      output.result(report, () => describe(report, output));
      const failures = [...report.databases, ...report.serverFiles].flatMap((one) => one.failures);
      finish(report.outcome === 'intact' ? exitCodes.ok : exitCodes.failed, failures);
    });
}

function describe(report: VerifyReport, output: Output): string[] {
  const { backupId, outcome, signature, counts, onLog, databases, serverFiles } = report;
  const { green, red, yellow } = output.colors;
  const notHashed = counts.notHashed > 0 ? yellow(`, ${counts.notHashed} not hashed`) : '';
  const damaged = counts.damaged > 0 ? red(`, ${counts.damaged} damaged`) : '';
  const copies = databases.filter(({ applied }) => applied === 'opened').length;
  const opened = copies > 0 ? `, ${copies} opened` : '';
  const files = serverFiles.length > 0 ? `, ${describeFiles(serverFiles)}` : '';
  const word = outcome === 'intact' ? green('intact') : red('damaged');
  return [
    ...output.failures([...databases, ...serverFiles].flatMap(({ failures }) => failures)),
    `${backupId} is ${word}: ${counted(counts.verified, 'database')} verified${notHashed}${damaged}${opened}${files}; signature ${signature}`,
    ...(onLog === 0
      ? []
      : [
          `${counted(onLog, 'database')} carried over also need the transaction log since then, which was not looked at: ` +
            '"domino-vss restore --dry-run --log-archive <dir>" does it',
        ]),
  ];
}

function describeFiles(files: VerifyReport['serverFiles']): string {
  const damaged = files.filter(({ result }) => result === 'damaged').length;
  return `${counted(files.length, 'server file')}${damaged > 0 ? ` (${damaged} damaged)` : ''}`;
}
