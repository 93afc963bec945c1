import { Option, type Command } from 'commander';
import type { HookShadow } from '../backup/provider';
import { counted } from '../errors/counted';
import { OptionError } from '../errors/errors';
import { findHold, giveUpHold, listHolds, releaseHold, startHold, type BackgroundHold } from '../hold/background';
import {
  addDominoOptions,
  collect,
  locationOf,
  pathFrom,
  duration,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { describeReport } from './backup-report';
import { shadowRootsOf } from './shadow-roots';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import type { Finish } from './system-log';

interface HoldArguments extends DominoArguments {
  readonly deltaDir?: string;
  readonly maxHold?: number;
  readonly flushesVolumes?: boolean;
  readonly timeout?: number;
  readonly status?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly required?: readonly string[];
  readonly maxSkipped?: number;
  readonly shards?: number;
  readonly signKey?: string;
}

interface ReleaseArguments {
  readonly deltaDir?: string;
  readonly shadowRoot?: readonly string[];
  readonly hash?: boolean;
  readonly failed?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Hold and release, also under the names by which hypervisors and backup servers call their scripts. */
export function addHoldCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  addHold(program, context, finish);
  addRelease(program, context, finish);
  addFreezeFail(program, context, finish);
}

function addHold(program: Command, context: CommandLineContext, finish: Finish): void {
  const hold = program
    .command('hold')
    .alias('freeze')
    .description('put the databases into backup mode and hold them there while another program takes a snapshot')
    .option('--delta-dir <dir>', 'directory for backups (required, except with --status)', pathFrom(context))
    .option('--status', 'only show what is held');
  for (const option of holdOptions(context)) hold.addOption(option);
  addDominoOptions(hold, context)
    .addHelpText(
      'after',
      `
Returns when all databases are in backup mode. A background process holds them until "domino-vss release" or until --max-hold
is over. In the second case the snapshot cannot be used as a backup, and "domino-vss release" says so.

Examples:
  $ domino-vss hold --delta-dir /backup/domino
  $ lvcreate --snapshot --name domino --size 5G vg/data
  $ domino-vss release

  A guest agent needs only this line in its script directory, for all its calls (freeze, thaw, freezeFail):
  domino-vss "$1" --delta-dir /backup/domino

Exit codes: 0 held, 1 failed, 2 usage, 4 precondition not met (see doctor), 5 locked, 130 interrupted.
`,
    )
    .action(async (args: HoldArguments) => {
      const output = new Output(context, args.json ?? false);
      if (args.status) {
        const holds = await listHolds(context.loadBinding);
        output.result(holds, () => describeHolds(holds, output));
        finish(exitCodes.ok);
        return;
      }
      const { deltaDir } = args;
      if (deltaDir === undefined) throw new OptionError('deltaDirectory', "option '--delta-dir <dir>' is required");
      const held = await startHold(context.loadBinding, {
        deltaDirectory: deltaDir,
        maxHoldMs: args.maxHold,
        flushesVolumes: args.flushesVolumes,
        timeoutMs: args.timeout,
        domino: locationOf(args),
        include: args.include,
        exclude: args.exclude,
        required: args.required,
        maxSkipped: args.maxSkipped,
        shards: args.shards,
        signKey: args.signKey,
        signal: context.signal,
      });
      output.result(held, () => [
        `holding ${counted(held.databases, 'database')} until ${held.deadline}, or "domino-vss release ${held.id}"`,
        ...held.volumes.map((volume) => `  ${volume} must be in the snapshot`),
      ]);
      finish(exitCodes.ok);
    });
}

/** What only the beginning of a hold needs. */
function holdOptions(context: CommandLineContext): Option[] {
  const option = (flags: string, description: string, parse?: (value: string, previous: never) => unknown): Option => {
    const made = new Option(flags, description);
    return parse === undefined ? made : made.argParser(parse as (value: string, previous: unknown) => unknown);
  };
  return [
    option(
      '--max-hold <duration>',
      'time after which the databases leave backup mode automatically (default: 60s, at most 14m)',
      duration,
    ),
    option(
      '--flushes-volumes',
      'the program that takes the snapshot flushes the volumes itself, as fsfreeze and VSS do',
    ),
    option('--timeout <duration>', 'time limit for finding and opening the databases (default: 10m)', duration),
    option('--include <glob>', 'only these databases; can be repeated', collect),
    option('--exclude <glob>', 'not these databases; can be repeated', collect),
    option('--required <glob>', 'fail if one of these is skipped; can be repeated', collect),
    option('--max-skipped <n>', 'fail if more databases than this are skipped (default: no limit)', wholeNumber),
    option('--shards <n>', 'threads that put databases into backup mode (default: 4 per processor)', wholeNumber),
    option('--sign-key <file>', 'sign the manifest with this Ed25519 private key (PEM)', pathFrom(context)),
  ];
}

/**
 * Accepts what the hold needed, without a meaning and unseen: an agent calls one line for the freeze and for what follows, and a
 * release that fails at an option loses the backup.
 */
function acceptHoldOptions(command: Command, context: CommandLineContext): void {
  const own = new Set(command.options.map(({ long }) => long));
  for (const option of holdOptions(context)) if (!own.has(option.long)) command.addOption(option.hideHelp());
}

function addRelease(program: Command, context: CommandLineContext, finish: Finish): void {
  // The holder knows where Domino is; the options only exist so that one command line suits all calls of a guest agent.
  const release = addSelection(
    program
      .command('release')
      .alias('thaw')
      .description('after the snapshot: take the databases out of backup mode and complete the backup')
      .argument('[id]', 'id printed by hold (default: the only hold)'),
    context,
  )
    .option(
      '--shadow-root <dir>',
      'where the snapshot can be read on this machine: a directory, or <volume>=<dir> for each volume; can be repeated',
      collect,
    )
    .option('--hash', 'with --shadow-root: also hash every database in the snapshot, which means reading it completely')
    .option('--failed', 'there is no snapshot: cancel the backup and remove everything')
    .option('--timeout <duration>', 'time limit (default: 10m; 24h with --hash)', duration);
  acceptHoldOptions(release, context);
  addDominoOptions(release, context)
    .addHelpText(
      'after',
      `
Examples:
  $ domino-vss release
  $ domino-vss release 20260807T101530Z-3f9a2c --shadow-root /mnt/snapshot
  $ domino-vss release --failed

Exit codes: 0 complete, 1 the hold had already ended, so there is no backup, 2 usage, 3 partial, 130 interrupted.
`,
    )
    .action(async (id: string | undefined, args: ReleaseArguments) => {
      if (args.failed) {
        await giveUp(id, args, context, finish);
        return;
      }
      if (args.hash && args.shadowRoot === undefined) throw new OptionError('hash', '--hash needs --shadow-root');
      const selector = { id, deltaDirectory: args.deltaDir };
      const report = await releaseHold(context.loadBinding, selector, {
        shadows: await shadowsOf(args.shadowRoot ?? [], selector, context),
        hash: args.hash,
        timeoutMs: args.timeout,
        signal: context.signal,
      });
      const output = new Output(context, args.json ?? false);
      output.result(report, () => describeReport(report, output));
      finish(report.outcome === 'complete' ? exitCodes.ok : exitCodes.partial);
    });
}

function addFreezeFail(program: Command, context: CommandLineContext, finish: Finish): void {
  const freezeFail = program.command('freezeFail').description('the same as "release --failed", as VMware calls it');
  acceptHoldOptions(addSelection(freezeFail, context), context);
  addDominoOptions(freezeFail, context)
    .addHelpText('after', '\nExample:\n  $ domino-vss freezeFail --delta-dir /backup/domino\n')
    .action((args: ReleaseArguments) => giveUp(undefined, args, context, finish));
}

function addSelection(command: Command, context: CommandLineContext): Command {
  return command.option('--delta-dir <dir>', 'only a hold of this delta directory', pathFrom(context));
}

/** Having nothing to give up is a success. */
async function giveUp(
  id: string | undefined,
  { deltaDir, json = false }: ReleaseArguments,
  context: CommandLineContext,
  finish: Finish,
): Promise<void> {
  const wasHeld = await giveUpHold(context.loadBinding, { id, deltaDirectory: deltaDir });
  const output = new Output(context, json);
  output.result({ wasHeld }, () => [wasHeld ? 'given up: no backup was made' : 'nothing was held']);
  finish(exitCodes.ok);
}

/** The given roots with their volumes. */
async function shadowsOf(
  given: readonly string[],
  { id, deltaDirectory }: { readonly id: string | undefined; readonly deltaDirectory: string | undefined },
  context: CommandLineContext,
): Promise<HookShadow[]> {
  if (given.length === 0) return [];
  const held = await findHold(context.loadBinding, { id, deltaDirectory });
  return shadowRootsOf(given, held?.volumes ?? [], context);
}

function describeHolds(holds: readonly BackgroundHold[], output: Output): string[] {
  if (holds.length === 0) return ['nothing is held'];
  return output.table([
    ['ID', 'STATE', 'DATABASES', 'HELD AT', 'DEADLINE', 'DELTA DIRECTORY'],
    ...holds.map(({ id, state, databases, heldAt, deadline, deltaDirectory }) => [
      id,
      state === 'held' ? output.colors.green(state) : output.colors.red(state),
      String(databases),
      heldAt,
      deadline,
      deltaDirectory,
    ]),
  ]);
}
