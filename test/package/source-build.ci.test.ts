import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { emptyHome, root, temporaryDirectory } from './packed';
import { runProgram } from './program';
import { expectShippable } from './shippable';

const directory = temporaryDirectory();

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const nodeGyp = {
  tool: 'node-gyp',
  script: 'node-gyp/bin/node-gyp.js',
  args: ['rebuild', `--nodedir=${installedNode()}`],
};
// In CI, the commands of the README in a fresh clone already build with cmake-js and an empty home directory (scripts/fresh.mjs).
const cmakeJs = { tool: 'cmake-js', script: 'cmake-js/bin/cmake-js', args: ['rebuild'] };

// Both tools empty build/, which contains the tests themselves, so they get a copy of the sources.
test.each(process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? [cmakeJs, nodeGyp] : [nodeGyp])(
  '$tool builds the addon offline with an empty home directory, and leaves it empty',
  ({ tool, script, args }) => {
    const copy = join(directory, tool);
    const home = join(directory, `${tool}-home`);
    mkdirSync(home);
    for (const path of ['package.json', 'CMakeLists.txt', 'binding.gyp', 'cmake', 'cpp']) {
      cpSync(join(root, path), join(copy, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

    runProgram(process.execPath, [join(copy, 'node_modules', script), ...args], {
      cwd: copy,
      env: { ...emptyHome(home), CMAKE_BUILD_PARALLEL_LEVEL: '2', JOBS: '2' },
    });

    const binary = join(copy, 'build', 'Release', 'domino_vss.node');
    expectShippable(binary);
    runProgram(process.execPath, ['-e', `require(${JSON.stringify(binary)})`]);
    expect(readdirSync(home)).toEqual([]);
  },
  300_000,
);

/** The headers of Node.js are beside it if it came from an archive or from a package that includes them. */
function installedNode(): string {
  const prefix = dirname(dirname(process.execPath));
  if (!existsSync(join(prefix, 'include', 'node', 'node_api.h'))) {
    throw new Error(
      `no Node.js headers below ${prefix}: install them (Debian: libnode-dev) or use the official archive`,
    );
  }
  return prefix;
}
