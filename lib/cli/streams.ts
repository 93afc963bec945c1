import { closeSync, writeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { toPublicError, type DominoVssError } from '../errors/errors';
import { printable } from '../errors/printable';
import { exitCodes, type CommandLineContext, type TextSink } from './context';
import { openLog } from './log-file';

export interface StreamsOptions {
  /** Name of the command in the log, for example `backup run`. */
  readonly command: string;
  /** Whether nothing is shown if the command succeeds. */
  readonly quiet: boolean;
  /** File to which everything is also appended. */
  readonly log?: string | undefined;
  readonly json: boolean;
}

/**
 * Where the text of a command goes: to the terminal, additionally to a log file, or nowhere until something is known to be wrong.
 * The destination is known only after the options have been read, but commander may already have written something.
 */
export class Streams {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly #context: CommandLineContext;
  #options: StreamsOptions = { command: '', quiet: false, json: false };
  #log: number | undefined;
  #logError: DominoVssError | undefined;
  #begun = false;
  #held: string[] | undefined;

  constructor(context: CommandLineContext) {
    this.#context = context;
    this.stdout = this.#sink(context.stdout, (text) => {
      // A machine gets the document it asked for, however the command ends.
      if (this.#held) this.#held.push(text);
      else context.stdout.write(text);
    });
    this.stderr = this.#sink(context.stderr, (text) => context.stderr.write(text));
  }

  /** @throws {@link DominoVssError} if the log cannot be opened, before anything is done. */
  begin(options: StreamsOptions): void {
    this.#options = options;
    if (options.quiet && !options.json) this.#held = [];
    if (options.log !== undefined) this.#log = openLog(options.log);
  }

  /** Returns the exit code of the command: with an incomplete log it is not a success. */
  end(exitCode: number, isElsewhere: boolean): number {
    if (exitCode !== exitCodes.ok) for (const text of this.#held ?? []) this.#context.stdout.write(text);
    this.#held = undefined;
    if (this.#log === undefined) return exitCode;
    // The process that did the work has written its own lines.
    if (!isElsewhere || this.#begun) this.#record(`ended with exit code ${exitCode}`);
    closeSync(this.#log);
    this.#log = undefined;
    return exitCode === exitCodes.ok && this.#logError ? exitCodes.failed : exitCode;
  }

  #sink(real: TextSink, write: (text: string) => void): TextSink {
    const isQuiet = (): boolean => this.#options.quiet;
    return {
      write: (text) => {
        if (this.#log !== undefined) for (const line of text.trimEnd().split('\n')) this.#record(line);
        write(text);
      },
      get isTTY() {
        return real.isTTY === true && !isQuiet();
      },
      get columns() {
        return real.columns ?? 0;
      },
      terminal: real as unknown as NodeJS.WritableStream,
    };
  }

  #record(line: string): void {
    if (!this.#begun) {
      this.#begun = true;
      this.#append(`domino-vss ${this.#options.command}, process ${process.pid}`);
    }
    this.#append(stripVTControlCharacters(line));
  }

  /** A command must not stop because its log cannot be written any more: what it has begun must be ended. */
  #append(line: string): void {
    if (this.#log === undefined || this.#logError) return;
    try {
      writeSync(this.#log, `${new Date().toISOString()} ${line}\n`);
    } catch (error) {
      this.#logError = toPublicError(error);
      const { code, message } = this.#logError;
      this.#context.stderr.write(`warning ${code}: the log is not complete: ${printable(message)}\n`);
    }
  }
}
