import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..', '..', '..');
let bare: string;

/** The package without any addon in it, as in a bundle or on a system without a binary. */
beforeAll(() => {
  bare = mkdtempSync(join(tmpdir(), 'domino-vss-bare-'));
  for (const name of ['dist', 'package.json', 'schema'])
    cpSync(join(root, name), join(bare, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(bare, 'node_modules'), 'junction');
  mkdirSync(join(bare, 'elsewhere'));
  cpSync(join(root, 'build', 'Release', 'domino_vss.node'), join(bare, 'elsewhere', 'any name.node'));
});

afterAll(() => {
  rmSync(bare, { recursive: true });
});

function run(script: string, env: NodeJS.ProcessEnv = {}): unknown {
  const library = JSON.stringify(join(bare, 'dist', 'index.js'));
  const program = `const library = require(${library}); const file = ${JSON.stringify(join(bare, 'elsewhere', 'any name.node'))};
    (async () => ${script})().then((answer) => process.stdout.write(JSON.stringify(answer)))`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

const outcome = 'library.findDatabases().catch(({ code, message, hint }) => ({ code, message, hint }))';

test('without an addon it says once for which systems there are binaries, and what to do', () => {
  const { code, message, hint } = run(outcome) as Record<string, string>;
  expect(code).toBe('ERR_NATIVE_LOAD');
  expect(message).toMatch(
    /There are binaries for Linux x64 with glibc 2\.28 or later, and Windows x64; this is \w+-\w+/,
  );
  expect(`${message!} ${hint!}`.match(/glibc 2\.28/g)).toHaveLength(1);
  expect(hint).toContain('DOMINO_VSS_ADDON');
});

test('DOMINO_VSS_ADDON names the file of the addon', () => {
  const file = join(bare, 'elsewhere', 'any name.node');
  expect(run('library.getCapabilities()', { DOMINO_VSS_ADDON: file })).toMatchObject({ native: true });
  for (const wrong of [join(bare, 'nothing.node'), 'elsewhere/any name.node', join(bare, 'package.json')]) {
    const refused = run(outcome, { DOMINO_VSS_ADDON: wrong });
    expect(refused).toMatchObject({
      code: 'ERR_NATIVE_LOAD',
      message: expect.stringContaining(`${wrong} (DOMINO_VSS_ADDON)`),
    });
  }
});

test('useAddon names it too, for this process and those that it starts, until it is loaded', () => {
  expect(run('(library.useAddon(file), library.getCapabilities())')).toMatchObject({ native: true });
  expect(run('(library.useAddon(file), process.env.DOMINO_VSS_ADDON === file)')).toBe(true);
  const code = '{ try { library.useAddon(name); return undefined } catch ({ code }) { return code } }';
  expect(run(`((name) => ${code})('relative.node')`)).toBe('ERR_OPTION');
  expect(run(`(library.useAddon(file), library.getCapabilities().then(() => ((name) => ${code})(file)))`)).toBe(
    'ERR_STATE',
  );
});

test('what starts a process of its own is refused where the program of that process is missing', () => {
  rmSync(join(bare, 'dist', 'isolation', 'child.js'));
  const options = "{ isolation: 'process', deltaDirectory: file + '-delta' }";
  const refused = run(`library.beginBackup(${options}).catch(({ code, message }) => ({ code, message }))`);
  expect(refused).toMatchObject({ code: 'ERR_UNSUPPORTED', message: expect.stringContaining('child.js is not in') });
});

test('what is kept is hashed in this thread where the program of the other one is missing', () => {
  rmSync(join(bare, 'dist', 'store', 'hash-worker.js'));
  const module = JSON.stringify(join(bare, 'dist', 'store', 'background-hash.js'));
  const script = `{
    require('node:fs').writeFileSync(file + '.txt', 'abcdef');
    const results = [];
    const files = [{ file: file + '.txt', sizeBytes: 3 }, { file: file + '.missing', sizeBytes: 3 }, { file: file + '.txt', sizeBytes: 9 }];
    await require(${module}).hashInBackground(files, { check() {} }, (position, result) => results.push([position, result]));
    return results;
  }`;
  expect(run(script)).toEqual([
    [0, { sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' }],
    [1, { error: expect.stringContaining('ENOENT') }],
    [2, { error: 'it has only 6 of 9 bytes' }],
  ]);
});
