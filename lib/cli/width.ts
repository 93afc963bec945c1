import { stripVTControlCharacters } from 'node:util';
import type { TextSink } from './context';

/** On narrower terminals nothing is arranged: a terminal that reports 0 or 1 does not know its width. */
const narrowest = 40;

/** Width of the terminal that a sink writes to; undefined for a file or a pipe, where lines are not wrapped. */
export function columnsOf({ isTTY, columns }: TextSink): number | undefined {
  return isTTY === true && columns !== undefined && columns >= narrowest ? columns : undefined;
}

/** Whether a terminal can do more than show text: colours, and moving the cursor. */
export function isCapable({ isTTY }: TextSink, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTTY === true && env['TERM'] !== 'dumb';
}

const segmenter = new Intl.Segmenter();
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Columns that a text takes, not counting its colour codes. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of segmenter.segment(plain)) width += wide.test(segment) ? 2 : 1;
  return width;
}

/**
 * Wraps a line between words. All lines get the indent of the first one, and the following ones `hanging` columns more. A word
 * longer than a line stays whole, because a terminal breaks it so that it can still be copied; with `breaking` it is broken here.
 */
export function wrap(line: string, columns: number, { hanging = 2, breaking = false } = {}): string[] {
  if (displayWidth(line) <= columns) return [line];
  const [indent = ''] = /^ */.exec(line) ?? [];
  const further = ' '.repeat(indent.length + hanging);
  const lines: string[] = [];
  let current = indent;
  let isEmpty = true;
  const next = (): void => {
    lines.push(current.trimEnd());
    current = further;
    isEmpty = true;
  };
  for (const word of line.slice(indent.length).split(' ')) {
    const joined = isEmpty ? current + word : `${current} ${word}`;
    if (displayWidth(joined) <= columns) {
      current = joined;
      isEmpty = false;
      continue;
    }
    if (!isEmpty) next();
    const pieces = breaking ? broken(word, columns - displayWidth(current)) : [word];
    pieces.forEach((piece, index) => {
      if (index > 0) next();
      current += piece;
      isEmpty = false;
    });
  }
  next();
  return lines;
}

/** Width of help texts in a file or a pipe. */
export const usualColumns = 80;

/** Wraps lines one by one. Example commands are not wrapped, so that they can be copied. */
export function wrapLines(text: string, columns: number = usualColumns): string {
  const wrapped = (line: string): string[] => (/^ {2}[$>] /.test(line) ? [line] : wrap(line, columns, { hanging: 0 }));
  return text.split('\n').flatMap(wrapped).join('\n');
}

/** Wraps the paragraphs of a help text: its lines that are not indented belong together, wherever the source breaks them. */
export function wrapProse(text: string, columns?: number): string {
  return wrapLines(text.replace(/(?<=^\S.*)\n(?=\S)/gm, ' '), columns);
}

/** Breaks a word into pieces of this length, preferably after a path separator. */
function broken(word: string, columns: number): string[] {
  const room = Math.max(1, columns);
  const pieces: string[] = [];
  // Codes of colours, which take no room, stay whole.
  // eslint-disable-next-line no-control-regex -- control characters are the point
  const parts = word.split(/(\u001b\[[\d;]*m)/).flatMap((part, index) => {
    return index % 2 === 1 ? [part] : Array.from(segmenter.segment(part), ({ segment }) => segment);
  });
  let current: string[] = [];
  let width = 0;
  for (const part of parts) {
    const more = displayWidth(part);
    if (more > 0 && width + more > room) {
      const separator = Math.max(current.lastIndexOf('/'), current.lastIndexOf('\\')) + 1;
      const cut = separator > current.length / 2 ? separator : current.length;
      pieces.push(current.slice(0, cut).join(''));
      current = current.slice(cut);
      width = displayWidth(current.join(''));
    }
    current.push(part);
    width += more;
  }
  return [...pieces, current.join('')];
}

/** A word up to this length, such as the id of a backup, is broken only if nothing else helps. */
const wholeWord = 40;
const narrowestColumn = 6;

/** A table that fits: its cells, and the space between its columns. */
export interface FittingTable {
  readonly rows: readonly (readonly string[])[];
  readonly gap: number;
}

/**
 * The cells of a table, wrapped as far as necessary for the table to fit. The widest columns shrink first, and words are broken
 * last.
 */
export function fitTable(rows: readonly (readonly string[])[], columns: number | undefined): FittingTable {
  if (columns === undefined) return { rows, gap: 2 };
  const widths = (measure: (cell: string) => number): number[] =>
    rows.reduce<number[]>((most, row) => {
      row.forEach((cell, index) => (most[index] = Math.max(most[index] ?? 0, measure(cell))));
      return most;
    }, []);
  const natural = widths(displayWidth);
  const indentOf = (cell: string): number => cell.length - cell.trimStart().length;
  const words = widths((cell) => indentOf(cell) + Math.max(...cell.split(' ').map(displayWidth)));
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);
  const gaps = Math.max(0, natural.length - 1);
  // Reduce the space between columns before breaking words.
  const gap = sum(words) + 2 * gaps <= columns ? 2 : 1;
  const room = columns - gap * gaps;
  const fit = (): number[] => {
    for (let whole = wholeWord; whole > narrowestColumn; --whole) {
      const least = words.map((word, index) => Math.min(word, whole, natural[index] ?? 0));
      if (sum(least) > room) continue;
      let level = Math.max(...natural);
      const atLevel = (): number[] =>
        natural.map((width, index) => Math.max(least[index] ?? 0, Math.min(width, level)));
      while (sum(atLevel()) > room) --level;
      return atLevel();
    }
    return natural.map((width) => Math.min(width, narrowestColumn));
  };
  const chosen = sum(natural) <= room ? natural : fit();
  const fitted = (cell: string, index: number): string =>
    wrap(cell, chosen[index] ?? columns, { hanging: 0, breaking: true }).join('\n');
  return { rows: rows.map((row) => row.map(fitted)), gap };
}
