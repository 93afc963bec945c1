// Every relative link in the documentation has a target, and so does every mention of a decision in the sources.

import { existsSync, readFileSync, readdirSync, type Dirent } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';

const root = join(__dirname, '../../..');
const madeHere = new Set(['node_modules', 'build', 'dist', 'coverage', '.git']);
const decisions = join(root, 'docs', 'decisions');

function filesBelow(directory: string): string[] {
  const isSource = ({ name }: Dirent): boolean => !madeHere.has(name) && !name.startsWith('build-');
  return readdirSync(directory, { withFileTypes: true })
    .filter(isSource)
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

const files = filesBelow(root);
const pages = files.filter((file) => extname(file) === '.md');
const sources = files.filter((file) => /\.(ts|js|mjs|cjs|cpp|h|cmake|json|txt|gyp)$/.test(file));

/** Without text that only looks like a link or heading: code blocks and inline code. */
function prose(page: string): string {
  return readFileSync(page, 'utf8')
    .replace(/^(```+)[^]*?^\1 *$/gm, '')
    .replace(/`[^`\n]+`/g, (code) => code.replace(/[[\]()]/g, ' '));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(page: string): string[] {
  const targets = [...prose(page).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/i.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), decodeURIComponent(path));
      return !existsSync(file) || (anchor !== undefined && !anchors(file).includes(anchor));
    });
}

/** Files and folders that a page names, relative to the root or to the page; built ones may be missing. */
function lostPaths(page: string): string[] {
  const named = /`((?:bench|cmake|cpp|docs|lib|scripts|simulator|test)\/[\w./-]+)`/g;
  return [...readFileSync(page, 'utf8').matchAll(named)]
    .map(([, path = '']) => path)
    .filter((path) => !path.split('/').some((part) => madeHere.has(part)))
    .filter((path) => ![root, dirname(page)].some((place) => existsSync(join(place, path))));
}

describe.each(pages.map((page) => relative(root, page)))('in %s', (page) => {
  test('every link leads somewhere', () => {
    expect(brokenLinks(join(root, page))).toEqual([]);
  });

  test('every path of the repository exists', () => {
    expect(lostPaths(join(root, page))).toEqual([]);
  });
});

/** Sources that name pages of decisions, by their path from the root. */
const mentions = sources.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/docs\/decisions\/([\w-]+\.md)/g)].map(([, name = '']) => ({ file, name })),
);

test('every decision that a source names has a page', () => {
  expect(mentions.length).toBeGreaterThan(0);
  const broken = mentions.filter(({ name }) => !existsSync(join(decisions, name)));
  expect(broken.map(({ file, name }) => `${relative(root, file)}: ${name}`)).toEqual([]);
});

test('every decision is named by the source that surprises, and by the list of decisions', () => {
  const list = readFileSync(join(decisions, 'README.md'), 'utf8');
  const named = new Set(mentions.map(({ name }) => name));
  const lost = readdirSync(decisions).filter(
    (name) => name !== 'README.md' && !(named.has(name) && list.includes(`(${name})`)),
  );
  expect(lost).toEqual([]);
});
