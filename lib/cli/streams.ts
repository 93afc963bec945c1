import { closeSync, writeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { toPublicError, type DominoVssError } from '../errors/errors';
import { printable } from '../errors/printable';
import { exitCodes, type CommandLineContext, type TextSink } from './context';
import { openLog } from './log-file';

export interface StreamsOptions {
  /** Title of the command's lines in the log, for example `backup run`. */
  readonly command: string;
  /** Nothing is shown of a command that ends well. */
  readonly quiet: boolean;
  /** File that everything is also appended to. */
  readonly log?: string | undefined;
  readonly json: boolean;
}

/**
 * Where the text of a command goes: to the terminal, also to a log file, or nowhere until it is known that something is wrong.
 * What a command is to do with its text is known after its options, but commander may already have said something before.
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
      // A document for a machine is what it has asked for, however the command ends.
      if (this.#held) this.#held.push(text);
      else context.stdout.write(text);
    });
    this.stderr = this.#sink(context.stderr, (text) => context.stderr.write(text));
  }

  /** @throws {@link DominoVssError} when the log cannot be opened: before anything is done. */
  begin(options: StreamsOptions): void {
    this.#options = options;
    if (options.quiet && !options.json) this.#held = [];
    if (options.log !== undefined) this.#log = openLog(options.log);
  }

  /** Answers the exit code of the command: a log that is not complete is no success. */
  end(exitCode: number, isElsewhere: boolean): number {
    if (exitCode !== exitCodes.ok) for (const text of this.#held ?? []) this.#context.stdout.write(text);
    this.#held = undefined;
    if (this.#log === undefined) return exitCode;
    // The process that has done the work has written its own lines.
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

  /** A log that cannot be written any more stops no command: what was begun has to be ended all the same. */
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
