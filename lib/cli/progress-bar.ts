import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../call/progress';
import { counted } from '../errors/counted';
import { printable } from '../errors/printable';
import type { CommandLineContext, TextSink } from './context';
import { formatBytes } from './output';
import { columnsOf, isCapable } from './width';

const phaseTitles: Readonly<Record<string, string>> = {
  open: 'opening databases',
  prepare: 'preparing the shadow',
  start: 'into backup mode',
  shadow: 'making the shadow',
  stop: 'out of backup mode',
  drain: 'fetching change information',
};

const restoreTitles = {
  offline: 'replacing databases',
  place: 'replacing databases',
  recover: 'recovering from the log',
  online: 'bringing databases online',
} as const;

/** A bar on the error output, one for each phase; nothing at all if that is not a terminal. */
export class ProgressBar {
  readonly #stderr: NodeJS.WritableStream | undefined;
  readonly #context: CommandLineContext;
  #bar: SingleBar | undefined;
  #title = '';

  constructor(context: CommandLineContext, json: boolean) {
    const visible = !json && isCapable(context.stderr, context.env);
    this.#context = context;
    this.#stderr = visible ? terminalOf(context.stderr) : undefined;
  }

  readonly listener = (progress: Progress): void => {
    if (!this.#stderr) return;
    const { title, done, total, note } = describe(progress);
    if (title !== this.#title) this.#begin(title, total, note);
    this.#bar?.setTotal(total);
    this.#bar?.update(done, { note });
  };

  /** A second interrupt ends the process at once, but the terminal must get its cursor back. */
  readonly #onExit = (): void => {
    this.end();
  };

  end(): void {
    process.off('exit', this.#onExit);
    this.#bar?.stop();
    this.#bar = undefined;
    this.#title = '';
  }

  #begin(title: string, total: number, note: string): void {
    if (!this.#stderr) return;
    this.end();
    this.#title = title;
    // Beside the bar are the title, the counts, and what is being done. Text that is too long is cut off.
    const columns = columnsOf(this.#context.stderr) ?? 80;
    const barsize = Math.max(8, Math.min(30, columns - 28 - 2 - 2 * String(total).length - note.length - 3));
    const format = `${title.padEnd(28)} {bar} {value}/{total} {note}`;
    this.#bar = new SingleBar(
      { format, stream: this.#stderr, clearOnComplete: true, hideCursor: true, barsize },
      Presets.shades_classic,
    );
    this.#bar.start(total, 0, { note });
    process.once('exit', this.#onExit);
  }
}

/** The stream for drawing a bar, which must not go into a log. */
export function terminalOf(sink: TextSink): NodeJS.WritableStream {
  return sink.terminal ?? (sink as unknown as NodeJS.WritableStream);
}

function describe(progress: Progress): { title: string; done: number; total: number; note: string } {
  switch (progress.type) {
    case 'databases':
      return { title: phaseTitles[progress.phase] ?? progress.phase, ...progress, note: '' };
    case 'hash':
      return { title: 'checksums of the deltas', ...progress, note: '' };
    case 'verify':
      return { title: 'verifying', ...progress, note: '' };
    case 'copy':
      return {
        title: 'copying',
        ...progress,
        note: `${formatBytes(progress.doneBytes)} of ${formatBytes(progress.totalBytes)}`,
      };
    case 'retry':
      return {
        title: 'waiting to try again',
        done: progress.attempt - 1,
        total: progress.attempts,
        note: `${Math.round(progress.pauseMs / 1000)} s; ${progress.reason}`,
      };
    case 'busy':
      return {
        title: 'waiting for busy databases',
        done: progress.window - 1,
        total: progress.windows,
        note: `${Math.round(progress.pauseMs / 1000)} s; ${counted(progress.databases, 'database')}`,
      };
    case 'restore':
      return { title: restoreTitles[progress.step], ...progress, note: printable(progress.database) };
  }
}
