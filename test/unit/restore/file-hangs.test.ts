import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { recoverInterrupted } from '#lib/recover/recover';
import { drillRestore } from '#lib/restore/drill';
import { RequesterRestore } from '#lib/restore/requester-restore';
import { restoreDatabases } from '#lib/restore/restore';
import { verifyBackup, type VerifyBackupOptions, type VerifyReport } from '#lib/restore/verify';
import { journalDirectory } from '#lib/store/journals';
import { memoryDirectory } from '../../platform';
import { FakeDomino } from '../fake-binding';
import { hang } from '../hanging-files';

// A mount that does not answer, in what is not a plain restore: that is in integration/restore-hangs.

const paths = ['names.nsf', 'mail/ada.nsf'];
const budgetMs = 500;
let domino: FakeDomino;
let directory: string;

beforeEach(async () => {
  domino = new FakeDomino(paths, memoryDirectory);
  domino.busy.add('mail/ada.nsf');
  domino.unlogged.add('mail/ada.nsf');
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.root, 'copies') });
  await backup.endBackup();
  directory = backup.directory;
});

afterEach(() => {
  jest.restoreAllMocks();
  domino.destroy();
});

const hangs = { code: 'ERR_FILE_HANGS' };

function expectNothingLeft(): void {
  expect(domino.offline).toEqual(new Set());
  expect(domino.locks).toEqual(new Set());
  expect(readdirSync(journalDirectory(domino.deltaDirectory))).toEqual([]);
  expect(readdirSync(domino.dataDirectory).filter((name) => name.includes('domino-vss'))).toEqual([]);
}

describe('verify', () => {
  const verify = (options: Partial<VerifyBackupOptions> = {}): Promise<VerifyReport> =>
    verifyBackup(() => domino.binding, { manifest: directory, databaseBudgetMs: budgetMs, ...options });

  test.each([
    ['open', /copies.names\.nsf$/, 'names.nsf', 'copy'],
    ['stat', /deltas.*/, 'mail/ada.nsf', 'delta'],
  ] as const)(
    'names the database whose file does not answer, in %s, and verifies the others',
    async (name, file, database, part) => {
      hang(name, file);
      const { outcome, databases } = await verify();
      expect(outcome).toBe('damaged');
      const [bad, good] = [true, false].map((is) => databases.find((one) => (one.database === database) === is));
      const text = expect.stringContaining('has not returned') as string;
      expect(bad).toMatchObject({ [part]: 'damaged', failures: [{ code: 'ERR_RESTORE_SOURCE', text }] });
      expect(good).toMatchObject({ result: 'verified', failures: [] });
    },
  );

  test('gives a manifest up that cannot be read, or ends when the user does not wait', async () => {
    hang('readFile', join(directory, 'manifest.json'));
    await expect(verify()).rejects.toMatchObject(hangs);
    const controller = new AbortController();
    const verifying = verify({ signal: controller.signal, databaseBudgetMs: 600_000 });
    setTimeout(() => {
      controller.abort();
    }, 50);
    await expect(verifying).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('with a copy opened, gives up the directory for it', async () => {
    hang('mkdir', /\.scratch\./);
    await expect(verify({ apply: true, domino: domino.location })).rejects.toMatchObject(hangs);
    expectNothingLeft();
  });
});

test.each([
  ['readdir', /delta$/],
  ['open', /\.journal\.\d.*\.new$/],
  ['mkdir', /\.scratch\./],
] as const)('a drill ends that waits in %s', async (name, file) => {
  hang(name, file);
  const { location, deltaDirectory } = domino;
  const drilling = drillRestore(() => domino.binding, { domino: location, deltaDirectory, databaseBudgetMs: budgetMs });
  await expect(drilling).rejects.toMatchObject(hangs);
  jest.restoreAllMocks();
  expectNothingLeft();
});

test('a drill says which backup it could not read', async () => {
  hang('readFile', /manifest\.json$/);
  const { location, deltaDirectory } = domino;
  const drilling = drillRestore(() => domino.binding, { domino: location, deltaDirectory, databaseBudgetMs: budgetMs });
  const message = expect.stringMatching(
    /contains no backup of .*; no drill of backup \S+: read of .* has not returned/,
  ) as string;
  await expect(drilling).rejects.toMatchObject({ code: 'ERR_RESTORE_SOURCE', message });
});

describe('a restore by a requester', () => {
  const begin = (): Promise<RequesterRestore> => {
    const { location, deltaDirectory, binding } = domino;
    const times = { waitMs: 100, databaseBudgetMs: budgetMs, timeoutMs: 60_000 };
    const metadata = `domino-vss 1 ${basename(directory)} ${domino.dataDirectory}`;
    return RequesterRestore.begin(binding, { domino: location, deltaDirectory, ...times }, [
      { number: 1, name: 'data', metadata },
    ]);
  };

  test.each([
    ['readFile', /manifest\.json$/],
    ['lstat', /data.names\.nsf$/],
    ['open', /\.journal\.\d.*\.new$/],
  ] as const)('does not begin if %s hangs', async (name, file) => {
    hang(name, file);
    await expect(begin()).rejects.toMatchObject(hangs);
    jest.restoreAllMocks();
    expectNothingLeft();
  });

  test('leaves the database offline whose file does not answer, and finishes the others', async () => {
    const restore = await begin();
    for (const path of paths) domino.write(path, `${path} of the requester`.padEnd(5000));
    expect(domino.offline.size).toBe(2);
    const proceed = hang('truncate', domino.file('names.nsf'));
    const report = await restore.finish(() => 'all');
    expect(report.restored).toEqual(['mail/ada.nsf']);
    expect(report.failures).toMatchObject([{ database: 'names.nsf', ...hangs }]);
    const { location, deltaDirectory } = domino;
    const recover = () => recoverInterrupted(() => domino.binding, { domino: location, deltaDirectory });
    expect(JSON.stringify(await recover())).toContain('has not returned and may still take effect');
    await proceed();
    expect(JSON.stringify(await recover())).not.toContain('has not returned');
  });
});

test('a directory that a call may still make is named, and removed when it has', async () => {
  const { location, deltaDirectory, dataDirectory } = domino;
  const made = join(dataDirectory, 'new');
  const proceed = hang('mkdir', made);
  const restoring = restoreDatabases(() => domino.binding, {
    manifest: directory,
    domino: location,
    databases: ['mail/ada.nsf'],
    mode: { type: 'new-database', as: 'new/ada.nsf' },
    databaseBudgetMs: budgetMs,
  });
  await expect(restoring).rejects.toMatchObject({ code: 'ERR_FILE_HANGS' });
  const recover = async (): Promise<string> =>
    (await recoverInterrupted(() => domino.binding, { domino: location, deltaDirectory })).outcome;
  expect(await recover()).toBe('partial');
  await proceed();
  expect(existsSync(made)).toBe(true);
  jest.restoreAllMocks();
  expect(await recover()).toBe('recovered');
  expect(existsSync(made)).toBe(false);
  expectNothingLeft();
});
