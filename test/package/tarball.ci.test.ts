import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { type Tarball, emptyHome, npm, packDependencies, packWithPrebuild, root, temporaryDirectory } from './packed';
import { runProgram } from './program';
import { expectShippable } from './shippable';

const directory = temporaryDirectory();
const project = join(directory, 'project');
let tarball: Tarball;

beforeAll(() => {
  tarball = packWithPrebuild(directory);
}, 300_000);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('the tarball', () => {
  test('holds exactly the files of the package', () => {
    const modules = filesBelow('lib').flatMap((file) => /^lib\/(.*)\.ts$/.exec(file)?.[1] ?? []);
    const expected = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-NOTICES.md',
      'package.json',
      `prebuilds/${process.platform}-${process.arch}/domino-vss.glibc.node`,
      // Made by the setup of this tier.
      'prebuilds/win32-x64/domino-vss.node',
      // The types contain the comments that the reference is made of.
      ...filesBelow('docs').filter((file) => file !== 'docs/api-reference.md'),
      ...filesBelow('lib'),
      ...filesBelow('man'),
      ...filesBelow('schema'),
      ...modules.flatMap((name) => ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => `dist/${name}${end}`)),
    ];
    expect(tarball.files.map(({ path }) => path).sort()).toEqual(expected.sort());
  });

  test('holds nothing but sources, documentation and what is made of them', () => {
    const known = /(^LICENSE|\.(js|ts|map|json|md|svg|css|node|1|sh|service|timer|xml|yml))$/;
    expect(tarball.files.map(({ path }) => path).filter((path) => !known.test(path))).toEqual([]);
  });

  test('is small', () => {
    // Two self-contained addons are half of it; sources and source maps are a quarter.
    expect(tarball.sizeBytes).toBeLessThan(2_900_000);
  });

  test('has no script that npm would run at installation, and nothing npm would build', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    const scripts = Object.keys(manifest['scripts'] as object);
    const run = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare', 'prepublish'];
    expect(scripts.filter((name) => run.includes(name))).toEqual([]);
    expect(manifest['gypfile']).toBe(false);
    expect(tarball.files.filter(({ path }) => path.endsWith('.gyp'))).toEqual([]);
    expect(manifest).not.toHaveProperty('os');
    expect(manifest).not.toHaveProperty('cpu');
  });

  test('has no dependency with an install script', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>;
    };
    const withScript = Object.entries(lock.packages).filter(([, entry]) => !entry.dev && entry.hasInstallScript);
    expect(withScript.map(([name]) => name)).toEqual([]);
  });

  test('satisfies publint', () => {
    const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js');
    const output = runProgram(process.execPath, [publint, tarball.path, '--strict']);
    expect(output).toContain('All good!');
  });
});

describe('installed into an empty project, offline and without scripts', () => {
  beforeAll(() => {
    mkdirSync(project);
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: object };
    const dependencies = Object.fromEntries(packDependencies(directory));
    const manifest = {
      name: 'consumer',
      private: true,
      engines,
      dependencies: { 'domino-vss': `file:${tarball.path}` },
      // No registry is available, so every package comes from the copy installed for development.
      overrides: Object.fromEntries(Object.entries(dependencies).map(([name, path]) => [name, `file:${path}`])),
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    npm(['install', '--ignore-scripts', '--no-audit', '--no-fund'], project, emptyHome(join(directory, 'home')));
  }, 120_000);

  const installed = join(project, 'node_modules', 'domino-vss');

  test('the prebuilt binary could be shipped and loads', () => {
    const file = node(['-p', 'require("node-gyp-build").path("node_modules/domino-vss")']).trim();
    expect(file).toBe(join(installed, 'prebuilds', `${process.platform}-${process.arch}`, 'domino-vss.glibc.node'));
    expectShippable(file);
    expect(node(['-p', 'typeof require("node-gyp-build")("node_modules/domino-vss")']).trim()).toBe('object');
  });

  test('it loads from CommonJS and from ESM, with the same names', () => {
    const fromCommonJs = node(['-p', 'JSON.stringify(Object.keys(require("domino-vss")).sort())']);
    writeFileSync(
      join(project, 'names.mjs'),
      `import * as all from 'domino-vss';
       const interop = ['default', 'module.exports', '__esModule'];
       console.log(JSON.stringify(Object.keys(all).filter((name) => !interop.includes(name)).sort()));`,
    );
    expect(node(['names.mjs'])).toEqual(fromCommonJs);
    expect(JSON.parse(fromCommonJs)).toContain('beginBackup');
  });

  // The complete table of docs/install.md takes minutes: matrix.full.test.ts.
  const otherNodes = (process.env['DOMINO_VSS_TEST_NODES'] ?? '').split(delimiter).filter((program) => program !== '');
  const nodes = [process.execPath, ...otherNodes].map((program) => [basename(dirname(program)), program] as const);

  test('there are other versions of Node.js', () => {
    expect(otherNodes).not.toEqual([]);
  });

  test.each(nodes)('it loads with the Node.js in %s from CommonJS, ESM and a worker', (_, program) => {
    const programs = join(root, 'scripts', 'matrix', 'programs.mjs');
    node(['-e', `import(${JSON.stringify(programs)}).then(({ writePrograms }) => writePrograms('.'))`]);
    for (const file of ['load.cjs', 'load.mjs', 'worker.cjs']) {
      expect(runProgram(program, [file], { cwd: project })).toBe('works\n');
    }
  });

  test.each(['node16', 'nodenext', 'bundler'])('its types check with moduleResolution %s', (resolution) => {
    writeFileSync(
      join(project, 'consumer.ts'),
      `import { beginBackup } from 'domino-vss';
       export const begin: (...options: never[]) => Promise<unknown> = beginBackup;`,
    );
    const config = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        target: 'ES2022',
        lib: ['ES2022', 'ESNext.Disposable'],
        module: resolution === 'bundler' ? 'preserve' : resolution,
        moduleResolution: resolution,
        types: ['node'],
        typeRoots: [join(root, 'node_modules', '@types')],
      },
      files: ['consumer.ts'],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
    expect(node([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'])).toBe('');
  });

  test('its source maps lead to sources that are there', () => {
    const maps = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.map'),
    );
    expect(maps.length).toBeGreaterThan(0);
    const missing = maps.flatMap((file) => {
      const { sources } = JSON.parse(readFileSync(join(installed, 'dist', file), 'utf8')) as { sources: string[] };
      return sources.map((source) => join(installed, 'dist', file, '..', source)).filter((path) => !existsSync(path));
    });
    expect(missing).toEqual([]);
  });

  test('its command line starts', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const command = join(project, 'node_modules', '.bin', 'domino-vss');
    expect(runProgram(command, ['--version']).trim()).toBe(version);
  });

  function node(args: readonly string[]): string {
    return runProgram(process.execPath, args, { cwd: project });
  }
});

function filesBelow(path: string): string[] {
  if (!existsSync(join(root, path))) return [];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
