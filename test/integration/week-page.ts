// What docs/schedule.md shows of a week of backups: a line for each night, the log, and the metrics.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, type Ended } from './command-line';

const page = join(repository, 'docs', 'schedule.md');

/** The state of a server after a command. */
export interface Night {
  readonly name: string;
  readonly ended: Ended;
  readonly complete: number;
  /** The last exit code, and the night of the last success, according to the metrics of the backup. */
  readonly lastExitCode: string;
  readonly lastSuccess: string;
}

/** A line for each command. */
export function tableOf(nights: readonly Night[]): string {
  const rows = nights.map(({ name, ended, complete, lastExitCode, lastSuccess }) => {
    const said = ended.stderr.split('\n').find((line) => /^failed|^warning/.test(line)) ?? '';
    return [name, String(ended.code ?? ended.signal), String(complete), lastExitCode, lastSuccess, said];
  });
  const head = ['night', 'exit', 'complete', 'last exit code', 'last success', 'said on stderr'];
  const widths = [22, 8, 9, 15, 13, 0];
  return [head, ...rows]
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join(' ')
        .trimEnd(),
    )
    .join('\n');
}

/** What is in the log of the commands that match, without pictures and tables. */
export function excerptOf(log: string, matches: (text: string) => boolean): string {
  const commands = log.split(/^(?=\S+ domino-vss .*, process \d+$)/m);
  const told =
    /^\S+ (domino-vss|failed|warning WARN_WORK| {2}what to do|freeze window|backup {2}|removed|drill passed|ended)/;
  return commands
    .filter(matches)
    .map((text) =>
      text
        .split('\n')
        .filter((line) => told.test(line))
        .join('\n'),
    )
    .join('\n')
    .replace(/(was cleaned up): .*/g, '$1: …');
}

/** The values of a metrics file that tell how the last run ended. */
export function metricsOf(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('domino_vss_last_'))
    .join('\n');
}

/**
 * Compares the blocks below the heading with these texts, apart from what is different in each run. With UPDATE_DOCS=1 it writes
 * them there instead.
 */
export function expectOnPage(texts: readonly string[]): void {
  const whole = readFileSync(page, 'utf8');
  const start = whole.indexOf('\n## A week of it\n');
  const end = whole.indexOf('\n## ', start + 1);
  let index = 0;
  const section = whole.slice(start, end).replace(/(```text\n)[^]*?\n(?=```)/g, (_block, fence: string) => {
    return `${fence}${texts[index++]}\n`;
  });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, whole.slice(0, start) + section + whole.slice(end));
  expect(index).toBe(texts.length);
  const shown = readFileSync(page, 'utf8').slice(start).split('\n## A week of it\n')[1]!.split('\n## ')[0]!;
  expect(masked(shown)).toBe(masked(section.replace('\n## A week of it\n', '')));
}

/** Without times, sizes, ids and process ids. */
function masked(text: string): string {
  return text
    .replace(/\d{8}T\d{6}Z-[0-9a-f]{6}/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\bprocess \d+/g, 'process N')
    .replace(/\b\d+(\.\d+)? ?(ms|s|B|kB|MB)\b/g, 'N $2')
    .replace(/(_seconds\{[^}]*\}) \S+/g, '$1 N')
    .replace(/\d+ recovered and opened, \d+ without/g, 'N recovered and opened, N without');
}
