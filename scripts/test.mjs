// The test command: sets up, runs every suite of a tier and ends with one line, "N passed, N failed".
//
//   node scripts/test.mjs [--tier=quick|ci|full] [--coverage] [jest arguments …]
//
// With CI=true the tier is at least "ci", and what cannot run here (skipped, or needs root) counts as failed.
// With jest arguments only jest runs.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { root, setUp } from './setup.mjs';
import { fetchNode, nodeVersions } from './setup/nodes.mjs';
import { run } from './setup/run.mjs';

const tiers = ['quick', 'ci', 'full'];
const ci = process.env.CI === 'true';
const { tier, coverage, jestArguments } = parseArguments(process.argv.slice(2));
const onlyJest = jestArguments.length > 0;
const results = mkdtempSync(join(tmpdir(), 'domino-vss-test-'));
const total = { passed: 0, failed: 0, notRun: 0 };

if (await attempt(() => setUp(onlyJest ? ['native', 'simulator', 'test'] : undefined))) {
  if (!onlyJest && tier !== 'quick' && process.platform === 'linux') await attempt(() => setUp(['windows-addon']));
  if (!onlyJest && tier !== 'quick') await attempt(runLint);
  await attempt(runJest);
  if (!onlyJest && process.platform === 'linux') {
    await attempt(() => runCtest('simulator/build'));
    await attempt(() => runCtest('test/native/build'));
    if (tier !== 'quick') await attempt(runThreadSanitizer);
    if (tier !== 'quick') await attempt(runWindows);
  }
}
rmSync(results, { recursive: true });
if (total.notRun > 0) console.log(`${total.notRun} not run, see above`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function parseArguments(args) {
  const options = { tier: ci ? 'ci' : 'quick', coverage: false, jestArguments: [] };
  for (const arg of args) {
    if (arg.startsWith('--tier=')) options.tier = arg.slice('--tier='.length);
    else if (arg === '--coverage') options.coverage = true;
    else options.jestArguments.push(arg);
  }
  if (!tiers.includes(options.tier)) throw new Error(`no tier "${options.tier}"; there are: ${tiers.join(' ')}`);
  return options;
}

/** What could not even start is one failure; the suites after it still have something to say. */
async function attempt(action) {
  try {
    await action();
    return true;
  } catch (error) {
    total.failed += 1;
    console.error(error.message);
    return false;
  }
}

async function runJest() {
  const report = join(results, 'jest.json');
  const nodes = tier === 'quick' ? [] : await otherNodes();
  const args = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--json', `--outputFile=${report}`];
  const failure = await run(process.execPath, [...args, ...(coverage ? ['--coverage'] : []), ...jestArguments], {
    cwd: root,
    env: { ...jestEnvironment(), DOMINO_VSS_TEST_NODES: nodes.join(delimiter) },
    show: true,
  }).then(
    () => undefined,
    (error) => error,
  );
  if (!existsSync(report)) throw failure ?? new Error('jest wrote no report');
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const broken = testResults.filter(({ status, assertionResults }) => {
    return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
  });
  total.passed += numPassedTests;
  total.failed += numFailedTests + broken.length;
  if (failure !== undefined && numFailedTests + broken.length === 0) throw failure;

  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => `${name.slice(root.length + 1)}: ${fullName}`),
  );
  if (!canLoopMount() && !onlyJest) skipped.push('test/integration/loop: needs root and loop devices');
  reportNotRun(skipped);
}

/** Programs of the other versions of Node.js in which processes are to end well. */
async function otherNodes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return [];
  const own = process.version.slice(1).split('.')[0];
  const others = [...nodeVersions('linux')].filter(([major]) => major !== own);
  return Promise.all(others.map(([, version]) => fetchNode('linux', version, join(root, 'build', 'nodes'))));
}

/** One test: it passes when no check finds anything. */
async function runLint() {
  const lint = run(process.execPath, [join(root, 'scripts', 'lint.mjs')], { cwd: root, show: true });
  const passed = await lint.then(
    () => true,
    () => false,
  );
  total[passed ? 'passed' : 'failed'] += 1;
}

async function runThreadSanitizer() {
  await setUp(['native-test-thread']);
  await runCtest('test/native/build-thread');
}

/** In the Windows Node.js under Wine. It counts itself; the last line tells. */
async function runWindows() {
  const child = spawn(process.execPath, [join(root, 'scripts', 'test-windows.mjs'), '--node=all', `--tier=${tier}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [, passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? [];
  if (passed === undefined) throw new Error('the tests under Wine did not come to their end');
  total.passed += Number(passed);
  total.failed += Number(failed);
}

async function runCtest(directory) {
  const report = join(results, 'ctest.xml');
  rmSync(report, { force: true });
  await run('ctest', ['--test-dir', directory, '--output-on-failure', '--output-junit', report], {
    cwd: root,
    show: true,
  }).catch((error) => {
    if (!existsSync(report)) throw error;
  });
  const suite = /<testsuite\b[^>]*>/.exec(readFileSync(report, 'utf8'))[0];
  const count = (attribute) => Number(new RegExp(`\\b${attribute}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const [tests, failed, skipped] = [count('tests'), count('failures'), count('skipped') + count('disabled')];
  if (tests === 0) throw new Error(`${directory}: ctest found no tests`);
  total.passed += tests - failed - skipped;
  total.failed += failed;
  reportNotRun(Array.from({ length: skipped }, () => `${directory}: skipped by ctest, see above`));
}

function reportNotRun(tests) {
  for (const test of tests) console.log(`${ci ? 'FAILED, not run' : 'not run'}: ${test}`);
  total[ci ? 'failed' : 'notRun'] += tests.length;
}

function canLoopMount() {
  return process.platform === 'linux' && process.getuid() === 0 && existsSync('/dev/loop-control');
}

/** The dynamic loader reads its search path when a process starts, so the libraries' directory is named here. */
function jestEnvironment() {
  const program = join(root, 'simulator', 'build', 'program');
  const searchPath = [program, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return {
    // As the real library the stand-in refuses to run as root, where builds in containers run.
    SIM_ALLOW_ROOT: '1',
    SIM_QUIET: '1',
    LD_LIBRARY_PATH: searchPath,
    DOMINO_VSS_TEST_TIER: tier,
    ...(!canLoopMount() && { DOMINO_VSS_LOOP_MOUNTS: 'unavailable' }),
  };
}
