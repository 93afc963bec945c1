// The tables of docs/install.md name the versions that the matrix would try today: a new version in the lists needs new tables.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './packed';

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const page = read('docs', 'install.md');
const tools = JSON.parse(read('scripts', 'matrix', 'tools.json')) as Readonly<Record<string, string>>;
const nodes = JSON.parse(read('scripts', 'setup', 'nodes.json')) as Readonly<
  Record<'linux' | 'win32', { readonly versions: readonly { readonly version: string }[] }>
>;

/** The first row of a table, or the first column below it. */
function firstCells(table: string, which: 'row' | 'column'): string[] {
  const [, text = ''] = new RegExp(`<!-- ${table}: begin -->([^]*?)<!-- ${table}: end -->`).exec(page) ?? [];
  const [head = [], , ...rows] = text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  return which === 'row' ? head.slice(1) : rows.map(([first = '']) => first);
}

test.each(['managers', 'executables'])('the table of %s has the versions of Node.js that are tested with', (table) => {
  expect(firstCells(table, 'row')).toEqual(nodes.linux.versions.map(({ version }) => `Node.js ${version}`));
});

// test/windows/addon.test.ts, which CI runs in each of them.
test('the table of Windows has the versions of Node.js that are tested with under Wine', () => {
  expect(firstCells('windows', 'column')).toEqual(nodes.win32.versions.map(({ version }) => `Node.js ${version}`));
});

const typescript = (JSON.parse(read('node_modules', 'typescript', 'package.json')) as { readonly version: string })
  .version;

test.each<[string, readonly string[]]>([
  ['managers', ['npm', `pnpm ${tools['pnpm']}`, `yarn ${tools['yarn']}`, `yarn ${tools['@yarnpkg/cli-dist']}, PnP`]],
  ['runtimes', [`Deno ${tools['@deno/linux-x64-glibc']}`, `Bun ${tools['@oven/bun-linux-x64-baseline']}`]],
  [
    'types',
    [
      ...['node16', 'nodenext', 'bundler', 'node10'].map((resolution) => `TypeScript ${typescript}, ${resolution}`),
      ...['domino-vss', 'domino-vss-simulator'].flatMap((name) => [
        `attw ${tools['@arethetypeswrong/cli']}, ${name}`,
        `publint --strict, ${name}`,
      ]),
    ],
  ],
  [
    'bundlers',
    [
      ...['esbuild', 'webpack'].map((name) => `${name} ${tools[name]}`),
      `rspack ${tools['@rspack/core']}`,
      ...['rollup', 'vite'].map((name) => `${name} ${tools[name]}`),
    ],
  ],
  [
    'executables',
    [
      ...['useAddon', 'DOMINO_VSS_ADDON'].map((way) => `single executable, \`${way}\``),
      `archive of @electron/asar ${tools['@electron/asar']}, laid out`,
    ],
  ],
])('the table of %s has the versions of scripts/matrix/tools.json', (table, rows) => {
  expect(firstCells(table, 'column')).toEqual(rows);
});
