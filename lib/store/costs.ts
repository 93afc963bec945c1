import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachIndex } from '../call/event-loop';
import { open, readFile } from '../call/files';
import { writeTexts } from './durable';

/**
 * What it cost each database to enter and leave backup mode the last time, in microseconds by its path. The next backup
 * spreads the databases over its threads by it: a large mail file with many changed pages may take a hundred times as
 * long as an idle one. Only a guess is lost with such a file, so it is not synced, and a damaged one is no error.
 */
export type Costs = ReadonlyMap<string, number>;

/** In the directory of each backup. The first line is the data directory, each other one a cost and a path. */
const fileName = 'costs.txt';

/** How many of the latest backups are looked at for one of the same data directory. */
const latest = 8;

/** What the latest backup of a data directory has measured; empty when there is none. */
export async function readCosts(deltaDirectory: string, dataDirectory: string): Promise<Costs> {
  const backups = await readdir(deltaDirectory).catch(() => []);
  // The ids of backups sort by time.
  for (const backup of backups.sort().reverse().slice(0, latest)) {
    const text = await readFile(join(deltaDirectory, backup, fileName), 'utf8').catch(() => '');
    if (text.startsWith(`${dataDirectory}\n`)) return parseCosts(text, dataDirectory.length + 1);
  }
  return new Map();
}

async function parseCosts(text: string, begin: number): Promise<Costs> {
  const costs = new Map<string, number>();
  let at = begin;
  // Line by line from one text: an array of 100 000 lines would block the event loop.
  while (at < text.length) {
    await forEachIndex(1000, () => {
      const end = text.indexOf('\n', at);
      if (end < 0) {
        at = text.length; // the last line is incomplete, or there is none
        return;
      }
      const space = text.indexOf(' ', at);
      const costUs = Number(text.slice(at, space));
      if (space > at && space < end && Number.isFinite(costUs)) costs.set(text.slice(space + 1, end), costUs);
      at = end + 1;
    });
  }
  return costs;
}

/** A path with a line break is left out, for it would be two lines. */
export async function writeCosts(
  backupDirectory: string,
  dataDirectory: string,
  paths: readonly string[],
  costMs: (index: number) => number,
): Promise<void> {
  function* lines(): Generator<string> {
    yield `${dataDirectory}\n`;
    for (const [index, path] of paths.entries()) {
      const cost = costMs(index);
      if (Number.isFinite(cost) && !path.includes('\n')) yield `${Math.round(cost * 1000)} ${path}\n`;
    }
  }
  await using handle = await open(join(backupDirectory, fileName), 'w', 0o600);
  await writeTexts(handle, lines());
}
