import { Command, CommanderError } from 'commander';
import { errorCodes } from '../error-codes';
import { toPublicError } from '../errors';
import { readPackageVersion } from '../package-root';
import { addBackupCommands } from './backup';
import { exitCodes, type CommandLineContext } from './context';
import { addDoctorCommand } from './doctor';
import { Output } from './output';
import { addRehearseCommand } from './rehearse';
import { addRestoreCommand } from './restore';

/** Runs one command. Answers its exit code; never throws. */
export async function runCommandLine(args: readonly string[], context: CommandLineContext): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    // Commander has already said what is wrong, or printed the help that was asked for.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const error = toPublicError(thrown);
    new Output(context, args.includes('--json')).error(error);
    return errorCodes[error.code].exitCode;
  }
}

/** The grammar of the command line. */
export function createProgram(context: CommandLineContext, finish: (exitCode: number) => void): Command {
  const program = new Command('domino-vss')
    .description('Application-consistent snapshots of HCL Domino servers')
    .version(readPackageVersion())
    .showHelpAfterError('(use --help for more)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
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
  addRehearseCommand(program, context, finish);
  addRestoreCommand(program, context, finish);
  addDoctorCommand(program, context, finish);
  return program;
}
