import { printable } from '../../errors/printable';

/** Text that already is HTML. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

/** HTML whose values are escaped, and shown as on a terminal: names of databases may contain any character. */
export function markup(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = literals.map((literal, index) => literal + (index < parts.length ? textOf(parts[index] ?? '') : ''));
  return new Html(text.join(''));
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  return typeof part === 'object' ? part.map(({ text }) => text).join('') : escape(printable(String(part)));
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => references[character] ?? character);
}

/** Number of columns that fit on the narrowest screen. */
const fitting = 4;

/** A table whose first column names the row. If it is too wide, it can be scrolled by itself, also with the keyboard. */
export function tableOf(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (string | Html)[])[],
  id?: string,
): Html {
  const [corner = '', ...titles] = head;
  const scrolls = head.length > fitting ? markup` tabindex="0" role="region" aria-label="${caption}"` : '';
  return markup`<div class="table"${scrolls}><table${id === undefined ? '' : markup` id="${id}"`}>
<caption>${caption}</caption>
<thead><tr><th scope="col">${corner}</th>${titles.map((title) => markup`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rows.map(([name = '', ...cells]) => markup`<tr><th scope="row">${name}</th>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}
