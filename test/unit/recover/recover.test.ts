import {
  chmodSync,
  existsSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  type BigIntOptions,
  type PathLike,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { BackupError } from '#lib/errors/errors';
import { recoverInterrupted, type RecoverOptions } from '#lib/recover/recover';
import type { RecoveryReport } from '#lib/recover/report';
import { identityOf } from '#lib/store/file-identity';
import type { JournalHead, RestorePhase, RestoringDatabase } from '#lib/store/journal-format';
import { journalDirectory, readJournals } from '#lib/store/journals';
import { alreadyInProgress, FakeDomino, failure } from '../fake-binding';
import { writeDeadJournal } from './dead-journal';
import { linuxTest } from '../../platform';
import { nativeShadow, setId, shadowId } from '../fake-vss';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

function recover(options: Partial<RecoverOptions> = {}): Promise<RecoveryReport> {
  const { deltaDirectory, location } = domino;
  return recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location, ...options });
}

const writeDead = (change: Partial<JournalHead>, lines?: readonly string[]): string =>
  writeDeadJournal(domino, change, lines);

const path = 'mail/ada.nsf';
const place = (): string => domino.file(path);
const aside = (): string => `${place()}.domino-vss-original`;
const temporary = (): string => `${place()}.domino-vss-restore`;

/** A restore that has prepared its copy and, according to its journal, begun to replace the database. */
async function interruptedRestore(
  restorePhase: RestorePhase = 'replacing',
  change: Partial<RestoringDatabase> = {},
): Promise<string> {
  writeFileSync(temporary(), 'the copy of the backup');
  const restoring: RestoringDatabase = {
    file: place(),
    original: aside(),
    temporary: temporary(),
    offline: true,
    hadOriginal: true,
    copy: await identityOf(temporary()),
    ...change,
  };
  return writeDead({ work: 'restore', restoring: [restoring], restorePhase, temporaryFiles: [temporary()] });
}

/** The disk does not respond for one file. */
function failToLookAt(file: string): jest.SpyInstance {
  const { lstat } = promises;
  const failing = (path: PathLike, options?: BigIntOptions): Promise<unknown> =>
    path === file ? Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })) : lstat(path, options);
  return jest.spyOn(promises, 'lstat').mockImplementation(failing as typeof lstat);
}

function expectNothingOfOurs(): void {
  const names = (readdirSync(domino.dataDirectory, { recursive: true }) as string[]).filter((name) =>
    name.includes('domino-vss'),
  );
  expect(names).toEqual([]);
  expect(readdirSync(journalDirectory(domino.deltaDirectory))).toEqual([]);
}

describe('a restore that was killed', () => {
  let original: string;

  beforeEach(() => {
    original = domino.read(path);
    domino.offline.add(place());
  });

  test('before it replaced the database: the database is brought online, the copy goes', async () => {
    await interruptedRestore();
    expect(await recover()).toMatchObject({ outcome: 'recovered', works: [{ done: true }] });
    expect(domino.read(path)).toBe(original);
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  test('between the two renames: the original is put back', async () => {
    await interruptedRestore();
    renameSync(place(), aside());
    expect((await recover()).outcome).toBe('recovered');
    expect(domino.read(path)).toBe(original);
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  test.each(['replacing', 'recovering'] as const)('after both renames, %s: the original is put back', async (phase) => {
    await interruptedRestore(phase);
    renameSync(place(), aside());
    renameSync(temporary(), place());
    if (phase === 'recovering') writeFileSync(place(), 'half recovered');
    expect((await recover()).outcome).toBe('recovered');
    expect(domino.read(path)).toBe(original);
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  /** One whose files a requester of VSS replaces. */
  async function handedOver(change: Partial<RestoringDatabase> = {}): Promise<void> {
    const restoring = {
      file: place(),
      original: '',
      temporary: '',
      offline: true,
      hadOriginal: true,
      copy: await identityOf(place()),
      ...change,
    };
    writeDead({ work: 'restore', restoring: [restoring], restorePhase: 'handed-over' });
  }

  test('of which a requester has replaced nothing: the database is brought online', async () => {
    await handedOver();
    expect(await recover()).toMatchObject({ outcome: 'recovered', works: [{ done: true }] });
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  test.each([
    ['has replaced a file', {}, 'half of it'],
    ['had found a file that was doubtful already', { copy: '' }, undefined],
    ['has removed a file', {}, ''],
  ])('of which a requester %s: it stays offline and is named', async (_what, change, contents) => {
    await handedOver(change);
    if (contents === '') rmSync(place());
    else if (contents !== undefined) writeFileSync(place(), contents);
    const left = { thing: 'database', subject: place(), result: 'left' };
    expect(await recover()).toMatchObject({ outcome: 'partial', works: [{ done: false, items: [left] }] });
    expect(domino.offline.size).toBe(1);
    expect(readdirSync(journalDirectory(domino.deltaDirectory))).toHaveLength(1);
  });

  test('and whose original cannot be looked at: nothing is taken away, and the next run goes on', async () => {
    await interruptedRestore();
    renameSync(place(), aside());
    renameSync(temporary(), place());
    const spy = failToLookAt(aside());
    expect(await recover()).toMatchObject({
      outcome: 'partial',
      works: [
        {
          done: false,
          items: expect.arrayContaining([expect.objectContaining({ thing: 'database', result: 'left' })]) as unknown,
        },
      ],
    });
    spy.mockRestore();
    expect([place(), aside()].filter(existsSync)).toEqual([place(), aside()]);
    expect((await recover()).outcome).toBe('recovered');
    expect(domino.read(path)).toBe(original);
    expectNothingOfOurs();
  });

  test('a database that was given up earlier than the others were finished: its own phase counts', async () => {
    await interruptedRestore('finishing', { phase: 'replacing' });
    renameSync(place(), aside());
    renameSync(temporary(), place());
    expect((await recover()).outcome).toBe('recovered');
    expect(domino.read(path)).toBe(original);
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  test('after the recovery: the restored database stays, whatever users have written since', async () => {
    await interruptedRestore('finishing');
    renameSync(place(), aside());
    renameSync(temporary(), place());
    writeFileSync(place(), 'recovered, and written to');
    expect((await recover()).outcome).toBe('recovered');
    expect(domino.read(path)).toBe('recovered, and written to');
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  test.each(['replacing', 'recovering'] as const)(
    'and users have written to the copy since, %s: nothing is taken away, and every backup until then is partial',
    async (phase) => {
      const journal = await interruptedRestore(phase);
      renameSync(place(), aside());
      renameSync(temporary(), place());
      domino.offline.clear(); // the server was restarted
      domino.write(path, 'written to by users');
      const report = await recover();
      expect(report).toMatchObject({ outcome: 'partial', works: [{ done: false }] });
      const [item] = report.works[0]!.items;
      expect(item).toMatchObject({ thing: 'database', subject: place(), result: 'left' });
      expect(item!.advice).toContain(`rename ${aside()} to ${place()}`);
      expect(domino.read(path)).toBe('written to by users');
      expect(domino.offline.size).toBe(0);
      expect(existsSync(journal)).toBe(true);

      const backup = await beginBackup(() => domino.binding, {
        domino: domino.location,
        deltaDirectory: domino.deltaDirectory,
      });
      const set = await backup.createShadow();
      expect(set.outcome).toBe('partial');
      expect(set.skipped).toMatchObject([{ database: path, code: 'ERR_ORIGINAL_ASIDE' }]);
      await backup.endBackup();

      // A person decides about the present files.
      rmSync(aside());
      expect((await recover()).outcome).toBe('recovered');
      expect(domino.read(path)).toBe('written to by users');
      expectNothingOfOurs();
    },
  );

  test('and somebody put a file of his own there: it is not taken away', async () => {
    await interruptedRestore();
    renameSync(place(), aside());
    rmSync(temporary());
    domino.write(path, 'from elsewhere');
    expect((await recover()).outcome).toBe('partial');
    expect(domino.read(path)).toBe('from elsewhere');
    expect(existsSync(aside())).toBe(true);
  });

  test('of a database that was not there: the copy that was not recovered yet goes', async () => {
    rmSync(place());
    await interruptedRestore('replacing', { hadOriginal: false });
    renameSync(temporary(), place());
    expect((await recover()).outcome).toBe('recovered');
    expect(existsSync(place())).toBe(false);
    expectNothingOfOurs();
  });

  test('as a new database: one that may have been used stays, one that was not goes', async () => {
    const asNew = { original: '', hadOriginal: false, offline: false };
    for (const used of [false, true]) {
      rmSync(place(), { force: true });
      await interruptedRestore('recovering', asNew);
      renameSync(temporary(), place());
      if (used) writeFileSync(place(), 'used');
      expect((await recover()).outcome).toBe('recovered');
      expect(existsSync(place())).toBe(used);
      expectNothingOfOurs();
    }
  });

  test('with neither database nor original: named', async () => {
    rmSync(place());
    await interruptedRestore();
    const { outcome, works } = await recover();
    expect(outcome).toBe('partial');
    expect(works[0]!.items).toContainEqual(
      expect.objectContaining({ result: 'left', found: 'neither the database nor its original exists' }),
    );
  });

  test('a dry run touches nothing and says what it would do', async () => {
    const journal = await interruptedRestore();
    renameSync(place(), aside());
    const { outcome, works } = await recover({ dryRun: true });
    expect(outcome).toBe('planned');
    expect(works[0]!.items).toMatchObject([
      { thing: 'database', result: 'planned', action: 'the original is put back' },
      { thing: 'temporary-file', result: 'planned' },
    ]);
    expect([existsSync(place()), existsSync(aside()), existsSync(temporary()), existsSync(journal)]).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(domino.calls).toEqual([]);
  });

  test('when the database cannot be brought online, its original is in its place all the same, and the next run goes on', async () => {
    await interruptedRestore();
    renameSync(place(), aside());
    domino.onCall = (name) => {
      if (name === 'bringDatabaseOnline') throw new Error('the server is down');
    };
    expect(await recover()).toMatchObject({ outcome: 'partial', works: [{ items: [{ result: 'left' }, {}] }] });
    expect(domino.read(path)).toBe(original);
    domino.onCall = () => undefined;
    expect((await recover()).outcome).toBe('recovered');
    expect(domino.offline.size).toBe(0);
    expectNothingOfOurs();
  });

  test('the next backup begins with it and is complete', async () => {
    await interruptedRestore();
    renameSync(place(), aside());
    const backup = await beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
    });
    expect(backup.recovered).toMatchObject([{ done: true, items: [{ thing: 'database', result: 'done' }, {}] }]);
    const set = await backup.createShadow();
    expect(set.outcome).toBe('complete');
    expect([...set.describeDatabases()].map((database) => database.path)).toContain(path);
    const report = await backup.endBackup();
    expect(report.leftOvers).toEqual([]);
    expect(report.warnings).toContainEqual(
      expect.objectContaining({
        code: 'WARN_WORK_RECOVERED',
        message: expect.stringContaining('the original is put back'),
      }),
    );
  });
});

describe('a backup that was killed', () => {
  const id = '20260101T000000Z-abcdef';

  /** Everything that a backup on Linux leaves if it dies while it makes copies. */
  function leaveEverything(): string[] {
    const backupDirectory = join(domino.deltaDirectory, id);
    const shadow = join(domino.root, '.domino-vss', id, '0');
    const copies = join(domino.root, 'copies', 'new');
    const link = join(domino.root, 'link');
    const foreignCopy = join(domino.root, 'copies', 'foreign.nsf');
    for (const directory of [join(backupDirectory, 'deltas'), shadow, join(copies, 'mail')]) {
      mkdirSync(directory, { recursive: true });
    }
    writeFileSync(join(backupDirectory, 'deltas', '0.delta'), 'x');
    writeFileSync(join(shadow, 'names.nsf'), 'x');
    writeFileSync(join(copies, 'mail', 'ada.nsf'), 'half');
    writeFileSync(foreignCopy, 'of somebody else');
    symlinkSync(shadow, link, 'junction');
    writeDead(
      {
        id,
        backupDirectory,
        provider: 'reflink',
        shadows: [shadow],
        exposures: [link],
        databasesInBackupMode: 2,
        copiedFiles: 2,
        newDirectories: [copies, join(copies, 'mail')],
      },
      ['names.nsf', path, join(copies, 'mail', 'ada.nsf'), join(copies, 'names.nsf')],
    );
    return [backupDirectory, dirname(dirname(shadow)), copies, link];
  }

  // Wine 8 makes neither junctions nor symbolic links.
  linuxTest('everything it has made goes, and nothing of others', async () => {
    const made = leaveEverything();
    domino.abandoned.set(path, 'ends');
    const { outcome, works } = await recover();
    expect(outcome).toBe('recovered');
    expect(works[0]!.items.map(({ thing, result }) => `${thing} ${result}`)).toEqual([
      'backup-mode done',
      'exposure done',
      'shadow done',
      'copies done',
      'backup done',
    ]);
    expect(made.filter(existsSync)).toEqual([]);
    expect(existsSync(join(domino.root, 'copies', 'foreign.nsf'))).toBe(true);
    expect(domino.abandoned.size).toBe(0);
    expectNothingOfOurs();
    expect((await recover()).outcome).toBe('nothing');
  });

  // Wine 8 makes neither junctions nor symbolic links.
  linuxTest('again and again killed in the middle of the recovery, it goes all the same', async () => {
    const made = leaveEverything();
    for (let calls = 1; ; calls += 1) {
      let left = calls;
      domino.onCall = () => {
        left -= 1;
        if (left < 0) throw new Error('killed');
      };
      if ((await recover()).outcome === 'recovered') break;
      expect(calls).toBeLessThan(10);
    }
    expect(made.filter(existsSync)).toEqual([]);
  });

  test('a database that Domino calls missing is believed to be so only if its file is gone', async () => {
    const missing = failure({ operation: 'NSFDbOpen', domain: 'domino', status: 0x0103 });
    domino.abandoned.set(path, missing).set('gone.nsf', missing);
    writeDead({ id, databasesInBackupMode: 2 }, [path, 'gone.nsf']);
    const { outcome, works } = await recover();
    expect(outcome).toBe('partial');
    const left = works.flatMap(({ items }) => items).filter(({ result }) => result === 'left');
    expect(left).toMatchObject([{ thing: 'backup-mode', subject: path, found: 'may still be in backup mode' }]);
  });

  test('a database that Domino does not let us free is named, and so is it in the error of the backup that it makes fail', async () => {
    writeDead({ id, databasesInBackupMode: 1 }, [path]);
    domino.abandoned.set(path, alreadyInProgress);
    const { outcome, works } = await recover();
    expect(outcome).toBe('partial');
    expect(works[0]!.items).toContainEqual(
      expect.objectContaining({ thing: 'backup-mode', subject: path, result: 'left' }),
    );
    expect(works[0]!.items.at(-1)!.advice).toContain('Restart the Domino server');

    domino.refusing.set(path, alreadyInProgress);
    const backup = await beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      include: [path],
    });
    const error: unknown = await backup.createShadow().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BackupError);
    expect((error as BackupError).message).toContain(`the backup ${id} of process ${process.pid}, which died`);
  });

  test('one whose manifest was written is good: only its journal goes', async () => {
    const backup = await beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      lifetime: 'persistent',
    });
    const set = await backup.createShadow();
    await set.copyDatabases({ to: join(domino.root, 'copies') });
    const root = set.shadows[0]!.root;
    const { directory } = await backup.endBackup();
    const copy = join(domino.root, 'copies', 'names.nsf');
    writeDead({ id: backup.id, backupDirectory: directory, provider: 'reflink', shadows: [root], copiedFiles: 1 }, [
      copy,
    ]);
    const { outcome, works } = await recover();
    expect(outcome).toBe('recovered');
    expect(works[0]!.items).toMatchObject([{ thing: 'backup', result: 'kept' }]);
    expect([directory, root, copy].filter(existsSync)).toEqual([directory, root, copy]);
    expectNothingOfOurs();
  });

  test('one whose manifest cannot be looked at may be good: nothing of it goes', async () => {
    const backup = await beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      lifetime: 'persistent',
    });
    const [shadow] = (await backup.createShadow()).shadows;
    const { directory, manifest } = await backup.endBackup();
    writeDead({ id: backup.id, backupDirectory: directory, provider: 'reflink', shadows: [shadow!.root] });
    const spy = failToLookAt(manifest);
    expect(await recover()).toMatchObject({
      outcome: 'partial',
      works: [{ items: [{ thing: 'backup', result: 'left' }] }],
    });
    spy.mockRestore();
    expect([manifest, shadow!.root].filter(existsSync)).toEqual([manifest, shadow!.root]);
    expect((await recover()).outcome).toBe('recovered');
    expectNothingOfOurs();
  });

  linuxTest('a file system that does not answer to the removal is named, and keeps nobody', async () => {
    const [first = ''] = leaveEverything();
    const hanging = jest.spyOn(domino.binding, 'removeTree').mockReturnValue(new Promise(() => undefined));
    const { outcome, works } = await recover({ databaseBudgetMs: 500 });
    expect(outcome).toBe('partial');
    expect(works[0]!.items.filter(({ result }) => result === 'left').map(({ error }) => error?.message)).toEqual(
      expect.arrayContaining([expect.stringContaining('unlink')]),
    );
    hanging.mockRestore();
    expect((await recover()).outcome).not.toBe('nothing');
    expect(existsSync(first)).toBe(false);
  });

  test('its server is started again, before anything else', async () => {
    writeDead({ stoppedService: 'domino.service', databasesInBackupMode: 1 }, [path]);
    const started: string[] = [];
    const service = {
      name: 'domino.service',
      isRunning: () => Promise.resolve(false),
      stop: () => Promise.resolve(),
      start: () => Promise.resolve(void started.push([...domino.calls].join())),
    };
    expect((await recover({ service })).outcome).toBe('recovered');
    expect(started).toEqual(['lockDirectory']);
  });

  test.each([
    ['start', 'could not be started: start did not return'],
    ['isRunning', 'could not be asked whether it runs: isRunning did not return'],
  ])(
    'a server that never comes up (%s) is left, the rest is done, and the next one tries again',
    async (which, why) => {
      writeDead({ stoppedService: 'domino.service', databasesInBackupMode: 1 }, [path]);
      const never = (): Promise<never> => new Promise(() => undefined);
      const service = {
        name: 'domino.service',
        isRunning: () => Promise.resolve(false),
        stop: () => Promise.resolve(),
        start: () => Promise.resolve(),
      };
      const { outcome, works } = await recover({ service: { ...service, [which]: never }, timeoutMs: 1_000 });
      expect(outcome).toBe('partial');
      const items = works.flatMap((work) => work.items);
      expect(items.filter(({ result }) => result === 'left')).toMatchObject([
        { thing: 'service', error: { code: 'ERR_SERVICE', message: expect.stringContaining(why) } },
      ]);
      expect(items.filter(({ result }) => result === 'done').map(({ thing }) => thing)).toContain('backup-mode');
      expect((await recover({ service })).outcome).toBe('recovered');
    },
  );

  test('an abort while a server comes up ends the recovery at once', async () => {
    writeDead({ stoppedService: 'domino.service' }, []);
    const controller = new AbortController();
    const service = {
      name: 'domino.service',
      isRunning: () => Promise.resolve(false),
      stop: () => Promise.resolve(),
      start: () => {
        controller.abort();
        return new Promise<void>(() => undefined);
      },
    };
    await expect(recover({ service, signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect((await recover({ service: { ...service, start: () => Promise.resolve() } })).outcome).toBe('recovered');
  });

  test('a hook is given back what it has delivered; without it that is named and left', async () => {
    const volumes = [{ path: '/vol', device: '/dev/vg/vol', fileSystem: 'xfs' }];
    const hookRecord = { volumes, state: { snapshot: 'one' } };
    writeDead({ id, provider: 'lvm', shadows: ['/snap'], volumes: ['/vol'], hook: hookRecord });
    expect(await recover()).toMatchObject({
      outcome: 'partial',
      works: [{ items: [{ subject: '/snap', result: 'left' }] }],
    });
    const cause = new Error('volume is busy');
    const remove = jest.fn(() => Promise.resolve());
    remove.mockImplementationOnce(() => {
      throw cause;
    });
    const hook = { name: 'lvm', remove };
    expect(await recover({ hook })).toMatchObject({
      works: [{ items: [{ result: 'left', error: { code: 'ERR_HOOK', provider: 'lvm', cause } }] }],
    });
    expect((await recover({ hook })).outcome).toBe('recovered');
    const given = [
      { shadows: [{ volume: '/vol', root: '/snap' }], state: { snapshot: 'one' } },
      { backupId: id, volumes },
    ];
    expect(remove.mock.calls).toEqual([given, given]);
  });

  test('a hook that had not answered is asked to remove what it may have made', async () => {
    const volumes = [{ path: '/vol', device: '/dev/vg/vol', fileSystem: 'xfs' }];
    writeDead({ id, provider: 'lvm', pendingHook: 'lvm', hook: { volumes } });
    expect(await recover()).toMatchObject({
      outcome: 'partial',
      works: [{ items: [{ subject: 'lvm', found: expect.stringContaining('had not answered') }] }],
    });
    const remove = jest.fn(() => Promise.resolve());
    expect((await recover({ hook: { name: 'lvm', remove } })).outcome).toBe('recovered');
    expect(remove.mock.calls).toEqual([
      [
        { shadows: [], state: undefined },
        { backupId: id, volumes },
      ],
    ]);
  });

  test('what a forged journal names is not removed', async () => {
    const victims = [join(domino.root, 'victim'), join(domino.root, 'other', '0'), domino.file('names.nsf')];
    mkdirSync(victims[0]!);
    mkdirSync(victims[1]!, { recursive: true });
    writeDead({ id, backupDirectory: victims[0]!, provider: 'rolling', shadows: [victims[1]!] });
    writeDead({ work: 'restore', temporaryFiles: [victims[2]!] });
    expect((await recover()).outcome).toBe('partial');
    expect(victims.filter(existsSync)).toEqual(victims);
  });

  // Windows has access lists instead, which are examined when a backup begins.
  linuxTest.each([
    { place: 'delta directory', directory: (): string => domino.deltaDirectory },
    { place: 'directory of the journals', directory: (): string => journalDirectory(domino.deltaDirectory) },
  ])('a journal is not believed if others can write to the $place', async ({ directory }) => {
    const victim = join(domino.root, 'victim.nsf');
    writeFileSync(victim, 'of somebody else');
    const journal = writeDead({ id, copiedFiles: 1 }, [victim]);
    chmodSync(directory(), 0o777);
    await expect(recover()).rejects.toMatchObject({
      code: 'ERR_DELTA_DIRECTORY',
      message: expect.stringContaining('may be forged: everybody may write to') as unknown,
    });
    const { leftOvers, unusable } = await readJournals(domino.deltaDirectory, domino.dataDirectory);
    expect({ leftOvers, unusable }).toMatchObject({ leftOvers: [], unusable: [{ journal, movedTo: '' }] });
    expect(existsSync(victim) && existsSync(journal)).toBe(true);

    chmodSync(directory(), 0o700);
    expect((await recover()).outcome).toBe('recovered');
    expect(existsSync(victim)).toBe(false);
  });

  test('the set of VSS goes by its id, its place first', async () => {
    const vss = domino.haveVss();
    vss.shadows = [nativeShadow(1, { exposedName: 'X:\\' }), nativeShadow(2)];
    writeDead({ id, provider: 'vss', snapshotSet: setId(1), shadows: [shadowId(1)] });
    expect((await recover()).outcome).toBe('recovered');
    expect(vss.changes.map(([what]) => what)).toEqual(['unexpose', 'delete']);
    expect(vss.shadows).toEqual([nativeShadow(2)]);
  });

  test('of a backup with further windows the sets of all go, whose shadows the journal names', async () => {
    const vss = domino.haveVss();
    vss.shadows = [nativeShadow(1), nativeShadow(2), nativeShadow(3)];
    writeDead({ id, provider: 'vss', snapshotSet: setId(3), shadows: [shadowId(1), shadowId(3)] });
    expect((await recover()).outcome).toBe('recovered');
    expect(vss.shadows).toEqual([nativeShadow(2)]);
  });
});

test('the journal of a backup names the copies that it makes, and no file that was there before', async () => {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  const set = await backup.createShadow();
  const to = join(domino.root, 'copies');
  mkdirSync(join(to, 'mail'), { recursive: true });
  writeFileSync(join(to, path), 'of somebody else');
  await set.copyDatabases({ to });
  const [name = ''] = readdirSync(journalDirectory(domino.deltaDirectory));
  const [head = '', ...lines] = readFileSync(join(journalDirectory(domino.deltaDirectory), name), 'utf8')
    .trimEnd()
    .split('\n');
  const { databasesInBackupMode, copiedFiles, newDirectories } = JSON.parse(head) as JournalHead;
  const named = lines.slice(databasesInBackupMode, -1).map((line) => JSON.parse(line) as string);
  expect(named).toHaveLength(copiedFiles);
  expect(named.sort()).toEqual(['apps/crm.nsf', 'mail/bob.nsf', 'names.nsf'].map((copy) => join(to, copy)));
  expect(newDirectories).toEqual([join(to, 'apps')]);
  await backup.dispose();
  expect(existsSync(join(to, path))).toBe(true);
});

test('the work of a live process is not touched', async () => {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  expect((await recover()).outcome).toBe('nothing');
  writeDead({});
  await expect(recover()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  await backup.dispose();
  expect((await recover()).outcome).toBe('recovered');
});
