// Whether this checkout may be published: run by npm before it does, so nothing goes out without an address or a binary.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseOptions } from './setup/options.mjs';

const usage = `Usage: node scripts/publishable.mjs [--address=https://… | --links]

Says what keeps this checkout from being published; exit code 1 when there is something.

  --address    the address of the repository: writes repository, bugs and homepage of package.json
  --links      makes the links of README.md absolute, for the page of the registry; not to be committed`;
const { values } = parseOptions(usage, {
  options: { address: { type: 'string' }, links: { type: 'boolean', default: false } },
  check: ({ values: { address } }) =>
    address === undefined || /^https:\/\/[^\s/]+\/\S+[^/]$/.test(address)
      ? undefined
      : `${address} is not the https address of a repository`,
});

const at = (...parts) => join(process.cwd(), ...parts);
const read = (file) => readFileSync(at(file), 'utf8');
const relativeLink = /\]\((?!https:|#)([^)\s]+)\)/g;

if (values.address !== undefined) writeAddress(values.address.replace(/\.git$/, ''));
else if (values.links) writeLinks();
else {
  const problems = findProblems();
  for (const problem of problems) console.error(`not publishable: ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function addressOf({ repository }) {
  return repository?.url?.replace(/^git\+/, '').replace(/\.git$/, '') ?? '';
}

function fieldsFor(address) {
  return {
    repository: { type: 'git', url: `git+${address}.git` },
    bugs: { url: `${address}/issues` },
    homepage: `${address}#readme`,
  };
}

function writeAddress(address) {
  const { name, version, description, ...rest } = JSON.parse(read('package.json'));
  const manifest = { name, version, description, ...rest, ...fieldsFor(address) };
  writeFileSync(at('package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function writeLinks() {
  const manifest = JSON.parse(read('package.json'));
  const address = addressOf(manifest);
  if (address === '')
    throw new Error('package.json has no repository: node scripts/publishable.mjs --address=https://…');
  const base = `${address}/blob/v${manifest.version}`;
  writeFileSync(
    at('README.md'),
    read('README.md').replace(relativeLink, (_, path) => `](${base}/${path})`),
  );
}

function findProblems() {
  const problems = [];
  const manifest = JSON.parse(read('package.json'));
  const address = addressOf(manifest);
  if (address === '') {
    problems.push(
      'package.json has no repository: node scripts/publishable.mjs --address=https://… writes it, with bugs and homepage',
    );
  }
  for (const [field, value] of Object.entries(address === '' ? {} : fieldsFor(address))) {
    if (JSON.stringify(manifest[field]) !== JSON.stringify(value))
      problems.push(`${field} of package.json does not belong to ${address}`);
  }
  for (const [name, file] of Object.entries(manifest.exports)) {
    if (name.startsWith('./addon/') && !existsSync(at(file)))
      problems.push(`${file} is missing: npm run prebuilds -- ${name.slice(8)}`);
  }
  const [link] = read('README.md').match(relativeLink) ?? [];
  if (link !== undefined)
    problems.push(`README.md has relative links, as ${link.slice(1)}: node scripts/publishable.mjs --links`);
  if (read('CHANGELOG.md').includes(`## ${manifest.version} (unreleased)`)) {
    problems.push(`CHANGELOG.md calls ${manifest.version} unreleased`);
  }
  return problems;
}
