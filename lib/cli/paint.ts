import { randomBytes } from 'node:crypto';
import { createColors } from 'picocolors';
import { printable } from '../errors/printable';

/** Each puts a text into a colour. */
export type Colors = Readonly<Record<'bold' | 'dim' | 'green' | 'red' | 'yellow', (text: string) => string>>;

const escape = '\u001b';

/**
 * Colours in texts of which nobody knows what is in them: names of files may hold what a terminal obeys. The codes of the
 * colours are marked with a word that nobody can guess, and only they become what a terminal obeys, at the very end.
 */
export class Paint {
  readonly colors: Colors;
  readonly #mark = randomBytes(16).toString('hex');

  constructor(enabled: boolean) {
    const { bold, dim, green, red, yellow } = createColors(enabled);
    const marked = (paint: (text: string) => string) => (text: string) => this.mark(paint(printable(text)));
    this.colors = {
      bold: marked(bold),
      dim: marked(dim),
      green: marked(green),
      red: marked(red),
      yellow: marked(yellow),
    };
  }

  /** What is to be shown: everything escaped but our own colours. */
  finish(text: string): string {
    return text.split(this.#mark).map(printable).join(escape);
  }

  /** Makes the codes of a text that {@link finish} has made, and something has been added to, marks again. */
  mark(text: string): string {
    return text.replaceAll(escape, this.#mark);
  }
}
