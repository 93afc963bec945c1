import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import { openPreparedPlace, PreparedBackup } from '#lib/backup/prepared-backup';
import { Call } from '#lib/call/call';
import type { Backup, RecoveryReport } from '#lib/index';
import { recoverInterrupted } from '#lib/recover/recover';
import { memoryDirectory } from '../../platform';
import { FakeDomino } from '../fake-binding';
import { hang } from '../hanging-files';

// A mount that does not answer: a call on a file never returns. Restores and recoveries: integration/restore-hangs.

let domino: FakeDomino;

// On a disk, other calls could take as long as one that hangs.
beforeEach(() => {
  domino = new FakeDomino(undefined, memoryDirectory);
});

afterEach(() => {
  jest.restoreAllMocks();
  domino.destroy();
});

const begin = (options: Partial<BeginBackupOptions> = {}): Promise<Backup> => {
  const { deltaDirectory, location } = domino;
  return beginBackup(() => domino.binding, { domino: location, deltaDirectory, databaseBudgetMs: 500, ...options });
};

const recover = (): Promise<RecoveryReport> => {
  const { deltaDirectory, location } = domino;
  return recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location, databaseBudgetMs: 500 });
};

/** Nothing is left once the call that hung has taken effect: until then a recovery touches nothing. */
async function expectRecovery(proceed: () => Promise<unknown>): Promise<void> {
  expect(domino.inBackupMode).toEqual(new Set());
  expect(domino.openSessions).toEqual(new Set());
  const before = await recover();
  expect(before.outcome).toBe('partial');
  expect(JSON.stringify(before.works)).toContain('has not returned');
  await proceed();
  jest.restoreAllMocks();
  expect((await recover()).outcome).toBe('recovered');
  expect(domino.remains()).toEqual([]);
  expect(readdirSync(domino.deltaDirectory)).toEqual(['.journal']);
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

describe('earlier backups', () => {
  beforeEach(async () => {
    const backup = await begin();
    await backup.createShadow();
    await backup.endBackup();
  });

  test('that cannot be read are named, and not compared with', async () => {
    hang('readFile', /manifest\.json$/);
    const backup = await begin();
    const message = expect.stringContaining('has not returned') as string;
    expect(backup.warnings).toContainEqual(expect.objectContaining({ code: 'WARN_BACKUP_UNREADABLE', message }));
    await backup.dispose();
  });

  test('cannot be listed: the backup does not begin', async () => {
    hang('readdir', domino.deltaDirectory);
    await expect(begin()).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: 'readdir' });
    expect(domino.locks).toEqual(new Set());
  });

  test('cannot be listed, and the user does not wait', async () => {
    hang('readdir', domino.deltaDirectory);
    const controller = new AbortController();
    const beginning = begin({ signal: controller.signal, databaseBudgetMs: 600_000 });
    setTimeout(() => {
      controller.abort();
    }, 50);
    await expect(beginning).rejects.toMatchObject({ name: 'AbortError' });
    expect(domino.locks).toEqual(new Set());
  });
});

test.each(['stat', 'mkdir'] as const)('the place of the shadow, in %s: there is no shadow', async (name) => {
  const shadowDirectory = join(domino.root, 'shadows');
  mkdirSync(shadowDirectory);
  const backUp = async (): Promise<void> => {
    await using backup = await begin({ provider: 'rolling', shadowDirectory });
    await backup.createShadow();
  };
  const proceed = hang(name, name === 'stat' ? shadowDirectory : /shadows.[^/\\]+Z-[^/\\]+$/);
  await expect(backUp()).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: name });
  if (name === 'mkdir') await expectRecovery(proceed);
  expect(readdirSync(shadowDirectory)).toEqual([]);
});

test("the removal of the shadow's directory: it is named, and a recovery removes the rest", async () => {
  const shadowDirectory = join(domino.root, 'shadows');
  mkdirSync(shadowDirectory);
  const backup = await begin({ provider: 'rolling', shadowDirectory });
  await backup.createShadow();
  const proceed = hang('rmdir', join(shadowDirectory, backup.id));
  const { problems } = await backup.endBackup();
  expect(problems).toEqual([expect.objectContaining({ code: 'ERR_FILE_HANGS', operation: 'rmdir' })]);
  await proceed();
  jest.restoreAllMocks();
  await recover();
  expect(readdirSync(shadowDirectory)).toEqual([]);
});

test('the directory of the backup appears late, and a recovery removes it', async () => {
  const proceed = hang('mkdir', /delta.[^/\\]+Z-[^/\\]+$/);
  await expect(begin()).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: 'mkdir' });
  await expectRecovery(proceed);
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
      await expectRecovery(proceed);
      expect(existsSync(manifest)).toBe(false);
    },
  );

  test.each([true, false])(
    'may still appear: what it names is left until recover has looked (it appears: %s)',
    async (appears) => {
      const backup = await begin();
      const { shadows } = await backup.createShadow();
      const manifest = join(backup.directory, 'manifest.json');
      const rename = hang('rename', `${manifest}.new`);
      const removal = hang('rm', `${manifest}.new`);
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

      // Nothing is decided as long as the rename cannot be ruled out.
      expect(await recover()).toMatchObject({ outcome: 'partial' });
      expect(existsSync(shadows[0]?.root ?? '')).toBe(true);

      // Without its source, it has no effect.
      if (!appears) await removal();
      await rename().catch(() => undefined);
      if (appears) await removal();
      jest.restoreAllMocks();
      const { outcome, works } = await recover();
      expect(outcome).toBe('recovered');
      expect(works[0]?.items.find(({ thing }) => thing === 'backup')?.result).toBe(appears ? 'kept' : 'done');
      expect(existsSync(manifest)).toBe(appears);
      expect(existsSync(shadows[0]?.root ?? '')).toBe(appears);
    },
  );
});

test.each(['lstat', 'mkdir'] as const)('the writer, before another program takes the snapshot, in %s', async (name) => {
  const { binding, deltaDirectory, location } = domino;
  const call = new Call({ timeoutMs: 60_000, phase: 'find' });
  const times = { databaseBudgetMs: 500, holdTimeoutMs: 1000, prepareTimeoutMs: 1000, drainTimeoutMs: 1000 };
  const options = { domino: location, deltaDirectory, ...times };
  hang(name, name === 'lstat' ? deltaDirectory : /\.backup\.\d[^/\\]*\.new$/);
  const prepare = async (): Promise<PreparedBackup> => {
    const place = await openPreparedPlace(binding, options, call);
    return PreparedBackup.make(binding, place, options, ({ paths }) => new Uint16Array(paths.length), call);
  };
  await expect(prepare()).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: 'mkdir' });
  expect(domino.remains()).toEqual([]);
  expect(domino.openSessions).toEqual(new Set());
});
