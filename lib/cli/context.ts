import type { NativeBinding } from '../native/session';
import type { WorkPlace } from '../store/ended-process';

/** Where text is written: a stream, or a collector in a test. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  /** The stream itself, for drawing on a terminal. Default: the sink is the stream. */
  readonly terminal?: NodeJS.WritableStream;
}

/** Work for which this process may need another one. */
export interface Errand extends WorkPlace {
  /** On Linux this needs an environment that this process may not have. */
  readonly loadsDomino: boolean;
  /** Somebody must outlive the process that does it, to say what it has left if it dies. */
  readonly changes: boolean;
  /** It reads commands from standard input. Default: false. */
  readonly readsInput?: boolean;
}

/** Everything that the command line takes from its environment. */
export interface CommandLineContext {
  readonly loadBinding: () => NativeBinding;
  /** Source of commands if no file is named. Default: standard input of the process. */
  readonly stdin?: (NodeJS.ReadableStream & { readonly isTTY?: boolean; readonly fd?: number }) | undefined;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Base directory for relative paths of the user. */
  readonly workingDirectory: string;
  /** Fires at the first interrupt. */
  readonly signal: AbortSignal;
  /** The first error of the streams behind `stdout` and `stderr`. Default: they have none. */
  readonly lostOutput?: () => Promise<Error | undefined>;
  /**
   * Runs the command in another process that has what Domino needs, and watches it; undefined if this process can run it itself.
   */
  readonly relaunch: (errand: Errand) => Promise<number | undefined>;
}

/** Exit codes in addition to those of the error codes. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, partial: 3, precondition: 4, interrupted: 130 } as const;
