import { printableLines } from '../errors/printable';
import { Command, CommanderError } from 'commander';
import { errorCodes } from '../errors/codes';
import { BackupError, DominoVssError, RestoreError, toPublicError, type DatabaseFailure } from '../errors/errors';
import { readPackageVersion } from '../native/package-root';
import { addBackupCommands } from './backup';
import { addBenchCommand } from './bench';
import { exitCodes, type CommandLineContext } from './context';
import { addDoctorCommand } from './doctor';
import { Output } from './output';
import { addHoldCommands } from './hold';
import { addDrillCommand } from './drill';
import { addRecoverCommand } from './recover';
import { addRehearseCommand } from './rehearse';
import { addRestoreCommand } from './restore';
import { addShadowCommands } from './shadow';
import { addProviderCommands, addWriterCommands } from './writer';
import { logFailure, logSystemFlag, type CommandFailure, type Finish } from './system-log';
import { addScriptCommand, diskshadowOptions } from './script';
import { requireWholeArguments } from './quotation-mark';

/** Runs one command. Answers its exit code; never throws. */
export async function runCommandLine(args: readonly string[], context: CommandLineContext): Promise<number> {
  const work = { isElsewhere: false };
  const relaunch: CommandLineContext['relaunch'] = async (location) => {
    const exitCode = await context.relaunch(location);
    work.isElsewhere = exitCode !== undefined;
    return exitCode;
  };
  const outcome = await runOne(args, { ...context, relaunch });
  // The process that has done the work has told the log as well.
  if (outcome.exitCode !== exitCodes.ok && args.includes(logSystemFlag) && !work.isElsewhere) {
    const [command = '', verb = ''] = args;
    const name = verb.startsWith('-') || command !== 'backup' ? command : `${command} ${verb}`;
    await logFailure(context, { command: name, ...outcome });
  }
  return outcome.exitCode;
}

async function runOne(args: readonly string[], context: CommandLineContext): Promise<Omit<CommandFailure, 'command'>> {
  let exitCode: number = exitCodes.ok;
  let failures: readonly DatabaseFailure[] = [];
  const program = createProgram(context, (code, why = []) => {
    exitCode = code;
    failures = why;
  });
  try {
    requireWholeArguments(args);
    await program.parseAsync([...diskshadowOptions(args)], { from: 'user' });
    return { exitCode, error: undefined, failures };
  } catch (thrown) {
    const json = args.includes('--json');
    const output = new Output(context, json);
    if (thrown instanceof CommanderError) {
      // Commander has already said what is wrong, or printed the help that was asked for.
      const error = usageError(thrown);
      if (thrown.exitCode === 0) return { exitCode: exitCodes.ok, error: undefined, failures };
      if (json) output.error(error);
      return { exitCode: exitCodes.usage, error, failures };
    }
    const error = toPublicError(thrown);
    output.error(error);
    const { code } = error;
    return { exitCode: errorCodes[code].exitCode, error, failures: failuresOf(error) };
  }
}

function failuresOf(error: DominoVssError): readonly DatabaseFailure[] {
  return error instanceof BackupError || error instanceof RestoreError ? error.failures : [];
}

function usageError({ code, message }: CommanderError): DominoVssError {
  const text = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '');
  return new DominoVssError('ERR_OPTION', { message: text });
}

/** The grammar of the command line. */
export function createProgram(context: CommandLineContext, finish: Finish): Command {
  const program = new Command('domino-vss')
    .description('Application-consistent snapshots of HCL Domino servers')
    .version(readPackageVersion())
    .showHelpAfterError('(use --help for more)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(printableLines(text)),
      writeErr: (text) => context.stderr.write(printableLines(text)),
    })
    .addHelpText(
      'after',
      `
Start with:
  $ domino-vss doctor                                  is everything in place?
  $ domino-vss backup run --delta-dir /backup/domino --to /backup/copies
  $ domino-vss backup list --delta-dir /backup/domino
  $ domino-vss restore <backup id> mail/ada.nsf --delta-dir /backup/domino

Exit codes: 0 ok, 1 failed, 2 usage, 3 partial, 4 precondition not met, 5 locked, 130 interrupted.
`,
    );
  addBackupCommands(program, context, finish);
  addHoldCommands(program, context, finish);
  addRehearseCommand(program, context, finish);
  addRestoreCommand(program, context, finish);
  addDrillCommand(program, context, finish);
  addRecoverCommand(program, context, finish);
  addScriptCommand(program, context, finish);
  addBenchCommand(program, context, finish);
  addShadowCommands(program, context, finish);
  addWriterCommands(program, context, finish);
  addProviderCommands(program, context, finish);
  addDoctorCommand(program, context, finish);
  return program;
}
