import { existsSync, promises, type PathLike } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import type { Backup } from '#lib/index';
import { recoverInterrupted } from '#lib/recover/recover';
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
  return beginBackup(() => domino.binding, { domino: location, deltaDirectory, databaseBudgetMs: 300 });
};

type Operation = 'realpath' | 'lstat' | 'mkdir' | 'rm' | 'statfs' | 'open' | 'rename' | 'readdir' | 'readFile';

/** The call of Node.js with this name hangs for one path, until the result is called; then it takes effect. */
function hang(name: Operation, path: string): () => Promise<unknown> {
  const original = promises[name] as (path: PathLike, ...rest: unknown[]) => Promise<unknown>;
  const late: (() => Promise<unknown>)[] = [];
  const hanging = (at: PathLike, ...rest: unknown[]): Promise<unknown> => {
    if (at !== path) return original(at, ...rest);
    return new Promise((resolve, reject) => {
      late.push(() => original(at, ...rest).then(resolve, reject));
    });
  };
  jest.spyOn(promises, name).mockImplementation(hanging as never);
  return () => Promise.all(late.splice(0).map((proceed) => proceed()));
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

describe('the manifest', () => {
  test.each([
    ['mkdir', ''],
    ['open', 'databases.ndjson.new'],
    ['rename', 'databases.ndjson.new'],
    ['open', 'manifest.json.new'],
    ['rename', 'manifest.json.new'],
  ] as const)(
    'cannot be written, in %s %s: everything is taken back, and it does not appear later',
    async (name, file) => {
      const backup = await begin();
      await backup.createShadow();
      const manifest = join(backup.directory, 'manifest.json');
      // It exists by now, so it is not made but looked at.
      const proceed = hang(name === 'mkdir' ? 'lstat' : name, join(backup.directory, file));
      const ending = backup.endBackup({ keep: false });
      await expect(ending).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', leftBehind: undefined });
      expect(domino.inBackupMode).toEqual(new Set());
      expect(domino.remains()).toEqual([]);
      await proceed();
      expect(existsSync(manifest)).toBe(false);
      expect(domino.remains()).toEqual([]);
    },
  );

  test.each([true, false])(
    'may still appear: what it names is left until recover has looked (it appears: %s)',
    async (appears) => {
      const backup = await begin();
      const { shadows } = await backup.createShadow();
      const manifest = join(backup.directory, 'manifest.json');
      const rename = hang('rename', `${manifest}.new`);
      hang('rm', `${manifest}.new`);
      const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      await expect(backup.endBackup({ keep: true })).rejects.toMatchObject({
        code: 'ERR_FILE_HANGS',
        operation: 'rename',
        leftBehind: { code: 'ERR_FILE_HANGS', message: expect.stringContaining('may still appear') as string },
      });
      expect(warned).toHaveBeenCalled();
      expect(domino.inBackupMode).toEqual(new Set());
      expect(domino.openSessions).toEqual(new Set());
      expect(existsSync(shadows[0]?.root ?? '')).toBe(true);

      const { deltaDirectory, location } = domino;
      const recover = () =>
        recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location, databaseBudgetMs: 500 });
      // Nothing is decided as long as the rename cannot be ruled out.
      expect(await recover()).toMatchObject({ outcome: 'partial' });
      expect(existsSync(shadows[0]?.root ?? '')).toBe(true);

      if (appears) await rename();
      jest.restoreAllMocks();
      const { outcome, works } = await recover();
      expect(outcome).toBe('recovered');
      expect(works[0]?.items.find(({ thing }) => thing === 'backup')?.result).toBe(appears ? 'kept' : 'done');
      expect(existsSync(manifest)).toBe(appears);
      expect(existsSync(shadows[0]?.root ?? '')).toBe(appears);
    },
  );
});
