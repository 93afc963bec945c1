import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..', '..');
const address = 'https://git.example/somebody/domino-vss';
/** Each says that the package has not been published yet. */
const pages = ['README.md', 'docs/install.md', 'simulator/README.md'];
let checkout: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'domino-vss-publishable-'));
  const files = ['package.json', 'README.md', 'CHANGELOG.md', ...pages.slice(1), 'simulator/package.json'];
  for (const name of files) cpSync(join(root, name), join(checkout, name));
});

afterEach(() => {
  rmSync(checkout, { recursive: true });
});

function publishable(...args: string[]): { readonly problems: readonly string[]; readonly exitCode: number | null } {
  const script = join(root, 'scripts', 'publishable.mjs');
  const { stderr, status } = spawnSync(process.execPath, [script, ...args], { cwd: checkout, encoding: 'utf8' });
  return { problems: stderr.trim().split('\n').filter(Boolean), exitCode: status };
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(join(checkout, file), change(readFileSync(join(checkout, file), 'utf8')));
}

test.each([
  ['package.json', 'node scripts/publishable.mjs'],
  ['simulator/package.json', 'cd .. && node scripts/publishable.mjs'],
])('npm asks before it publishes %s', (file, script) => {
  const { scripts } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['prepublishOnly']).toBe(script);
});

test('without an address, binaries, absolute links or a date nothing is published, and each is named', () => {
  edit('package.json', (text) => {
    const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return JSON.stringify(Object.fromEntries(fields.filter(([name]) => !/^(repository|bugs|homepage)$/.test(name))));
  });
  const { problems, exitCode } = publishable();
  expect(exitCode).toBe(1);
  expect(problems).toEqual([
    expect.stringContaining('package.json has no repository'),
    expect.stringMatching(/ README\.md has relative links/),
    expect.stringMatching(/ simulator\/README\.md has relative links/),
    expect.stringContaining('linux-x64/domino-vss.glibc.node is missing'),
    expect.stringContaining('win32-x64/domino-vss.node is missing'),
    ...pages.map(
      (page) => expect.stringContaining(`${page} says that the package has not been published yet`) as unknown,
    ),
    expect.stringContaining('unreleased'),
  ]);
});

test('one address fills in everything that the page of the registry needs', () => {
  expect(publishable(`--address=${address}`)).toEqual({ problems: [], exitCode: 0 });
  expect(JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'))).toMatchObject({
    repository: { type: 'git', url: `git+${address}.git` },
    bugs: { url: `${address}/issues` },
    homepage: `${address}#readme`,
  });
  expect(JSON.parse(readFileSync(join(checkout, 'simulator/package.json'), 'utf8'))).toMatchObject({
    repository: { type: 'git', url: `git+${address}.git`, directory: 'simulator' },
    bugs: { url: `${address}/issues` },
    homepage: `${address}/tree/HEAD/simulator#readme`,
  });
  expect(publishable('--links')).toEqual({ problems: [], exitCode: 0 });
  expect(readFileSync(join(checkout, 'simulator/README.md'), 'utf8')).toContain(
    `](${address}/blob/v0.1.0/simulator/vss/README.md)`,
  );
  const readme = readFileSync(join(checkout, 'README.md'), 'utf8');
  expect(readme).toContain(`](${address}/blob/v0.1.0/docs/limits.md)`);
  expect(readme.match(/\]\((?!https:|#)/g)).toBeNull();

  for (const file of ['linux-x64/domino-vss.glibc.node', 'win32-x64/domino-vss.node']) {
    mkdirSync(join(checkout, 'prebuilds', file, '..'), { recursive: true });
    writeFileSync(join(checkout, 'prebuilds', file), '');
  }
  edit('CHANGELOG.md', (text) => text.replace('(unreleased)', '(2027-01-01)'));
  for (const page of pages) edit(page, (text) => text.replace(/has not been\s+published yet/, 'is published'));
  expect(publishable()).toEqual({ problems: [], exitCode: 0 });

  edit('package.json', (text) => text.replace(`${address}/issues`, 'https://elsewhere.example/issues'));
  expect(publishable()).toEqual({ problems: [expect.stringContaining('bugs of package.json')], exitCode: 1 });
});

test('the second package goes with the first: same version, same licence, and not private', () => {
  publishable(`--address=${address}`);
  edit('simulator/package.json', (text) =>
    text.replace('"version": "0.1.0",', '"version": "0.2.0",\n"private": true,'),
  );
  expect(publishable().problems).toEqual(
    expect.arrayContaining([
      'not publishable: simulator/package.json has the version 0.2.0, package.json 0.1.0',
      'not publishable: simulator/package.json is private',
    ]),
  );
  const licence = (directory: string): string => readFileSync(join(root, directory, 'LICENSE'), 'utf8');
  expect(licence('simulator')).toBe(licence(''));
});

test('what is no address is refused', () => {
  for (const wrong of ['', 'git@git.example:somebody/domino-vss', 'http://git.example/a/b', 'https://git.example/']) {
    expect(publishable(`--address=${wrong}`).exitCode).toBe(2);
  }
});

test('the notices hold the licences of what is compiled in, word for word', () => {
  const notices = readFileSync(join(root, 'THIRD-PARTY-NOTICES.md'), 'utf8');
  for (const file of ['node-addon-api/LICENSE.md', 'node-api-headers/LICENSE']) {
    expect(notices).toContain(readFileSync(join(root, 'node_modules', file), 'utf8').trim());
  }
  for (const name of ['libstdc++', 'libgcc', 'winpthreads']) expect(notices).toContain(name);
});
