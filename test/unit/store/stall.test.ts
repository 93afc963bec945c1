// A copy on a file system that no longer responds.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasUnreturned } from '#lib/call/unreturned-calls';
import { copyExactly, hashFile } from '#lib/store/copy';
import { FileCalls } from '#lib/store/stall';

let directory: string;
let methods: FileHandle;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stall-'));
  writeFileSync(join(directory, 'from'), Buffer.alloc(3 * 1024 * 1024, 7));
  const handle = await open(join(directory, 'from'));
  methods = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
});

afterEach(() => {
  jest.restoreAllMocks();
});

afterAll(() => {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    // A file that a hanging call has opened stays open, and Windows does not remove open files.
    if (process.platform !== 'win32') throw error;
  }
});

function copy(check: () => void = () => undefined): Promise<void> {
  const from = join(directory, 'from');
  return copyExactly({ from, to: join(directory, 'to'), sizeBytes: 3 * 1024 * 1024, check, budgetMs: 100 });
}

const forEver = (): Promise<never> => new Promise(() => undefined);

test.each([
  ['read', 'read', 'from'],
  ['write', 'write', 'to'],
  ['sync', 'fsync', 'to'],
  ['stat', 'stat', 'from'],
] as const)('a %s that hangs is named, and the copy does not stay', async (method, call, file) => {
  let calls = 0;
  const original = methods[method].bind(methods) as unknown;
  expect(original).toBeDefined();
  jest.spyOn(methods, method).mockImplementation(() => {
    calls += 1;
    return forEver();
  });
  const message = expect.stringMatching(new RegExp(`^${call} of .*${file} has not returned`)) as unknown;
  // The check of the file type comes before the copy and has the same bound.
  const named = method === 'stat' ? (expect.stringMatching(/^open of .*from has not returned/) as unknown) : message;
  await expect(copy()).rejects.toMatchObject({
    name: 'FileSystemError',
    code: 'ERR_FILE_HANGS',
    message: named,
    operation: method === 'stat' ? 'open' : call,
    path: join(directory, file),
  });
  expect(calls).toBe(1);
  expect(readdirSync(directory)).toEqual(['from']);
});

test("the caller's check ends the wait", async () => {
  jest.spyOn(methods, 'read').mockImplementation(forEver);
  let asked = 0;
  const given = new Error('enough');
  const copying = copyExactly({
    from: join(directory, 'from'),
    to: join(directory, 'to'),
    sizeBytes: 10,
    check: () => {
      asked += 1;
      if (asked > 1) throw given;
    },
    budgetMs: 60_000,
  });
  await expect(copying).rejects.toBe(given);
});

test('a hash of a file that is not there fails, and of one that is does not', async () => {
  await expect(hashFile(join(directory, 'none'), { check: () => undefined })).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(hashFile(join(directory, 'from'), { check: () => undefined, sizeBytes: 3 })).resolves.toMatch(
    /^[0-9a-f]{64}$/,
  );
});

test('while the process is stopped, no time passes for a call', async () => {
  const now = performance.now.bind(performance);
  let stoppedMs = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now() + stoppedMs);
  const calls = new FileCalls({ check: () => undefined, budgetMs: 2_000 });
  const slow = new Promise<string>((resolve) => setTimeout(resolve, 700, 'returned'));
  const waiting = calls.wait('stat', 'x', slow);
  stoppedMs = 60_000;
  await expect(waiting).resolves.toBe('returned');
  await expect(calls.wait('stat', 'x', forEver())).rejects.toMatchObject({ code: 'ERR_FILE_HANGS' });
});

describe('a call whose outcome must be known', () => {
  const cancelled = (): never => {
    throw new Error('cancelled');
  };

  test('is given a grace after the work was cancelled', async () => {
    const calls = new FileCalls({ check: cancelled, budgetMs: 100, graceMs: 60_000 });
    const slow = new Promise((resolve) => setTimeout(resolve, 50, 'returned'));
    expect(await calls.wait('rename', 'slow', slow)).toBe('returned');
    expect(hasUnreturned(['slow'])).toBe(false);
  });

  test('is named when the grace is over, and remembered until it returns', async () => {
    const calls = new FileCalls({ check: cancelled, budgetMs: 60_000, graceMs: 100 });
    let proceed = (): void => undefined;
    const hanging = new Promise<void>((resolve) => (proceed = resolve));
    const waiting = calls.wait('rename', 'hanging', hanging);
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: 'rename', path: 'hanging' });
    expect(hasUnreturned(['other', 'hanging'])).toBe(true);
    proceed();
    await new Promise(setImmediate);
    expect(hasUnreturned(['hanging'])).toBe(false);
  });
  test('closes a file that is opened after all', async () => {
    const calls = new FileCalls({ check: () => undefined, budgetMs: 50 });
    let proceed = (): void => undefined;
    const hanging = new Promise<void>((resolve) => (proceed = resolve));
    const close = jest.fn(() => Promise.resolve());
    const opening = hanging.then(() => ({ close }) as unknown as FileHandle);
    await expect(calls.open('late', opening)).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: 'open' });
    proceed();
    await opening;
    await new Promise(setImmediate);
    expect(close).toHaveBeenCalledTimes(1);
  });
});
