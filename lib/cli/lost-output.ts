import { toPublicError, type DominoVssError } from '../errors/errors';
import { printable } from '../errors/printable';
import { warning, warningLine } from '../errors/warnings';
import type { TextSink } from './context';
import { inFlags } from './flags';

/** The reader has stopped, like `head`, or the terminal was closed: the work and its result are complete. */
const readerIsGone: readonly (string | undefined)[] = ['EPIPE', 'EIO'];

/** Watches streams: a full disk, or a reader that has gone, must not stop the work or its clean-up. Returns the first error so far. */
export function watchOutput(streams: readonly NodeJS.WritableStream[]): () => Promise<Error | undefined> {
  let first: Error | undefined;
  for (const stream of streams) {
    stream.on('error', (error: Error) => {
      first ??= error;
    });
  }
  return async () => {
    // A stream tells its errors later than the call that wrote.
    await new Promise(setImmediate);
    return first;
  };
}

/** Reports that output was lost. Returns the error of the command, if a later reader could take the output for complete. */
export function tellLostOutput(lost: NodeJS.ErrnoException, stderr: TextSink): DominoVssError | undefined {
  if (readerIsGone.includes(lost.code)) {
    const message = `the output was not read to its end (${lost.code}); the command has done its work nevertheless`;
    stderr.write(warningLine(warning('WARN_OUTPUT_UNREAD', message)));
    return undefined;
  }
  const error = toPublicError(lost);
  const { code, hint, message } = error;
  stderr.write(`failed ${code}: the output is not complete: ${printable(message)}\n  what to do: ${inFlags(hint)}\n`);
  return error;
}
