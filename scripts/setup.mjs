// Brings a fresh clone to the state in which everything runs. Uses Node's built-in modules only, for nothing is
// installed yet. Each step is stamped with a hash of what it depends on and does nothing while that is unchanged.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { exitCodeOfInterrupt, interrupted } from './setup/interrupt.mjs';
import { withLock } from './setup/lock.mjs';
import { parseOptions } from './setup/options.mjs';
import { prebuild } from './setup/prebuild.mjs';
import { CommandError, run } from './setup/run.mjs';
import { Stamp, contentHash, filesBelow } from './setup/stamp.mjs';
import { requireBuildTools, requireNode, requireWindowsCompiler } from './setup/tools.mjs';
import { WinePrefix } from './setup/wine.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const parallel = { CMAKE_BUILD_PARALLEL_LEVEL: String(availableParallelism()) };
const typescript = at('node_modules', 'typescript', 'bin', 'tsc');
const tsconfigs = ['tsconfig.base.json', 'tsconfig.json', 'tsconfig.test.json'];

/**
 * `inputs` decide whether the step runs again, `results` must exist afterwards, `stamp` lies where it vanishes
 * together with the results, `needs` are run first.
 */
const steps = {
  dependencies: {
    title: 'npm packages',
    inputs: ['package-lock.json', '.npmrc'],
    facts: [process.platform, process.arch, dependenciesOf('package.json'), dependenciesOf('simulator/package.json')],
    results: ['node_modules/typescript/bin/tsc'],
    stamp: 'node_modules/.domino-vss-setup',
    run: installDependencies,
  },
  native: {
    title: 'native addon',
    needs: ['dependencies'],
    inputs: ['cpp', 'cmake', 'CMakeLists.txt', 'package-lock.json'],
    facts: [root, process.env.CXX ?? ''],
    results: ['build/Release/domino_vss.node'],
    stamp: 'build/.setup/native',
    run: async () => {
      requireBuildTools();
      dropForeignCmakeCache('build');
      await run(
        process.execPath,
        [at('node_modules', 'cmake-js', 'bin', 'cmake-js'), 'build', '--CDCMAKE_COMPILE_WARNING_AS_ERROR=ON'],
        { cwd: root, env: parallel },
      );
    },
  },
  lib: {
    title: 'library',
    needs: ['dependencies'],
    inputs: ['lib', 'package-lock.json', 'package.json', ...tsconfigs],
    results: ['dist/index.js'],
    stamp: 'build/.setup/lib',
    run: async () => {
      await run(process.execPath, [typescript, '--build', 'tsconfig.json'], { cwd: root });
      dropStaleOutput('dist', 'lib');
    },
  },
  simulator: {
    title: 'simulator',
    inputs: ['simulator'],
    facts: [root, process.env.CXX ?? ''],
    results: ['simulator/build/program/libnotes.so'],
    stamp: 'simulator/build/.setup',
    platforms: ['linux'],
    run: async () => {
      requireBuildTools();
      await buildWithCmake('simulator', 'simulator/build');
    },
  },
  test: {
    title: 'tests',
    needs: ['lib'],
    inputs: ['lib', 'test', 'bench', 'simulator/index.d.ts', 'package-lock.json', 'package.json', ...tsconfigs],
    results: ['build/test'],
    stamp: 'build/.setup/test',
    run: async () => {
      await run(process.execPath, [typescript, '--build', 'tsconfig.test.json'], { cwd: root });
      dropStaleOutput('build/test', 'test');
      dropStaleOutput('build/bench', 'bench');
    },
  },
  'native-test': nativeTest('address,undefined', 'test/native/build'),
  'native-test-thread': nativeTest('thread', 'test/native/build-thread'),
  'windows-addon': {
    title: 'Windows addon',
    needs: ['dependencies'],
    inputs: ['cpp', 'cmake', 'CMakeLists.txt', 'package-lock.json', 'scripts/prebuildify-backend.js'],
    facts: [root],
    results: ['prebuilds/win32-x64/domino-vss.node'],
    stamp: 'build/prebuild/win32-x64/.setup',
    run: () => prebuild(root, 'win32-x64'),
  },
  'windows-simulator': {
    title: 'Windows stand-in',
    inputs: ['simulator', 'cmake/mingw-w64.cmake'],
    facts: [root],
    results: ['simulator/build/win32-x64/program/nnotes.dll'],
    stamp: 'simulator/build/win32-x64/.setup',
    run: async () => {
      requireWindowsCompiler();
      // The message texts are written by a program that was just built, in our prefix and not in the user's.
      const prefix = windowsPrefix();
      await prefix.ensure();
      await buildForWindows('simulator', 'simulator/build/win32-x64', { env: { WINEPREFIX: prefix.directory } });
    },
  },
  'windows-native-test': {
    title: 'requester tests',
    inputs: ['cpp', 'cmake', 'test/native/check.h', 'test/windows-native'],
    facts: [root],
    results: ['build/windows/native-test/vss.exe'],
    stamp: 'build/windows/native-test/.setup',
    run: async () => {
      requireWindowsCompiler();
      await buildForWindows('test/windows-native', 'build/windows/native-test');
    },
  },
  'windows-vss': {
    title: 'VSS stand-in',
    inputs: ['simulator/vss', 'simulator/test/vss', 'cmake/mingw-w64.cmake'],
    facts: [root],
    results: ['simulator/build/win32-x64/vss/vssapi.dll'],
    stamp: 'simulator/build/win32-x64/vss/.setup',
    run: async () => {
      requireWindowsCompiler();
      await buildForWindows('simulator/vss', 'simulator/build/win32-x64/vss', { options: ['-DVSS_TESTS=ON'] });
    },
  },
};

/** The Wine prefix of everything that is built and tested here for Windows. */
export function windowsPrefix() {
  return new WinePrefix(at('build', 'windows', 'prefix'), root);
}

/** What the quick tests need: not the second sanitizer build, and nothing for Windows. */
const usual = Object.keys(steps).filter((name) => name !== 'native-test-thread' && !name.startsWith('windows-'));

/** Does what is missing of the named steps and of what they need. */
export async function setUp(names = usual) {
  requireNode();
  await withLock(
    root,
    () => console.error('set-up: waiting for another set-up of this directory to end'),
    async () => {
      const done = new Set();
      for (const name of names) await ensure(name, done);
    },
  );
}

async function ensure(name, done) {
  const step = steps[name];
  if (step === undefined) throw new Error(`no step "${name}"; there are: ${Object.keys(steps).join(' ')}`);
  if (done.has(name) || (step.platforms !== undefined && !step.platforms.includes(process.platform))) return;
  for (const needed of step.needs ?? []) await ensure(needed, done);
  done.add(name);

  const files = step.inputs.flatMap((path) => filesBelow(at(path)));
  const stamp = new Stamp(at(step.stamp), contentHash(root, files, step.facts));
  if (stamp.matches() && step.results.every((path) => existsSync(at(path)))) return;

  if (interrupted()) throw new Error('interrupted');
  stamp.remove();
  const startedAt = performance.now();
  // A terminal shows what is under way, until the line that says how long it took takes the place of this one.
  if (process.stderr.isTTY) process.stderr.write(`set-up: ${step.title} …\r`);
  try {
    await step.run();
    const missing = step.results.filter((path) => !existsSync(at(path)));
    if (missing.length > 0) throw new Error(`did not make ${missing.join(', ')}`);
  } catch (error) {
    if (interrupted()) throw new Error('interrupted', { cause: error });
    if (error instanceof CommandError) process.stderr.write(error.output);
    throw new Error(`${step.title}: ${error.message}`, { cause: error });
  }
  stamp.write();
  console.error(`set-up: ${step.title.padEnd(14)} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The part of a package.json that `npm ci` acts on; reinstalling for the rest of it would take half a minute. */
function dependenciesOf(file) {
  const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(readFileSync(at(file), 'utf8'));
  return JSON.stringify({ dependencies, devDependencies, optionalDependencies, overrides });
}

/** Install scripts stay off (.npmrc), so this only unpacks. Development packages come even in a production shell. */
async function installDependencies() {
  const shell = process.platform === 'win32'; // npm is a batch file there
  await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, shell });
}

function nativeTest(sanitizer, build) {
  return {
    title: sanitizer === 'thread' ? 'thread tests' : 'native tests',
    inputs: ['cpp', 'cmake', 'test/native'],
    facts: [root, process.env.CXX ?? ''],
    results: [`${build}/CTestTestfile.cmake`],
    stamp: `${build}/.setup`,
    platforms: ['linux'],
    run: async () => {
      requireBuildTools();
      await buildWithCmake('test/native', build, { options: [`-DSANITIZER=${sanitizer}`] });
    },
  };
}

async function buildWithCmake(source, build, { options = [], env = {} } = {}) {
  dropForeignCmakeCache(build);
  const args = ['-S', source, '-B', build, '-DCMAKE_COMPILE_WARNING_AS_ERROR=ON', ...options];
  await run('cmake', args, { cwd: root });
  await run('cmake', ['--build', build], { cwd: root, env: { ...parallel, ...env } });
}

function buildForWindows(source, build, { options = [], env } = {}) {
  const toolchain = `-DCMAKE_TOOLCHAIN_FILE=${at('cmake', 'mingw-w64.cmake')}`;
  return buildWithCmake(source, build, { options: [toolchain, ...options], env });
}

/** CMake refuses a cache that was made for another directory: the tree was moved or copied with its build. */
function dropForeignCmakeCache(build) {
  const cache = at(build, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const madeFor = /^CMAKE_CACHEFILE_DIR:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (madeFor === undefined || relative(madeFor, at(build)) !== '') rmSync(at(build), { recursive: true });
}

/** The compiler leaves the output of deleted sources behind; it would be shipped, and run as a test. */
function dropStaleOutput(output, source) {
  for (const file of filesBelow(at(output))) {
    const name = relative(at(output), file).replace(/\.(js|d\.ts)(\.map)?$/, '');
    if (!existsSync(at(source, `${name}.ts`))) rmSync(file);
  }
}

/** For programs: says in one line what is wrong and ends the process. */
export async function setUpOrExit(names) {
  try {
    await setUp(names);
  } catch (error) {
    console.error(`set-up ${interrupted() ? '' : 'failed: '}${error.message}`);
    process.exit(interrupted() ? exitCodeOfInterrupt : 1);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const usage = `Usage: npm run setup -- [step …]

Brings a fresh clone to the state in which everything runs. Steps: ${usual.join(', ')};
and what only some need: ${Object.keys(steps)
    .filter((name) => !usual.includes(name))
    .join(', ')}.`;
  const { positionals: names } = parseOptions(usage, {
    allowPositionals: true,
    check: ({ positionals }) =>
      positionals.filter((name) => !(name in steps)).map((name) => `there is no step "${name}"`)[0],
  });
  await setUpOrExit(names.length > 0 ? names : undefined);
}
