import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBinding } from '#lib/native/binding';

// The lock on a data directory, through the addon itself: by any name, in any process, however it ends.

let root: string;
let data: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'domino-vss-lock-')));
  data = join(root, 'data');
  mkdirSync(data);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A process that holds the lock until it is ended. */
async function holder(directory: string): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'data-directory-lock-program.js'), [directory]);
  expect(await once(child, 'message')).toEqual(['locked', undefined]);
  return child;
}

test('is given once in a process, whatever the name of the directory', async () => {
  const binding = loadBinding();
  const alias = join(root, 'alias');
  symlinkSync(data, alias, 'junction');
  const lock = await binding.lockDirectory(data);
  expect(lock).not.toBeNull();
  expect(await binding.lockDirectory(data)).toBeNull();
  expect(await binding.lockDirectory(join(alias, '.'))).toBeNull();
  lock!.release();
  lock!.release();
  const again = await binding.lockDirectory(alias);
  expect(again).not.toBeNull();
  again!.release();
});

test('holds across processes, and goes with a process that is killed', async () => {
  const binding = loadBinding();
  const child = await holder(data);
  try {
    expect(await binding.lockDirectory(data)).toBeNull();
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const lock = await binding.lockDirectory(data);
  expect(lock).not.toBeNull();
  lock!.release();
});

test('a directory that is not there is an error of its own', async () => {
  const missing = join(root, 'missing');
  await expect(loadBinding().lockDirectory(missing)).rejects.toMatchObject({ code: 'ERR_FIND', subject: missing });
});
