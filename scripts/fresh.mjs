// The two commands of the README, run as by somebody who has just cloned the repository on a fresh Debian: a clone of the last
// commit, below a directory that nobody but its owner can read, with an empty HOME, with a PATH that holds only what the README
// names and what every Debian has, and with another version of Node.js. The last line is "N passed, N failed".
// What cannot run there is named and counts as not run, as it does for that user.

import {
  accessSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { runCounted, runShown } from './counted.mjs';
import { root } from './setup.mjs';
import { fetchNode, nodeVersions } from './setup/nodes.mjs';
import { exitCodeOfInterrupt, interrupted } from './setup/interrupt.mjs';
import { parseOptions } from './setup/options.mjs';
import { run } from './setup/run.mjs';

const nodeMajor = '22';

/** Programs of the packages that the README names, and of the packages these depend on. */
const named = words('npm g++ make cmake ctest gcc gcov cc c++ as ld ar nm objcopy objdump ranlib readelf strip');
/** Programs of the packages that every Debian has. */
const everywhere = words(`
  bash sh env find grep gzip mount script sed tar umount xargs
  basename cat chmod chown cp cut date dd df dirname echo expr false head id ln ls mkdir mktemp mv nproc od pwd readlink rm
  rmdir mkfifo sleep sort stat stty sync tail tee test touch tr true truncate uname uniq wc`);

const usage = `Usage: node scripts/fresh.mjs [--keep=DIR] [--report=FILE]

Runs both commands of the README in a fresh clone of the last commit.

  --keep      make the directory DIR, and leave the clone there (domino-vss), with its PATH (bin) and its HOME (home)
  --report    write the names of the suites to FILE of which every test ran and passed`;
const { keep, report } = parseOptions(usage, {
  options: { keep: { type: 'string' }, report: { type: 'string' } },
}).values;
const directory = keep === undefined ? mkdtempSync(join(tmpdir(), 'domino-vss-fresh-')) : resolve(keep);
if (keep !== undefined) mkdirSync(directory, { mode: 0o700 });
const clone = join(directory, 'domino-vss');
const total = { passed: 0, failed: 0 };

try {
  const env = await freshEnvironment();
  await cloneRepository();
  const version = await run(join(directory, 'bin', 'node'), ['--version']);
  console.log(`fresh: Node.js ${version.trim()}, user ${process.getuid()}, below ${describeDirectory()}`);
  await count('npm run demo', async () => {
    const { code } = await runShown('npm', ['run', 'demo'], { cwd: clone, env });
    return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  });
  await count('an empty HOME', async () => {
    // Of npm is .npm; a build that fetches headers of Node.js puts them here, too.
    const others = readdirSync(env.HOME).filter((name) => name !== '.npm');
    if (others.length > 0) console.error(`the build left ${others.join(', ')} in HOME`);
    return others.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  });
  await count('npm test', () => {
    return runCounted('npm', ['test'], {
      cwd: clone,
      env: { ...env, DOMINO_VSS_TEST_COVERAGE: 'true', ...(report && { DOMINO_VSS_TEST_REPORT: report }) },
    });
  });
} catch (error) {
  total.failed += 1;
  console.error(`${error.message}\n${error.output ?? ''}`);
} finally {
  if (keep === undefined) rmSync(directory, { recursive: true });
}
if (interrupted()) {
  process.exitCode = exitCodeOfInterrupt;
} else {
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** One command that does not even come to its end must not hide the other. */
async function count(title, action) {
  if (interrupted()) return;
  console.log(`fresh: ${title}`);
  const startedAt = performance.now();
  const { passed, failed } = await action().catch((error) => {
    console.error(error.message);
    return { passed: 0, failed: 1 };
  });
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) console.log(`FAILED ${title}: ${failed}`);
  console.log(`fresh: ${title} ended after ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** Also of a checkout that belongs to somebody else, which git otherwise refuses to read as root. */
async function cloneRepository() {
  const settings = join(directory, 'gitconfig');
  writeFileSync(settings, '[safe]\n\tdirectory = *\n');
  await run('git', ['clone', '--quiet', root, clone], { env: { GIT_CONFIG_GLOBAL: settings } });
}

async function freshEnvironment() {
  const [programs, home] = [join(directory, 'bin'), join(directory, 'home')];
  for (const path of [programs, home]) mkdirSync(path);
  for (const name of [...named, ...everywhere]) symlinkSync(findProgram(name), join(programs, name));
  copyFileSync(await otherNode(), join(programs, 'node'), constants.COPYFILE_FICLONE);
  return { PATH: programs, HOME: home, ...(await wayToRegistry()) };
}

/** Below the same directory, as version managers put it below the home of their user. */
async function otherNode() {
  const version = nodeVersions('linux').get(nodeMajor);
  return process.arch === 'x64' ? fetchNode('linux', version, join(root, 'build', 'nodes')) : process.execPath;
}

/** npm's settings of this machine, by which it reaches a registry at all; everything else of npm lies below HOME. */
async function wayToRegistry() {
  const known =
    /^(npm_config_(registry|cafile|ca|strict_ssl|proxy|https_proxy|noproxy)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i;
  const inherited = Object.entries(process.env).filter(([name]) => known.test(name));
  const [userconfig, globalconfig] = await Promise.all(
    ['userconfig', 'globalconfig'].map(async (name) =>
      (await run('npm', ['config', 'get', name], { cwd: root })).trim(),
    ),
  );
  return { ...Object.fromEntries(inherited), npm_config_userconfig: userconfig, npm_config_globalconfig: globalconfig };
}

function describeDirectory() {
  return `${directory} (mode ${(statSync(directory).mode & 0o777).toString(8)})`;
}

function findProgram(name) {
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(place, name), constants.X_OK);
      return realpathSync(join(place, name));
    } catch {
      // It is in another directory, if anywhere.
    }
  }
  throw new Error(`${name} is in no directory of the PATH`);
}

function words(text) {
  return text.trim().split(/\s+/);
}
