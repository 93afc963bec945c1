import type { Command } from 'commander';
import { announceDeadline } from '../call/call';
import { withFile } from '../call/files';
import { closeSync, fstatSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { counted } from '../errors/counted';
import { AbortError, OptionError, toPublicError, type DominoVssError } from '../errors/errors';
import { readPackageVersion } from '../native/package-root';
import type { ScriptEvent } from '../script/events';
import { formatTime } from '../script/listing';
import { exitCodeOf, type ScriptProblem } from '../script/problem';
import { runPrompt } from '../script/prompt';
import { PlanningTarget } from '../script/planning-target';
import { runScript, type RunScriptOptions } from '../script/run-script';
import { onlyPlanned } from '../script/run-statements';
import { stateDirectory } from '../store/state-directory';
import { printable, printableJson } from '../errors/printable';
import { describeEvent, describeProblem } from '../script/text';
import { VssTarget } from '../script/vss-target';
import { addDominoOptions, locationOf, pathFrom, type DominoArguments } from './arguments';
import { exitCodes, type CommandLineContext } from './context';
import { openLog } from './log-file';
import { ProgressBar } from './progress-bar';
import type { Finish } from './system-log';

interface ScriptArguments extends DominoArguments {
  readonly script?: string;
  readonly log?: string;
  readonly check?: boolean;
  readonly keepGoing?: boolean;
  readonly withDomino?: boolean;
}

export function addScriptCommand(program: Command, context: CommandLineContext, finish: Finish): void {
  const command = program
    .command('script')
    .description('run a diskshadow script, or commands as you type them')
    .argument('[file]', 'script file; without one, commands are read from standard input, at a terminal from a prompt')
    // As diskshadow is called: `-s FILE`, `/s FILE` and `/l LOG` also arrive here.
    .argument('[more...]', 'the same with the options of diskshadow: /s FILE, /l LOG')
    .option('-s, --script <file>', 'script file', pathFrom(context))
    .option('-l, --log <file>', 'also write everything to this file', pathFrom(context))
    .option('--check', 'only show what would be done, on any system; nothing is touched and nothing is run')
    .option('--keep-going', 'continue after a command that is wrong or fails')
    .option('--with-domino', 'put the databases of the Domino server into backup mode for create');
  addDominoOptions(command, context)
    .addHelpText(
      'after',
      `
The whole script is read and rehearsed first, without touching anything. If a line is wrong, nothing is done. Each message names
the file, line and column. With --json each event is a JSON document on one line. For the commands see docs/scripts.md, or type
"help" at the prompt.

Examples:
  See what a script would do, on any system:
  $ domino-vss script --check backup_start.txt

  Run it as diskshadow would:
  $ domino-vss script -s backup_start.txt -l backup.log

  The same script as a consistent backup of Domino, unchanged:
  $ domino-vss script backup_start.txt --with-domino

Exit codes: 0 done, 1 a command failed, 2 the script is wrong, 3 databases were skipped, 4 precondition not met,
5 locked, 130 interrupted.
`,
    )
    .action(async (file: string | undefined, more: readonly string[], options: ScriptArguments) => {
      const args = withSlashes(file === undefined ? [] : [file, ...more], options, context);
      if (args.withDomino && args.check !== true) {
        // Its journals are next to the metadata that it names; the process that runs it reports where that is.
        const relaunched = await context.relaunch({
          domino: locationOf(args),
          loadsDomino: true,
          changes: true,
          readsInput: args.script === undefined,
        });
        if (relaunched !== undefined) {
          finish(relaunched);
          return;
        }
      }
      // What a script runs with EXEC has no time limit.
      announceDeadline(2 ** 31 - 1);
      const printer = new Printer(context, args.json ?? false, args.log);
      try {
        const { script } = args;
        const code =
          script === undefined
            ? await runInput(args, context, printer)
            : await run(args, context, printer, { file: script });
        finish(printer.exitCode(code));
      } catch (thrown) {
        printer.failed(toPublicError(thrown));
        throw thrown;
      } finally {
        printer.close();
      }
    });
}

/**
 * Accepts options in the style of diskshadow, in any letter case: `-S`, `/log`, `/?`. Those that commander would misread are
 * changed into words for {@link withSlashes}.
 */
export function diskshadowOptions(args: readonly string[]): readonly string[] {
  if (args[0] !== 'script') return args;
  return args.map((word) => {
    if (/^[-/]\?$/.test(word)) return '--help';
    if (/^\/s$|^-S$/i.test(word) && word !== '-s') return '/s';
    return /^\/l$|^[-/]log$|^-L$/i.test(word) && word !== '-l' ? '/l' : word;
  });
}

/** The file may be named by itself, with `-s`, or as in `diskshadow /s FILE /l LOG`. */
function withSlashes(words: readonly string[], options: ScriptArguments, context: CommandLineContext): ScriptArguments {
  const resolve = pathFrom(context);
  let { script, log } = options;
  for (let index = 0; index < words.length; ++index) {
    const word = words[index] ?? '';
    const option = /^\/([sl])$/i.exec(word)?.[1]?.toLowerCase();
    const value = option === undefined ? word : words[++index];
    if (value === undefined) throw new OptionError(word, `a file is missing after ${word}`);
    if (option === 'l' ? log !== undefined : script !== undefined) {
      throw new OptionError('script', `"${value}" is one file too many`);
    }
    if (option === 'l') log = resolve(value);
    else script = resolve(value);
  }
  return { ...options, ...(script !== undefined && { script }), ...(log !== undefined && { log }) };
}

async function run(
  args: ScriptArguments,
  context: CommandLineContext,
  printer: Printer,
  source: RunScriptOptions['script'],
): Promise<number> {
  const { check = false, keepGoing = false, withDomino = false } = args;
  const report = await runScript(context.loadBinding, {
    script: source,
    check,
    keepGoing,
    domino: withDomino && locationOf(args),
    workingDirectory: context.workingDirectory,
    env: context.env,
    signal: context.signal,
    onEvent: printer.listener,
  });
  printer.say(describeEnd(report.commands, report.problems, check));
  return report.exitCode;
}

function describeEnd(commands: number, problems: readonly ScriptProblem[], check: boolean): string {
  const done = `${counted(commands, 'command')} ${check ? 'would be run' : 'done'}`;
  return problems.length === 0 ? done : `${done}, ${counted(problems.length, 'problem')}`;
}

/**
 * Commands from a terminal are run one by one as they arrive; so are those from a pipe, whose other end may wait for the result
 * of one before it writes the next. A file, and any input that is only checked, is read to its end like a script.
 */
async function runInput(args: ScriptArguments, context: CommandLineContext, printer: Printer): Promise<number> {
  const { check = false } = args;
  const input = context.stdin ?? process.stdin;
  const isTerminal = input.isTTY === true && context.stdout.isTTY === true;
  if (!isTerminal && (check || isFile(input))) {
    const name = '(standard input)';
    return run(args, context, printer, { text: await readAll(input, context.signal), name });
  }
  return prompt(args, context, printer, { input, isTerminal });
}

/** Reads to the end, unless interrupted: the other end of a pipe may never close it. */
async function readAll(input: NodeJS.ReadableStream, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const interrupted = (): void => {
    (input as NodeJS.ReadableStream & { destroy(): void }).destroy();
  };
  signal.addEventListener('abort', interrupted);
  if (signal.aborted) interrupted();
  try {
    for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', interrupted);
  }
  if (signal.aborted) throw new AbortError(signal.reason);
  return Buffer.concat(chunks);
}

function isFile(input: NodeJS.ReadableStream & { readonly fd?: number }): boolean {
  return input.fd !== undefined && fstatSync(input.fd).isFile();
}

/** Reads commands until `exit` or the end of the input. */
async function prompt(
  args: ScriptArguments,
  context: CommandLineContext,
  printer: Printer,
  { input, isTerminal }: { readonly input: NodeJS.ReadableStream; readonly isTerminal: boolean },
): Promise<number> {
  const { loadBinding, workingDirectory, env, signal } = context;
  const { check = false, keepGoing = false } = args;
  const domino = args.withDomino ? locationOf(args) : undefined;
  const emit = check ? onlyPlanned(printer.listener) : printer.listener;
  const options = { loadBinding, workingDirectory, domino, stateDirectory: stateDirectory(env), env, signal };
  const target = check ? new PlanningTarget(emit, workingDirectory) : await VssTarget.open(options);
  const title = `domino-vss ${readPackageVersion()} script prompt, on ${hostname()}, ${formatTime(new Date())}`;
  const about = check
    ? 'only shows what would be done; nothing is touched and nothing is run'
    : 'help lists the commands, exit ends.';
  printer.say(`${title}\n${about}\n`);
  const problems = await runPrompt({
    input,
    output: isTerminal ? process.stdout : undefined,
    target,
    env,
    signal,
    isCheck: check,
    stopAtFailure: !isTerminal && !keepGoing,
    emit,
  });
  // At a terminal the user has seen each failure; commands from a file or program count as a script.
  return isTerminal ? 0 : exitCodeOf(problems);
}

/** Prints events as text, or as one JSON document per line, and to the log as text. */
class Printer {
  readonly #context: CommandLineContext;
  readonly #json: boolean;
  readonly #bar: ProgressBar;
  /** Written without buffering: what a script has done must be known even if the machine crashes. */
  readonly #log: number | undefined;
  readonly #logFile: string;
  #logError: DominoVssError | undefined;

  constructor(context: CommandLineContext, json: boolean, log: string | undefined) {
    this.#context = context;
    this.#json = json;
    this.#bar = new ProgressBar(context, json);
    this.#logFile = log ?? '';
    this.#log = log === undefined ? undefined : openLog(log);
    this.#write(`domino-vss ${readPackageVersion()} script on ${hostname()}, ${formatTime(new Date())}`);
  }

  readonly listener = (event: ScriptEvent): void => {
    if (event.type === 'progress') this.#bar.listener(event.progress);
    else this.#bar.end();
    const text = describeEvent(event);
    if (text !== undefined) this.#write(text);
    if (this.#json) this.#context.stdout.write(`${printableJson(JSON.stringify(event))}\n`);
    else if (event.type === 'problem') this.#context.stderr.write(`${describeProblem(event)}\n`);
    else if (event.type === 'output') this.#context.stdout.write(event.text);
    else if (text !== undefined) this.#context.stdout.write(`${text}\n`);
  };

  /** Text that is only for people. */
  say(text: string): void {
    this.#write(text);
    if (!this.#json) this.#context.stdout.write(`${text}\n`);
  }

  /** An error that ends the command. The caller prints it, but the log must contain it too. */
  failed({ code, message, leftBehind }: DominoVssError): void {
    this.#write(`failed ${code}: ${message}`);
    if (leftBehind)
      this.#write(`not everything could be rolled back: ${leftBehind.message}\n  what to do: ${leftBehind.hint}`);
  }

  close(): void {
    this.#bar.end();
    if (this.#log !== undefined) closeSync(this.#log);
  }

  /** A script must not stop because its log cannot be written any more: its clean-up has to be done. */
  #write(text: string): void {
    if (this.#log === undefined || this.#logError) return;
    try {
      writeSync(this.#log, `${text}\n`);
    } catch (error) {
      this.#logError = toPublicError(withFile(error, this.#logFile));
      const { code, message } = this.#logError;
      this.#context.stderr.write(`warning ${code}: the log is not complete: ${printable(message)}\n`);
    }
  }

  /** The exit code of the command: with an incomplete log it is not a success. */
  exitCode(code: number): number {
    return code === 0 && this.#logError ? exitCodes.failed : code;
  }
}
