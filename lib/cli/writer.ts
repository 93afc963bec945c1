import type { Command } from 'commander';
import { isVolumeSupported, listProviders, type VssProvider } from '../vss/providers';
import { listWriters, type Writer } from '../vss/writers';
import { serveWriter } from '../writer/serve';
import type { WriterEvent } from '../writer/events';
import {
  addDeltaDirectory,
  addDominoOptions,
  collect,
  locationOf,
  pathFrom,
  duration,
  wholeNumber,
  type DominoArguments,
} from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { printableJson } from '../errors/printable';
import { count, Output } from './output';

type Finish = (exitCode: number) => void;

interface WriterArguments {
  readonly status?: boolean;
  readonly detailed?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Writers and providers: the other two roles of VSS. */
export function addWriterCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const writer = program
    .command('writer')
    .description('look at the VSS writers of this machine, or serve one for Domino (Windows)');
  addServe(writer, context, finish);
  writer
    .command('list')
    .description('list the writers')
    .option('--status', 'also ask every writer for its state')
    .option('--detailed', 'show the components and files of each')
    .option('--timeout <duration>', 'longest time it may take', duration)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Examples:
  $ domino-vss writer list --status
  $ domino-vss writer list --detailed

Exit codes: 0 all are well or were not asked, 1 failed, 3 some writers have failed.
`,
    )
    .action(async ({ status = false, detailed = false, timeout, json = false }: WriterArguments) => {
      const writers = await listWriters(context.loadBinding, { status, timeoutMs: timeout, signal: context.signal });
      const output = new Output(context, json);
      output.result(writers, () =>
        detailed ? describeEach(writers, status, output) : describe(writers, status, output),
      );
      finish(writers.some(({ failure }) => failure) ? exitCodes.partial : exitCodes.ok);
    });
}

interface ServeArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly required?: readonly string[];
  readonly maxSkipped?: number;
  readonly shards?: number;
  readonly maxHold?: number;
  readonly onFailure?: string;
  readonly signKey?: string;
}

function addServe(writer: Command, context: CommandLineContext, finish: Finish): void {
  const serve = addDeltaDirectory(
    writer.command('serve').description('make every VSS snapshot of the databases a backup, until it is interrupted'),
    'directory for backups',
    context,
  )
    .option('--include <glob>', 'only these databases; may be given several times', collect)
    .option('--exclude <glob>', 'not these databases; may be given several times', collect)
    .option('--required <glob>', 'fail if one of these is left out; may be given several times', collect)
    .option('--max-skipped <n>', 'fail if more databases have to be left out (default: no limit)', wholeNumber)
    .option('--shards <n>', 'threads that put databases into backup mode (default: 4 a processor)', wholeNumber)
    .option('--max-hold <duration>', 'longest time before they leave backup mode by themselves (default: 5m)', duration)
    .option('--on-failure <what>', 'of a snapshot whose backup fails: veto or pass (default: veto)')
    .option('--sign-key <file>', 'sign the manifests with this ed25519 private key (PEM)', pathFrom(context));
  addDominoOptions(serve, context)
    .addHelpText(
      'after',
      `
Registers a VSS writer and serves it until it is interrupted. Whoever takes a snapshot of the volumes of the databases
meanwhile, Windows Server Backup, a backup product, a host, gets a consistent one; its change information and manifest
go to the delta directory. With --json each event is one JSON document on a line of its own.

Examples:
  $ domino-vss writer serve --delta-dir D:\\Backup\\domino
  $ domino-vss writer serve --delta-dir D:\\Backup\\domino --on-failure pass --json

Exit codes: 0 interrupted, 1 failed, 2 usage, 4 precondition not met (not Windows, another writer of Domino), 5 locked.
`,
    )
    .action(async (args: ServeArguments) => {
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
        signKey: args.signKey,
        signal: context.signal,
        onEvent: (event) => {
          if (args.json) context.stdout.write(`${printableJson(JSON.stringify(event))}\n`);
          else output.result(event, () => describeEvent(event, output));
        },
      });
      await served.ended;
      await served.dispose();
      finish(exitCodes.ok);
    });
}

/** One line an event. */
function describeEvent(event: WriterEvent, output: Output): string[] {
  const { green, red, yellow } = output.colors;
  const { time } = event;
  switch (event.type) {
    case 'serving':
      return [`${time} serving ${count(event.databases, 'database')} (${event.components.join(', ')})`];
    case 'begun':
    case 'held':
    case 'thawed':
      return [`${time} ${event.backupId} ${event.type}, snapshot set ${event.setId}`];
    case 'completed': {
      const { outcome, manifest, counts } = event.report;
      const paint = outcome === 'complete' ? green : yellow;
      return [`${time} ${event.backupId} ${paint(outcome)}: ${count(counts.captured, 'database')}, ${manifest}`];
    }
    case 'failed':
      return [`${time} ${event.backupId} ${red('failed')} ${event.error.code}: ${event.error.message}`];
    case 'refused':
      return [`${time} ${red('refused')} ${event.error.code}: ${event.error.message}`];
    case 'uninvolved':
      return [`${time} a snapshot without the databases, set ${event.setId}`];
    case 'warning':
      return [`${time} ${yellow('warning')} ${event.error.code}: ${event.error.message}`];
  }
}

function describe(writers: readonly Writer[], status: boolean, output: Output): string[] {
  if (writers.length === 0) return ['no writers'];
  const failed = writers.filter(({ failure }) => failure);
  return [
    ...output.writerFailures(
      failed.flatMap(({ name, state, failure }) => (failure ? [{ name, state, ...failure }] : [])),
    ),
    ...output.table([
      ['WRITER', 'CLASS ID', ...(status ? ['STATE'] : []), 'COMPONENTS'],
      ...writers.map(({ name, id, state, failure, components }) => [
        name,
        id,
        ...(status ? [failure ? output.colors.red(state) : state] : []),
        String(components.length),
      ]),
    ]),
  ];
}

function describeEach(writers: readonly Writer[], status: boolean, output: Output): string[] {
  return writers.flatMap(({ name, id, instanceId, usage, source, state, components, excludedFiles }, index) => [
    ...(index === 0 ? [] : ['']),
    output.colors.bold(name),
    ...output.table(
      [
        ['  class id', id],
        ['  instance id', instanceId],
        ['  holds', `${usage}, ${source}`],
        ...(status ? [['  state', state]] : []),
        ...components.flatMap((component) => [
          [
            '  component',
            [component.logicalPath, component.name].filter(Boolean).join('\\') +
              (component.selectable ? '' : ' (with its writer only)'),
          ],
          ...component.files.map(({ path, fileSpec, recursive }) => [
            '    files',
            `${path}\\${fileSpec}${recursive ? ' and below' : ''}`,
          ]),
        ]),
        ...excludedFiles.map(({ path, fileSpec }) => ['  not needed', `${path}\\${fileSpec}`]),
      ],
      false,
    ),
  ]);
}

interface ProviderArguments {
  readonly supports?: readonly string[];
  readonly timeout?: number;
  readonly json?: boolean;
}

export function addProviderCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  program
    .command('provider')
    .description('look at the VSS providers of this machine (Windows)')
    .command('list')
    .description('list the providers that can make shadow copies')
    .option('--supports <volume>', 'also tell whether this volume can be shadowed; may be given several times', collect)
    .option('--timeout <duration>', 'longest time it may take', duration)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText(
      'after',
      `
Examples:
  $ domino-vss provider list
  $ domino-vss provider list --supports D: --supports E:

Exit codes: 0 done, 1 failed, 4 a volume cannot be shadowed.
`,
    )
    .action(async ({ supports = [], timeout, json = false }: ProviderArguments) => {
      const options = { timeoutMs: timeout, signal: context.signal };
      const providers = await listProviders(context.loadBinding, options);
      const volumes: { readonly volume: string; readonly supported: boolean }[] = [];
      for (const volume of supports) {
        volumes.push({ volume, supported: await isVolumeSupported(context.loadBinding, { volume, ...options }) });
      }
      const output = new Output(context, json);
      output.result(supports.length === 0 ? providers : { providers, volumes }, () => [
        ...describeProviders(providers, output),
        ...volumes.map(({ volume, supported }) => `${volume} ${supported ? 'can' : 'cannot'} be shadowed`),
      ]);
      finish(volumes.every(({ supported }) => supported) ? exitCodes.ok : exitCodes.precondition);
    });
}

function describeProviders(providers: readonly VssProvider[], output: Output): string[] {
  if (providers.length === 0) return [count(0, 'provider')];
  const rows = providers.map(({ name, type, version, id }) => [name, type, version, id]);
  return output.table([['PROVIDER', 'TYPE', 'VERSION', 'ID'], ...rows]);
}
