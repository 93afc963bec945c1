// The tests in the real Windows Node.js under Wine, against the addon that ships for Windows. The last line is
// "N passed, N failed".

import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { root, setUp, windowsPrefix } from './setup.mjs';
import { exitCodeOfInterrupt, interrupted } from './setup/interrupt.mjs';
import { parseOptions } from './setup/options.mjs';
import { run } from './setup/run.mjs';
import { filesBelow } from './setup/stamp.mjs';
import { fetchNode, nodeVersions } from './setup/nodes.mjs';
import { WinePrefix } from './setup/wine.mjs';
import { programSuites } from './windows-programs.mjs';

/** A file that has not ended by then hangs. */
const fileTimeoutMs = 600_000;
/** Under Wine everything that starts a process takes several times as long. */
const testTimeoutMs = 120_000;
const filesPerProcess = 8;
/** So many files may fail beside others and get a second run alone: those of one process. More of them are no accident. */
const mostSecondRuns = filesPerProcess;
/** What Windows makes different shows in a few cases of the random tests; Linux runs all of them, several times as fast. */
const fewCases = { SIMULATION_SEEDS: '20', DOMINO_VSS_CASES: '30' };
/** What has no meaning on Windows: file systems of Linux, the package, which is examined where it is made, and our own tools. */
const linuxOnly = [/^bench\//, /^development\//, /^integration\/loop\//, /^package\//, /\.linux\.test\.js$/];
/** What starts dozens of processes takes minutes under Wine, so it belongs to later tiers there. */
const leftOutOfTier = {
  quick: /\.(ci|full)\.test\.js$|^lifecycle\/|^integration\//,
  // But for holds, and for restores to other servers, of logs and of server files: paths and locks of Windows matter most to them.
  ci: /\.full\.test\.js$|^lifecycle\/|^integration\/(?!(?:hold|log-archive|other-server|server-files)\.test)/,
  full: /^$/,
};

const tiers = Object.keys(leftOutOfTier);
const known = nodeVersions('win32');
const usage = `Usage: npm run test:windows -- [--node=${[...known.keys()].join('|')}|all] [--tier=${tiers.join('|')}] [part of a test file's path …]

The tests in Windows Node.js under Wine.

  --node    which version (default the first one)
  --tier    how much (default quick)

In the full tier, or when they are named, also the tests that are programs: windows-native/… is the requester without Node,
simulator/… are the stand-ins as programs of others use them. The ci tier has simulator/vss of them.`;
const { versions, tier, patterns } = readOptions();
const workshop = join(root, 'build', 'windows');
const results = join(workshop, 'results');
/** The machine with the stand-in for VSS. */
const prefix = windowsPrefix();
/**
 * For what needs no VSS and runs beside: Wine finds the letter of a directory by its inode number and looks at the drives once a
 * second, so in the other prefix a new directory with the number of a removed shadow gets the letter of the shadow's drive.
 */
const prefixWithoutVss = new WinePrefix(join(workshop, 'prefix-without-vss'), root);
const prefixWithRoot = new WinePrefix(join(workshop, 'prefix-with-root'), root, { rootDrive: true });
const total = { passed: 0, failed: 0 };
process.once('SIGINT', endAll);

try {
  await setUp(['test', 'windows-addon']);
  const files = testFiles();
  const programs = programSuites.filter(({ name }) => {
    if (patterns.length > 0) return patterns.some((pattern) => name.includes(pattern));
    return tier === 'full' || (tier === 'ci' && name === 'simulator/vss');
  });
  if (files.length + programs.length === 0) throw new Error('no test file matches');
  if (files.some((file) => !file.startsWith('unit/'))) await setUp(['windows-simulator']);
  await prefix.ensure();
  for (const machine of machinesOf(files)) await machine.ensure();
  for (const suite of programs) await testPrograms(suite);
  if (files.some(usesVss)) await installVss();
  if (files.includes('windows/addon.test.js')) await unpackPackage();
  if (files.some(usesVss)) makeUnsafeDirectories();
  for (const [index, version] of versions.entries()) {
    // What another version may change is above all how the addon loads.
    const again = (file) => file.startsWith('windows/addon.');
    await testWith(version, index === 0 || tier === 'full' ? files : files.filter(again));
  }
} catch (error) {
  total.failed += 1;
  if (!interrupted()) console.error(error.message);
} finally {
  await endAll();
}
if (interrupted()) {
  console.error('interrupted');
  process.exitCode = exitCodeOfInterrupt;
} else {
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** Ends whatever runs under Wine. */
async function endAll() {
  await prefix.end();
  await prefixWithoutVss.end();
  await prefixWithRoot.end();
}

function readOptions() {
  const { values, positionals } = parseOptions(usage, {
    options: { node: { type: 'string', default: [...known.keys()][0] }, tier: { type: 'string', default: 'quick' } },
    allowPositionals: true,
    check: ({ values: { node, tier } }) => {
      if (node !== 'all' && !known.has(node)) return `there is no --node=${node}`;
      return tiers.includes(tier) ? undefined : `there is no --tier=${tier}`;
    },
  });
  const versions = values.node === 'all' ? [...known.values()] : [known.get(values.node)];
  return { versions, tier: values.tier, patterns: positionals };
}

function testFiles() {
  const tests = join(root, 'build', 'test');
  const files = filesBelow(tests)
    .map((file) => relative(tests, file))
    .filter((file) => file.endsWith('.test.js') && !leftOutOfTier[tier].test(file))
    .filter((file) => !linuxOnly.some((pattern) => pattern.test(file)))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)));
  return files;
}

/** Where the stand-in for vssapi.dll is what Windows has; elsewhere it is Wine's own, which can do nothing. */
function usesVss(file) {
  return file.startsWith('windows/');
}

function machinesOf(files) {
  return new Set(files.map((file) => (usesVss(file) ? prefix : prefixWithoutVss)));
}

/** Puts the stand-in into the system directory and makes a second volume; nothing of an earlier run is left. */
async function installVss() {
  await setUp(['windows-vss']);
  const library = join(root, 'simulator', 'build', 'win32-x64', 'vss', 'vssapi.dll');
  const { installVss } = createRequire(import.meta.url)('../simulator/vss');
  const vss = installVss({ prefix: prefix.directory, library });
  vss.reset();
  prefix.preload(vss.environment.LD_PRELOAD);
  const secondVolume = join(workshop, 'volume-d');
  rmSync(secondVolume, { recursive: true, force: true });
  vss.addDrive('D', secondVolume);
  // For scripts, which name more of them.
  for (const letter of ['e', 'r', 't']) vss.addDrive(letter, join(workshop, `volume-${letter}`));
  // As a cloned disk has it: the same serial number. Wine reads it when it starts.
  await prefix.end();
  for (const drive of [prefix.systemDrive, secondVolume]) writeFileSync(join(drive, '.windows-serial'), '1a2b3c4d\n');
  // What machines of runs that were killed have left: every shadow of all of C: would copy it.
  const left = readdirSync(prefix.systemDrive).filter((name) => name.startsWith('vss-test-'));
  for (const name of left) rmSync(join(prefix.systemDrive, name), { recursive: true, force: true });
  // Where a run that was killed had exposed shadows.
  for (const letter of ['b', 'q']) rmSync(join(prefix.directory, 'dosdevices', `${letter}:`), { force: true });
}

/** Puts what `npm pack` makes where a program finds it as an installed package, and its dependencies in the checkout. */
async function unpackPackage() {
  const project = join(workshop, 'package');
  const installed = join(project, 'node_modules', 'domino-vss');
  rmSync(project, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], { cwd: root });
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[')));
  await run('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1']);
}

/**
 * Directories that ordinary users can write to, or that belong to one. Wine shows the permissions of the file system below as
 * those of Windows; under Windows Node.js cannot change them.
 */
function makeUnsafeDirectories() {
  for (const path of ['writable', 'planted/domino-vss']) {
    rmSync(join(workshop, path), { recursive: true, force: true });
    mkdirSync(join(workshop, path), { recursive: true });
    chmodSync(join(workshop, path), 0o777);
  }
  const foreign = join(workshop, 'foreign');
  mkdirSync(foreign, { recursive: true });
  // Only root can give something away.
  if (process.getuid?.() === 0) chownSync(foreign, 65_534, 65_534);
  else rmSync(foreign, { recursive: true });
}

/** In one prefix, one after the other: what uses VSS takes the whole machine. */
async function testPrograms(suite) {
  if (interrupted()) return;
  if (suite.usesVss) await installVss();
  mkdirSync(results, { recursive: true });
  const startedAt = performance.now();
  const prefixOfSuite = suite.usesVss ? prefix : prefixWithRoot;
  const ended = await suite.run({ name: suite.name, root, tier, results, prefix: prefixOfSuite });
  const { code, passed, failed: counted, output } = ended;
  const failed = counted === 0 && (code !== 0 || passed === 0) ? 1 : counted;
  total.passed += passed;
  total.failed += failed;
  announce(failed === 0 ? 'PASS' : 'FAIL', suite.name, { passed, failed, tookMs: performance.now() - startedAt });
  if (failed > 0) console.log(output);
}

async function testWith(version, files) {
  const node = await fetchNode('win32', version, join(root, 'build', 'windows', 'node'));
  const program = `C:\\node-${version}\\node.exe`;
  for (const { systemDrive } of machinesOf(files)) {
    mkdirSync(join(systemDrive, `node-${version}`), { recursive: true });
    copyFileSync(node, join(systemDrive, `node-${version}`, 'node.exe'));
  }
  rmSync(join(results, version), { recursive: true, force: true });

  console.log(`Windows Node.js ${version}: ${files.length} test files`);
  const failed = [];
  const drain = async (queue) => {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift())
      failed.push(...(await testBatch(program, version, batch, 'AGAIN')));
  };
  // There is one machine with one drive B:, so what uses VSS runs one after the other.
  const vssFiles = files.filter(usesVss).map((file) => [file]);
  const others = inBatches(files.filter((file) => !usesVss(file)));
  const workers = Array.from({ length: availableParallelism() - 1 }, () => drain(others));
  await Promise.all([drain(vssFiles).then(() => drain(others)), ...workers]);
  await testAgain(program, version, failed);
}

/**
 * It has happened that under Wine a process could not be started, and that a file in the other prefix failed at nearly the same
 * moment; the cause is not known. What has failed runs once more, alone; both runs are shown, and the second one counts.
 */
async function testAgain(program, version, files) {
  if (files.length > mostSecondRuns) {
    total.failed += files.length;
    for (const file of files) console.log(`FAIL ${file}: see above`);
    return;
  }
  for (const file of files) {
    if (interrupted()) return;
    const failed = await testBatch(program, version, [file], 'FAIL');
    total.failed += failed.length;
  }
}

/**
 * The Domino runtime exists once per process, so a file has a process of its own; but under Wine the start of a process takes longer
 * than most tests of what never loads Domino.
 */
function inBatches(files) {
  const batches = [];
  for (const file of files) {
    const last = batches.at(-1);
    if (last !== undefined && last.length < filesPerProcess && [file, ...last].every(isWithoutDomino)) last.push(file);
    else batches.push([file]);
  }
  return batches;
}

function isWithoutDomino(file) {
  return /^unit\/(?!native\/)/.test(file) && !file.endsWith('.ci.test.js');
}

/** Counts what has passed, and answers the files that have failed, whose lines begin with `mark`. */
async function testBatch(program, version, files, mark) {
  if (interrupted()) return [];
  const base = join('build', 'windows', 'results', version, files[0].replace(/\.test\.js$/, ''));
  const [report, stdout, stderr] = ['json', 'out', 'err'].map((extension) => `${base}.${extension}`);
  mkdirSync(dirname(join(root, base)), { recursive: true });
  rmSync(join(root, report), { force: true });
  const jest = ['--runInBand', '--forceExit', `--testTimeout=${testTimeoutMs}`];
  const [machine] = machinesOf(files);
  const code = await machine.run(
    program,
    [
      machine.pathOf('node_modules/jest/bin/jest.js'),
      ...jest,
      `--config=${machine.pathOf('jest.config.js')}`,
      '--json',
      `--outputFile=${machine.pathOf(report)}`,
      '--runTestsByPath',
      ...files.map((file) => machine.pathOf(`build/test/${file}`)),
    ],
    {
      stdout: join(root, stdout),
      stderr: join(root, stderr),
      env: testEnvironment(files[0]),
      timeoutMs: fileTimeoutMs,
    },
  );
  if (interrupted()) return [];
  if (!existsSync(join(root, report))) {
    const how = code === null ? `had not ended after ${fileTimeoutMs / 1000} s` : `ended with exit code ${code}`;
    console.log(`${mark} ${files.join(' ')}: ${how}\n${tail(join(root, stderr))}`);
    return files;
  }
  const { testResults } = JSON.parse(readFileSync(join(root, report), 'utf8'));
  const failed = testResults.filter((result) => !countPassed(result, mark)).map(fileOf);
  if (failed.length > 0 || (code === 0 && testResults.length === files.length)) return failed;
  console.log(`${mark} ${files.join(' ')}: ${testResults.length} of ${files.length} files, exit code ${code}`);
  return files;
}

function fileOf({ name }) {
  return name.replaceAll('\\', '/').replace(/^.*\/build\/test\//, '');
}

/** Counts the tests of a file if it has passed, and answers whether it has; one that did not even load has not. */
function countPassed(result, mark) {
  const { status, assertionResults, startTime, endTime, message } = result;
  const passed = assertionResults.filter((test) => test.status === 'passed').length;
  const failedTests = assertionResults.filter((test) => test.status === 'failed').length;
  const failed = failedTests === 0 && status === 'failed' ? 1 : failedTests;
  announce(failed === 0 ? 'PASS' : mark, fileOf(result), { passed, failed, tookMs: endTime - startTime });
  if (failed > 0) console.log(message);
  else total.passed += passed;
  return failed === 0;
}

function announce(mark, name, { passed, failed, tookMs }) {
  const seconds = (tookMs / 1000).toFixed(1);
  console.log(`${mark} ${name}: ${passed} passed, ${failed} failed (${seconds} s)`);
}

function tail(file) {
  return readFileSync(file, 'utf8').split('\n').slice(-30).join('\n');
}

function testEnvironment(file) {
  return {
    // Node.js asks for a Windows version that Wine does not report to it.
    NODE_SKIP_PLATFORM_CHECK: '1',
    // build/Release holds the addon for Linux.
    PREBUILDS_ONLY: '1',
    SIM_QUIET: '1',
    DOMINO_VSS_TEST_TIER: tier,
    ...(usesVss(file) && { WINEDLLOVERRIDES: 'vssapi=n' }),
    ...(tier !== 'full' && fewCases),
  };
}
