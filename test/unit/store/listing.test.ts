// Backups on a file system that does not answer are looked at: nobody waits for it without an end.

import fs, { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { readBackups } from '#lib/store/backups';
import { listBackups, readManifest } from '#lib/store/listing';
import { writeManifest } from '#lib/store/manifest';
import { FileCalls, untiring } from '#lib/store/stall';
import { hang } from '../hanging-files';
import { databaseLine, manifestHead } from '../samples';

const ids = ['20260807T101530Z-3f9a2c', '20260808T101530Z-3f9a2d'] as const;
let deltaDirectory: string;
let controller: AbortController;

beforeEach(async () => {
  controller = new AbortController();
  deltaDirectory = mkdtempSync(join(tmpdir(), 'domino-vss-listing-'));
  for (const id of ids) {
    mkdirSync(join(deltaDirectory, id));
    const counts = { ...manifestHead.counts, captured: 1 };
    await writeManifest(join(deltaDirectory, id), [databaseLine], (databasesSha256) => ({
      ...manifestHead,
      id,
      counts,
      databasesSha256,
    }));
  }
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(deltaDirectory, { recursive: true });
});

/** Aborts when the work has reached the call that hangs. */
function abortSoon(): void {
  setTimeout(() => {
    controller.abort(new Error('enough'));
  }, 20);
}

test('a delta directory', async () => {
  hang('readdir', deltaDirectory);
  await expect(listBackups(deltaDirectory, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
  abortSoon();
  await expect(listBackups(deltaDirectory, { signal: controller.signal })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
    cause: { message: 'enough' },
  });
});

test('one manifest of two: its backup is damaged, the other one is listed', async () => {
  const [first, second] = ids;
  hang('readFile', new RegExp(`${first}.manifest\\.json$`));
  const listed = await readBackups(deltaDirectory, new FileCalls({ ...untiring, budgetMs: 100 }));
  const reason = expect.stringMatching(/^read of .* has not returned for \d+ ms/) as string;
  expect(listed).toMatchObject([
    { id: first, state: 'damaged', reason },
    { id: second, state: 'complete' },
  ]);
});

test('a manifest that nobody wants to wait for', async () => {
  hang('readFile', /manifest\.json$/);
  const directory = join(deltaDirectory, ids[0]);
  await expect(readManifest(directory, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
  abortSoon();
  await expect(listBackups(deltaDirectory, { signal: controller.signal })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
  });
});

test.each(['readManifest', 'listBackups'] as const)('the list of databases, from %s', async (name) => {
  const { signal } = controller;
  const open = fs.open;
  jest.spyOn(fs, 'open').mockImplementation(((file: string, ...rest: unknown[]) => {
    if (basename(file) !== 'databases.ndjson' || basename(dirname(file)) !== ids[1])
      Reflect.apply(open, fs, [file, ...rest]);
  }) as never);
  const [, listed] = name === 'listBackups' ? await listBackups(deltaDirectory, { signal }) : [];
  const manifest =
    listed && 'manifest' in listed ? listed.manifest : await readManifest(join(deltaDirectory, ids[1]), { signal });
  abortSoon();
  await expect(manifest.databases().next()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('the limits are checked', async () => {
  await expect(listBackups('delta')).rejects.toMatchObject({ name: 'OptionError', option: 'deltaDirectory' });
  await expect(readManifest(deltaDirectory, { timeoutMs: -1 })).rejects.toMatchObject({ option: 'timeoutMs' });
  await expect(readManifest(deltaDirectory, { timeout: 1 } as never)).rejects.toMatchObject({ name: 'OptionError' });
});
