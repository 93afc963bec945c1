import { ScriptFailure, type ScriptPlace } from './problem';

/** A piece of a word: literal text, or a variable. */
export type WordPart =
  { readonly type: 'text'; readonly text: string } | { readonly type: 'variable'; readonly name: string };

/** One word of a command, without its quotes. */
export interface Word extends ScriptPlace {
  /** The word with its variables not yet replaced. */
  readonly text: string;
  readonly parts: readonly WordPart[];
  readonly quoted: boolean;
}

/** One line of a script that contains a command. */
export interface ScriptLine {
  readonly line: number;
  /** The line without comments and surrounding spaces. */
  readonly text: string;
  readonly words: readonly Word[];
}

/** Splits a script into lines, for every kind of line end. A comment ends before its line end. */
export function splitLines(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/**
 * Reads one line. `#` outside quotation marks begins a comment, even directly after a word: some scripts end their lines with it
 * to tolerate foreign line ends. Undefined for a line without a command.
 */
export function readLine(source: string, line: number): ScriptLine | undefined {
  const words: Word[] = [];
  let at = 0;
  while (at < source.length && source[at] !== '#') {
    if (isBlank(source[at])) {
      ++at;
      continue;
    }
    const begin = at;
    let text = '';
    let quoteAt: number | undefined;
    let quoted = false;
    for (; at < source.length; ++at) {
      const character = source[at] ?? '';
      if (character === '"') {
        quoteAt = quoteAt === undefined ? at : undefined;
        quoted = true;
      } else if (quoteAt === undefined && (isBlank(character) || character === '#')) {
        break;
      } else {
        text += character;
      }
    }
    if (quoteAt !== undefined) {
      throw new ScriptFailure(
        { line, column: quoteAt + 1 },
        'this quotation mark is not closed',
        'close it on the same line',
      );
    }
    words.push({ line, column: begin + 1, text, parts: splitVariables(text), quoted });
  }
  return words.length === 0 ? undefined : { line, text: source.slice(0, at).trim(), words };
}

/** `%name%` is a variable, also inside quotation marks; a single `%` is an ordinary character. */
function splitVariables(text: string): WordPart[] {
  return text
    .split(/(%[^%\s"]+%)/)
    .filter((piece) => piece !== '')
    .map((piece): WordPart => {
      const name = /^%([^%\s"]+)%$/.exec(piece)?.[1];
      return name === undefined ? { type: 'text', text: piece } : { type: 'variable', name };
    });
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character);
}
