import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(__dirname, '..', '..', '..');

/** The modules that are loaded after a script has run in a separate Node.js. */
function modulesAfter(script: string): string[] {
  const print = 'process.stdout.write(JSON.stringify(Object.keys(require.cache)))';
  const { stdout } = spawnSync(process.execPath, ['-e', `${script}; ${print}`], { cwd: root, encoding: 'utf8' });
  return (JSON.parse(stdout) as string[]).map((file) => relative(root, file).replaceAll('\\', '/'));
}

test('importing the package loads what its names need, and nothing of its dependencies', () => {
  const modules = modulesAfter("require('./dist/index.js')");
  expect(modules).toContain('dist/index.js');
  expect(modules.length).toBeLessThanOrEqual(40);
  expect(modules.filter((file) => file.startsWith('node_modules'))).toEqual([]);
});

test('beginning a backup loads all that ends one, but neither the schema checker nor a restore', () => {
  const modules = modulesAfter("require('./dist/index.js').beginBackup({}).catch(() => undefined)");
  for (const file of ['backup/snapshot-set', 'recover/recover', 'store/manifest', 'vss/shadows']) {
    expect(modules).toContain(`dist/${file}.js`);
  }
  expect(
    modules.filter((file) => /node_modules\/ajv|dist\/(?:restore|script|writer|bench|doctor|cli)\//.test(file)),
  ).toEqual([]);
});

test('inside an ES module, as some bundlers make one of it, the import says what to do', () => {
  const bundle = `export {}; const exports = {}, require = () => ({}); ${readFileSync(join(root, 'dist/not-in-an-es-module.js'), 'utf8')}`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module'], { input: bundle, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain('domino-vss cannot run inside an ES module: mark it as external in the bundler');
  // Nothing must come before it, or that fails first.
  const index = readFileSync(join(root, 'dist/index.js'), 'utf8');
  expect(/require\(["'](.*?)["']\)/.exec(index)?.[1]).toBe('./not-in-an-es-module');
});
