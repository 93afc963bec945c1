// The tables of docs/install.md, as text and cell by cell.

/** A table in Markdown. */
export function formatted({ head, rows }) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * Where a table in Markdown says something else than what was tried. Cells that are undefined were not tried; a row or a column that
 * was tried must be there.
 */
export function differences(text, { head, rows }) {
  const [headOnPage = [], , ...rowsOnPage] = cellsOf(text);
  const found = [];
  for (const [name, ...cells] of rows) {
    const row = rowsOnPage.find(([nameOnPage]) => nameOnPage === name);
    for (const [index, cell] of cells.entries()) {
      if (cell === undefined) continue;
      const column = head[index + 1];
      const onPage = row?.[headOnPage.indexOf(column)] ?? 'nothing';
      if (onPage !== cell) found.push(`${name}, ${column}: ${cell}, but on the page ${onPage}`);
    }
  }
  return found;
}

/** The cells of a table in Markdown, row by row. */
export function cellsOf(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('|'));
  return lines.map((line) => line.split('|').slice(1, -1)).map((cells) => cells.map((cell) => cell.trim()));
}
