import Table from 'cli-table3';
import { createColors } from 'picocolors';
import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { errorCodes } from '../error-codes';
import { BackupError, DominoError, RestoreError, type DatabaseFailure, type DominoVssError } from '../errors';
import type { CommandLineContext } from './context';

/** How many failures are shown; all of them are in the JSON output. */
const shownFailures = 25;

/** Says what has happened: to people in text and colours, or to machines as one JSON document. */
export class Output {
  readonly colors: ReturnType<typeof createColors>;
  readonly #context: CommandLineContext;
  readonly #json: boolean;

  constructor(context: CommandLineContext, json: boolean) {
    this.#context = context;
    this.#json = json;
    this.colors = createColors(!json && context.stdout.isTTY === true && !context.env['NO_COLOR']);
  }

  /** The result of a command: `value` as the only document, or lines of text. */
  result(value: unknown, lines: () => readonly string[]): void {
    this.#context.stdout.write(this.#json ? `${JSON.stringify(value, null, 2)}\n` : `${lines().join('\n')}\n`);
  }

  error(error: DominoVssError): void {
    if (this.#json) {
      this.#context.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
      return;
    }
    const failures = error instanceof BackupError || error instanceof RestoreError ? error.failures : [];
    const lines = [
      ...this.failures(failures),
      `${this.colors.red('failed')} ${error.code}: ${error.message}`,
      ...(error instanceof DominoError && error.statusHex !== ''
        ? [`  status ${error.statusHex} (${error.status})`]
        : []),
      `  ${errorCodes[error.code].meaning}`,
      `  ${this.colors.bold('what to do:')} ${error.hint}`,
    ];
    this.#context.stderr.write(`${lines.join('\n')}\n`);
  }

  /** Each failed database: which call, on what, code name and number, text, what to do. */
  failures(failures: readonly DatabaseFailure[]): string[] {
    const shown = failures.slice(0, shownFailures);
    const lines = shown.flatMap((failure, index) => {
      const { database, operation, code, status, statusHex, statusName, text, hint } = failure;
      const number = statusHex.startsWith('0x') ? `${statusHex} (${status})` : statusHex;
      const what = [operation, [statusName || code, number].filter(Boolean).join(' '), text].filter(Boolean).join(': ');
      // The same advice for many in a row is given once, after the last of them.
      const advice = shown[index + 1]?.hint === hint ? [] : [`  ${this.colors.bold('what to do:')} ${hint}`];
      return [`${this.colors.red(database)}  ${what}`, ...advice];
    });
    const more = failures.length - shownFailures;
    if (more > 0) lines.push(`… and ${more} more; --json shows all`);
    return lines.length > 0 ? [...lines, ''] : [];
  }

  warnings(warnings: readonly string[]): string[] {
    return warnings.map((warning) => `${this.colors.yellow('warning')} ${warning}`);
  }

  /** A table without borders; the first row is its head unless `head` is false. */
  table(rows: readonly (readonly string[])[], head = true): string[] {
    const none = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '', left: '', right: '', middle: '  ' };
    const edges = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
    const table = new Table({
      chars: { ...none, ...edges, 'bottom-left': '', 'bottom-right': '' },
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    });
    const [first, ...rest] = rows;
    if (first) table.push(head ? first.map((cell) => this.colors.bold(cell)) : [...first]);
    table.push(...rest.map((row) => [...row]));
    return table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd());
  }
}

export function formatBytes(bytes: number): string {
  return prettyBytes(bytes);
}

export function formatMs(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms` : prettyMs(milliseconds);
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
