// Whether the packages of this checkout may be published: run by npm before it does, so nothing goes out without an address or a
// binary.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseOptions } from './setup/options.mjs';

const usage = `Usage: node scripts/publishable.mjs [--address=https://… | --links]

Says what keeps this checkout from being published; exit code 1 when there is something.

  --address    the address of the repository: writes repository, bugs and homepage of each package.json
  --links      makes the links of each README.md absolute, for the pages of the registry; not to be committed`;
const { values } = parseOptions(usage, {
  options: { address: { type: 'string' }, links: { type: 'boolean', default: false } },
  check: ({ values: { address } }) =>
    address === undefined || /^https:\/\/[^\s/]+\/\S+[^/]$/.test(address)
      ? undefined
      : `${address} is not the https address of a repository`,
});

/** The directories of the packages; the first is that of the library. */
const packages = ['', 'simulator'];
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

function fieldsFor(address, directory) {
  return {
    repository: { type: 'git', url: `git+${address}.git`, ...(directory !== '' && { directory }) },
    bugs: { url: `${address}/issues` },
    homepage: directory === '' ? `${address}#readme` : `${address}/tree/HEAD/${directory}#readme`,
  };
}

function writeAddress(address) {
  for (const directory of packages) {
    const file = posix.join(directory, 'package.json');
    const { name, version, description, ...rest } = JSON.parse(read(file));
    const manifest = { name, version, description, ...rest, ...fieldsFor(address, directory) };
    writeFileSync(at(file), `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

function writeLinks() {
  const manifest = JSON.parse(read('package.json'));
  const address = addressOf(manifest);
  if (address === '')
    throw new Error('package.json has no repository: node scripts/publishable.mjs --address=https://…');
  for (const directory of packages) {
    const file = posix.join(directory, 'README.md');
    const absolute = (_, path) => `](${address}/blob/v${manifest.version}/${posix.join(directory, path)})`;
    writeFileSync(at(file), read(file).replace(relativeLink, absolute));
  }
}

function findProblems() {
  const problems = [];
  const { version, exports, ...main } = JSON.parse(read('package.json'));
  const address = addressOf(main);
  if (address === '') {
    problems.push(
      'package.json has no repository: node scripts/publishable.mjs --address=https://… writes it, with bugs and homepage',
    );
  }
  for (const directory of packages) {
    const file = posix.join(directory, 'package.json');
    const manifest = JSON.parse(read(file));
    if (manifest.version !== version)
      problems.push(`${file} has the version ${manifest.version}, package.json ${version}`);
    if (manifest.private) problems.push(`${file} is private`);
    for (const [field, value] of Object.entries(address === '' ? {} : fieldsFor(address, directory))) {
      if (JSON.stringify(manifest[field]) !== JSON.stringify(value))
        problems.push(`${field} of ${file} does not belong to ${address}`);
    }
    const page = posix.join(directory, 'README.md');
    const [link] = read(page).match(relativeLink) ?? [];
    if (link !== undefined)
      problems.push(`${page} has relative links, as ${link.slice(1)}: node scripts/publishable.mjs --links`);
  }
  for (const [name, file] of Object.entries(exports)) {
    if (name.startsWith('./addon/') && !existsSync(at(file)))
      problems.push(`${file} is missing: npm run prebuilds -- ${name.slice(8)}`);
  }
  for (const page of ['README.md', 'docs/install.md', 'simulator/README.md']) {
    if (/has not been\s+published yet/.test(read(page)))
      problems.push(`${page} says that the package has not been published yet`);
  }
  if (read('CHANGELOG.md').includes(`## ${version} (unreleased)`)) {
    problems.push(`CHANGELOG.md calls ${version} unreleased`);
  }
  return problems;
}
