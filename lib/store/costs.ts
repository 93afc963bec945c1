import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachIndex } from '../call/event-loop';
import { open, readFile, readWithoutWaiting } from '../call/files';
import { writeTexts } from './durable';

/** Measurements of one database in earlier backups. */
export interface Cost {
  /** Time to enter and leave backup mode, in microseconds. */
  readonly costUs: number;
  /** Change information per second in backup mode, in bytes. Older measurements have less weight. */
  readonly writeRate: number;
}

/**
 * By path of the database. The next backup distributes the databases over its threads by cost: a large mail file with many
 * changed pages may take a hundred times as long as an idle one. The write rate determines their order. If this file is lost,
 * only an estimate is, so it is not synced, and a damaged file is not an error.
 */
export type Costs = ReadonlyMap<string, Cost>;

/** In the directory of each backup. The first line is the data directory; each of the others is a cost, a rate and a path. */
const fileName = 'costs.txt';

/** How many of the latest backups are searched for one of the same data directory. */
const latest = 8;

/** The measurements of the latest backup of a data directory; empty if there is none. */
export async function readCosts(deltaDirectory: string, dataDirectory: string): Promise<Costs> {
  const backups = await readdir(deltaDirectory).catch(() => []);
  // The ids of backups sort by time.
  for (const backup of backups.sort().reverse().slice(0, latest)) {
    const text = await readFile(join(deltaDirectory, backup, fileName), 'utf8', readWithoutWaiting).catch(() => '');
    if (text.startsWith(`${dataDirectory}\n`)) return parseCosts(text, dataDirectory.length + 1);
  }
  return new Map();
}

async function parseCosts(text: string, begin: number): Promise<Costs> {
  const costs = new Map<string, Cost>();
  let at = begin;
  // Line by line from one text: an array of 100 000 lines would block the event loop.
  while (at < text.length) {
    await forEachIndex(1000, () => {
      const end = text.indexOf('\n', at);
      if (end < 0) {
        at = text.length; // the last line is incomplete, or there is none
        return;
      }
      const afterCost = text.indexOf(' ', at);
      const afterRate = text.indexOf(' ', afterCost + 1);
      const costUs = Number(text.slice(at, afterCost));
      const writeRate = Number(text.slice(afterCost + 1, afterRate));
      const isWhole = afterCost > at && afterRate > afterCost + 1 && afterRate < end;
      if (isWhole && isQuantity(costUs) && isQuantity(writeRate)) {
        costs.set(text.slice(afterRate + 1, end), { costUs, writeRate });
      }
      at = end + 1;
    });
  }
  return costs;
}

function isQuantity(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** Omits databases that were not measured, and paths with a line break, which would become two lines. */
export async function writeCosts(
  backupDirectory: string,
  dataDirectory: string,
  paths: readonly string[],
  costOf: (index: number) => Cost | undefined,
): Promise<void> {
  function* lines(): Generator<string> {
    yield `${dataDirectory}\n`;
    for (const [index, path] of paths.entries()) {
      const cost = costOf(index);
      if (cost && !path.includes('\n')) yield `${Math.round(cost.costUs)} ${Math.round(cost.writeRate)} ${path}\n`;
    }
  }
  await using handle = await open(join(backupDirectory, fileName), 'w', 0o600);
  await writeTexts(handle, lines());
}
