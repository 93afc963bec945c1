// The test command: sets up, runs every suite of a tier and ends with one line, "N passed, N failed".

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { runCounted } from './counted.mjs';
import { root, setUp } from './setup.mjs';
import { fetchNode, nodeVersions } from './setup/nodes.mjs';
import { exitCodeOfInterrupt, interrupted } from './setup/interrupt.mjs';
import { parseOptions } from './setup/options.mjs';
import { run } from './setup/run.mjs';
import { Workplace } from './setup/workplace.mjs';

const tiers = ['quick', 'ci', 'full'];
const thresholdsFile = 'test/coverage.json';
const ci = process.env.CI === 'true';
const usage = `Usage: npm test -- [--tier=${tiers.join('|')}] [--coverage] [argument of Jest …]

Sets up and runs every test of a tier. With arguments of Jest, such as part of a test file's path or -t 'part of a name', only Jest
runs.

  --tier        quick: what takes minutes; ci: also the static checks, the tests under Wine, and the commands of the README in a
                fresh clone; full: all there is (default quick, in CI ci)
  --coverage    measure which lines of lib/ are run; in the quick tier less than in ${thresholdsFile} is a failure

In the tiers ci and full, the fresh clone comes first, and unless there are changes that it lacks, everything else runs there, too:
nothing is built twice, and what passed is not run again.

With CI=true in the environment, what cannot run here counts as failed. DOMINO_VSS_TEST_REPORT names a file to write the names of
the suites to of which every test ran and passed, DOMINO_VSS_TEST_PASSED such a file of an earlier run of the same checkout.
DOMINO_VSS_TEST_COVERAGE=true is another way to say --coverage.`;
const { tier, coverage, jestArguments } = readOptions();
const { DOMINO_VSS_TEST_PASSED: passedFile, DOMINO_VSS_TEST_REPORT: reportFile } = process.env;
// For this run, and not for those that its tests start.
for (const name of ['PASSED', 'REPORT', 'COVERAGE']) delete process.env[`DOMINO_VSS_TEST_${name}`];
const onlyJest = jestArguments.length > 0;
const workplace = new Workplace(join(root, 'simulator', 'build', 'domino-sim'));
const total = { passed: 0, failed: 0, notRun: 0 };

/** Said again at the end, for those who see only that. */
const failures = [];

/** Files of Jest, and directories of ctest: what passed as a whole here, and before in this checkout, or in its clone. */
const passedHere = [];
const passedBefore = passedFile === undefined ? [] : JSON.parse(readFileSync(passedFile, 'utf8'));
const ctestDirectories = ['simulator/build', 'test/native/build'];
const thorough = !onlyJest && tier !== 'quick' && process.platform === 'linux';

if (!thorough || passedFile !== undefined || !(await runInFreshClone())) await runHere();
if (reportFile) writeFileSync(reportFile, JSON.stringify(passedHere));
workplace.remove();
if (interrupted()) {
  console.error('interrupted');
  process.exitCode = exitCodeOfInterrupt;
} else {
  for (const failure of failures) console.log(`FAILED ${failure}`);
  if (total.notRun > 0) console.log(`${total.notRun} not run, see above`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** What is not ours is for Jest, which knows its options itself. */
function readOptions() {
  const all = process.argv.slice(2);
  const own = all.filter((argument) => /^(-h|--help|--coverage|--tier=.*)$/.test(argument));
  const { values } = parseOptions(usage, {
    args: own,
    options: { tier: { type: 'string', default: ci ? 'ci' : 'quick' }, coverage: { type: 'boolean', default: false } },
    check: ({ values: { tier } }) => (tiers.includes(tier) ? undefined : `there is no --tier=${tier}`),
  });
  const coverage = values.coverage || process.env.DOMINO_VSS_TEST_COVERAGE === 'true';
  return { ...values, coverage, jestArguments: all.filter((argument) => !own.includes(argument)) };
}

/** What could not even start is one failure; the suites after it still have something to say. */
async function timed(title, action) {
  if (interrupted()) return false;
  const startedAt = performance.now();
  const failedBefore = total.failed;
  try {
    await action();
    return true;
  } catch (error) {
    if (interrupted()) return false;
    total.failed += 1;
    failures.push(`${title}: ${error.message.split('\n', 1)[0]}`);
    console.error(error.message);
    return false;
  } finally {
    if (total.failed > failedBefore) failures.push(`${title}: ${total.failed - failedBefore}, see above`);
    console.log(`suite: ${title.padEnd(21)} ${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s`);
  }
}

async function runHere() {
  const withoutNativeTests = onlyJest || passedBefore.includes('test/native/build');
  if (!(await timed('set-up', () => setUp(withoutNativeTests ? ['native', 'simulator', 'test'] : undefined)))) return;
  if (thorough) await timed('Windows addon', () => setUp(['windows-addon']));
  if (!onlyJest && tier !== 'quick') await timed('lint', runLint);
  await timed('Jest', runJest);
  if (!onlyJest && process.platform === 'linux') {
    const left = ctestDirectories.filter((directory) => !passedBefore.includes(directory));
    for (const directory of left) await timed(directory, () => runCtest(directory));
  }
  if (thorough) await timed('thread sanitizer', runThreadSanitizer);
  if (thorough) await timed('Wine', () => runScript('test-windows.mjs', ['--node=all', `--tier=${tier}`]));
}

/** Answers whether everything else has run in the clone as well. Tests that lacked something before have it there then. */
async function runInFreshClone() {
  const place = mkdtempSync(join(tmpdir(), 'domino-vss-fresh-'));
  const [fresh, report] = [join(place, 'fresh'), join(place, 'passed.json')];
  try {
    await timed('fresh clone', () => runScript('fresh.mjs', [`--keep=${fresh}`, `--report=${report}`]));
    const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
    if (changes !== '' || !existsSync(report) || interrupted()) return false;

    // Some tests run programs of the clone as another user.
    for (const directory of [place, fresh]) chmodSync(directory, 0o755);
    const checkout = join(fresh, 'domino-vss');
    symlinkSync(join(root, 'build', 'nodes'), join(checkout, 'build', 'nodes'));
    const args = [`--tier=${tier}`, ...(coverage ? ['--coverage'] : [])];
    const env = { ...process.env, DOMINO_VSS_TEST_PASSED: report };
    await timed('the rest in the clone', () => runScript('test.mjs', args, { checkout, env }));
    return true;
  } finally {
    rmSync(place, { recursive: true });
  }
}

async function runJest() {
  const report = join(workplace.directory, 'jest.json');
  const except = join(workplace.directory, 'except.json');
  writeFileSync(except, JSON.stringify(passedBefore));
  const nodes = tier === 'quick' ? [] : await otherNodes();
  const args = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--json', `--outputFile=${report}`];
  const failure = await run(process.execPath, [...args, ...coverageArguments(), ...jestArguments], {
    cwd: root,
    env: { ...jestEnvironment(), DOMINO_VSS_TEST_NODES: nodes.join(delimiter), DOMINO_VSS_TEST_EXCEPT: except },
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
  failures.push(...broken.map(({ name }) => `Jest: ${relative(root, name)}`));
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    failures.push(...failed.map(({ fullName }) => `Jest: ${relative(root, name)}: ${fullName}`));
  }
  if (failure !== undefined && numFailedTests + broken.length === 0) throw failure;

  const whole = testResults.filter(({ status, assertionResults }) => {
    return status === 'passed' && assertionResults.every((test) => test.status === 'passed');
  });
  passedHere.push(...whole.map(({ name }) => relative(root, name)));
  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => `${name.slice(root.length + 1)}: ${fullName}`),
  );
  reportNotRun(skipped);
}

/** What a run of all tests of the quick tier reached before; what other runs reach says nothing about the tests. */
function coverageArguments() {
  if (!coverage) return [];
  if (onlyJest || tier !== 'quick') return ['--coverage'];
  const global = JSON.parse(readFileSync(join(root, thresholdsFile), 'utf8'));
  return ['--coverage', '--coverageReporters=text-summary', `--coverageThreshold=${JSON.stringify({ global })}`];
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

/** Runs a script of tests that counts itself. */
async function runScript(name, args, { checkout = root, env = process.env } = {}) {
  const counted = await runCounted(process.execPath, [join(checkout, 'scripts', name), ...args], {
    cwd: checkout,
    env,
  });
  total.passed += counted.passed;
  total.failed += counted.failed;
  failures.push(...counted.failures.map((line) => `${name}: ${line.replace(/^FAIL(ED)?\S* /, '')}`));
}

async function runCtest(directory) {
  const report = join(workplace.directory, 'ctest.xml');
  rmSync(report, { force: true });
  // Side by side, where the tests' own CMakeLists.txt says what must run alone.
  const parallel = directory.startsWith('test/native/') ? '6' : '1';
  const options = ['--parallel', parallel, '--output-on-failure', '--output-junit', report];
  await run('ctest', ['--test-dir', directory, ...options], {
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
  if (failed + skipped === 0) passedHere.push(directory);
  reportNotRun(Array.from({ length: skipped }, () => `${directory}: skipped by ctest, see above`));
}

function reportNotRun(tests) {
  for (const test of tests) console.log(`${ci ? 'FAILED, not run' : 'not run'}: ${test}`);
  total[ci ? 'failed' : 'notRun'] += tests.length;
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
    ...workplace.environment,
  };
}
