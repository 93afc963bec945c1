import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import { Call } from '../call/call';
import { readFile } from '../call/files';
import { counted } from '../errors/counted';
import { OptionError } from '../errors/errors';
import { exposeShadow, unexposeShadow } from '../vss/exposure';
import { breakSnapshotSet, importShadows } from '../vss/hardware-sets';
import type { ListedShadow } from '../vss/listed-shadow';
import { findMountPoints } from '../vss/mount-points';
import { queryRevertStatus, revertToShadow } from '../vss/revert';
import { deleteShadows, listShadows, type ShadowSelector } from '../vss/shadows';
import { isGuid } from '../vss/windows-names';
import { locationOf, pathFrom, placeFrom, duration } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { inFlags } from './flags';
import { formatTime, Output } from './output';
import type { Finish } from './system-log';

/** Options that all these commands have. */
interface CommonArguments {
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Texts for the help of a command. */
interface Help {
  readonly text?: string;
  readonly examples: readonly string[];
  /** Default of `--timeout`. */
  readonly usualTimeout?: string;
}

function withCommonOptions(command: Command, { text, examples, usualTimeout = '2m' }: Help): Command {
  const about = text === undefined ? '' : `\n${text}\n`;
  const list = examples.map((example) => `  $ domino-vss shadow ${example}\n`).join('');
  return command
    .option('--timeout <duration>', `time limit (default: ${usualTimeout})`, duration)
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', `${about}\n${examples.length > 1 ? 'Examples' : 'Example'}:\n${list}`);
}

export function addShadowCommands(program: Command, context: CommandLineContext, finish: Finish): void {
  const shadow = program
    .command('shadow')
    .description('administer the shadow copies of this machine (Windows; without Domino)')
    .addHelpText('after', '\nEach command has its own help: domino-vss shadow delete --help\n');
  addList(shadow, context, finish);
  addExpose(shadow, context, finish);
  addUnexpose(shadow, context, finish);
  addDelete(shadow, context, finish);
  addBreak(shadow, context, finish);
  addImport(shadow, context, finish);
  addRevert(shadow, context, finish);
  addRevertStatus(shadow, context, finish);
}

function common(
  { timeout }: CommonArguments,
  { signal }: CommandLineContext,
): { timeoutMs?: number; signal: AbortSignal } {
  return { signal, ...(timeout !== undefined && { timeoutMs: timeout }) };
}

const deltaDirectoryText = 'delta directory: shadows of its backups count as ours, as do those of scripts';

function addList(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const list = shadow
    .command('list')
    .description('list the shadow copies, oldest first')
    .option('--volume <volume>', 'only those of this volume: D:, a mount point, or any file on it')
    .option('--delta-dir <dir>', deltaDirectoryText, pathFrom(context))
    .option('--detailed', 'show all details');
  withCommonOptions(list, { examples: ['list', 'list --volume D: --detailed'] }).action(
    async (args: CommonArguments & { volume?: string; deltaDir?: string; detailed?: boolean }) => {
      const { volume, deltaDir, json = false, detailed = false } = args;
      const options = { volume, deltaDirectory: deltaDir, ...common(args, context) };
      const shadows = await listShadows(context.loadBinding, options);
      const output = new Output(context, json);
      const names = json ? new Map<string, string>() : await mountPointsOf(shadows, context);
      output.result(shadows, () =>
        detailed ? describeEach(shadows, names, output) : describe(shadows, names, output),
      );
      finish(exitCodes.ok);
    },
  );
}

/** Users know volumes by their drive letters. */
function mountPointsOf(
  shadows: readonly ListedShadow[],
  { loadBinding, signal }: CommandLineContext,
): Promise<ReadonlyMap<string, string>> {
  const call = new Call({ signal, timeoutMs: 30_000, phase: 'shadow' });
  return findMountPoints(
    loadBinding(),
    shadows.map(({ volume }) => volume),
    call,
  );
}

function describe(shadows: readonly ListedShadow[], names: ReadonlyMap<string, string>, output: Output): string[] {
  if (shadows.length === 0) return ['no shadow copies'];
  const rows = shadows.map(({ id, volume, created, context, exposedAs, own }) => [
    id,
    names.get(volume.toLowerCase()) ?? volume,
    formatTime(created),
    context ?? '(unknown)',
    exposedAs === '' ? '-' : exposedAs,
    own ? 'yes' : 'no',
  ]);
  return output.table([['ID', 'VOLUME', 'MADE', 'CONTEXT', 'EXPOSED AS', 'OURS'], ...rows]);
}

function describeEach(shadows: readonly ListedShadow[], names: ReadonlyMap<string, string>, output: Output): string[] {
  if (shadows.length === 0) return ['no shadow copies'];
  return shadows.flatMap((shadow, index) => {
    const drive = names.get(shadow.volume.toLowerCase());
    const exposed = shadow.exposedPath === '' ? shadow.exposedAs : `${shadow.exposedAs} (${shadow.exposedPath})`;
    return [
      ...(index === 0 ? [] : ['']),
      ...output.table(
        [
          ['shadow', output.colors.bold(shadow.id)],
          ['set', `${shadow.setId}, ${counted(shadow.setCount, 'shadow')}`],
          ['volume', drive === undefined ? shadow.volume : `${drive} (${shadow.volume})`],
          ['made', `${formatTime(shadow.created)} on ${shadow.originatingMachine}`],
          ['root', shadow.root],
          ['exposed as', exposed === '' ? '-' : exposed],
          ['context', shadow.context ?? '(unknown)'],
          ['attributes', shadow.attributes.join(', ')],
          ['state', shadow.state],
          ['provider', shadow.providerId],
          ['ours', shadow.own ? 'yes' : 'no'],
        ],
        false,
      ),
    ];
  });
}

function addExpose(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const expose = shadow
    .command('expose')
    .description('expose a persistent shadow copy as a drive letter, a directory, or a share')
    .argument('<id>', 'the shadow')
    .argument('<place>', 'a free drive letter (B:), or an existing empty directory; with --share the name of a share')
    .option('--share', 'expose it as a file share')
    .option('--directory <dir>', 'with --share: only this directory of the shadow');
  withCommonOptions(expose, {
    examples: ['expose {3f2a…} B:', 'expose {3f2a…} C:\\mnt\\yesterday', 'expose {3f2a…} yesterday --share'],
  }).action(async (id: string, place: string, args: CommonArguments & { share?: boolean; directory?: string }) => {
    const { share = false, directory, json = false } = args;
    if (directory !== undefined && !share) throw new OptionError('directory', 'directory needs --share');
    const as = share ? { share: place, directory } : placeFrom(context, place);
    const exposedAs = await exposeShadow(context.loadBinding, { id, as, ...common(args, context) });
    new Output(context, json).result({ id, exposedAs }, () => [`exposed as ${exposedAs}`]);
    finish(exitCodes.ok);
  });
}

function addUnexpose(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const unexpose = shadow
    .command('unexpose')
    .description('remove the drive letter, directory or share of a shadow copy; the shadow is kept')
    .argument('<shadow>', 'id of the shadow, or the place where it is exposed');
  withCommonOptions(unexpose, { examples: ['unexpose B:', 'unexpose {3f2a…}'] }).action(
    async (name: string, args: CommonArguments) => {
      const selector = isGuid(name) ? ({ by: 'id', id: name } as const) : ({ by: 'exposed', as: name } as const);
      await unexposeShadow(context.loadBinding, { ...selector, ...common(args, context) });
      new Output(context, args.json ?? false).result({ unexposed: name }, () => [`${name} is no longer exposed`]);
      finish(exitCodes.ok);
    },
  );
}

interface DeleteArguments extends CommonArguments {
  readonly id?: string;
  readonly set?: string;
  readonly volume?: string;
  readonly oldest?: string;
  readonly exposed?: string;
  readonly all?: boolean;
  readonly deltaDir?: string;
  readonly ownOnly?: boolean;
  readonly foreign?: boolean;
}

function addDelete(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const remove = shadow
    .command('delete')
    .description('delete shadow copies')
    .option('--id <id>', 'one shadow')
    .option('--set <id>', 'all shadows of a snapshot set')
    .option('--volume <volume>', 'all shadows of a volume: D:, a mount point, or any file on it')
    .option('--oldest <volume>', 'the oldest shadow of a volume')
    .option('--exposed <place>', 'the shadow exposed at a drive letter, directory or share')
    .option('--all', 'all shadows of this machine')
    .option('--delta-dir <dir>', deltaDirectoryText, pathFrom(context))
    .addOption(new Option('--own-only', 'do not delete shadows of other programs').conflicts('foreign'))
    .option('--foreign', 'also delete shadows of other programs');
  withCommonOptions(remove, {
    text:
      'Exactly one of the first six options selects the shadows. If the selection includes shadows of other programs, they are\n' +
      'named and nothing is deleted, unless you add --own-only or --foreign. Our own shadows are those of the backups in\n' +
      '--delta-dir and those that scripts have made.\n\n' +
      'Exit codes: 0 deleted or not there, 1 failed, 3 some could not be deleted, 4 refused because of foreign shadows.',
    examples: ['delete --exposed B: --delta-dir E:\\delta', 'delete --volume D: --delta-dir E:\\delta --own-only'],
  }).action(async (args: DeleteArguments) => {
    const report = await deleteShadows(context.loadBinding, {
      ...selectorOf(args),
      deltaDirectory: args.deltaDir,
      foreign: args.foreign ? 'delete' : args.ownOnly ? 'keep' : 'refuse',
      ...common(args, context),
    });
    const output = new Output(context, args.json ?? false);
    output.result(report, () => [
      ...report.failures.map(
        ({ shadow: { id }, error }) => `${output.colors.red(id)}  ${error.message}: ${inFlags(error.hint)}`,
      ),
      ...report.kept.map(({ id, volume }) => `kept ${id} of ${volume}, which is not ours`),
      ...report.deleted.map(({ id, volume }) => `deleted ${id} of ${volume}`),
      `${counted(report.deleted.length, 'shadow')} deleted`,
    ]);
    finish(report.failures.length === 0 ? exitCodes.ok : exitCodes.partial);
  });
}

function selectorOf({ id, set, volume, oldest, exposed, all }: DeleteArguments): ShadowSelector {
  const selectors: ShadowSelector[] = [
    ...(id === undefined ? [] : [{ by: 'id', id } as const]),
    ...(set === undefined ? [] : [{ by: 'set', setId: set } as const]),
    ...(volume === undefined ? [] : [{ by: 'volume', volume } as const]),
    ...(oldest === undefined ? [] : [{ by: 'oldest', volume: oldest } as const]),
    ...(exposed === undefined ? [] : [{ by: 'exposed', as: exposed } as const]),
    ...(all ? [{ by: 'all' } as const] : []),
  ];
  const [selector] = selectors;
  if (selector && selectors.length === 1) return selector;
  const message = 'name exactly one of --id, --set, --volume, --oldest, --exposed and --all';
  throw new OptionError('selector', message);
}

function addBreak(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const command = shadow
    .command('break')
    .description('turn the shadows of a set into ordinary disks (hardware providers only)')
    .argument('<set>', 'id of the snapshot set')
    .option('--writable', 'the disks become writable')
    .option('--mask', 'the disks are hidden from this machine')
    .addOption(
      new Option('--revert-identity <which>', 'disks get the identity of the originals').choices(['all', 'none']),
    );
  withCommonOptions(command, { examples: ['break {9c41…} --writable'] }).action(
    async (
      setId: string,
      args: CommonArguments & { writable?: boolean; mask?: boolean; revertIdentity?: 'all' | 'none' },
    ) => {
      const { writable, mask, revertIdentity, json = false } = args;
      const options = { setId, writable, mask, revertIdentity, ...common(args, context) };
      await breakSnapshotSet(context.loadBinding, options);
      new Output(context, json).result({ setId }, () => [`broke the set ${setId}: its disks no longer belong to VSS`]);
      finish(exitCodes.ok);
    },
  );
}

function addImport(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const command = shadow
    .command('import')
    .description('import a transportable set (hardware providers, server editions of Windows)')
    .argument('<document>', 'Backup Components Document that was saved with the set: components.xml');
  withCommonOptions(command, { examples: ['import E:\\delta\\20260807T101530Z-3f9a2c\\vss\\components.xml'] }).action(
    async (file: string, args: CommonArguments) => {
      const document = await readFile(resolve(context.workingDirectory, file), 'utf8');
      const shadows = await importShadows(context.loadBinding, { document, ...common(args, context) });
      const output = new Output(context, args.json ?? false);
      output.result(shadows, () => describe(shadows, new Map(), output));
      finish(exitCodes.ok);
    },
  );
}

interface RevertArguments extends CommonArguments {
  readonly deltaDir?: string;
  readonly ini?: string;
  readonly dominoIsStopped?: boolean;
  readonly forceDismount?: boolean;
}

function addRevert(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const command = shadow
    .command('revert')
    .description('revert a whole volume to a shadow copy (server editions of Windows)')
    .argument('<id>', 'the shadow')
    .option('--delta-dir <dir>', 'delta directory, which must not be on the volume', pathFrom(context))
    .option('--ini <file>', 'notes.ini of the server (default: found automatically)', pathFrom(context))
    .option('--domino-is-stopped', 'confirms that the Domino server with data on the volume is stopped')
    .option('--force-dismount', 'close all open files on the volume');
  withCommonOptions(command, {
    text:
      'Everything written to the volume since then is lost, and a revert cannot be stopped. A volume is refused if it contains\n' +
      'databases, transaction logs or DAOS objects of a Domino server that may be running, the delta directory, or the\n' +
      'journals of scripts.\n\n' +
      'Exit codes: 0 reverted, 1 failed or refused, 3 still running when the time limit was reached (see revert-status).',
    examples: ['revert {3f2a…} --delta-dir E:\\delta --domino-is-stopped'],
    usualTimeout: '1h',
  }).action(async (id: string, args: RevertArguments) => {
    const { deltaDir, ini, dominoIsStopped, forceDismount, json = false } = args;
    const domino = ini === undefined ? undefined : locationOf({ ini });
    const options = { id, deltaDirectory: deltaDir, domino, dominoIsStopped, forceDismount };
    const report = await revertToShadow(context.loadBinding, { ...options, ...common(args, context) });
    new Output(context, json).result(report, () => [
      report.finished ? `${report.volume} was reverted to ${id}` : `${report.volume} is still being reverted to ${id}`,
    ]);
    finish(report.finished ? exitCodes.ok : exitCodes.partial);
  });
}

function addRevertStatus(shadow: Command, context: CommandLineContext, finish: Finish): void {
  const command = shadow
    .command('revert-status')
    .description('show whether a volume is still being reverted')
    .argument('<volume>', 'D:, a mount point, or any file on it');
  withCommonOptions(command, { examples: ['revert-status D:'] }).action(
    async (volume: string, args: CommonArguments) => {
      const status = await queryRevertStatus(context.loadBinding, { volume, ...common(args, context) });
      new Output(context, args.json ?? false).result(status, () => [
        status.finished ? `no revert of ${volume} is running` : `${volume} is still being reverted`,
      ]);
      finish(exitCodes.ok);
    },
  );
}
