import { likely } from './likely';
import type { ScriptLine, Word } from './lexer';
import { ScriptFailure, type ScriptPlace } from './problem';

/** The words of one command after its name, read from left to right. */
export class Arguments {
  #next: number;

  constructor(
    private readonly source: ScriptLine,
    commandWords: number,
    private readonly usage: string,
  ) {
    this.#next = commandWords;
  }

  /** The next word, if it is one of these. A keyword must not be quoted, so quotation marks distinguish a name from a keyword. */
  optionalKeyword<K extends string>(...keywords: readonly K[]): K | undefined {
    const word = this.#peek();
    const keyword = keywords.find((candidate) => !word?.quoted && candidate === word?.text.toLowerCase());
    if (keyword !== undefined) ++this.#next;
    return keyword;
  }

  keyword<K extends string>(...keywords: readonly K[]): K {
    const found = this.optionalKeyword(...keywords);
    if (found !== undefined) return found;
    const word = this.#peek();
    if (!word) throw this.#failure(this.#end(), `${keywords.join(' or ')} is missing`);
    throw this.#failure(word, `"${word.text}" is not allowed here`, likely(word.text, keywords));
  }

  /** A value: a path, an id, a name. */
  value(what: string): Word {
    const word = this.#peek();
    if (!word) throw this.#failure(this.#end(), `${what} is missing`);
    if (word.text === '') throw this.#failure(word, `${what} is empty`);
    ++this.#next;
    return word;
  }

  /** All remaining words, for a name that may contain spaces without quotation marks. */
  rest(what: string): readonly [Word, ...Word[]] {
    const first = this.value(what);
    const others = this.source.words.slice(this.#next);
    this.#next = this.source.words.length;
    return [first, ...others];
  }

  /** Fails if words are left. */
  end(advice?: string): void {
    const word = this.#peek();
    if (word) throw this.#failure(word, `"${word.text}" is superfluous here`, advice);
  }

  get isAtEnd(): boolean {
    return this.#peek() === undefined;
  }

  /** The failure for a word that is allowed at this place but wrong. */
  refuse(word: ScriptPlace, message: string, advice?: string): ScriptFailure {
    return this.#failure(word, message, advice);
  }

  /** Place of the last word that was read. */
  get last(): ScriptPlace {
    return this.source.words[this.#next - 1] ?? this.#end();
  }

  #peek(): Word | undefined {
    return this.source.words[this.#next];
  }

  #end(): ScriptPlace {
    const last = this.source.words.at(-1);
    return { line: this.source.line, column: (last?.column ?? 1) + (last?.text.length ?? 0) };
  }

  #failure(place: ScriptPlace, message: string, advice?: string): ScriptFailure {
    return new ScriptFailure(place, message, advice ?? `write: ${this.usage}`);
  }
}
