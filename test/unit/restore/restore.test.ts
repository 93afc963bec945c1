import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { promises, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { AbortError, DominoVssError, RestoreError } from '#lib/errors/errors';
import { Journal } from '#lib/store/journal';
import { readJournals } from '#lib/store/journals';
import type { LeftOver } from '#lib/store/left-over';
import type { RestoreReport } from '#lib/restore/report';
import { planRestore, restoreDatabases, type PlanRestoreOptions, type RestoreOptions } from '#lib/restore/restore';
import { describeStep } from '#lib/restore/steps';
import { linuxTest } from '../../platform';
import { fail, FakeDomino, signature, truncate } from '../fake-binding';

const paths = ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf'];
let domino: FakeDomino;
let before: Map<string, string>;

beforeEach(() => {
  domino = new FakeDomino(paths);
  domino.busy.add('mail/ada.nsf');
  domino.unlogged.add('apps/crm.nsf');
  before = new Map(paths.map((path) => [path, domino.read(path)]));
});

afterEach(() => {
  domino.destroy();
});

/** Makes a backup, then changes every database; returns the backup's directory. */
async function backUp({ copies = true, keep = false } = {}): Promise<string> {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  const set = await backup.createShadow();
  if (copies) await set.copyDatabases({ to: join(domino.root, 'copies') });
  await backup.endBackup({ keep });
  for (const path of paths) domino.write(path, `${path} destroyed`);
  return backup.directory;
}

function restore(manifest: string, options: Partial<RestoreOptions> = {}): Promise<RestoreReport> {
  return restoreDatabases(() => domino.binding, { manifest, domino: domino.location, ...options });
}

async function errorOf(promise: Promise<unknown>): Promise<DominoVssError> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DominoVssError);
  return error as DominoVssError;
}

/** Nothing but databases in the data directory, nothing offline, nothing in the journal. */
async function expectTidy(): Promise<void> {
  const files = (readdirSync(domino.dataDirectory, { recursive: true }) as string[]).filter((name) =>
    name.includes('domino-vss'),
  );
  expect(files).toEqual([]);
  expect(domino.offline).toEqual(new Set());
  expect(await readJournals(domino.deltaDirectory, domino.dataDirectory)).toEqual({
    live: [],
    leftOvers: [],
    unusable: [],
  });
}

/** Asserts the contents of the only journal that is left, and removes it as a person would. */
async function forgetLeftOver(expected: Partial<LeftOver>): Promise<void> {
  const { leftOvers } = await readJournals(domino.deltaDirectory, domino.dataDirectory);
  expect(leftOvers).toEqual([expect.objectContaining(expected)]);
  rmSync(leftOvers[0]!.journal);
}

/** Puts a directory where a file was. */
function makeUnremovable(file: string): void {
  rmSync(file);
  mkdirSync(file);
}

const destroyed = (path: string): string => `${path} destroyed`;

describe('online', () => {
  test.each([
    ['copies', { copies: true }],
    ['a kept shadow and deltas', { copies: false, keep: true }],
  ])('one database from %s: the bytes at the start of the backup', async (_what, how) => {
    const manifest = await backUp(how);
    chmodSync(domino.file('mail/ada.nsf'), 0o640);
    const report = await restore(manifest, { databases: ['mail/ada.nsf'] });
    expect(report).toMatchObject({
      outcome: 'complete',
      databases: [{ result: 'restored', path: 'mail/ada.nsf', recovered: true }],
    });
    expect(domino.read('mail/ada.nsf')).toBe(before.get('mail/ada.nsf'));
    // Windows has access lists instead of these bits.
    if (process.platform !== 'win32') expect(statSync(domino.file('mail/ada.nsf')).mode & 0o777).toBe(0o640);
    expect(domino.read('mail/bob.nsf')).toBe(destroyed('mail/bob.nsf'));
    expect(domino.recovered).toEqual([domino.file('mail/ada.nsf')]);
    await expectTidy();
  });

  test('everything: one recovery for all logged ones, without what a server holds open', async () => {
    const manifest = await backUp();
    domino.calls.length = 0;
    const report = await restore(manifest);
    expect(report.outcome).toBe('partial');
    expect(report.databases.filter(({ result }) => result === 'left-out')).toEqual([
      expect.objectContaining({
        database: 'names.nsf',
        failure: expect.objectContaining({ code: 'ERR_RESTORE_SYSTEM_DATABASE' }),
      }),
    ]);
    expect(domino.calls.filter((name) => name === 'recoverDatabases')).toHaveLength(1);
    expect(domino.recovered).toEqual([domino.file('mail/ada.nsf'), domino.file('mail/bob.nsf')]);
    expect(domino.read('apps/crm.nsf')).toBe(before.get('apps/crm.nsf'));
    expect(domino.read('names.nsf')).toBe(destroyed('names.nsf'));
    await expectTidy();
  });

  test('on Windows, a warning names directories of the backup that others can change', async () => {
    const manifest = await backUp();
    const copies = join(domino.root, 'copies');
    Object.assign(domino.binding, {
      directoryAccess: (path: string) =>
        Promise.resolve({
          othersOwn: path === copies,
          othersChange: path === domino.deltaDirectory ? path : '',
        }),
    });
    const report = await restore(manifest, { databases: ['mail/*'] });
    expect(report.outcome).toBe('complete');
    const shared = report.warnings.filter(({ code }) => code === 'WARN_DIRECTORY_SHARED');
    expect(shared).toMatchObject([
      {
        message: expect.stringContaining(`can change ${domino.deltaDirectory}: icacls`),
        subjects: [domino.deltaDirectory],
      },
      { message: `${copies} belongs to an ordinary user, who could change the permissions`, subjects: [copies] },
    ]);
  });

  test('a server database when it is named, not when a glob happens to match it', async () => {
    const manifest = await backUp();
    expect(await errorOf(restore(manifest, { databases: ['n*.nsf'] }))).toMatchObject({
      code: 'ERR_RESTORE_SYSTEM_DATABASE',
    });
    await restore(manifest, { databases: ['NAMES.nsf'] });
    expect(domino.read('names.nsf')).toBe(before.get('names.nsf'));
  });

  test('a database that is gone, and its directory', async () => {
    const manifest = await backUp();
    rmSync(domino.file('mail'), { recursive: true });
    expect((await restore(manifest, { databases: ['mail/**'] })).outcome).toBe('complete');
    expect(domino.read('mail/bob.nsf')).toBe(before.get('mail/bob.nsf'));
    expect(domino.calls).not.toContain('bringDatabaseOnline');
    await expectTidy();
  });

  test('the original comes back when a step fails, and the others go on', async () => {
    const manifest = await backUp();
    for (const step of ['takeDatabaseOffline', 'recoverDatabases', 'bringDatabaseOnline']) {
      let failed = false;
      domino.onCall = (name) => {
        if (name !== step || failed) return;
        failed = true;
        const subject = domino.file('mail/ada.nsf');
        fail({ operation: step, domain: 'domino', status: 0x13fa, statusName: 'ERR_RM', subject });
      };
      const report = await restore(manifest, { databases: ['mail/**'] });
      expect(report.outcome).toBe('partial');
      expect(report.databases).toEqual([
        expect.objectContaining({ result: 'restored', database: 'mail/bob.nsf' }),
        expect.objectContaining({ result: 'failed', database: 'mail/ada.nsf' }),
      ]);
      expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
      expect(domino.read('mail/bob.nsf')).toBe(before.get('mail/bob.nsf'));
      domino.onCall = () => undefined;
      await expectTidy();
      domino.write('mail/bob.nsf', destroyed('mail/bob.nsf'));
    }
  });

  test('a recovery that spoils everything puts everything back', async () => {
    const manifest = await backUp();
    domino.onCall = (name) => {
      if (name !== 'recoverDatabases') return;
      fail({ operation: 'NSFRecoverDatabases', domain: 'domino', status: 0x13e3, text: 'log error' });
    };
    const error = await errorOf(restore(manifest, { databases: ['mail/**'] }));
    expect(error).toBeInstanceOf(RestoreError);
    expect(error).toMatchObject({ code: 'ERR_DOMINO_CALL', failures: [{ statusHex: '0x13E3' }, {}] });
    for (const path of ['mail/ada.nsf', 'mail/bob.nsf']) expect(domino.read(path)).toBe(destroyed(path));
    await expectTidy();
  });

  test('what cannot be put back is named, in the error and in the journal', async () => {
    const manifest = await backUp();
    domino.onCall = (name) => {
      if (name === 'bringDatabaseOnline') fail({ domain: 'domino', status: 0x13ea, text: 'in use' });
    };
    const error = await errorOf(restore(manifest, { databases: ['apps/crm.nsf'] }));
    expect(error).toMatchObject({ failures: [{ code: 'ERR_DOMINO_CALL' }, { code: 'ERR_RESTORE_NOT_PUT_BACK' }] });
    expect(domino.read('apps/crm.nsf')).toBe(destroyed('apps/crm.nsf'));
    const { leftOvers } = await readJournals(domino.deltaDirectory, domino.dataDirectory);
    expect(leftOvers[0]?.restoring).toEqual([expect.objectContaining({ file: domino.file('apps/crm.nsf') })]);
  });

  test('a database that cannot be put back keeps the phase it had, while the others are finished', async () => {
    const manifest = await backUp();
    const refused = domino.file('mail/ada.nsf');
    let recoveries = 0;
    let online = 0;
    domino.onCall = (name) => {
      if (name === 'recoverDatabases' && ++recoveries === 1) {
        fail({ operation: 'NSFRecoverDatabases', domain: 'domino', status: 0x13c1, subject: refused });
      }
      if (name === 'bringDatabaseOnline' && ++online === 1) fail({ domain: 'domino', status: 0x13ea, text: 'in use' });
    };
    const report = await restore(manifest, { databases: ['mail/**'] });
    expect(report.outcome).toBe('partial');
    const { leftOvers } = await readJournals(domino.deltaDirectory, domino.dataDirectory);
    expect(leftOvers[0]).toMatchObject({
      restorePhase: 'finishing',
      restoring: [{ file: refused, phase: 'recovering' }],
    });
  });

  test('the copies are in the journal before the first one is made', async () => {
    const manifest = await backUp({ copies: false, keep: true });
    const temporary = `${domino.file('mail/ada.nsf')}.domino-vss-restore`;
    let existed: boolean | undefined;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object
    const update = Journal.prototype.update;
    jest.spyOn(Journal.prototype, 'update').mockImplementation(async function (this: Journal, change, databases) {
      await update.call(this, change, databases);
      existed ??= change.temporaryFiles && existsSync(temporary);
    });
    let journaled: readonly string[] | undefined;
    domino.onCall = async (name) => {
      if (name !== 'applyChangeInfo') return;
      journaled = (await readJournals(domino.deltaDirectory, domino.dataDirectory)).live[0]?.temporaryFiles;
    };
    await restore(manifest, { databases: ['mail/**'] });
    jest.restoreAllMocks();
    expect(existed).toBe(false);
    expect(journaled).toEqual([temporary, `${domino.file('mail/bob.nsf')}.domino-vss-restore`]);
    await expectTidy();
  });

  test('an original that cannot be removed is a warning: the database that is in use again stays', async () => {
    const manifest = await backUp();
    const original = `${domino.file('mail/ada.nsf')}.domino-vss-original`;
    domino.onCall = (name) => {
      if (name === 'recoverDatabases') makeUnremovable(original);
    };
    for (const type of ['online', 'offline'] as const) {
      const report = await restore(manifest, { databases: ['mail/ada.nsf'], mode: { type } });
      expect(report).toMatchObject({ outcome: 'complete', databases: [{ result: 'restored' }] });
      expect(report.warnings).toMatchObject([
        {
          code: 'WARN_FILE_NOT_REMOVED',
          message: expect.stringContaining(original),
          errorCode: expect.stringMatching(/^ERR_/),
        },
      ]);
      expect(domino.read('mail/ada.nsf')).toBe(before.get('mail/ada.nsf'));
      rmSync(original, { recursive: true });
      await forgetLeftOver({ temporaryFiles: [original], restoring: [] });
      await expectTidy();
      domino.write('mail/ada.nsf', destroyed('mail/ada.nsf'));
    }
  });

  test('a copy that cannot be removed does not make of a database one that is not put back', async () => {
    const manifest = await backUp();
    const temporary = `${domino.file('mail/ada.nsf')}.domino-vss-restore`;
    domino.onCall = (name) => {
      if (name !== 'takeDatabaseOffline') return;
      makeUnremovable(temporary);
      fail({ domain: 'domino', status: 0x13ea, text: 'in use' });
    };
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation();
    const error = await errorOf(restore(manifest, { databases: ['mail/ada.nsf'] }));
    expect(error).toMatchObject({ failures: [{ code: 'ERR_DOMINO_CALL' }] });
    expect(emitted.mock.calls).toEqual([[expect.stringContaining(temporary), { code: 'WARN_FILE_NOT_REMOVED' }]]);
    emitted.mockRestore();
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
    rmSync(temporary, { recursive: true });
    await forgetLeftOver({ temporaryFiles: [temporary], restoring: [] });
    await expectTidy();
  });

  test('a journal that cannot be removed does not make a failure of a restore that has succeeded', async () => {
    const manifest = await backUp();
    domino.onCall = (name) => {
      const [journal] = readdirSync(join(domino.deltaDirectory, '.journal'));
      if (name === 'bringDatabaseOnline') makeUnremovable(join(domino.deltaDirectory, '.journal', journal!));
    };
    const report = await restore(manifest, { databases: ['mail/ada.nsf'] });
    expect(report.outcome).toBe('complete');
    expect(report.warnings).toMatchObject([
      { code: 'WARN_JOURNAL_NOT_FINISHED', message: expect.stringContaining('.journal') },
    ]);
  });

  test('an abort at any native call before the recovery changes nothing', async () => {
    const manifest = await backUp({ copies: false, keep: true });
    const aborted: string[] = [];
    for (let nth = 1; aborted.at(-1) !== 'recoverDatabases'; ++nth) {
      const controller = new AbortController();
      let seen = 0;
      domino.onCall = (name) => {
        if (++seen !== nth) return;
        aborted.push(name);
        controller.abort('enough');
      };
      const result = restore(manifest, { databases: ['mail/**'], signal: controller.signal });
      if (nth > 1 && domino.calls.length > 500) throw new Error('does not end');
      const error: unknown = await result.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (aborted.at(-1) === 'recoverDatabases') {
        // Finished instead: the databases are restored.
        expect(error).toBeUndefined();
        break;
      }
      expect(error).toBeInstanceOf(AbortError);
      for (const path of ['mail/ada.nsf', 'mail/bob.nsf']) expect(domino.read(path)).toBe(destroyed(path));
      await expectTidy();
    }
    expect(new Set(aborted)).toEqual(
      new Set([
        'openRuntime',
        'lockDirectory',
        'readIdentities',
        'applyChangeInfo',
        'takeDatabaseOffline',
        'recoverDatabases',
      ]),
    );
  });
});

describe('offline', () => {
  test('restores without taking anything offline', async () => {
    const manifest = await backUp();
    const report = await restore(manifest, { databases: ['mail/ada.nsf'], mode: { type: 'offline' } });
    expect(report.outcome).toBe('complete');
    expect(domino.read('mail/ada.nsf')).toBe(before.get('mail/ada.nsf'));
    expect(domino.calls).not.toContain('takeDatabaseOffline');
    await expectTidy();
  });

  linuxTest('refuses a database that a process has open', async () => {
    const manifest = await backUp();
    const descriptor = openSync(domino.file('mail/ada.nsf'), 'r');
    const report = restore(manifest, { databases: ['mail/ada.nsf'], mode: { type: 'offline' } });
    expect(await errorOf(report)).toMatchObject({ code: 'ERR_RESTORE_IN_USE' });
    closeSync(descriptor);
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
  });
});

describe('as a new database', () => {
  test('leaves the original alone and recovers with new ids', async () => {
    const manifest = await backUp();
    const options: unknown[] = [];
    const recover = domino.binding.recoverDatabases.bind(domino.binding);
    domino.binding.recoverDatabases = (given) => {
      options.push(given);
      return recover(given);
    };
    const mode = { type: 'new-database', as: 'restored/ada.nsf', newReplicaId: true } as const;
    await restore(manifest, { databases: ['mail/ada.nsf'], mode });
    expect(domino.read('restored/ada.nsf')).toBe(before.get('mail/ada.nsf'));
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
    expect(options).toEqual([{ files: [domino.file('restored/ada.nsf')], newDbiid: true, newReplicaId: true }]);
    await expectTidy();
  });

  test('several go below a directory at their own paths, server databases too', async () => {
    const manifest = await backUp();
    const report = await restore(manifest, { mode: { type: 'new-database', as: 'old/' } });
    expect(report.outcome).toBe('complete');
    for (const path of paths) expect(domino.read(`old/${path}`)).toBe(before.get(path));
  });

  test('refuses what cannot be', async () => {
    const manifest = await backUp();
    const as = (path: string): Partial<RestoreOptions> => ({ mode: { type: 'new-database', as: path } });
    expect(await errorOf(restore(manifest, as('one.nsf')))).toMatchObject({ code: 'ERR_OPTION', option: 'mode.as' });
    expect(await errorOf(restore(manifest, { databases: ['mail/ada.nsf'], ...as('mail/bob.nsf') }))).toMatchObject({
      code: 'ERR_RESTORE_TARGET',
    });
    const unlogged = restore(manifest, {
      databases: ['apps/crm.nsf'],
      mode: { type: 'new-database', as: 'new.nsf', newReplicaId: true },
    });
    expect(await errorOf(unlogged)).toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect(existsSync(domino.file('new.nsf'))).toBe(false);
  });
});

describe('bad backups do no harm', () => {
  const only = { databases: ['mail/ada.nsf'] };

  test.each<[string, (directory: string) => void, string]>([
    [
      'a delta with a changed byte',
      (directory) => {
        writeFileSync(join(directory, 'deltas/1.delta'), 'sixteen bytes!!!');
      },
      'ERR_DELTA_DAMAGED',
    ],
    [
      'a delta of another length',
      (directory) => {
        truncate(join(directory, 'deltas/1.delta'), 3);
      },
      'ERR_DELTA_DAMAGED',
    ],
    [
      'no delta',
      (directory) => {
        rmSync(join(directory, 'deltas/1.delta'));
      },
      'ERR_DELTA_DAMAGED',
    ],
    [
      'a changed manifest',
      (directory) => {
        const file = join(directory, 'manifest.json');
        writeFileSync(file, readFileSync(file, 'utf8').replace('"archive"', '"linear"'));
      },
      'ERR_MANIFEST',
    ],
    [
      'a short shadow',
      () => {
        const [id] = readdirSync(join(domino.root, '.domino-vss'));
        truncate(join(domino.root, '.domino-vss', id!, '0/data/mail/ada.nsf'), 20);
      },
      'ERR_CONTENTS_DAMAGED',
    ],
    [
      'no shadow',
      () => {
        rmSync(join(domino.root, '.domino-vss'), { recursive: true });
      },
      'ERR_RESTORE_SOURCE',
    ],
  ])('%s', async (_what, damage, code) => {
    const manifest = await backUp({ copies: false, keep: true });
    damage(manifest);
    expect(await errorOf(restore(manifest, only))).toMatchObject({ code });
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
    await expectTidy();
  });

  test('neither copies nor a kept shadow', async () => {
    const manifest = await backUp({ copies: false });
    expect(await errorOf(restore(manifest, only))).toMatchObject({ code: 'ERR_RESTORE_SOURCE' });
  });

  test('change information that Domino refuses', async () => {
    const manifest = await backUp({ copies: false, keep: true });
    domino.onCall = (name) => {
      if (name === 'applyChangeInfo') {
        fail({ code: 'ERR_CORRUPT_CHANGE_INFO', phase: 'restore', domain: 'domino', status: 0x0ea7 });
      }
    };
    expect(await errorOf(restore(manifest, only))).toMatchObject({ code: 'ERR_CORRUPT_CHANGE_INFO' });
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
    await expectTidy();
  });

  test('another data directory', async () => {
    const manifest = await backUp();
    const other = new FakeDomino();
    const elsewhere = restoreDatabases(() => other.binding, { manifest, domino: other.location });
    expect(await errorOf(elsewhere)).toMatchObject({ code: 'ERR_RESTORE_TARGET' });
    other.destroy();
  });

  test('an original that an earlier restore has left', async () => {
    const manifest = await backUp();
    writeFileSync(domino.file('mail/ada.nsf.domino-vss-original'), 'precious');
    expect(await errorOf(restore(manifest, only))).toMatchObject({ code: 'ERR_RESTORE_TARGET' });
    expect(readFileSync(domino.file('mail/ada.nsf.domino-vss-original'), 'utf8')).toBe('precious');
  });

  test('a path that leads elsewhere now than when it was backed up', async () => {
    const manifest = await backUp();
    rmSync(domino.file('mail/ada.nsf'));
    const elsewhere = join(domino.root, 'elsewhere.nsf');
    writeFileSync(domino.file('mail/ada.nsf'), `${elsewhere}\n`);
    expect(await errorOf(restore(manifest, only))).toMatchObject({ code: 'ERR_RESTORE_TARGET' });
    expect(existsSync(elsewhere)).toBe(false);
  });

  test('a name that is not in the backup', async () => {
    const manifest = await backUp();
    expect(await errorOf(restore(manifest, { databases: ['mail/eve.nsf'] }))).toMatchObject({ code: 'ERR_OPTION' });
  });
});

test('a dry run shows every step and touches nothing, not even the runtime', async () => {
  const manifest = await backUp({ copies: false, keep: true });
  domino.calls.length = 0;
  const report = await restore(manifest, { databases: ['mail/**'], dryRun: true });
  expect(report.outcome).toBe('planned');
  expect(report.steps.map(({ type }) => type)).toEqual(
    'copy apply-delta copy take-offline keep-original place take-offline keep-original place recover bring-online remove-original bring-online remove-original'.split(
      ' ',
    ),
  );
  expect(report.steps.map(describeStep).join('\n')).toContain('recover 2 logged databases in one scan of the log');
  expect(domino.calls).toEqual([]);
  expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
});

test('the status for a missing database is not trusted while the file exists', async () => {
  const manifest = await backUp();
  domino.onCall = (name) => {
    if (name !== 'takeDatabaseOffline') return;
    fail({ operation: 'NSFTakeDatabaseOffline', domain: 'domino', status: 0x0103, subject: 'x' });
  };
  const only = { databases: ['mail/ada.nsf'] };
  expect(await errorOf(restore(manifest, only))).toMatchObject({ failures: [{ status: 0x0103 }] });
  expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
  rmSync(domino.file('mail/ada.nsf'));
  expect((await restore(manifest, only)).outcome).toBe('complete');
  await expectTidy();
});

test('a database behind links goes back to where they lead', async () => {
  const outside = join(domino.root, 'outside');
  mkdirSync(outside);
  const databases = ['dirlink/far.nsf', 'dblink.nsf'];
  const contents = signature + 'far away '.repeat(20);
  for (const name of ['far.nsf', 'linked.nsf']) writeFileSync(join(outside, name), contents);
  writeFileSync(domino.file('dirlink.dir'), `${outside}\r\n`);
  writeFileSync(domino.file('dblink.nsf'), join(outside, 'linked'));
  const catalog = domino.catalog.bind(domino);
  domino.catalog = () => {
    const files = [join(outside, 'far.nsf'), join(outside, 'linked.nsf')];
    const ids = files.map((file) => String(statSync(file).ino));
    return { ...catalog(), paths: databases, files, fileIds: ids, volumeIndex: new Uint16Array(2) };
  };
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  await (await backup.createShadow()).copyDatabases({ to: join(domino.root, 'copies') });
  await backup.endBackup();
  for (const name of ['far.nsf', 'linked.nsf']) rmSync(join(outside, name));
  expect((await restore(backup.directory)).outcome).toBe('complete');
  for (const name of ['far.nsf', 'linked.nsf']) expect(readFileSync(join(outside, name), 'utf8')).toBe(contents);
  expect(readFileSync(domino.file('dblink.nsf'), 'utf8')).toBe(join(outside, 'linked'));
});

test('the hash in the manifest is the SHA-256 of the delta file', async () => {
  const directory = await backUp({ copies: false });
  const hash = createHash('sha256')
    .update(readFileSync(join(directory, 'deltas/1.delta')))
    .digest('hex');
  expect(readFileSync(join(directory, 'databases.ndjson'), 'utf8')).toContain(hash);
});

test('copies that are lost are replaced by the shadow that was kept, and a warning says so', async () => {
  const directory = await backUp({ keep: true });
  rmSync(join(domino.root, 'copies'), { recursive: true });
  const report = await restore(directory, { databases: ['mail/**', 'apps/**'] });
  expect(report.outcome).toBe('complete');
  expect(report.warnings).toContainEqual({
    code: 'WARN_COPIES_MISSING',
    message: 'the copies of 3 databases do not exist: the shadow is used instead',
    subjects: expect.arrayContaining(['mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf']),
  });
  for (const path of ['mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf']) expect(domino.read(path)).toBe(before.get(path));
  await expectTidy();
});

test('copies that are lost without a shadow: each database says so', async () => {
  const directory = await backUp();
  rmSync(join(domino.root, 'copies', 'mail'), { recursive: true });
  const error = await errorOf(restore(directory, { databases: ['mail/ada.nsf'] }));
  expect(error).toMatchObject({ code: 'ERR_RESTORE_SOURCE' });
  expect(error.message).toContain(`its copy ${join(domino.root, 'copies', 'mail', 'ada.nsf')} does not exist`);
});

test('a restore puts right first what an earlier one has left', async () => {
  const directory = await backUp();
  const file = domino.file('mail/ada.nsf');
  // Killed between the two renames: nothing is put back, and its journal stays.
  const dead = new Error('dead');
  jest.spyOn(promises, 'rename').mockImplementation(async (from, to) => {
    if (String(to) === file) throw dead;
    renameSync(from, to);
    return Promise.resolve();
  });
  jest.spyOn(Journal.prototype, 'remove').mockRejectedValueOnce(dead);
  await errorOf(restore(directory, { databases: ['mail/ada.nsf'] }));
  jest.restoreAllMocks();
  expect(existsSync(file)).toBe(false);
  const report = await restore(directory, { databases: ['mail/ada.nsf'] });
  expect(report).toMatchObject({ outcome: 'complete', leftOvers: [], recovered: [{ done: true }] });
  expect(domino.read('mail/ada.nsf')).toBe(before.get('mail/ada.nsf'));
  await expectTidy();
});

describe('how far the log carries a database', () => {
  const only = { databases: ['mail/ada.nsf', 'apps/crm.nsf'] };
  const reaches = ({ databases, warnings }: RestoreReport) => ({
    reaches: Object.fromEntries(
      databases.flatMap((entry) => ('reach' in entry ? [[entry.database, entry.reach] as const] : [])),
    ),
    warnings,
  });
  const plan = (manifest: string, options: Partial<PlanRestoreOptions> = {}) =>
    planRestore(() => domino.binding, { manifest, domino: domino.location, ...only, ...options });

  test('to its end while the server has the same instance, and not at all without logging', async () => {
    const manifest = await backUp();
    domino.calls.length = 0;
    expect(reaches(await plan(manifest))).toEqual({
      reaches: { 'mail/ada.nsf': { type: 'now' }, 'apps/crm.nsf': { type: 'backup' } },
      warnings: [],
    });
    expect(domino.calls.filter((name) => /Offline|recover|apply/.test(name))).toEqual([]);
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
  });

  test('up to the change where the server has another instance', async () => {
    const manifest = await backUp();
    domino.instanceIds.set('mail/ada.nsf', 0x22);
    const { reaches: found, warnings } = reaches(await plan(manifest));
    expect(found['mail/ada.nsf']).toEqual({ type: 'instance-change', dbiid: '22'.repeat(16), seenIn: '' });
    expect(warnings).toMatchObject([
      { message: expect.stringMatching(/^mail\/ada\.nsf: .* no later backup was made after the change$/) },
    ]);
    const report = await restore(manifest, only);
    expect(reaches(report).warnings).toEqual(warnings);
  });

  test('what later backups have seen counts where the server does not tell', async () => {
    const manifest = await backUp();
    domino.instanceIds.set('mail/ada.nsf', 0x22);
    domino.write('mail/ada.nsf', before.get('mail/ada.nsf')!);
    const later = await backUp({ copies: false });
    const seen = { type: 'instance-change', dbiid: '', seenIn: basename(later) };
    domino.onCall = (name) => {
      if (name === 'readIdentities') fail({ domain: 'domino', status: 0x0246, operation: 'NSFDbOpen' });
    };
    expect(reaches(await plan(manifest)).reaches['mail/ada.nsf']).toEqual(seen);
    const dry = await restore(manifest, { ...only, dryRun: true });
    expect(reaches(dry).reaches['mail/ada.nsf']).toEqual(seen);
    const unknown = { type: 'unknown', reason: expect.stringContaining('0x0246') };
    expect(reaches(await plan(manifest, { databases: ['mail/bob.nsf'] })).reaches).toEqual({ 'mail/bob.nsf': unknown });
  });

  test('without Domino the rest is planned all the same, and a warning says so', async () => {
    const manifest = await backUp();
    domino.onCall = (name) => {
      if (name === 'openRuntime') fail({ code: 'ERR_DOMINO_INIT', operation: 'NotesInitExtended' });
    };
    const report = await plan(manifest);
    expect(report.warnings).toMatchObject([
      {
        code: 'WARN_SERVER_NOT_ASKED',
        message: expect.stringContaining('the server could not be asked: '),
        errorCode: 'ERR_DOMINO_INIT',
      },
    ]);
    expect(reaches(report).reaches).toMatchObject({ 'mail/ada.nsf': { type: 'unknown' }, 'apps/crm.nsf': {} });
  });

  test('with the server down nothing is opened', async () => {
    const manifest = await backUp();
    domino.calls.length = 0;
    await plan(manifest, { mode: { type: 'offline' } });
    await restore(manifest, { ...only, mode: { type: 'offline' } });
    expect(domino.calls).not.toContain('readIdentities');
  });

  test('the time of the last transaction is told', async () => {
    const manifest = await backUp();
    domino.lastApplied = [0x006cdcc0, 0x852563fc];
    expect((await restore(manifest, only)).recoveredTo).toBe('1996-12-10T19:49:04.000Z');
    domino.lastApplied = [0, 0];
    expect((await restore(manifest, only)).recoveredTo).toBeNull();
  });
});

describe('a recovery that would spoil its file is refused before it begins', () => {
  const databases = ['mail/ada.nsf', 'apps/crm.nsf'];

  /** Without logging there is nothing to recover. */
  async function expectRefused(manifest: string, text: RegExp): Promise<void> {
    const refused = {
      result: 'failed',
      database: 'mail/ada.nsf',
      failure: { code: 'ERR_RESTORE_LOG', text: expect.stringMatching(text), hint: expect.stringContaining('later') },
    };
    domino.calls.length = 0;
    const plan = await planRestore(() => domino.binding, { manifest, domino: domino.location, databases });
    expect(plan.databases).toMatchObject([{ result: 'planned', database: 'apps/crm.nsf' }, refused]);
    const report = await restore(manifest, { databases });
    expect(report.databases).toMatchObject([{ result: 'restored', database: 'apps/crm.nsf' }, refused]);
    expect(domino.calls).not.toContain('recoverDatabases');
    expect(domino.read('mail/ada.nsf')).toBe(destroyed('mail/ada.nsf'));
    await expectTidy();
  }

  test('the log has wrapped', async () => {
    const manifest = await backUp();
    mkdirSync(domino.file('logdir'));
    for (const name of ['S0000009.TXN', 'S0000010.TXN']) writeFileSync(domino.file(`logdir/${name}`), '');
    await expectRefused(manifest, /from extent 7 on; extents 7 to 8 are not in .*logdir, where the oldest one is 9$/);
  });

  test('the server writes another log', async () => {
    const manifest = await backUp();
    domino.logIdByte = 5;
    await expectRefused(manifest, /with the transaction log (01){16}, and the server writes (05){16} now$/);
  });

  test('nothing is refused if the log is that of the backup and complete', async () => {
    const manifest = await backUp();
    mkdirSync(domino.file('logdir'));
    for (const name of ['S0000007.TXN', 'S0000008.TXN', 'NLOGCTRL.LFH'])
      writeFileSync(domino.file(`logdir/${name}`), '');
    expect((await restore(manifest, { databases })).outcome).toBe('complete');
  });

  test('the log of a server whose database is gone is that of its directory', async () => {
    const manifest = await backUp();
    for (const path of databases) rmSync(domino.file(path));
    domino.logIdByte = 5;
    expect(await errorOf(restore(manifest, { databases: ['mail/ada.nsf'] }))).toMatchObject({
      code: 'ERR_RESTORE_LOG',
    });
  });
});

test('a plan names what would fail, and touches nothing', async () => {
  const manifest = await backUp();
  writeFileSync(join(domino.root, 'copies', 'mail', 'ada.nsf'), 'short');
  const report = await planRestore(() => domino.binding, {
    manifest,
    domino: domino.location,
    databases: ['mail/**'],
  });
  expect(report).toMatchObject({
    outcome: 'planned',
    databases: [
      { result: 'planned', database: 'mail/bob.nsf' },
      { result: 'failed', database: 'mail/ada.nsf', failure: { code: 'ERR_CONTENTS_DAMAGED' } },
    ],
  });
  expect(report.steps.filter(({ type }) => type === 'copy')).toHaveLength(1);
  await expectTidy();
});
