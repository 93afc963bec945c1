// What happens to the directory of the copies while they are made. Windows renames no directory that is in use.

import { existsSync, mkdirSync, promises, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import type { Backup } from '#lib/backup/backup';
import type { CopyReport } from '#lib/backup/database-copies';
import { FakeDomino } from '../fake-binding';

const paths = ['apps/crm.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'names.nsf', 'projects.nsf', 'rooms.nsf'];
let domino: FakeDomino;
let backup: Backup;
let to: string;

beforeEach(async () => {
  domino = new FakeDomino(paths);
  to = join(domino.root, 'copies');
  backup = await beginBackup(() => domino.binding, { domino: domino.location, deltaDirectory: domino.deltaDirectory });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await backup.dispose().catch(() => undefined);
  domino.destroy();
});

/** Copies four at a time, and does something when the third copy is begun. */
async function copyAnd(change: () => void, signal?: AbortSignal): Promise<CopyReport> {
  const set = await backup.createShadow();
  const open = promises.open;
  const begun: Promise<unknown>[] = [];
  jest.spyOn(promises, 'open').mockImplementation((async (file: string, ...rest: never[]) => {
    if (!file.startsWith(to) || !file.endsWith('.nsf')) return open(file, ...rest);
    // Those before it have their files, and are not at their end.
    if (begun.length === 2) await Promise.all(begun).then(change);
    const opening = open(file, ...rest);
    begun.push(opening.catch(() => undefined));
    return opening;
  }) as never);
  return set.copyDatabases({ to, signal });
}

const replaced = { code: 'ERR_COPY', message: expect.stringContaining('is no longer the directory') as string };

test.each<[string, () => void]>([
  [
    'removed',
    () => {
      rmSync(to, { recursive: true });
    },
  ],
  [
    'renamed',
    () => {
      renameSync(to, `${to}-moved`);
    },
  ],
  [
    'replaced by another one',
    () => {
      renameSync(to, `${to}-moved`);
      mkdirSync(to);
    },
  ],
])('%s: the copies fail, and no more are made at its place', async (_how, change) => {
  await expect(copyAnd(change)).rejects.toMatchObject(replaced);
  // Only those that were being begun at that moment: the journal names them.
  if (existsSync(to)) expect(readdirSync(to).length).toBeLessThanOrEqual(2);
});

test('replaced by a link to the data directory: no database there is written or removed', async () => {
  const before = paths.map((path) => domino.read(path));
  const names = readdirSync(domino.dataDirectory, { recursive: true });
  const copying = copyAnd(() => {
    renameSync(to, `${to}-moved`);
    symlinkSync(domino.dataDirectory, to);
  });
  await expect(copying).rejects.toMatchObject(replaced);
  await backup.dispose().catch(() => undefined);
  expect(readdirSync(domino.dataDirectory, { recursive: true })).toEqual(names);
  expect(paths.map((path) => readFileSync(domino.file(path), 'latin1'))).toEqual(before.map(String));
});

test('replaced by a link to the data directory, and the copies fail: no database there is removed', async () => {
  const names = readdirSync(domino.dataDirectory, { recursive: true });
  const abort = new AbortController();
  const copying = copyAnd(() => {
    renameSync(to, `${to}-moved`);
    symlinkSync(domino.dataDirectory, to);
    abort.abort();
  }, abort.signal);
  await expect(copying).rejects.toMatchObject({ name: expect.any(String) as string });
  await backup.dispose().catch(() => undefined);
  expect(readdirSync(domino.dataDirectory, { recursive: true })).toEqual(names);
});

test('a copy that is removed while others are made is not one of the backup', async () => {
  let removed = '';
  const report = await copyAnd(() => {
    removed = (readdirSync(to, { recursive: true }) as string[]).find((name) => name.endsWith('.nsf')) ?? '';
    rmSync(join(to, removed));
  });
  expect(report.failures).toMatchObject([{ database: removed, code: 'ERR_COPY' }]);
  expect(report.databases).toBe(paths.length - 1);
  expect((await backup.endBackup({ keep: false })).outcome).toBe('partial');
});
