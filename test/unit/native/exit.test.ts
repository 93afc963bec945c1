import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../../../..');
/** Absolute, because Node.js 22 does not resolve a relative path from the root of a drive. */
const inRoot = (file: string): string => JSON.stringify(join(root, file));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs JavaScript with a backup `begun()` in a separate process, and prints what is left at its end. */
function inProcess(code: string): Ended {
  const script = `
    const { FakeDomino } = require(${inRoot('build/test/unit/fake-binding.js')});
    const { beginBackup } = require(${inRoot('dist/backup/begin-backup.js')});
    const domino = new FakeDomino();
    const options = { domino: domino.location, deltaDirectory: domino.deltaDirectory };
    const begun = (more) => beginBackup(() => domino.binding, { ...options, ...more });
    (async () => { ${code} })();
    process.on('exit', () => {
      console.log(JSON.stringify({ remains: domino.remains(), backupMode: domino.inBackupMode.size }));
      domino.destroy();
    });`;
  return spawnSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
}

const nothing = { remains: [], backupMode: 0 };

test.each([
  ['ends naturally', 'await begun()', 0],
  ['ends naturally after the window', 'await (await begun()).createShadow()', 0],
  ['calls process.exit', 'await begun(); process.exit(7)', 7],
  [
    'exits in the window',
    "domino.onCall = (name) => name === 'capture' && process.exit(7); (await begun()).createShadow()",
    7,
  ],
  ['throws', "await (await begun()).createShadow(); setImmediate(() => { throw new Error('oops'); })", 1],
])('a process that %s leaves nothing and says so', (_what, code, exitCode) => {
  const { status, stdout, stderr } = inProcess(code);
  expect(stderr).toMatch(/^domino-vss: ended with an open backup \(\S+\); it was aborted/m);
  expect(JSON.parse(stdout)).toEqual(nothing);
  expect(status).toBe(exitCode);
});

test('copies that are there at the exit stay in the journal, by which they are removed', () => {
  const { stdout } = inProcess(`
    const set = await (await begun()).createShadow();
    await set.copyDatabases({ to: require('node:path').join(domino.root, 'copies') });
    process.exit(7);`);
  const { remains } = JSON.parse(stdout) as { remains: string[] };
  expect(remains).toContainEqual(expect.stringMatching(/\.journal\/.*\.journal$/));
});

test('one that has ended its backups says nothing', () => {
  const { status, stdout, stderr } = inProcess('await (await begun()).dispose();');
  expect({ status, stderr, left: JSON.parse(stdout) as unknown }).toEqual({ status: 0, stderr: '', left: nothing });
});

test.each([
  [
    'a shadow that only a hook can remove stays in the journal',
    'async () => {}',
    [expect.stringMatching(/^delta\/\.journal\/.*\.journal$/)],
  ],
  ['a shadow that a hook leaves on purpose does not', 'undefined', []],
])('%s', (_what, remove, expected) => {
  const { stdout } = inProcess(`
    const create = async () => ({ shadows: [{ volume: domino.root, root: domino.root }] });
    const backup = await begun({ provider: { name: 'san', create, remove: ${remove} } });
    await backup.createShadow();`);
  const { remains } = JSON.parse(stdout) as typeof nothing;
  expect(remains).toEqual(expected);
});
