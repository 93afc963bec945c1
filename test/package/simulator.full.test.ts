// The simulator as a separate package: packed, installed beside domino-vss into an empty directory, offline and without scripts,
// built from its sources; then the example in its README is run.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examples } from '../development/examples';
import { emptyHome, npm, pack, packDependencies, packWithPrebuild, root, temporaryDirectory } from './packed';
import { runProgram } from './program';

const directory = temporaryDirectory();
const project = join(directory, 'project');
const env = { ...emptyHome(join(directory, 'home')), SIM_ALLOW_ROOT: '1' };
let files: readonly string[];

beforeAll(() => {
  const library = packWithPrebuild(directory).path;
  const [simulator] = pack(directory, [join(root, 'simulator')]);
  files = simulator!.files.map(({ path }) => path);
  const dependencies = Object.fromEntries(packDependencies(directory));
  mkdirSync(project);
  const manifest = {
    name: 'consumer',
    private: true,
    dependencies: { 'domino-vss': `file:${library}`, 'domino-vss-simulator': `file:${simulator!.path}` },
    overrides: Object.fromEntries(Object.entries(dependencies).map(([name, path]) => [name, `file:${path}`])),
  };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund'], project, env);
  const tarball = simulator!.path;
  expect(runProgram(process.execPath, [join(root, 'node_modules/publint/src/cli.js'), tarball, '--strict'])).toContain(
    'All good!',
  );
}, 300_000);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test('it holds the sources for Linux, and neither tests nor what is only for Windows', () => {
  expect(files).toEqual(expect.arrayContaining(['index.js', 'index.d.ts', 'build.js', 'LICENSE', 'README.md']));
  expect(files.filter((file) => /windows|\.def$|^(test|vss|service|build)\//.test(file))).toEqual([]);
  const listed = [
    ...readFileSync(join(root, 'simulator/CMakeLists.txt'), 'utf8').matchAll(/\b(?:notes|cli)\/\w+\.cpp/g),
  ]
    .map(([file]) => file)
    .filter((file) => !file.includes('windows'));
  expect(listed.length).toBeGreaterThan(40);
  expect(listed.filter((file) => !files.includes(file))).toEqual([]);
});

test('before it is built it says how', () => {
  const program = `require('domino-vss-simulator').createSimulation({ directory: 'x', databases: 1 }).catch(({ message }) => console.log(message))`;
  expect(runProgram(process.execPath, ['--eval', program], { cwd: project, env })).toContain(
    'npx domino-vss-simulator build',
  );
});

test('its types check', () => {
  writeFileSync(
    join(project, 'types.ts'),
    `import { createSimulation, type Verdict } from 'domino-vss-simulator';
     export async function judge(files: string[]): Promise<Verdict[]> {
       const simulation = await createSimulation({ directory: '/tmp/x', databases: 1 });
       return simulation.verify(files);
     }`,
  );
  const options = [
    '--strict',
    '--noEmit',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--ignoreConfig',
  ];
  const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  expect(runProgram(process.execPath, [tsc, ...options, ...typeRoots, 'types.ts'], { cwd: project })).toBe('');
});

test('it is built by one command, and the example of its page works', () => {
  const command = join(project, 'node_modules/.bin/domino-vss-simulator');
  runProgram(command, ['build'], { cwd: project, env });
  const example = examples().find(({ name, language }) => name.startsWith('simulator/README.md') && language === 'js');
  const places = join(directory, 'places');
  mkdirSync(places);
  writeFileSync(join(project, 'example.mjs'), example!.text.replaceAll('/tmp/', `${places}/`));
  const path = [join(project, 'node_modules/.bin'), process.env['PATH']].join(':');
  const output = runProgram(process.execPath, ['example.mjs'], { cwd: project, env: { ...env, PATH: path } });
  expect(output).toContain('50 captured');
}, 1_800_000);
