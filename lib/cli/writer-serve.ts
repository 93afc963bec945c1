import type { Command } from 'commander';
import { findInstallation } from '../domino/environment';
import { counted } from '../errors/counted';
import { errorCodes } from '../errors/codes';
import { toPublicError } from '../errors/errors';
import { printableJson } from '../errors/printable';
import type { WriterEvent } from '../writer/events';
import { serveWriter } from '../writer/serve';
import { installWriterService, uninstallWriterService, WriterService } from '../writer/service';
import {
  addDeltaDirectory,
  addDominoOptions,
  collect,
  duration,
  locationOf,
  pathFrom,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import { logSystemDescription, type Finish } from './system-log';

interface ServeArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly required?: readonly string[];
  readonly maxSkipped?: number;
  readonly shards?: number;
  readonly maxHold?: number;
  readonly onFailure?: string;
  readonly autoRecovery?: boolean;
  readonly restores?: boolean;
  readonly signKey?: string;
  /** The name of the service, if this process is one. */
  readonly service?: string;
}

interface InstallArguments extends ServeArguments {
  readonly name?: string;
  readonly account?: string;
}

/** Commands that serve our writer, interactively or as a Windows service. */
export function addServeCommands(writer: Command, context: CommandLineContext, finish: Finish): void {
  addServe(writer, context, finish);
  addInstall(writer, context, finish);
  addUninstall(writer, context, finish);
}

function addServeOptions(command: Command, context: CommandLineContext): Command {
  return addDeltaDirectory(command, 'directory for backups', context)
    .option('--include <glob>', 'only these databases; can be repeated', collect)
    .option('--exclude <glob>', 'not these databases; can be repeated', collect)
    .option('--required <glob>', 'fail if one of these is skipped; can be repeated', collect)
    .option('--max-skipped <n>', 'fail if more databases than this are skipped (default: no limit)', wholeNumber)
    .option('--shards <n>', 'threads that put databases into backup mode (default: 4 per processor)', wholeNumber)
    .option(
      '--max-hold <duration>',
      'time after which the databases leave backup mode automatically (default: 5m, at most 14m)',
      duration,
    )
    .option(
      '--on-failure <what>',
      'if a backup fails: make its snapshot fail too (veto), or let it continue (pass) (default: veto)',
    )
    .option(
      '--no-auto-recovery',
      'keep change information in delta files only, even where VSS lets the shadow be changed',
    )
    .option('--restores', 'experimental: also take part in restores by the programs that made the snapshots')
    .option('--sign-key <file>', 'sign the manifests with this Ed25519 private key (PEM)', pathFrom(context));
}

function addServe(writer: Command, context: CommandLineContext, finish: Finish): void {
  const serve = addServeOptions(
    writer.command('serve').description('turn every VSS snapshot of the databases into a backup, until interrupted'),
    context,
  )
    .option('--service <name>', 'run as this Windows service; used by writer install')
    .option('--log <file>', 'also append all output to this file, with timestamps', pathFrom(context))
    .option('--log-system', logSystemDescription);
  addDominoOptions(serve, context)
    .addHelpText(
      'after',
      `
Registers a VSS writer and serves it until interrupted. Every snapshot of the databases' volumes that is taken in the meantime
(by Windows Server Backup, a backup product, or a host) is consistent; its change information and manifest are written to the
delta directory. With --json each event is a JSON document on one line.

Examples:
  $ domino-vss writer serve --delta-dir D:\\Backup\\domino
  $ domino-vss writer serve --delta-dir D:\\Backup\\domino --on-failure pass --json

Exit codes: 0 interrupted, 1 failed, 2 usage, 4 precondition not met (not Windows, another writer of Domino), 5 locked.
`,
    )
    .action(async (args: ServeArguments) => {
      const stop = new AbortController();
      const onInterrupt = (): void => {
        stop.abort(context.signal.reason);
      };
      if (context.signal.aborted) onInterrupt();
      context.signal.addEventListener('abort', onInterrupt, { once: true });
      const { service: name } = args;
      // First of all: the Service Control Manager waits only 30 seconds for its answer.
      const service =
        name === undefined
          ? undefined
          : await WriterService.connect(context.loadBinding, name, () => {
              stop.abort(new Error('the service is being stopped'));
            });
      try {
        await serveUntil(stop.signal, args, context, service);
        service?.stopped(exitCodes.ok);
        finish(exitCodes.ok);
      } catch (thrown) {
        // A service that is stopped during its start has done what it was told.
        const isInOrder = service !== undefined && stop.signal.aborted;
        service?.stopped(isInOrder ? exitCodes.ok : errorCodes[toPublicError(thrown).code].exitCode);
        if (!isInOrder) throw thrown;
        finish(exitCodes.ok);
      } finally {
        context.signal.removeEventListener('abort', onInterrupt);
      }
    });
}

async function serveUntil(
  signal: AbortSignal,
  args: ServeArguments,
  context: CommandLineContext,
  service: WriterService | undefined,
): Promise<void> {
  const output = new Output(context, args.json ?? false);
  const { onFailure = 'veto' } = args;
  const served = await serveWriter(context.loadBinding, {
    deltaDirectory: args.deltaDir,
    domino: locationOf(args),
    include: args.include,
    exclude: args.exclude,
    required: args.required,
    maxSkipped: args.maxSkipped,
    shards: args.shards,
    holdTimeoutMs: args.maxHold,
    onFailure: onFailure as 'veto' | 'pass',
    autoRecovery: args.autoRecovery,
    restores: args.restores,
    signKey: args.signKey,
    signal,
    onEvent: (event) => {
      if (args.json) context.stdout.write(`${printableJson(JSON.stringify(event))}\n`);
      else output.result(event, () => describeEvent(event, output));
    },
  });
  service?.running();
  await served.ended;
  await served.dispose();
}

function addInstall(writer: Command, context: CommandLineContext, finish: Finish): void {
  const install = addServeOptions(
    writer.command('install').description('install "writer serve" as a Windows service'),
    context,
  )
    .option('--name <name>', 'name of the service (default: derived from the data directory)')
    .option(
      '--account <account>',
      'account that needs no password: built-in, virtual or managed (default: LocalSystem)',
    );
  addDominoOptions(install, context)
    .addHelpText(
      'after',
      `
Installs a service that serves the writer with these options; install one for each partition. Its start is automatic (delayed),
and Windows restarts it when it fails. An account other than LocalSystem is added to VssAccessControl, where VSS looks up which
accounts may be writers. You have to give it access to the files it needs. The service is not started yet.

Examples:
  $ domino-vss writer install --delta-dir D:\\Backup\\domino
  $ domino-vss writer install --delta-dir D:\\Backup\\domino --account "NT AUTHORITY\\LocalService"
  $ net start "domino-vss writer (CDominodata)"

Exit codes: 0 installed, 1 failed, 2 usage, 4 precondition not met (not Windows, no Domino).
`,
    )
    .action(async (args: InstallArguments) => {
      const location = findInstallation(locationOf(args));
      const name = await installWriterService(context.loadBinding, {
        name: args.name,
        account: args.account,
        domino: location,
        command: serveCommand({ ...args, ini: location.notesIni, program: location.programDirectory }),
      });
      new Output(context, args.json ?? false).result({ service: name }, () => [`installed the service ${name}`]);
      finish(exitCodes.ok);
    });
}

/** The command line of the service. It contains everything, because the service has another environment. */
function serveCommand(args: ServeArguments): string[] {
  const given: Readonly<Record<string, string | number | readonly string[] | undefined>> = {
    '--delta-dir': args.deltaDir,
    '--ini': args.ini,
    '--program': args.program,
    '--include': args.include,
    '--exclude': args.exclude,
    '--required': args.required,
    '--max-skipped': args.maxSkipped,
    '--shards': args.shards,
    '--max-hold': args.maxHold === undefined ? undefined : `${args.maxHold}ms`,
    '--on-failure': args.onFailure,
    '--sign-key': args.signKey,
  };
  const options = Object.entries(given).flatMap(([option, values]) =>
    [values ?? []].flat().flatMap((value) => [option, String(value)]),
  );
  const { trustProgram = false, autoRecovery = true, restores = false } = args;
  const flags = [
    '--log-system',
    ...(trustProgram ? ['--trust-program'] : []),
    ...(autoRecovery ? [] : ['--no-auto-recovery']),
    ...(restores ? ['--restores'] : []),
  ];
  return [process.execPath, ...process.execArgv, process.argv[1] ?? '', 'writer', 'serve', ...flags, ...options];
}

interface UninstallArguments extends DominoArguments {
  readonly name?: string;
}

function addUninstall(writer: Command, context: CommandLineContext, finish: Finish): void {
  const uninstall = writer
    .command('uninstall')
    .description('remove the service that "writer install" has created')
    .option('--name <name>', 'name of the service (default: derived from the data directory)');
  addDominoOptions(uninstall, context)
    .addHelpText(
      'after',
      `
Stop the service first; a running service is removed when it stops. An entry in VssAccessControl stays, because other writers may
run under the same account.

Examples:
  $ net stop "domino-vss writer (CDominodata)"
  $ domino-vss writer uninstall

Exit codes: 0 removed, 1 failed, 2 usage, 4 precondition not met (not Windows, no Domino).
`,
    )
    .action(async (args: UninstallArguments) => {
      const name = await uninstallWriterService(context.loadBinding, { name: args.name, domino: locationOf(args) });
      new Output(context, args.json ?? false).result({ service: name }, () => [`removed the service ${name}`]);
      finish(exitCodes.ok);
    });
}

/** One line for each event. */
function describeEvent(event: WriterEvent, output: Output): string[] {
  const { green, red, yellow } = output.colors;
  const { time } = event;
  switch (event.type) {
    case 'serving':
      return [`${time} serving ${counted(event.databases, 'database')} (${event.components.join(', ')})`];
    case 'begun':
    case 'held':
    case 'thawed':
      return [`${time} ${event.backupId} ${event.type}, snapshot set ${event.setId}`];
    case 'completed': {
      const { outcome, manifest, counts } = event.report;
      const paint = outcome === 'complete' ? green : yellow;
      return [`${time} ${event.backupId} ${paint(outcome)}: ${counted(counts.captured, 'database')}, ${manifest}`];
    }
    case 'failed':
      return [`${time} ${event.backupId} ${red('failed')} ${event.error.code}: ${event.error.message}`];
    case 'restoring':
      return [`${time} a requester restores: ${event.text}`];
    case 'restored':
      return [`${time} ${green('restored')} by a requester: ${event.text}`];
    case 'restore-refused':
    case 'restore-failed':
      return [`${time} ${red(event.type)} ${event.text}`];
    case 'refused':
      return [`${time} ${red('refused')} ${event.error.code}: ${event.error.message}`];
    case 'uninvolved':
      return [`${time} a snapshot without the databases, set ${event.setId}`];
    case 'warning':
      return [`${time} ${yellow('warning')} ${event.error.code}: ${event.error.message}`];
  }
}
