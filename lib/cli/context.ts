import type { NativeBinding } from '../native/session';
import type { WorkPlace } from '../isolation/ended-process';

/** Where text goes; a stream, or what a test collects. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
  /** The stream itself, for what draws on a terminal. Default: the sink is one. */
  readonly terminal?: NodeJS.WritableStream;
}

/** Everything the command line takes from its surroundings. */
export interface CommandLineContext {
  readonly loadBinding: () => NativeBinding;
  /** Where commands come from that are named by no file. Default: standard input of the process. */
  readonly stdin?: (NodeJS.ReadableStream & { readonly isTTY?: boolean; readonly fd?: number }) | undefined;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that relative paths of the user are meant from. */
  readonly workingDirectory: string;
  /** Fires at the first interrupt. */
  readonly signal: AbortSignal;
  /** Runs the command in another process that has what Domino needs, and watches that; undefined when this one will do. */
  readonly relaunch: (place: WorkPlace) => Promise<number | undefined>;
}

/** Exit codes besides those of the error codes. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, partial: 3, precondition: 4, interrupted: 130 } as const;
