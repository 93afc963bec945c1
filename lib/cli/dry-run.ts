import { findDatabases } from '../domino/databases';
import { runDoctor } from '../doctor/doctor';
import { OptionError } from '../errors/errors';
import type { ProviderName } from '../backup/provider';
import { locationOf, type DominoArguments } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { describeSelection } from './databases';
import { describeReport } from './doctor';
import { Output } from './output';

interface DryRunArguments extends DominoArguments {
  readonly deltaDir: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly required?: readonly string[];
  readonly provider: ProviderName;
  readonly shadowDir?: string;
  readonly source: 'domino' | 'volumes';
  readonly stopService?: string;
}

/**
 * Shows which databases a backup would include and, with the checks of the doctor, whether its preconditions are met. Returns the
 * exit code. No database is opened.
 */
export async function runDryRun(args: DryRunArguments, context: CommandLineContext): Promise<number> {
  if (args.source === 'volumes' || args.stopService !== undefined) {
    throw new OptionError('dryRun', '--dry-run is for backups with the backup API of Domino');
  }
  const domino = locationOf(args);
  const { include, exclude, required } = args;
  const { signal } = context;
  const databases = await findDatabases(context.loadBinding, { domino, include, exclude, required, signal });
  const doctor = await runDoctor(context.loadBinding, {
    domino,
    deltaDirectory: args.deltaDir,
    shadowDirectory: args.shadowDir,
    provider: args.provider,
    signal,
  });
  const { unmetRequired } = databases;
  const output = new Output(context, args.json ?? false);
  output.result({ databases, doctor }, () => [
    ...describeReport(doctor, output),
    '',
    ...describeSelection(databases, output),
    ...unmetRequired.map((glob) => `${output.colors.red('failed')} --required ${glob} matches nothing`),
    'Nothing was backed up: this was a dry run.',
  ]);
  if (doctor.outcome === 'failed') return exitCodes.precondition;
  return unmetRequired.length > 0 ? exitCodes.failed : exitCodes.ok;
}
