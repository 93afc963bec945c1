import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/**
 * The lines of a file, without their ends. Only a line feed ends a line: node:readline of Node.js 24 and later also splits at U+2028
 * and U+2029, which JSON does not escape and the name of a database may contain.
 */
export async function* linesOf(stream: Readable): AsyncGenerator<string, void> {
  const decoder = new StringDecoder('utf8');
  let unread = '';
  try {
    // Leaving the loop would otherwise destroy the stream with an error.
    for await (const block of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const lines = decoder.write(block).split('\n');
      lines[0] = unread + (lines[0] ?? '');
      unread = lines.pop() ?? '';
      yield* lines;
    }
    unread += decoder.end();
    if (unread !== '') yield unread;
  } finally {
    stream.destroy();
  }
}
