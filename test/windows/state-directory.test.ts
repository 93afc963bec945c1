// Where scripts without Domino keep what later scripts rely on: only administrators may have been able to change it.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBinding } from '#lib/native/binding';
import { toPublicError } from '#lib/errors/errors';
import { packageRoot } from '#lib/native/package-root';
import { existingStateDirectory, makeStateDirectory } from '#lib/store/state-directory';
import { Machine } from './machine';

const binding = loadBinding();
// The runner made these with permissions that Node.js cannot set on Windows.
const workshop = join(__dirname, '..', '..', 'windows');
const planted = join(workshop, 'planted');
const foreign = join(workshop, 'foreign');
let root: string;

beforeEach(() => {
  root = mkdtempSync('C:\\state-');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

async function refusal(directory: string): Promise<unknown> {
  return makeStateDirectory(binding, directory).then(
    () => 'made',
    (error: unknown) => toPublicError(error),
  );
}

test('it is made, can be used, and is accepted from then on', async () => {
  const directory = join(root, 'ProgramData', 'domino-vss');
  await expect(existingStateDirectory(binding, directory)).resolves.toBeUndefined();
  expect(existsSync(directory)).toBe(false);
  await makeStateDirectory(binding, directory);
  mkdirSync(join(directory, '.journal'));
  writeFileSync(join(directory, '.journal', 'one'), '');
  await makeStateDirectory(binding, directory);
  await expect(existingStateDirectory(binding, directory)).resolves.toBe(directory);
  expect(readdirSync(join(directory, '.journal'))).toEqual(['one']);
});

test('one that ordinary users can write to is refused', async () => {
  const directory = join(planted, 'domino-vss');
  expect(await refusal(directory)).toMatchObject({
    code: 'ERR_STATE_DIRECTORY',
    message: expect.stringContaining('ordinary users can write to') as unknown,
    hint: expect.stringContaining('delete it') as unknown,
  });
  // Also below a directory that they can replace as a whole.
  const below = join(directory, 'below');
  expect(await refusal(join(below, 'domino-vss'))).toMatchObject({ code: 'ERR_STATE_DIRECTORY' });
  rmSync(below, { recursive: true });
});

(existsSync(foreign) ? test : test.skip)('one that belongs to an ordinary user is refused', async () => {
  expect(await refusal(foreign)).toMatchObject({
    code: 'ERR_STATE_DIRECTORY',
    message: expect.stringContaining('it belongs to an ordinary user') as unknown,
  });
});

test('a file in its place is refused', async () => {
  const file = join(root, 'domino-vss');
  writeFileSync(file, '');
  expect(await refusal(file)).toMatchObject({
    code: 'ERR_STATE_DIRECTORY',
    message: expect.stringContaining('not a directory') as unknown,
  });
});

test('a script neither uses nor believes what was planted there', () => {
  using machine = new Machine();
  const main = join(packageRoot, 'dist', 'cli', 'main.js');
  const env = { ...process.env, ...machine.environment(), ProgramData: planted };
  const script = join(root, 'script.dsh');
  for (const text of ['list shadows all\n', 'set context persistent nowriters\nadd volume D:\ncreate\n']) {
    writeFileSync(script, text);
    let output = '';
    try {
      execFileSync(process.execPath, [main, 'script', '-s', script], {
        cwd: root,
        env,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      output = stdout + stderr;
    }
    expect(output).toContain('ordinary users can write to');
    expect(machine.shadows()).toEqual([]);
  }
  expect(readdirSync(join(planted, 'domino-vss'))).toEqual([]);
});
