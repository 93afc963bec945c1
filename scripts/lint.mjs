import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { includeProblems } from './include-order.mjs';
import { root, setUpOrExit } from './setup.mjs';
import { exitCodeOfInterrupt, interrupted } from './setup/interrupt.mjs';
import { parseOptions } from './setup/options.mjs';
import { run } from './setup/run.mjs';
import { filesBelow } from './setup/stamp.mjs';

// Both tools change their mind from version to version; this is the one of Debian 12.
const clangVersion = 14;
const usage = `Usage: npm run lint [-- --fix]

Every static check.

  --fix    let the formatters and eslint write (npm run format)`;
const { fix } = parseOptions(usage, { options: { fix: { type: 'boolean' } } }).values;

await setUpOrExit(['native', 'lib', 'test']);
// Two chains side by side: the first has one process at a time, and clang-tidy takes about as long as all of it.
await Promise.all([checkTexts(), tidy()]);

async function checkTexts() {
  await check('eslint', () =>
    runNodeTool('eslint/bin/eslint.js', ['.', '--max-warnings=0', ...(fix ? ['--fix'] : [])]),
  );
  await check('imports', () => runNodeTool('dependency-cruiser/bin/dependency-cruise.mjs', ['lib', '--config']));
  await check('prettier', () =>
    runNodeTool('prettier/bin/prettier.cjs', ['.', fix ? '--write' : '--check', '--log-level=warn']),
  );
  await check('include order', checkIncludes);
  if (process.platform === 'linux') await check('benchmarks', compileBenchmarks);
  if (isUsable('clang-format')) await check('clang-format', formatCpp);
}

async function tidy() {
  if (!fix && isUsable('clang-tidy')) await check('clang-tidy', tidyCpp);
}

async function check(title, action) {
  if (interrupted()) return;
  const startedAt = performance.now();
  try {
    await action();
    console.error(`lint: ${title.padEnd(14)} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  } catch (error) {
    process.exitCode = interrupted() ? exitCodeOfInterrupt : 1;
    if (interrupted()) return;
    console.error(error.output ?? error);
    console.error(`lint: ${title} failed`);
  }
}

function runNodeTool(file, args) {
  return run(process.execPath, [join(root, 'node_modules', file), ...args], { cwd: root });
}

function checkIncludes() {
  const problems = includeProblems(join(root, 'cpp'));
  if (problems.length > 0) throw Object.assign(new Error('include order'), { output: problems.join('\n') });
}

/** The native benchmarks are built only when they are run, so what they use could change its name unnoticed. */
async function compileBenchmarks() {
  const directory = join(root, 'bench', 'native');
  const sources = filesBelow(directory).filter((file) => file.endsWith('.cpp'));
  const options = ['-std=c++20', '-fsyntax-only', '-Wall', '-Werror', '-I', join(root, 'cpp')];
  for (const file of sources) await run(process.env.CXX ?? 'g++', [...options, file], { cwd: root });
}

async function formatCpp() {
  const files = ['cpp', 'simulator', 'test/native', 'bench/native'].flatMap((path) => filesBelow(join(root, path)));
  const mode = fix ? ['-i'] : ['--dry-run', '-Werror'];
  try {
    await run('clang-format', [...mode, ...files.filter((file) => /\.(cpp|c|h)$/.test(file))], { cwd: root });
  } catch (error) {
    // It reports every place; the files are enough to know that "npm run format" is due.
    const names = [...error.output.matchAll(/^(\S+?):\d+:\d+: error/gm)].map(([, name]) => relative(root, name));
    if (names.length > 0) error.output = `not formatted:\n${[...new Set(names)].join('\n')}`;
    throw error;
  }
}

/** Checks what is compiled here; the sources of other systems need their headers. */
async function tidyCpp() {
  const commands = JSON.parse(readFileSync(join(root, 'build', 'compile_commands.json'), 'utf8'));
  const queue = commands.map(({ file }) => file);
  const findings = [];
  const worker = async () => {
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      await run('clang-tidy', ['--quiet', '-p', 'build', file], { cwd: root }).catch((error) =>
        findings.push(error.output),
      );
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (findings.length > 0) throw Object.assign(new Error('clang-tidy'), { output: findings.join('\n') });
}

function isUsable(tool) {
  const { error, stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  const found = error === undefined ? /version (\d+)/.exec(stdout)?.[1] : undefined;
  if (Number(found) === clangVersion) return true;
  console.error(`lint: ${tool} left out: version ${clangVersion} is needed, ${found ?? 'none'} is installed`);
  return false;
}
