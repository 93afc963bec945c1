// Checks that every include of cpp/ points down, and that no headers include each other in a circle.
//
//   node scripts/include-order.mjs [directory]
//
// A script of our own because clang-tidy sees only what is compiled on this system (the sources for Windows are not), and knows
// circles (misc-header-include-cycle, from version 17 on) but no order of folders.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesBelow } from './setup/stamp.mjs';

/** From the top down. Folders on one floor do not know each other. */
const floors = [
  ['addon'],
  ['shadow/vss/writer'],
  ['domino', 'service', 'shadow', 'shadow/vss'],
  ['engine'],
  ['system'],
];

/** One line for each include that is out of order, and for each circle. */
export function includeProblems(directory) {
  const files = filesBelow(directory)
    .filter((file) => /\.(cpp|h)$/.test(file))
    .map((file) => relative(directory, file).split(sep).join('/'))
    .sort();
  const includes = new Map(files.map((file) => [file, includesOf(join(directory, file))]));
  const problems = files.flatMap((file) =>
    includes.get(file).flatMap((included) => {
      const problem = existsSync(join(directory, included)) ? wrongDirection(file, included) : 'there is no such file';
      return problem === undefined ? [] : [`${file} includes ${included}: ${problem}`];
    }),
  );
  return [...problems, ...circles(includes)];
}

function includesOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"]+)"/gm)].map(([, path]) => path);
}

function wrongDirection(file, included) {
  const [from, to] = [dirname(file), dirname(included)];
  if (from === to) return undefined;
  const [fromFloor, toFloor] = [from, to].map((folder) => floors.findIndex((floor) => floor.includes(folder)));
  if (fromFloor < 0 || toFloor < 0) return `${fromFloor < 0 ? from : to}/ stands on no floor`;
  if (toFloor > fromFloor) return undefined;
  return toFloor < fromFloor ? `${to}/ stands above ${from}/` : `${to}/ and ${from}/ stand side by side`;
}

/** Each circle once, as `a.h → b.h → a.h`. */
function circles(includes) {
  const found = [];
  const finished = new Set();
  const visit = (file, path) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || finished.has(file)) return;
    for (const included of includes.get(file) ?? []) visit(included, [...path, file]);
    finished.add(file);
  };
  for (const file of includes.keys()) visit(file, []);
  return found.map((circle) => `headers include each other: ${circle}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'cpp');
  const problems = includeProblems(directory);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
