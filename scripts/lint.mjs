// Every static check; `--fix` lets the formatters and eslint write. clang-format and clang-tidy are left out with a
// note where they are not installed, and are required with CI=true.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';
import { run } from './setup/run.mjs';
import { filesBelow } from './setup/stamp.mjs';

const fix = process.argv.includes('--fix');
const ci = process.env.CI === 'true';
const cpp = ['cpp', 'simulator', 'test/native'].flatMap((path) => filesBelow(join(root, path)));
const cppFiles = cpp.filter((file) => /\.(cpp|h)$/.test(file));
const addonSources = cppFiles.filter((file) => file.startsWith(join(root, "cpp")) && file.endsWith(".cpp"));

await setUp(['native', 'lib', 'test']);
await check('eslint', nodeTool('eslint', 'bin/eslint.js', ['.', '--max-warnings=0', ...(fix ? ['--fix'] : [])]));
await check(
  'prettier',
  nodeTool('prettier', 'bin/prettier.cjs', ['.', fix ? '--write' : '--check', '--log-level=warn']),
);
await check('clang-format', clangTool('clang-format', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...cppFiles]));
if (!fix) await check('clang-tidy', () => tidyAll(addonSources));

async function check(title, action) {
  const startedAt = performance.now();
  try {
    await action();
    console.error(`lint: ${title.padEnd(14)} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  } catch (error) {
    process.exitCode = 1;
    console.error(
      `${error.output ?? ''}\nlint: ${title} failed${error.output === undefined ? `: ${error.message}` : ''}`,
    );
  }
}

function nodeTool(name, file, args) {
  return () => run(process.execPath, [join(root, 'node_modules', name, file), ...args], { cwd: root });
}

function clangTool(name, args) {
  return async () => {
    if (isInstalled(name)) await run(name, args, { cwd: root });
  };
}

async function tidyAll(files) {
  if (!isInstalled('clang-tidy')) return;
  const queue = [...files];
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

function isInstalled(tool) {
  if (spawnSync(tool, ['--version']).error === undefined) return true;
  if (ci) throw new Error(`${tool} is not installed (Debian: sudo apt-get install ${tool})`);
  console.error(`lint: ${tool} is not installed, left out`);
  return false;
}
