import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import { pruneLogs } from '#lib/logs/prune';
import { recoverInterrupted } from '#lib/recover/recover';
import { pruneBackups, type PruneOptions, type PruneReport } from '#lib/retention/prune';
import { Journal, newWorkId } from '#lib/store/journal';
import { journalDirectory } from '#lib/store/journals';
import { changeJournal } from '../../journal-text';
import { FakeDomino } from '../fake-binding';
import { linuxTest } from '../../platform';

let domino: FakeDomino;
let made: number;

beforeEach(() => {
  domino = new FakeDomino();
  domino.busy.add('mail/ada.nsf');
  made = 0;
});

afterEach(() => {
  domino.destroy();
});

interface Made {
  readonly id: string;
  readonly directory: string;
  readonly copies: string;
  readonly shadows: readonly string[];
}

/** Makes a backup with copies, which is newer than the earlier ones. */
async function backUp({
  copies = join(domino.root, `copies-${made}`),
  keep = false,
  ...options
}: { copies?: string | undefined; keep?: boolean } & Partial<BeginBackupOptions> = {}): Promise<Made> {
  made += 1;
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory, ...options });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: copies });
  const shadows = set.shadows.map(({ root }) => root);
  await backup.endBackup({ keep });
  return { id: basename(backup.directory), directory: backup.directory, copies, shadows };
}

const prune = (options: Partial<PruneOptions> = {}): Promise<PruneReport> =>
  pruneBackups(() => domino.binding, { deltaDirectory: domino.deltaDirectory, keep: { last: 1 }, ...options });

const results = ({ backups }: PruneReport): Record<string, string> =>
  Object.fromEntries(backups.map(({ id, result }) => [id, result]));

const journals = (): string[] => readdirSync(journalDirectory(domino.deltaDirectory));

test('a backup goes with its deltas, copies and kept shadow, and nothing else does', async () => {
  const old = await backUp({ keep: true });
  const stranger = join(old.copies, 'mail', 'somebody elses.txt');
  writeFileSync(stranger, '');
  const recent = await backUp({ keep: true });
  for (const shadow of old.shadows) expect(existsSync(shadow)).toBe(true);

  const report = await prune();

  expect(report.outcome).toBe('pruned');
  expect(results(report)).toEqual({ [old.id]: 'removed', [recent.id]: 'kept' });
  for (const gone of [old.directory, ...old.shadows, dirname(old.shadows[0]!)])
    expect([gone, existsSync(gone)]).toEqual([gone, false]);
  expect(readdirSync(old.copies)).toEqual(['mail']);
  expect(readdirSync(join(old.copies, 'mail'))).toEqual(['somebody elses.txt']);
  for (const stays of [recent.directory, ...recent.shadows]) expect([stays, existsSync(stays)]).toEqual([stays, true]);
  expect(readdirSync(recent.copies).sort()).toEqual(['apps', 'mail', 'names.nsf']);
  expect(journals()).toEqual([]);
  expect(domino.locks).toEqual(new Set());
});

test('the directories of the copies go when nothing is in them', async () => {
  const old = await backUp();
  await backUp();
  await prune();
  expect(existsSync(old.copies)).toBe(false);
});

test('a dry run says what would go, and touches nothing', async () => {
  const old = await backUp();
  const recent = await backUp();
  const plans: unknown[] = [];
  const report = await prune({ dryRun: true, onPlan: (backups) => plans.push(backups) });
  expect(report.outcome).toBe('planned');
  expect(results(report)).toEqual({ [old.id]: 'planned', [recent.id]: 'kept' });
  expect(report.backups[0]).toMatchObject({ holds: '4 copies, 1 delta', keptAs: [] });
  expect(report.backups[0]!.bytes).toBeGreaterThan(0);
  expect(plans).toEqual([report.backups]);
  expect(existsSync(join(old.directory, 'manifest.json'))).toBe(true);
  expect(readdirSync(old.copies).sort()).toEqual(['apps', 'mail', 'names.nsf']);
});

test('what is removed is told before anything is', async () => {
  const old = await backUp();
  await backUp();
  const there: boolean[] = [];
  await prune({ onPlan: ([first]) => there.push(first!.result === 'planned' && existsSync(old.directory)) });
  expect(there).toEqual([true]);
});

test('copies that a later backup has made under the same names stay', async () => {
  const copies = join(domino.root, 'copies');
  const old = await backUp({ copies });
  renameSync(copies, `${copies} on tape`);
  const recent = await backUp({ copies });
  expect(results(await prune())).toEqual({ [old.id]: 'removed', [recent.id]: 'kept' });
  expect(readdirSync(copies).sort()).toEqual(['apps', 'mail', 'names.nsf']);
  expect(readdirSync(join(copies, 'mail')).sort()).toEqual(['ada.nsf', 'bob.nsf']);
});

test('a backup whose copies are elsewhere stays until somebody says that they are gone for good', async () => {
  const old = await backUp();
  renameSync(old.copies, `${old.copies} elsewhere`);
  const recent = await backUp();
  const left = await prune();
  expect(left.outcome).toBe('partial');
  expect(left.backups[0]).toMatchObject({ id: old.id, result: 'left', why: `none of its copies is in ${old.copies}` });
  expect(results(await prune({ missingCopies: 'forget' }))).toEqual({ [old.id]: 'removed', [recent.id]: 'kept' });
  expect(existsSync(old.directory)).toBe(false);
});

linuxTest('copies in a directory that others can change stay', async () => {
  const old = await backUp();
  chmodSync(old.copies, 0o777);
  await backUp();
  expect((await prune()).backups[0]).toMatchObject({
    result: 'left',
    why: expect.stringContaining('everybody may write to'),
  });
  expect(existsSync(join(old.copies, 'names.nsf'))).toBe(true);
});

linuxTest('what a link in the place of a directory of the copies leads to stays', async () => {
  const old = await backUp();
  await backUp();
  const elsewhere = join(domino.root, 'elsewhere');
  renameSync(join(old.copies, 'mail'), elsewhere);
  symlinkSync(elsewhere, join(old.copies, 'mail'));
  expect((await prune()).backups[0]).toMatchObject({
    result: 'left',
    why: expect.stringContaining(`leads to ${elsewhere}`),
  });
  expect(readdirSync(elsewhere).sort()).toEqual(['ada.nsf', 'bob.nsf']);
});

linuxTest('nothing goes from a delta directory that others can change', async () => {
  await backUp();
  await backUp();
  chmodSync(domino.deltaDirectory, 0o777);
  await expect(prune()).rejects.toMatchObject({ code: 'ERR_DELTA_DIRECTORY' });
});

test('a shadow that a hook has made, and the backup with it, stays unless it is to be left in the storage', async () => {
  const root = join(domino.root, 'snapshot');
  cpSync(domino.dataDirectory, join(root, 'data'), { recursive: true });
  const hook = { name: 'array', create: () => Promise.resolve({ shadows: [{ volume: domino.root, root }] }) };
  const old = await backUp({ keep: true, provider: hook });
  const recent = await backUp();
  expect((await prune()).backups[0]).toMatchObject({ result: 'left', why: expect.stringContaining('the hook array') });
  expect(existsSync(old.directory)).toBe(true);
  expect(results(await prune({ hookShadows: 'leave' }))).toEqual({ [old.id]: 'removed', [recent.id]: 'kept' });
  expect(existsSync(root)).toBe(true);
});

test('each server is looked at by itself', async () => {
  const other = new FakeDomino();
  try {
    const first = await backUp();
    const { deltaDirectory } = domino;
    const backup = await beginBackup(() => other.binding, { domino: other.location, deltaDirectory });
    await backup.createShadow();
    await backup.endBackup();
    expect(results(await prune())).toEqual({ [first.id]: 'kept', [backup.id]: 'kept' });
  } finally {
    other.destroy();
  }
});

test('two servers with the same data directory, on two machines, are looked at one by one', async () => {
  const ofAda = await backUp();
  domino.serverName = 'CN=bob/O=Acme';
  const ofBob = await backUp();
  const report = await prune();
  expect(results(report)).toEqual({ [ofAda.id]: 'kept', [ofBob.id]: 'kept' });
  expect(report.backups.map(({ serverName }) => serverName).sort()).toEqual(['CN=ada/O=Acme', 'CN=bob/O=Acme']);
  domino.serverName = 'CN=Ada/O=Acme';
  const later = await backUp();
  expect(results(await prune())).toEqual({ [ofAda.id]: 'removed', [ofBob.id]: 'kept', [later.id]: 'kept' });
});

linuxTest('copies on which the server was started stay', async () => {
  const copies = join(domino.root, 'copies');
  const { id } = await backUp({ copies });
  await backUp();
  renameSync(domino.dataDirectory, `${domino.dataDirectory}-lost`);
  symlinkSync(copies, domino.dataDirectory);
  const { backups } = await prune();
  expect(backups.find((one) => one.id === id)).toMatchObject({
    result: 'left',
    why: expect.stringContaining('leads into the data directory') as string,
  });
  expect(readdirSync(copies)).not.toEqual([]);
});

test('unfinished and damaged backups are named and not touched', async () => {
  const damaged = await backUp();
  writeFileSync(join(damaged.directory, 'manifest.json'), 'x');
  const unfinished = await backUp();
  rmSync(join(unfinished.directory, 'manifest.json'));
  await backUp();
  const { outcome, untouched, warnings } = await prune();
  expect(outcome).toBe('nothing');
  expect(warnings).toEqual(
    untouched.map(({ id }) => ({
      code: 'WARN_BACKUP_UNTOUCHED',
      message: expect.stringMatching(new RegExp(`^${id} is (damaged|unfinished)`)) as string,
      subjects: [id],
    })),
  );
  expect(untouched.map(({ id, state }) => [id, state])).toEqual(
    [
      [damaged.id, 'damaged'],
      [unfinished.id, 'unfinished'],
    ].sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );
  for (const { directory } of [damaged, unfinished]) expect(existsSync(join(directory, 'databases.ndjson'))).toBe(true);
});

test('nothing is removed while other work on the server is running', async () => {
  const old = await backUp();
  await backUp();
  domino.locks.add(domino.dataDirectory);
  await expect(prune()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  expect(existsSync(old.directory)).toBe(true);
});

test('nothing goes while a restore for another server may be reading it, and none begins while backups go', async () => {
  const old = await backUp();
  await backUp();
  const { deltaDirectory } = domino;
  const work = { backupDirectory: '', deltaDirectory };
  const restore = { ...work, id: newWorkId(), work: 'restore', dataDirectory: '/another/server' } as const;
  const { journal } = await Journal.open(restore);
  await expect(prune()).rejects.toMatchObject({ code: 'ERR_LOCKED', message: expect.stringContaining(restore.id) });
  expect(existsSync(old.directory)).toBe(true);
  await journal.remove();

  const removal = { ...work, id: old.id, work: 'prune', dataDirectory: domino.dataDirectory } as const;
  const { journal: removing } = await Journal.open(removal);
  await expect(Journal.open({ ...restore, id: newWorkId() })).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  const backup = { ...work, id: newWorkId(), work: 'backup', dataDirectory: '/another/server' } as const;
  await (await Journal.open(backup)).journal.remove();
  await removing.remove();
});

test('a journal of another machine that may be restoring keeps everything', async () => {
  await backUp();
  await backUp();
  const { deltaDirectory } = domino;
  const place = { backupDirectory: '', deltaDirectory, id: newWorkId(), work: 'restore', dataDirectory: '/x' } as const;
  const { journal } = await Journal.open(place);
  const file = join(journalDirectory(deltaDirectory), `${place.id}.journal`);
  changeJournal(file, (lines) => lines.replace(JSON.stringify(hostname()), '"elsewhere"'));
  await expect(prune()).rejects.toMatchObject({ code: 'ERR_LOCKED', message: expect.stringContaining('elsewhere') });
  await journal.remove();
});

test('a journal that cannot be read now may be that of live work, and keeps everything', async () => {
  const old = await backUp();
  await backUp();
  const { deltaDirectory, dataDirectory } = domino;
  const place = { backupDirectory: '', deltaDirectory, id: newWorkId(), work: 'restore', dataDirectory: '/x' } as const;
  const { journal } = await Journal.open(place);
  const openFile = promises.open.bind(promises);
  const reading = jest
    .spyOn(promises, 'open')
    .mockImplementation((file, ...more) =>
      typeof file === 'string' && file.endsWith(`${place.id}.journal`)
        ? Promise.reject(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }))
        : openFile(file, ...more),
    );
  try {
    const locked = { code: 'ERR_LOCKED', message: expect.stringContaining('EMFILE') as string };
    await expect(prune()).rejects.toMatchObject(locked);
    const removal = { backupDirectory: '', deltaDirectory, id: old.id, work: 'prune', dataDirectory } as const;
    await expect(Journal.open(removal)).rejects.toMatchObject(locked);
    const archiveDirectory = join(domino.root, 'archive');
    mkdirSync(archiveDirectory, { mode: 0o700 });
    const logs = { archiveDirectory, deltaDirectories: [deltaDirectory] };
    await expect(pruneLogs(() => domino.binding, logs)).rejects.toMatchObject(locked);
  } finally {
    reading.mockRestore();
  }
  expect(existsSync(old.directory)).toBe(true);
  await journal.remove();
  expect(journals()).toEqual([]);
});

test('a removal that fails is finished by the next call, and by recover', async () => {
  const old = await backUp();
  await backUp();
  const removeTree = domino.binding.removeTree.bind(domino.binding);
  const refuse = (): Promise<void> => Promise.reject(new Error('the disk is gone'));
  Object.assign(domino.binding, { removeTree: refuse });
  const failed = await prune();
  expect(failed.outcome).toBe('partial');
  expect(failed.backups[0]).toMatchObject({ result: 'left', why: expect.stringContaining('the disk is gone') });
  expect(existsSync(old.directory)).toBe(true);
  expect(journals()).toEqual([`${old.id}.journal`]);
  expect((await prune()).outcome).toBe('partial');

  Object.assign(domino.binding, { removeTree });
  const next = await prune();
  expect(next.outcome).toBe('nothing');
  expect(next.recovered).toMatchObject([{ done: true, leftOver: { id: old.id, work: 'prune' } }]);
  expect(existsSync(old.directory)).toBe(false);
  expect(journals()).toEqual([]);

  const again = await backUp();
  Object.assign(domino.binding, { removeTree: refuse });
  await prune();
  Object.assign(domino.binding, { removeTree });
  const { deltaDirectory, location } = domino;
  const report = await recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location });
  expect(report.outcome).toBe('recovered');
  expect(again.id).not.toBe(old.id);
  expect(readdirSync(deltaDirectory).filter((name) => name.startsWith('2'))).toHaveLength(1);
});

test('an abort keeps what is not removed, and says what is', async () => {
  const backups = [await backUp(), await backUp(), await backUp()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const abort = new AbortController();
  const removeTree = domino.binding.removeTree.bind(domino.binding);
  Object.assign(domino.binding, {
    removeTree: async (path: string) => {
      await removeTree(path);
      abort.abort();
    },
  });
  const error = await prune({ signal: abort.signal }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_ABORTED', deletion: { failed: [] } });
  const { deleted, left } = (error as { deletion: { deleted: string[]; left: string[] } }).deletion;
  expect(deleted).toHaveLength(1);
  expect(left).toHaveLength(1);
  expect(backups.filter(({ directory }) => existsSync(directory)).map(({ id }) => id)).toContain(left[0]);
  expect(journals()).toEqual([]);
});

test('without a rule nothing is removed', async () => {
  await expect(prune({ keep: {} })).rejects.toMatchObject({ code: 'ERR_OPTION' });
});

describe('incremental backups', () => {
  beforeEach(() => {
    domino.sameReplicaIds = true;
    for (const path of ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf']) domino.unlogged.add(path);
  });

  test('the base of a backup that stays also stays, with its copies', async () => {
    const base = await backUp();
    const link = await backUp({ incremental: true });
    const report = await prune();
    expect(report.backups).toMatchObject([
      { id: base.id, result: 'kept', keptAs: [`base of ${link.id}`] },
      { id: link.id, result: 'kept', keptAs: ['last'] },
    ]);
    expect(existsSync(join(base.copies, 'mail/bob.nsf'))).toBe(true);
  });

  test('one that is removed leaves the copies of its base, and both can be removed together', async () => {
    const base = await backUp();
    const link = await backUp({ incremental: true });
    const next = await backUp();
    const report = await prune();
    expect(results(report)).toEqual({ [base.id]: 'removed', [link.id]: 'removed', [next.id]: 'kept' });
    expect(report.backups.find(({ id }) => id === link.id)?.holds).toBe('1 copy');
    expect([existsSync(base.copies), existsSync(link.copies), existsSync(next.copies)]).toEqual([false, false, true]);
  });

  test('one that cannot be removed keeps what it builds on', async () => {
    const base = await backUp();
    const link = await backUp({ incremental: true });
    await backUp();
    // This makes its removal fail.
    writeFileSync(join(journalDirectory(domino.deltaDirectory), `${link.id}.journal`), '');
    const report = await prune();
    expect(report).toMatchObject({ outcome: 'partial' });
    expect(report.backups.slice(0, 2)).toMatchObject([
      {
        id: base.id,
        result: 'left',
        why: expect.stringContaining(`${link.id}, which could not be removed, builds on it`) as string,
      },
      { id: link.id, result: 'left' },
    ]);
    expect(existsSync(join(base.copies, 'mail/bob.nsf'))).toBe(true);
  });

  test('what the base of one that stays builds on stays, too', async () => {
    const first = await backUp();
    domino.modified.set('mail/ada.nsf', new Date(1996, 11, 1));
    const second = await backUp({ incremental: true });
    // Everything that the third one needs is in the second one.
    domino.modified.set('names.nsf', new Date());
    const third = await backUp({ incremental: true, include: ['mail/ada.nsf', 'names.nsf'] });
    const report = await prune();
    expect(report.backups).toMatchObject([
      { id: first.id, result: 'kept', keptAs: [`base of ${second.id}`] },
      { id: second.id, result: 'kept', keptAs: [`base of ${third.id}`] },
      { id: third.id, result: 'kept', keptAs: ['last'] },
    ]);
    expect(existsSync(join(first.copies, 'mail/bob.nsf'))).toBe(true);
  });

  test('what a damaged one may build on stays', async () => {
    const base = await backUp();
    const link = await backUp({ incremental: true });
    const manifest = join(link.directory, 'manifest.json');
    const sound = readFileSync(manifest);
    writeFileSync(manifest, 'x');
    await backUp();
    const report = await prune();
    expect(report).toMatchObject({ outcome: 'partial' });
    expect(report.backups.find(({ id }) => id === base.id)).toMatchObject({
      result: 'left',
      why: expect.stringContaining(`${link.id}, which is damaged, may build on it`) as string,
    });
    expect(existsSync(join(base.copies, 'mail/bob.nsf'))).toBe(true);
    writeFileSync(manifest, sound);
    expect(await prune()).toMatchObject({ outcome: 'pruned' });
  });

  test('the newest goes first, so that a run that is cut off leaves none without its base', async () => {
    const base = await backUp();
    const link = await backUp({ incremental: true });
    await backUp();
    const controller = new AbortController();
    const removeTree = domino.binding.removeTree.bind(domino.binding);
    Object.assign(domino.binding, {
      removeTree: async (path: string) => {
        await removeTree(path);
        controller.abort(new Error('stop'));
      },
    });
    await expect(prune({ signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect([
      existsSync(join(base.directory, 'manifest.json')),
      existsSync(join(link.directory, 'manifest.json')),
    ]).toEqual([true, false]);
  });
});
