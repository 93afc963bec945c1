import type { Command } from 'commander';
import { isVolumeSupported, listProviders, type VssProvider } from '../vss/providers';
import { listWriters, type Writer } from '../vss/writers';
import { collect, duration } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { Output } from './output';
import type { Finish } from './system-log';
import { addServeCommands } from './writer-serve';
import { counted } from '../errors/counted';

interface WriterArguments {
  readonly status?: boolean;
  readonly detailed?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Commands for writers and providers, the other two roles of VSS. */
export function addWriterCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const writer = program
    .command('writer')
    .description('look at the VSS writers of this machine, or serve one for Domino (Windows)');
  addServeCommands(writer, context, finish);
  writer
    .command('list')
    .description('list the writers')
    .option('--status', 'also ask every writer for its state')
    .option('--detailed', 'show the components and files of each')
    .option('--timeout <duration>', 'time limit (default: 2m)', duration)
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
        ['  contains', `${usage}, ${source}`],
        ...(status ? [['  state', state]] : []),
        ...components.flatMap((component) => [
          [
            '  component',
            [component.logicalPath, component.name].filter(Boolean).join('\\') +
              (component.selectable ? '' : ' (only with its whole writer)'),
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
    .option('--supports <volume>', 'also show whether this volume can be shadowed; can be repeated', collect)
    .option('--timeout <duration>', 'time limit (default: 2m)', duration)
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
  if (providers.length === 0) return [counted(0, 'provider')];
  const rows = providers.map(({ name, type, version, id }) => [name, type, version, id]);
  return output.table([['PROVIDER', 'TYPE', 'VERSION', 'ID'], ...rows]);
}
