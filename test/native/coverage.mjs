// How much of the engine the tests in this directory run: a gate, so that coverage is not lost unnoticed.
//
//   node coverage.mjs reset <build directory>    forgets earlier runs
//   node coverage.mjs check <build directory>    prints a table; exit code 1 below coverage.json
//   node coverage.mjs show <build directory> <part of a path>    lines and branches that nothing has run
//
// From gcov, which comes with the compiler, in the build for the thread sanitizer: the sanitizer for undefined behaviour adds
// branches of its own. Not counted are branches that only an exception takes, which nearly every call has, and those of a line that
// only closes a block, where the compiler destroys what exists by then.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(dirname(dirname(here)), 'cpp');
const [mode, build, part = ''] = process.argv.slice(2);

if (mode === 'reset') for (const file of counters()) rmSync(file);
else if (mode === 'check') check();
else if (mode === 'show') show();
else throw new Error('reset, check or show');

function counters() {
  const directory = join(build, 'CMakeFiles', 'engine.dir');
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .filter((file) => file.endsWith('.gcda'))
    .map((file) => join(directory, file));
}

/** By path below cpp/: how often each line and each of its branches ran. */
function measured() {
  const files = new Map();
  for (const counter of counters()) {
    const report = execFileSync('gcov', ['--json-format', '--stdout', '--branch-probabilities', counter], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    for (const { file, lines } of JSON.parse(report).files) {
      const path = relative(sources, file);
      if (path.startsWith('..')) continue;
      const text = readFileSync(join(sources, path), 'utf8').split('\n');
      const known = files.get(path) ?? new Map();
      files.set(path, known);
      for (const { line_number: number, count, branches } of lines) {
        const before = known.get(number) ?? { count: 0, branches: [] };
        const closesBlock = text[number - 1]?.trim() === '}';
        const taken = branches.filter((branch) => !branch.throw && !closesBlock).map((branch) => branch.count);
        // Templates and inline functions occur once for each use: a line counts as run if it ran in any of them.
        known.set(number, {
          count: before.count + count,
          branches: Array.from(
            { length: Math.max(taken.length, before.branches.length) },
            (_, index) => (taken[index] ?? 0) + (before.branches[index] ?? 0),
          ),
        });
      }
    }
  }
  if (files.size === 0) throw new Error(`${build} has no counters: were the tests built and run there?`);
  return files;
}

function check() {
  const wanted = JSON.parse(readFileSync(join(here, 'coverage.json'), 'utf8'));
  const files = measured();
  let isBelow = false;
  console.log(`${'folder'.padEnd(20)} ${'lines'.padStart(16)} ${'branches'.padStart(18)}`);
  for (const [folder, { lines, branches }] of Object.entries(wanted)) {
    const all = [...files].filter(([path]) => dirname(path) === folder).flatMap(([, known]) => [...known.values()]);
    const reached = [share(all.map(({ count }) => count)), share(all.flatMap((line) => line.branches))];
    const cells = reached.map((one, index) => {
      const limit = [lines, branches][index];
      if (one < limit) isBelow = true;
      return `${one.toFixed(1)} % (${limit})`.padStart(index === 0 ? 16 : 18);
    });
    console.log(`${folder.padEnd(20)} ${cells.join(' ')}`);
  }
  if (isBelow) console.error(`below what was reached before: node test/native/coverage.mjs show ${build}`);
  process.exitCode = isBelow ? 1 : 0;
}

function show() {
  for (const [path, lines] of [...measured()].sort().filter(([path]) => path.includes(part))) {
    const text = readFileSync(join(sources, path), 'utf8').split('\n');
    for (const [number, { count, branches }] of [...lines].sort(([a], [b]) => a - b)) {
      if (count > 0 && branches.every((taken) => taken > 0)) continue;
      const what = count === 0 ? 'not run' : `branches ${branches.map((n) => (n > 0 ? '+' : '-')).join('')}`;
      console.log(`${`${path}:${number}`.padEnd(44)} ${what.padEnd(16)} ${text[number - 1]?.trim() ?? ''}`);
    }
  }
}

function share(counts) {
  return counts.length === 0 ? 0 : (100 * counts.filter((count) => count > 0).length) / counts.length;
}
