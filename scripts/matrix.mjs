// Installs the packed package in every way that people do, and loads it: package managers, runtimes, compilers, bundlers.

import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupProgram, makeExecutable } from './matrix/executables.mjs';
import { differences, formatted } from './matrix/drift.mjs';
import { programs, resolutions, typedProgram, writePrograms } from './matrix/programs.mjs';
import { root, setUpOrExit } from './setup.mjs';
import { fetchNode, nodeVersions } from './setup/nodes.mjs';
import { parseOptions } from './setup/options.mjs';
import { prebuild } from './setup/prebuild.mjs';
import { run } from './setup/run.mjs';
import { Stamp, contentHash } from './setup/stamp.mjs';

const usage = `Usage: node scripts/matrix.mjs [--only=part] [--check] [--subset]

Packs the package, installs it in every way that docs/install.md shows, loads it, and writes the table there. Linux x64 only; needs
the registry: the tools come from there in the versions of scripts/matrix/tools.json, without their install scripts.

  --only     one part: managers, runtimes, types, bundlers or executables
  --check    leave the table alone; exit code 1 when it says something else
  --subset   check what a minute is enough for: the managers with one Node.js each, and the bundlers`;
const parts = {
  managers: managersTable,
  runtimes: runtimesTable,
  types: typesTable,
  bundlers: bundlersTable,
  executables: executablesTable,
};
/**
 * Neither runtimes nor packagers of executables: each fetches or writes some hundred MB. Nor the types, most of which
 * package/tarball checks as well.
 */
const partsOfSubset = ['managers', 'bundlers'];
const toolsOfOtherParts = [
  '@arethetypeswrong/cli',
  '@deno/linux-x64-glibc',
  '@oven/bun-linux-x64-baseline',
  'postject',
  '@electron/asar',
];
const { check, only, subset } = parseOptions(usage, {
  options: {
    only: { type: 'string' },
    check: { type: 'boolean', default: false },
    subset: { type: 'boolean', default: false },
  },
  check: ({ values: { only } }) => (only === undefined || only in parts ? undefined : `there is no part ${only}`),
}).values;

const versions = JSON.parse(readFileSync(join(root, 'scripts', 'matrix', 'tools.json'), 'utf8'));
const page = join(root, 'docs', 'install.md');
// Outside of the checkout, whose own packages would be found otherwise.
const directory = mkdtempSync(join(tmpdir(), 'domino-vss-matrix-'));
// Both may run at the same time.
const toolsDirectory = join(root, 'build', subset ? 'matrix-subset' : 'matrix');
const tool = (...parts) => join(toolsDirectory, 'node_modules', ...parts);
const addon = join(root, 'build', 'Release', 'domino_vss.node');

try {
  await setUpOrExit(['native', 'lib']);
  await installTools();
  const nodes = [];
  for (const [, version] of nodeVersions('linux')) {
    nodes.push({ version, program: await programOf(version) });
  }
  await prebuild(root);
  const tarball = await pack(root);
  for (const [name, makeTable] of Object.entries(parts)) {
    if (only !== undefined && only !== name) continue;
    if (subset && !partsOfSubset.includes(name)) continue;
    const startedAt = performance.now();
    publish(name, await makeTable(tarball, nodes));
    console.error(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function programOf(version) {
  if (version === process.versions.node) return process.execPath;
  return fetchNode('linux', version, join(root, 'build', 'nodes'));
}

async function installTools() {
  mkdirSync(toolsDirectory, { recursive: true });
  const needed = Object.entries(versions).filter(([name]) => !subset || !toolsOfOtherParts.includes(name));
  const dependencies = Object.fromEntries(needed);
  const stamp = new Stamp(join(toolsDirectory, '.stamp'), contentHash(root, [], [dependencies]));
  if (stamp.matches()) return;
  writeFileSync(join(toolsDirectory, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: toolsDirectory });
  stamp.write();
}

async function pack(packageDirectory) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory, packageDirectory];
  const out = await run('npm', args, { cwd: root });
  return join(directory, JSON.parse(out.slice(out.indexOf('[')))[0].filename);
}

/** A project that has the package, installed by one of the managers. */
async function project(name, tarball, install) {
  const place = join(directory, name);
  mkdirSync(place);
  const manifest = { name: 'consumer', private: true, dependencies: { 'domino-vss': `file:${tarball}` } };
  writeFileSync(join(place, 'package.json'), JSON.stringify(manifest));
  writePrograms(place);
  await install(place);
  return place;
}

function npmInstall(cwd) {
  return run('npm', ['install', '--no-audit', '--no-fund'], { cwd });
}

async function managersTable(tarball, nodes) {
  const script = (...parts) => tool(...parts);
  const withNode = (args) => (cwd) => run(process.execPath, args, { cwd, env: { COREPACK_ENABLE_STRICT: '0' } });
  const managers = {
    npm: npmInstall,
    [`pnpm ${versions.pnpm}`]: withNode([script('pnpm', 'bin', 'pnpm.cjs'), 'install']),
    [`yarn ${versions.yarn}`]: withNode([script('yarn', 'bin', 'yarn.js'), 'install', '--no-lockfile']),
    [`yarn ${versions['@yarnpkg/cli-dist']}, PnP`]: async (cwd) => {
      writeFileSync(
        join(cwd, '.yarnrc.yml'),
        // With CI set, it would refuse to write its empty lockfile.
        'enableTelemetry: false\nenableGlobalCache: false\nenableImmutableInstalls: false\nnodeLinker: pnp\npnpEnableEsmLoader: true\n',
      );
      writeFileSync(join(cwd, 'yarn.lock'), '');
      await withNode([script('@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'install'])(cwd);
    },
  };
  const rows = [];
  for (const [name, install] of Object.entries(managers)) {
    const place = await attempt(() => project(`manager-${rows.length}`, tarball, install));
    const cells = [];
    for (const [index, { program }] of nodes.entries()) {
      // Each manager with another version.
      if (subset && index !== rows.length % nodes.length) cells.push(undefined);
      else
        cells.push(
          place.failed ?? (await ways((file) => run(program, [...pnp(name, place.value), file], { cwd: place.value }))),
        );
    }
    rows.push([name, ...cells]);
  }
  return table(['installed by', ...nodes.map(({ version }) => `Node.js ${version}`)], rows);
}

/** What `yarn node` hands to Node.js. */
function pnp(name, place) {
  if (!name.endsWith('PnP')) return [];
  return [
    '--require',
    join(place, '.pnp.cjs'),
    '--experimental-loader',
    join(place, '.pnp.loader.mjs'),
    '--no-warnings',
  ];
}

async function runtimesTable(tarball) {
  const place = await project('runtimes', tarball, npmInstall);
  const runtimes = {
    [`Deno ${versions['@deno/linux-x64-glibc']}`]: [
      [tool('@deno', 'linux-x64-glibc', 'deno'), 'run', '--allow-all', '--node-modules-dir=manual', '--no-lock'],
      { DENO_DIR: join(directory, 'deno'), DENO_NO_UPDATE_CHECK: '1' },
    ],
    [`Bun ${versions['@oven/bun-linux-x64-baseline']}`]: [
      [tool('@oven', 'bun-linux-x64-baseline', 'bin', 'bun'), 'run'],
      {},
    ],
  };
  const rows = [];
  for (const [name, [[program, ...args], env]] of Object.entries(runtimes)) {
    rows.push([name, await ways((file) => run(program, [...args, file], { cwd: place, env }))]);
  }
  return table(['runtime', 'installed by npm'], rows);
}

async function typesTable(tarball) {
  const place = await project('typescript', tarball, npmInstall);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', 'typescript', 'package.json'), 'utf8'));
  writeFileSync(join(place, 'consumer.ts'), typedProgram);
  const rows = [];
  for (const [name, settings] of Object.entries(resolutions)) {
    const compilerOptions = {
      ...settings,
      ...{ strict: true, noEmit: true, skipLibCheck: false, target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable'] },
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules', '@types')] },
    };
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    rows.push([
      `TypeScript ${version}, ${name}`,
      await outcome(() => run(process.execPath, [tsc, '-p', '.'], { cwd: place })),
    ]);
  }
  const attw = tool('@arethetypeswrong', 'cli', 'dist', 'index.js');
  const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js');
  // JSON files and addons have no types.
  const untyped = [
    'package.json',
    'schema/config-1.json',
    'schema/manifest-1.json',
    'addon/linux-x64',
    'addon/win32-x64',
  ];
  const packages = {
    'domino-vss': [tarball, '--exclude-entrypoints', ...untyped],
    'domino-vss-simulator': [await pack(join(root, 'simulator'))],
  };
  for (const [name, [file, ...entries]] of Object.entries(packages)) {
    const checks = {
      [`attw ${versions['@arethetypeswrong/cli']}`]: [attw, file, '--no-emoji', ...entries],
      'publint --strict': [publint, file, '--strict'],
    };
    for (const [check, args] of Object.entries(checks)) {
      rows.push([`${check}, ${name}`, await outcome(() => run(process.execPath, args))]);
    }
  }
  return table(['types', ''], rows);
}

async function bundlersTable(tarball, nodes) {
  const node = nodes[0].program;
  const names = { esbuild: 'esbuild', webpack: 'webpack', rspack: '@rspack/core', rollup: 'rollup', vite: 'vite' };
  const place = await project('bundlers', tarball, npmInstall);
  const alone = join(directory, 'alone');
  mkdirSync(alone);
  const rows = [];
  for (const [name, packageName] of Object.entries(names)) {
    const cells = [];
    for (const where of ['outside', 'inside']) {
      for (const format of ['cjs', 'esm']) {
        // Each place and each format once.
        if (subset && (where === 'outside') !== (format === 'esm')) {
          cells.push(undefined);
          continue;
        }
        const file = `${name}-${where}.${format === 'cjs' ? 'cjs' : 'mjs'}`;
        const args = [name, format, where, join(place, 'load.mjs'), join(place, file)];
        cells.push(
          await outcome(async () => {
            await run(node, [join(root, 'scripts', 'matrix', 'bundlers.mjs'), ...args], { cwd: toolsDirectory });
            // A bundle that holds the package must do without it.
            if (where === 'inside') copyFileSync(join(place, file), join(alone, file));
            const env = where === 'inside' ? { DOMINO_VSS_ADDON: addon } : {};
            await run(node, [join(where === 'inside' ? alone : place, file)], { env });
          }),
        );
      }
    }
    rows.push([`${name} ${versions[packageName]}`, ...cells]);
  }
  const head = [
    'bundler',
    'outside, CommonJS',
    'outside, ESM',
    'inside with `DOMINO_VSS_ADDON`, CommonJS',
    'inside, ESM',
  ];
  return table(head, rows);
}

async function executablesTable(tarball, nodes) {
  const place = await project('executables', tarball, npmInstall);
  const rows = [];
  for (const way of ['useAddon', 'DOMINO_VSS_ADDON']) rows.push([`single executable, \`${way}\``]);
  writeFileSync(join(place, 'backup.cjs'), backupProgram);
  const bundle = join(place, 'bundle.cjs');
  const bundling = ['esbuild', 'cjs', 'inside', join(place, 'backup.cjs'), bundle];
  await run(nodes[0].program, [join(root, 'scripts', 'matrix', 'bundlers.mjs'), ...bundling], { cwd: toolsDirectory });
  await setUpOrExit(['simulator']);
  const { createSimulation } = createRequire(import.meta.url)('../simulator');
  const { environment, notesIni, programDirectory } = await createSimulation({
    directory: join(directory, 'domino'),
    databases: 5,
  });
  for (const { program: node, version } of nodes) {
    const home = join(directory, `executable-${version}`);
    const options = { bundle, node, version, postject: tool('postject', 'dist', 'cli.js'), directory: home };
    const made = await attempt(() => makeExecutable(options));
    copyFileSync(addon, join(home, 'domino-vss.node'));
    const domino = { ...environment, NOTES_INI: notesIni, PROGRAM_DIRECTORY: programDirectory, BACKUPS: home };
    const start = (args, env = {}) => outcome(() => run(made.value, args, { env: { ...domino, ...env } }));
    rows[0].push(made.failed ?? (await start(['useAddon'])));
    rows[1].push(made.failed ?? (await start([], { DOMINO_VSS_ADDON: join(home, 'domino-vss.node') })));
    // Such a file has more than 100 MB.
    rmSync(home, { recursive: true });
  }
  rows.push([
    `archive of @electron/asar ${versions['@electron/asar']}, laid out`,
    ...(await archiveCells(tarball, nodes)),
  ]);
  return table(['one file', ...nodes.map(({ version }) => `Node.js ${version}`)], rows);
}

async function archiveCells(tarball, nodes) {
  const place = await project('electron', tarball, npmInstall);
  const shown = join(directory, 'shown');
  const [{ program: newest }] = nodes.slice(-1);
  await run(newest, [join(root, 'scripts', 'matrix', 'archive.mjs'), place, shown], { cwd: toolsDirectory });
  cpSync(join(shown, 'packed', 'app.asar.unpacked'), join(shown, 'app.asar.unpacked'), { recursive: true });
  const cells = [];
  for (const { program } of nodes) {
    cells.push(await ways((file) => run(program, [join(shown, 'app.asar', file)])));
  }
  return cells;
}

/** Which of the programs work. */
async function ways(start) {
  const works = [];
  const fails = [];
  for (const [name, { file }] of Object.entries(programs)) {
    const result = await outcome(async () => {
      const said = await start(file);
      if (!said.includes('works')) throw Object.assign(new Error('said nothing'), { output: said });
    });
    if (result === 'works') works.push(name);
    else fails.push(`${name}: ${result}`);
  }
  return [works.join(', '), ...fails].filter(Boolean).join('; ');
}

async function attempt(action) {
  try {
    return { value: await action() };
  } catch (error) {
    return { failed: reason(error) };
  }
}

async function outcome(action) {
  const { failed } = await attempt(action);
  return failed ?? 'works';
}

/** The line that says what is wrong, without what differs from run to run. */
function reason(error) {
  if (process.env.MATRIX_DEBUG) console.error(error.message, error.output);
  const lines = (error.output ?? error.message).split('\n').map((line) => line.trim());
  const line =
    lines.find((text) => /^(?:\w+: )?\w*Error\b.*: /.test(text)) ??
    lines.find((text) => /error|cannot|failed/i.test(text) && text.length < 300) ??
    lines[0];
  return `**no**: ${line.replaceAll(directory, '…').replaceAll('|', '/').slice(0, 160)}`;
}

function table(head, rows) {
  for (const row of rows) console.error(row.join(' | '));
  return { head, rows };
}

function publish(name, made) {
  const before = readFileSync(page, 'utf8');
  const [begin, end] = ['begin', 'end'].map((edge) => before.indexOf(`<!-- ${name}: ${edge} -->`));
  const from = before.indexOf('-->', begin) + '-->'.length;
  const after = `${before.slice(0, from)}\n\n${formatted(made)}\n\n${before.slice(end)}`;
  if (!check && !subset) {
    if (after !== before) writeFileSync(page, after);
    return;
  }
  // The subset lacks cells; the whole must be the same to the letter.
  const found = differences(before.slice(from, end), made);
  if (!subset && after !== before && found.length === 0) found.push('other rows or columns');
  if (found.length === 0) return;
  console.error(`docs/install.md says something else of ${name}: node scripts/matrix.mjs\n${found.join('\n')}`);
  process.exitCode = 1;
}
