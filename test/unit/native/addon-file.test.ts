import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..', '..', '..', '..');
const isWindows = process.platform === 'win32';
const addon = isWindows
  ? join(root, 'prebuilds', 'win32-x64', 'domino-vss.node')
  : join(root, 'build', 'Release', 'domino_vss.node');
let directory: string;
let bare: string;
let file: string;

/** The package without an addon, as in a bundle or on a system without a binary. Its dependencies are found in the checkout. */
beforeAll(() => {
  directory = mkdtempSync(join(root, 'build', 'addon-file-'));
  bare = join(directory, 'bare');
  copyPackage(bare);
  mkdirSync(join(bare, 'elsewhere'));
  file = join(bare, 'elsewhere', 'any name.node');
  cpSync(addon, file);
});

afterAll(() => {
  // For a moment after a process has ended, Windows does not delete its addon.
  rmSync(directory, { recursive: true, maxRetries: 20 });
});

function copyPackage(place: string): void {
  mkdirSync(place, { recursive: true });
  for (const name of ['dist', 'package.json', 'schema']) {
    cpSync(join(root, name), join(place, name), { recursive: true });
  }
}

function run(script: string, env: NodeJS.ProcessEnv = {}, place = bare): unknown {
  const library = JSON.stringify(join(place, 'dist', 'index.js'));
  const program = `const library = require(${library}); const file = ${JSON.stringify(file)};
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

(isWindows ? test.skip : test)('it names the C library, and says only once that there is no binary', () => {
  const { message } = run(outcome, { LIBC: 'musl' }) as Record<string, string>;
  expect(message).toMatch(/^there is no addon for this system in .*; this is linux-\w+ with musl \(LIBC\)$/);
  expect(message).not.toMatch(/No native build|could not be loaded/);
  const { message: usual } = run(outcome) as Record<string, string>;
  expect(usual).toMatch(/; this is linux-\w+ with (glibc \d+\.\d+|musl)$/);
});

test('DOMINO_VSS_ADDON names the file of the addon', () => {
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

describe('in the archive of an Electron program', () => {
  // Electron lists unpacked files in the archive, too; a directory with empty files is what Node.js sees of that.
  let archived: string;
  let unpacked: string;
  const name = isWindows ? 'domino-vss.node' : 'domino-vss.glibc.node';
  const loadedFrom = `library.getCapabilities().then(({ native }) => native &&
    process.report.getReport().sharedObjects.filter((loaded) => loaded.endsWith('.node')))`;

  beforeAll(() => {
    archived = join(directory, 'app.asar', 'node_modules', 'domino-vss');
    copyPackage(archived);
    const target = join('prebuilds', `${process.platform}-${process.arch}`);
    unpacked = join(directory, 'app.asar.unpacked', 'node_modules', 'domino-vss', target);
    for (const place of [join(archived, target), unpacked]) mkdirSync(place, { recursive: true });
    writeFileSync(join(archived, target, name), '');
    cpSync(addon, join(unpacked, name));
  });

  test('the addon is loaded from beside the archive', () => {
    expect(run(loadedFrom, {}, archived)).toEqual([join(unpacked, name)]);
  });

  test('so is one that useAddon names', () => {
    const bundled = JSON.stringify(join(directory, 'app.asar', 'addon.node'));
    cpSync(addon, join(directory, 'app.asar.unpacked', 'addon.node'));
    const loaded = run(`(library.useAddon(${bundled}), ${loadedFrom})`, {}, archived);
    expect(loaded).toEqual([join(directory, 'app.asar.unpacked', 'addon.node')]);
  });

  test('one that was not unpacked is loaded from the archive, which Electron supports', () => {
    renameSync(join(directory, 'app.asar.unpacked'), join(directory, 'elsewhere'));
    const refused = run(outcome, {}, archived);
    expect(refused).toMatchObject({ code: 'ERR_NATIVE_LOAD', message: expect.stringContaining('app.asar') });
  });
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
