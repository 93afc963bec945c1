import Table from 'cli-table3';
import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { errorCodes } from '../errors/codes';
import {
  AbortError,
  BackupError,
  DominoError,
  OptionError,
  RestoreError,
  VssError,
  type DatabaseFailure,
  type DominoVssError,
  type FailedWriter,
} from '../errors/errors';
import { printableJson } from '../errors/printable';
import type { Warning } from '../errors/warnings';
import type { CommandLineContext } from './context';
import { inFlags, optionMessage } from './flags';
import { Paint, type Colors } from './paint';
import { columnsOf, fitTable, isCapable, wrap } from './width';

/** How many databases are shown one by one; the JSON output contains all of them. */
export const shownRows = 25;

/** Shows what has happened: to people as text with colours, or to machines as one JSON document. */
export class Output {
  readonly colors: Colors;
  readonly #paint: Paint;
  readonly #context: CommandLineContext;
  readonly #json: boolean;

  constructor(context: CommandLineContext, json: boolean) {
    this.#context = context;
    this.#json = json;
    this.#paint = new Paint(!json && isCapable(context.stdout, context.env) && !context.env['NO_COLOR']);
    this.colors = this.#paint.colors;
  }

  /** Width of the terminal; undefined if lines need not be wrapped. */
  get columns(): number | undefined {
    return columnsOf(this.#context.stdout);
  }

  /** The result of a command: `value` as the only document, or lines of text. */
  result(value: unknown, lines: () => readonly string[]): void {
    this.#context.stdout.write(this.#json ? json(value) : this.#finish(lines(), this.columns));
  }

  /** Lines before the result; nothing if the result is the only document. */
  before(lines: () => readonly string[]): void {
    if (!this.#json) this.#context.stdout.write(this.#finish(lines(), this.columns));
  }

  error(error: DominoVssError): void {
    if (this.#json) {
      this.#context.stdout.write(json({ error }));
      return;
    }
    this.#context.stderr.write(this.#finish(this.#describe(error), columnsOf(this.#context.stderr)));
  }

  /** Makes each line safe for the terminal, and wraps it. */
  #finish(lines: readonly string[], columns: number | undefined): string {
    const finished = lines.map((line) => this.#paint.finish(line));
    const shown = columns === undefined ? finished : finished.flatMap((line) => wrap(line, columns));
    return shown.map((line) => `${line}\n`).join('');
  }

  #describe(error: DominoVssError): string[] {
    const { red, yellow } = this.colors;
    // In the format in which commander reports usage errors.
    if (error instanceof OptionError) return [`error: ${optionMessage(error)}`, '(use --help for more)'];
    const deletion = this.#describeDeletion(error);
    if (error instanceof AbortError) {
      if (deletion.length > 0) return [...deletion, `${yellow('interrupted')}: what has been deleted remains deleted`];
      if (error.leftBehind) {
        const { message, hint } = error.leftBehind;
        return [`${yellow('interrupted')}: not everything could be rolled back: ${message}`, this.advice(hint)];
      }
      return [`${yellow('interrupted')}: what was begun has been rolled back`];
    }
    const failures = error instanceof BackupError || error instanceof RestoreError ? error.failures : [];
    return [
      ...deletion,
      ...this.failures(failures),
      ...(error instanceof VssError ? this.writerFailures(error.writers) : []),
      `${red('failed')} ${error.code}: ${error.message}`,
      ...(error instanceof DominoError && error.statusHex !== ''
        ? [`  status ${error.statusHex} (${error.status})`]
        : []),
      `  ${inFlags(errorCodes[error.code].meaning)}`,
      ...(failures.some(({ hint }) => hint === error.hint) ? [] : [this.advice(error.hint)]),
    ];
  }

  /** What to do, in the words of the command line. */
  advice(hint: string): string {
    return `  ${this.colors.bold('what to do:')} ${inFlags(hint)}`;
  }

  /** How far a cut-off deletion had come. */
  #describeDeletion({ deletion }: DominoVssError): string[] {
    if (deletion === undefined) return [];
    return [...deletion.deleted.map((id) => `deleted ${id}`), ...deletion.left.map((id) => `left ${id}`)];
  }

  /** Each failed database: the call, its subject, the code, number and text, and what to do. */
  failures(failures: readonly DatabaseFailure[]): string[] {
    const shown = failures.slice(0, shownRows);
    const lines = shown.flatMap((failure, index) => {
      const { database, operation, code, status, statusHex, statusName, text, hint } = failure;
      const number = statusHex.startsWith('0x') ? `${statusHex} (${status})` : statusHex;
      const what = [operation, [statusName || code, number].filter(Boolean).join(' '), text].filter(Boolean).join(': ');
      // If several failures in a row have the same advice, it is printed once, after the last of them.
      const advice = shown[index + 1]?.hint === hint ? [] : [this.advice(hint)];
      return [`${this.colors.red(database)}  ${what}`, ...advice];
    });
    return lines.length > 0 ? [...lines, ...this.moreThanShown(failures.length), ''] : [];
  }

  /** Each failed writer: its state, code and number, the message of its application, and what to do. */
  writerFailures(
    writers: readonly Pick<
      FailedWriter,
      'name' | 'state' | 'hresultName' | 'hresultHex' | 'applicationMessage' | 'hint'
    >[],
  ): string[] {
    const lines = writers.flatMap(({ name, state, hresultName, hresultHex, applicationMessage, hint }) => [
      [`${this.colors.red(name)}  ${state}:`, hresultName, hresultHex].filter(Boolean).join(' '),
      ...(applicationMessage === '' ? [] : [`  it says: ${applicationMessage}`]),
      this.advice(hint),
    ]);
    return lines.length > 0 ? [...lines, ''] : [];
  }

  /** A line about the databases that are not shown one by one. */
  moreThanShown(databases: number): string[] {
    return databases > shownRows ? [`… and ${databases - shownRows} more; --json shows all`] : [];
  }

  warnings(warnings: readonly Warning[]): string[] {
    return warnings.map(({ code, message }) => `${this.colors.yellow('warning')} ${code}: ${message}`);
  }

  /** A table without borders; the first row is the header unless `head` is false. */
  table(rows: readonly (readonly string[])[], head = true): string[] {
    if (rows.length === 0) return [];
    const [first, ...rest] = rows;
    const titled = first && head ? [first.map((cell) => this.colors.bold(cell)), ...rest] : rows;
    // The table needs to know the width of each cell.
    const finished = titled.map((row) => row.map((cell) => this.#paint.finish(cell)));
    const { rows: cells, gap } = fitTable(finished, this.columns);
    const none = {
      mid: '',
      'left-mid': '',
      'mid-mid': '',
      'right-mid': '',
      left: '',
      right: '',
      middle: ' '.repeat(gap),
    };
    const edges = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
    const table = new Table({
      chars: { ...none, ...edges, 'bottom-left': '', 'bottom-right': '' },
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    });
    table.push(...cells.map((row) => [...row]));
    return table
      .toString()
      .split('\n')
      .map((line) => this.#paint.mark(line.trimEnd()));
  }
}

function json(value: unknown): string {
  return `${printableJson(JSON.stringify(value, null, 2))}\n`;
}

/** Local time to the second. */
export function formatTime(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

export function formatBytes(bytes: number): string {
  return prettyBytes(bytes);
}

export function formatMs(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms` : prettyMs(milliseconds);
}
