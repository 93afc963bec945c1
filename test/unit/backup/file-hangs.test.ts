import { promises, type PathLike } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import type { Backup } from '#lib/index';
import { FakeDomino } from '../fake-binding';

// A mount that does not answer: a call on a file never returns. Restores and recoveries: integration/restore-hangs.

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  jest.restoreAllMocks();
  domino.destroy();
});

const begin = (): Promise<Backup> => {
  const { deltaDirectory, location } = domino;
  return beginBackup(() => domino.binding, { domino: location, deltaDirectory, databaseBudgetMs: 100 });
};

/** The call of Node.js with this name hangs for one path. */
function hang(name: 'realpath' | 'lstat' | 'mkdir' | 'rm' | 'statfs', path: string): void {
  const original = promises[name] as (path: PathLike, ...rest: unknown[]) => Promise<unknown>;
  const hanging = (at: PathLike, ...rest: unknown[]): Promise<unknown> =>
    at === path ? new Promise(() => undefined) : original(at, ...rest);
  jest.spyOn(promises, name).mockImplementation(hanging as never);
}

test('the data directory: the backup does not begin, and nothing is left', async () => {
  hang('realpath', domino.dataDirectory);
  const { deltaDirectory } = domino;
  await expect(begin()).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', path: deltaDirectory });
  expect(domino.calls).not.toContain('open');
  expect(domino.locks).toEqual(new Set());
});

test.each([
  ['lstat', 'names.nsf'],
  ['mkdir', ''],
  ['statfs', ''],
] as const)('the place of the copies, in %s: no copy is made, and the backup can end', async (name, below) => {
  const backup = await begin();
  const set = await backup.createShadow();
  const to = join(domino.root, 'copies');
  hang(name, join(to, below));
  await expect(set.copyDatabases({ to })).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: name });
  jest.restoreAllMocks();
  await backup.dispose();
  expect(domino.inBackupMode).toEqual(new Set());
  expect(domino.openSessions).toEqual(new Set());
});

test('notes.ini, which is copied as well', async () => {
  const backup = await begin();
  const set = await backup.createShadow();
  hang('realpath', domino.notesIni);
  const copying = set.copyDatabases({ to: join(domino.root, 'copies'), serverFiles: true });
  await expect(copying).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', path: domino.dataDirectory });
  jest.restoreAllMocks();
  await backup.dispose();
});
