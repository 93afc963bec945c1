// So much data that several threads hash it.

import { appendFileSync, closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { restoreDatabases } from '#lib/restore/restore';
import { HashThreads, worthwhileThreads } from '#lib/store/hash-threads';
import { FakeDomino } from '../fake-binding';

afterEach(() => {
  jest.restoreAllMocks();
});

/** Returns the manifest of a backup whose copies are in `copies`. */
async function backUp(domino: FakeDomino, copies: string): Promise<string> {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: copies });
  const { manifest } = await backup.endBackup({ keep: false });
  return manifest;
}

const sizeBytes = 24 * 1024 * 1024;
const paths = ['mail/ada.nsf', 'mail/bob.nsf', 'mail/eve.nsf'];

test('large databases are compared with their hashes before an original is touched', async () => {
  expect(worthwhileThreads(paths.length, paths.length * sizeBytes, 2)).toBe(2);
  const domino = new FakeDomino(paths);
  try {
    for (const [index, path] of paths.entries()) appendFileSync(domino.file(path), Buffer.alloc(sizeBytes, index + 1));
    const before = paths.map((path) => domino.read(path));
    const copies = join(domino.root, 'copies');
    const manifest = await backUp(domino, copies);
    for (const path of paths) domino.write(path, 'destroyed');
    // One byte in the middle of one copy.
    const copy = openSync(join(copies, 'mail', 'bob.nsf'), 'r+');
    writeSync(copy, 'x', sizeBytes / 2);
    closeSync(copy);

    const report = await restoreDatabases(() => domino.binding, {
      manifest,
      domino: domino.location,
      databases: paths,
    });
    const of = (path: string): unknown => report.databases.find(({ database }) => database === path);
    for (const path of ['mail/ada.nsf', 'mail/eve.nsf'])
      expect(of(path)).toMatchObject({ result: 'restored', hashed: true });
    expect(of('mail/bob.nsf')).toMatchObject({ result: 'failed', failure: { code: 'ERR_CONTENTS_DAMAGED' } });
    expect(domino.read('mail/bob.nsf')).toBe('destroyed');
    for (const index of [0, 2]) expect(domino.read(paths[index] ?? '') === before[index]).toBe(true);
  } finally {
    domino.destroy();
  }
});

/** Threads that never deliver a hash; the first one that is asked for aborts. */
function hangingThreads(): AbortController {
  const abort = new AbortController();
  jest.spyOn(HashThreads.prototype, 'begin').mockReturnValue({
    update: () => undefined,
    digest: () => {
      abort.abort();
      return new Promise(() => undefined);
    },
  });
  return abort;
}

test('an abort of a backup does not wait for a thread that never delivers its hash, and leaves no copy', async () => {
  const domino = new FakeDomino(['mail/ada.nsf']);
  try {
    const { signal } = hangingThreads();
    const { location, deltaDirectory } = domino;
    const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory });
    const set = await backup.createShadow();
    const to = join(domino.root, 'copies');
    await expect(set.copyDatabases({ to, signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(existsSync(to)).toBe(false);
    await backup.dispose();
  } finally {
    domino.destroy();
  }
});

test('an abort of a restore does not wait for a thread that never delivers its hash', async () => {
  const domino = new FakeDomino(['mail/ada.nsf']);
  try {
    const manifest = await backUp(domino, join(domino.root, 'copies'));
    const abort = hangingThreads();
    domino.write('mail/ada.nsf', 'of today');
    const { location } = domino;
    const restoring = restoreDatabases(() => domino.binding, { manifest, domino: location, signal: abort.signal });
    await expect(restoring).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(domino.read('mail/ada.nsf')).toBe('of today');
  } finally {
    domino.destroy();
  }
});
