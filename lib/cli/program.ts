import { printable, printableLines } from '../errors/printable';
import { Command, CommanderError, Help, type HelpConfiguration } from 'commander';
import { errorCodes } from '../errors/codes';
import { BackupError, DominoVssError, RestoreError, toPublicError, type DatabaseFailure } from '../errors/errors';
import { readPackageVersion } from '../native/package-root';
import { pathFrom, type UnattendedArguments } from './arguments';
import { addBackupCommands } from './backup';
import { addBenchCommand } from './bench';
import { addCompletionCommand } from './completion';
import { exitCodes, type CommandLineContext } from './context';
import { addDatabasesCommands } from './databases';
import { addDoctorCommand } from './doctor';
import { runFailureCommand } from './failure-command';
import { writeMetrics, type Figure } from './metrics';
import { Output } from './output';
import { addHoldCommands } from './hold';
import { tellLostOutput } from './lost-output';
import { addLogsCommands } from './logs';
import { addDrillCommand } from './drill';
import { addRecoverCommand } from './recover';
import { addRehearseCommand } from './rehearse';
import { addRestoreCommand } from './restore';
import { addShadowCommands } from './shadow';
import { addProviderCommands, addWriterCommands } from './writer';
import { applySettings, nameOf } from './settings';
import { Streams } from './streams';
import { logFailure, type CommandFailure, type Finish } from './system-log';
import { addScriptCommand, diskshadowOptions } from './script';
import { refuseEmptyValues } from './empty-values';
import { requireWholeArguments } from './quotation-mark';
import { trustedProgram } from './trusted-file';
import { columnsOf, usualColumns, wrap, wrapLines, wrapProse } from './width';

/** What is found out about a command while it runs. */
interface Work {
  /** Whether another process does the work. */
  isElsewhere: boolean;
  name: string;
  logSystem: boolean;
  metrics?: string | undefined;
  failureCommand?: string | undefined;
  figures: readonly Figure[];
}

/** Runs one command. Returns its exit code; never throws. */
export async function runCommandLine(args: readonly string[], context: CommandLineContext): Promise<number> {
  const [first = '', second = ''] = args;
  const name = second.startsWith('-') || first !== 'backup' ? first : `${first} ${second}`;
  const work: Work = { isElsewhere: false, name, logSystem: args.includes('--log-system'), figures: [] };
  const startedAt = performance.now();
  const relaunch: CommandLineContext['relaunch'] = async (errand) => {
    const exitCode = await context.relaunch(errand);
    work.isElsewhere = exitCode !== undefined;
    return exitCode;
  };
  const streams = new Streams(context);
  const { stdout, stderr } = streams;
  let outcome = await runOne(args, { ...context, stdout, stderr, relaunch }, streams, work);
  const lost = await context.lostOutput?.();
  const error = lost && tellLostOutput(lost, stderr);
  if (error && outcome.exitCode === exitCodes.ok) outcome = { ...outcome, exitCode: exitCodes.failed, error };
  const exitCode = streams.end(outcome.exitCode, work.isElsewhere);
  // The process that did the work has already sent all notifications.
  if (work.isElsewhere) return exitCode;
  return tellEverybody(work, { ...outcome, command: work.name, exitCode }, performance.now() - startedAt, context);
}

/** On a narrow terminal there is no room beside the longest option, so descriptions are printed below the options. */
function helpOn({ stdout }: CommandLineContext): HelpConfiguration {
  const [least, usual] = [30, new Help().minWidthToWrap];
  return {
    showGlobalOptions: true,
    get minWidthToWrap() {
      return columnsOf(stdout) === undefined ? usual : least;
    },
    formatItem: (term, termWidth, description, helper) => {
      const columns = columnsOf(stdout);
      if (columns === undefined || columns - termWidth - 4 >= least) {
        return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
      }
      return [`  ${term}`, ...wrap(`      ${description}`, columns, { hanging: 0 })].join('\n').trimEnd();
    },
  };
}

/** Commander has arranged its own part, which begins with the usage. What we add below it begins with an empty line. */
function wrapHelp(text: string, columns: number | undefined): string {
  if (text.startsWith('\n')) return wrapProse(text, columns);
  return columns === undefined ? text : wrapLines(text, columns);
}

/** Sends all notifications. Returns the exit code of the command: if the metrics cannot be written, it is not a success. */
async function tellEverybody(
  { metrics, logSystem, failureCommand, figures }: Work,
  end: CommandFailure,
  durationMs: number,
  context: CommandLineContext,
): Promise<number> {
  let { exitCode } = end;
  if (metrics !== undefined) {
    await writeMetrics(metrics, { ...end, durationMs, endedAt: new Date(), figures }).catch((error: unknown) => {
      const { code, message } = toPublicError(error);
      context.stderr.write(`warning ${code}: the metrics were not written: ${printable(message)}\n`);
      if (exitCode === exitCodes.ok) exitCode = exitCodes.failed;
    });
  }
  if (exitCode === exitCodes.ok) return exitCode;
  const failure = { ...end, exitCode };
  if (logSystem) await logFailure(context, failure);
  if (failureCommand !== undefined) await runFailureCommand(failureCommand, failure, context);
  return exitCode;
}

async function runOne(
  args: readonly string[],
  context: CommandLineContext,
  streams: Streams,
  work: Work,
): Promise<Omit<CommandFailure, 'command'>> {
  let exitCode: number = exitCodes.ok;
  let failures: readonly DatabaseFailure[] = [];
  const program = createProgram(context, (code, why = [], figures = []) => {
    exitCode = code;
    failures = why;
    work.figures = figures;
  });
  program.hook('preAction', async (_program, action) => {
    await applySettings(action, context);
    const { quiet = false, json = false, log, logSystem = false, ...told } = action.opts<UnattendedArguments>();
    work.name = nameOf(action);
    work.logSystem = logSystem;
    work.metrics = told.metrics;
    const { failureCommand: program } = told;
    work.failureCommand = program && (await trustedProgram('failure-command', program, context));
    // A script writes its own log, in the format of diskshadow.
    if (work.name !== 'script') streams.begin({ command: work.name, quiet, json, log });
  });
  try {
    requireWholeArguments(args);
    await program.parseAsync([...diskshadowOptions(args)], { from: 'user' });
    return { exitCode, error: undefined, failures };
  } catch (thrown) {
    const json = args.includes('--json');
    const output = new Output(context, json);
    if (thrown instanceof CommanderError) {
      // Commander has already printed the error, or the requested help.
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
    .option('--config <file>', 'configuration file (default: that of this machine, if there is one)', pathFrom(context))
    .option('--no-config', 'use no configuration file')
    .configureHelp(helpOn(context))
    .helpCommand(false)
    .showHelpAfterError('(use --help for more)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(wrapHelp(printableLines(text), columnsOf(context.stdout))),
      getOutHelpWidth: () => columnsOf(context.stdout) ?? usualColumns,
      getErrHelpWidth: () => columnsOf(context.stderr) ?? usualColumns,
      writeErr: (text) => context.stderr.write(printableLines(text)),
    })
    .addHelpText(
      'after',
      `
Start with:
  $ domino-vss doctor                                  is everything ready?
  $ domino-vss backup run --delta-dir /backup/domino --to /backup/copies
  $ domino-vss backup list --delta-dir /backup/domino
  $ domino-vss restore <backup id> mail/ada.nsf --delta-dir /backup/domino

A <duration> is a number of seconds, or has a unit: 500ms, 90s, 5m, 2h, 1d. Most options can also be set by an environment
variable, such as DOMINO_VSS_DELTA_DIR for --delta-dir, or in the configuration file.

Exit codes: 0 success, 1 failed, 2 usage, 3 partial, 4 precondition not met, 5 locked, 130 interrupted.
`,
    );
  addBackupCommands(program, context, finish);
  addDatabasesCommands(program, context, finish);
  addHoldCommands(program, context, finish);
  addRehearseCommand(program, context, finish);
  addRestoreCommand(program, context, finish);
  addDrillCommand(program, context, finish);
  addLogsCommands(program, context, finish);
  addRecoverCommand(program, context, finish);
  addScriptCommand(program, context, finish);
  addBenchCommand(program, context, finish);
  addShadowCommands(program, context, finish);
  addWriterCommands(program, context, finish);
  addProviderCommands(program, context, finish);
  addDoctorCommand(program, context, finish);
  addCompletionCommand(program, context, finish, (other) => createProgram(other, finish));
  addHelpCommand(program);
  refuseEmptyValues(program);
  return program;
}

/** `help backup run`: the help command of commander accepts only one word. */
function addHelpCommand(program: Command): void {
  program
    .command('help')
    .description('display help for a command')
    .argument('[command...]', 'such as: backup run')
    .addHelpText('after', '\nExample:\n  $ domino-vss help backup run\n')
    .action((names: readonly string[]) => {
      let command = program;
      for (const name of names) {
        const next = command.commands.find((each) => each.name() === name || each.aliases().includes(name));
        if (next === undefined) program.error(`error: there is no command '${names.join(' ')}'`);
        command = next;
      }
      command.help();
    });
}
