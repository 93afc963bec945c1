import { randomBytes } from 'node:crypto';
import { createColors } from 'picocolors';
import { printable } from '../errors/printable';

/** Each function gives a text a colour. */
export type Colors = Readonly<Record<'bold' | 'dim' | 'green' | 'red' | 'yellow', (text: string) => string>>;

const escape = '\u001b';

/**
 * Colours in texts with unknown contents: file names may contain control characters. Colour codes are first marked with an
 * unpredictable word, and only marked codes become control characters, at the very end.
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

  /** The text to show: everything is escaped except our own colours. */
  finish(text: string): string {
    return text.split(this.#mark).map(printable).join(escape);
  }

  /** Turns colour codes into marks again, in a text that came from {@link finish} and to which something was added. */
  mark(text: string): string {
    return text.replaceAll(escape, this.#mark);
  }
}
