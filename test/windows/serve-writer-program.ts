// Serves the writer, tells each event, and on "shadows" where the shadows of the machine can be read. Ends with its input.
//
//   node serve-writer-program.js <program directory> <notes.ini> <delta directory> [<options as JSON>]

import { subscribe } from 'node:diagnostics_channel';
import { listShadows, serveWriter, type ServeWriterOptions, type WindowMessage } from '#lib/index';
import { answer, requests } from './lines';

async function main(): Promise<void> {
  const [programDirectory = '', notesIni = '', deltaDirectory = '', options = '{}'] = process.argv.slice(2);
  subscribe('domino-vss:window', (message) => {
    const { originNs, databases } = (message as WindowMessage).timeline;
    answer({
      type: 'window',
      originNs: String(originNs),
      startCalledMs: [...databases.startCalledMs],
      startReturnedMs: [...databases.startReturnedMs],
    });
  });
  await using writer = await serveWriter({
    domino: { programDirectory, notesIni },
    deltaDirectory,
    exclude: ['links/dangling.nsf'],
    onEvent: answer,
    ...(JSON.parse(options) as Partial<ServeWriterOptions>),
  });
  for await (const line of requests()) {
    if (line === 'shadows') answer({ type: 'shadows', shadows: await listShadows() });
    // JavaScript that does something else for a while: no database may wait for it.
    if (line.startsWith('busy ')) {
      const until = performance.now() + Number(line.slice(5));
      while (performance.now() < until);
    }
  }
  await writer.dispose();
}

void main();
