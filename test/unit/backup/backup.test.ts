import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { dirname, join, resolve } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Backup } from '#lib/backup/backup';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { DatabaseChanges } from '#lib/domino/databases';
import { AbortError, BackupError, DominoVssError, OptionError, ShadowError } from '#lib/errors/errors';
import { Journal } from '#lib/store/journal';
import type { JournalHead } from '#lib/store/journal-format';
import { readJournals } from '#lib/store/journals';
import type { LeftOver } from '#lib/store/left-over';
import { loadManifest } from '#lib/store/manifest';
import type { Progress } from '#lib/call/progress';
import type { HookProvider } from '#lib/backup/provider';
import type { BackupReport } from '#lib/backup/report';
import type { DominoService } from '#lib/domino/service';
import { linuxTest } from '../../platform';
import { alreadyInProgress, fail, failure, FakeDomino } from '../fake-binding';

/** Wine 8 makes neither junctions nor symbolic links. */
const canLink = process.platform !== 'win32';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

function begin(options: Partial<BeginBackupOptions> = {}): Promise<Backup> {
  return beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
}

/** Asserts that a failed or disposed backup has left nothing anywhere. */
function expectNothingLeft(): void {
  expect(domino.inBackupMode).toEqual(new Set());
  expect(domino.openSessions).toEqual(new Set());
  expect(domino.remains()).toEqual([]);
}

async function errorOf(promise: Promise<unknown>): Promise<DominoVssError> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DominoVssError);
  return error as DominoVssError;
}

describe('the three calls', () => {
  test('capture, copy, write a manifest and remove the shadow', async () => {
    domino.busy.add('mail/ada.nsf');
    const before = domino.read('mail/ada.nsf');
    const backup = await begin();
    expect(backup.provider).toEqual({ name: 'reflink', reason: expect.stringContaining('works on') });
    expect(backup.databases).toBe(4);

    const set = await backup.createShadow();
    expect(set.outcome).toBe('complete');
    expect(readFileSync(join(set.shadows[0]!.root, 'data/mail/ada.nsf'), 'utf8')).not.toBe(before);
    expect(set.window).toMatchObject({ windowMs: 103.5, skewMs: 3, shadowMs: 80 });

    const copies = await set.copyDatabases({ to: join(domino.root, 'copies') });
    expect(copies).toMatchObject({ databases: 4, failures: [] });
    expect(readFileSync(join(domino.root, 'copies/mail/ada.nsf'), 'utf8')).toBe(before);

    const report = await backup.endBackup();
    expect(report).toMatchObject({ outcome: 'complete', counts: { captured: 4, deltas: 1, deltaBytes: 16 } });
    expect(existsSync(set.shadows[0]!.root)).toBe(false);
    expect(domino.openSessions.size).toBe(0);

    const manifest = await loadManifest(report.manifest);
    const databases = [];
    for await (const database of manifest.databases()) databases.push(database);
    expect(databases.map(({ path }) => path)).toEqual(['apps/crm.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'names.nsf']);
    expect(databases[1]).toMatchObject({
      shadowPath: 'data/mail/ada.nsf',
      startSizeBytes: before.length,
      delta: 'deltas/1.delta',
      deltaSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      copy: { file: 'mail/ada.nsf', deltaApplied: true },
      // Bytes 8 to 15 in memory: Innards[1] first, each in the byte order of the machine.
      replicaId: '0F0E0D0C0B0A0908',
    });
    expect(databases[0]).toMatchObject({ delta: '', deltaSha256: '' });
    expect(manifest.timeAfterLastStart).toEqual({ innards: ['006CDCC0', '852563FC'], iso: '2026-01-02T00:00:00.000Z' });
    expect(domino.remains().filter((file) => file.includes('.journal'))).toEqual([]);
  });

  test('keep the shadow when told to, or when it is persistent', async () => {
    const kept = await begin();
    const set = await kept.createShadow();
    const report = await kept.endBackup({ keep: true });
    expect(report.volumes[0]).toMatchObject({ kept: true, root: set.shadows[0]!.root });
    expect(existsSync(set.shadows[0]!.root)).toBe(true);

    const persistent = await begin({ lifetime: 'persistent' });
    const other = await persistent.createShadow();
    await persistent.endBackup();
    expect(existsSync(other.shadows[0]!.root)).toBe(true);
    await persistent.dispose();
    expect(existsSync(other.shadows[0]!.root)).toBe(true);
  });

  test('refuse a call out of order and leave the backup as it is', async () => {
    const backup = await begin();
    expect(await errorOf(backup.endBackup())).toMatchObject({ code: 'ERR_STATE' });
    await backup.createShadow();
    expect(await errorOf(backup.createShadow())).toMatchObject({ code: 'ERR_STATE' });
    await backup.endBackup();
    expect(await errorOf(backup.endBackup())).toMatchObject({ code: 'ERR_STATE' });
  });

  test('refuse a wrong option without ending the backup', async () => {
    const backup = await begin();
    const wrong = backup.createShadow({ timeout: 5 } as object);
    expect(await errorOf(wrong)).toMatchObject({ code: 'ERR_OPTION', message: expect.stringContaining('"timeoutMs"') });
    await backup.createShadow();
    await backup.dispose();
  });

  test('report progress of every phase and publish the window', async () => {
    const published: unknown[] = [];
    const listen = (message: unknown): number => published.push(message);
    subscribe('domino-vss:window', listen);
    const progress: Progress[] = [];
    const onProgress = (event: Progress): number => progress.push(event);
    domino.busy.add('names.nsf');
    const backup = await begin({ onProgress });
    const set = await backup.createShadow({ onProgress });
    await set.copyDatabases({ to: join(domino.root, 'copies'), onProgress });
    await backup.dispose();
    unsubscribe('domino-vss:window', listen);
    expect(new Set(progress.map(({ type }) => type))).toEqual(new Set(['databases', 'hash', 'copy']));
    expect(published).toEqual([expect.objectContaining({ backupId: backup.id, timeline: set.window })]);
  });
});

describe('dispose', () => {
  test('leaves nothing, in every state and as often as it is called', async () => {
    const begun = await begin();
    await begun.dispose();
    await begun.dispose();
    expectNothingLeft();

    const created = await begin();
    const set = await created.createShadow();
    if (canLink) await set.shadows[0]!.expose({ as: join(domino.root, 'exposed') });
    await created[Symbol.asyncDispose]();
    expect(readdirSync(domino.root)).not.toContain('exposed');
    expectNothingLeft();
    expect(await errorOf(set.copyDatabases({ to: join(domino.root, 'late') }))).toMatchObject({ code: 'ERR_STATE' });
  });

  test('while createShadow runs cancels it and waits for it', async () => {
    const backup = await begin();
    const running = errorOf(backup.createShadow());
    await backup.dispose();
    expect(await running).toMatchObject({ code: 'ERR_ABORTED' });
    expect(domino.calls).toContain('cancel');
    expectNothingLeft();
  });
});

describe('copies that are being made', () => {
  const to = (): string => join(domino.root, 'copies');

  test('end with an error when the backup is disposed of, and nothing of them stays', async () => {
    domino.busy.add('names.nsf');
    const backup = await begin();
    const set = await backup.createShadow();
    let disposed: Promise<void> | undefined;
    domino.onCall = (name) => {
      if (name === 'applyChangeInfo') disposed = backup.dispose();
    };
    const error = await errorOf(set.copyDatabases({ to: to() }));
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: { code: 'ERR_STATE' } });
    await disposed;
    expect(existsSync(to())).toBe(false);
    expectNothingLeft();
  });

  test('go with a backup that is never ended, but not what others have put beside them', async () => {
    mkdirSync(to());
    writeFileSync(join(to(), 'help.nsf'), 'of somebody else');
    const backup = await begin();
    const set = await backup.createShadow();
    expect(await set.copyDatabases({ to: to() })).toMatchObject({ failures: [] });
    expect(readdirSync(to())).toContain('names.nsf');
    await backup.dispose();
    expect(readdirSync(to())).toEqual(['help.nsf']);
    expectNothingLeft();
  });

  test('are part of a backup that is ended meanwhile', async () => {
    const backup = await begin();
    const set = await backup.createShadow();
    const copying = set.copyDatabases({ to: to() });
    expect((await backup.endBackup()).copies).toMatchObject({ databases: 4 });
    expect((await copying).failures).toEqual([]);
  });

  test('are aborted when the end of the backup runs out of time', async () => {
    domino.busy.add('names.nsf');
    const backup = await begin();
    const set = await backup.createShadow();
    domino.onCall = (name) => (name === 'applyChangeInfo' ? sleep(100) : undefined);
    const copying = errorOf(set.copyDatabases({ to: to() }));
    expect(await errorOf(backup.endBackup({ timeoutMs: 20 }))).toMatchObject({ code: 'ERR_DEADLINE', phase: 'end' });
    expect(await copying).toMatchObject({ code: 'ERR_ABORTED' });
    expectNothingLeft();
  });

  test('are not made a second time', async () => {
    const backup = await begin();
    const set = await backup.createShadow();
    const copies = await Promise.allSettled([set.copyDatabases({ to: to() }), set.copyDatabases({ to: to() })]);
    expect(copies).toMatchObject([{ value: { databases: 4, failures: [] } }, { reason: { code: 'ERR_STATE' } }]);
    await backup.dispose();
  });
});

describe('what cannot be taken back', () => {
  const failing = (...names: string[]): void => {
    domino.onCall = (name) => {
      if (names.includes(name)) fail({ code: 'ERR_SHADOW', domain: 'system', status: 16, text: `${name} failed` });
    };
  };

  test('is reported by a begin that fails', async () => {
    failing('open', 'close');
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const error = await errorOf(begin());
    expect(error).toMatchObject({ message: expect.stringContaining('open failed') });
    expect(error.leftBehind?.message).toContain('close failed');
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
  });

  test('is the error of dispose', async () => {
    failing('close');
    const begun = await begin();
    expect(await errorOf(begun.dispose())).toMatchObject({ message: expect.stringContaining('close failed') });
    expect(await errorOf(begun.dispose())).toMatchObject({ message: expect.stringContaining('close failed') });
  });

  test.each<[string, string[], (backup: Backup) => Promise<unknown>, string]>([
    ['in a call', ['capture', 'close'], (backup) => backup.createShadow(), 'capture failed'],
    ['over an option', ['close'], (backup) => backup.createShadow({ timeout: 5 } as object), 'timeoutMs'],
  ])('does not replace an error %s, and is reported once', async (what, calls, call, text) => {
    failing(...calls);
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const flow = async (): Promise<void> => {
      const backup = await begin();
      try {
        await call(backup);
      } finally {
        await backup.dispose();
      }
    };
    const error = await errorOf(flow());
    expect(error.message).toContain(text);
    // A wrong option is thrown before anything has to be taken back.
    if (what !== 'over an option') expect(error.leftBehind?.message).toContain('close failed');
    expect(warned.mock.calls).toEqual([[expect.stringContaining('close failed'), { code: 'ERR_SHADOW' }]]);
    warned.mockRestore();
  });
});

describe('abort and failure', () => {
  const flow = async (signal?: AbortSignal): Promise<void> => {
    const backup = await begin({ signal });
    try {
      const set = await backup.createShadow({ signal });
      await set.copyDatabases({ to: join(domino.root, 'copies'), signal });
      await backup.endBackup({ signal });
    } finally {
      await backup.dispose();
    }
  };

  test('an abort during any native call ends with AbortError and leaves nothing', async () => {
    domino.busy.add('names.nsf');
    const aborted: string[] = [];
    for (let nth = 1; ; ++nth) {
      const controller = new AbortController();
      const reason = new Error(`at call ${nth}`);
      let seen = 0;
      domino.onCall = (name) => {
        seen += 1;
        if (seen !== nth) return;
        aborted.push(name);
        controller.abort(reason);
      };
      const error: unknown = await flow(controller.signal).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (aborted.at(-1) === 'close') break;
      expect(error).toBeInstanceOf(AbortError);
      expect(error).toMatchObject({ code: 'ERR_ABORTED', name: 'AbortError', cause: reason });
      expectNothingLeft();
      expect(existsSync(join(domino.root, 'copies/names.nsf'))).toBe(false);
    }
    // The last call is the close at the end of a successful backup, which is not interrupted.
    expect(new Set(aborted)).toEqual(
      new Set(
        'openRuntime lockDirectory findDatabases probeReflink transactionLogStyle inspectVolume open prepare capture drain applyChangeInfo close'.split(
          ' ',
        ),
      ),
    );
  });

  test('clones that could not be tried are not said to be impossible', async () => {
    domino.onCall = (called) => {
      if (called === 'probeReflink') {
        fail({
          code: 'ERR_SHADOW_DIRECTORY',
          operation: 'open',
          domain: 'system',
          status: 5,
          statusName: 'EIO',
          text: 'I/O error',
        });
      }
    };
    await expect(begin({ provider: 'reflink' })).rejects.toMatchObject({
      code: 'ERR_CLONE_REFUSED',
      message: expect.stringMatching(/could not be tested.*EIO/) as unknown,
    });
    await using backup = await begin();
    expect(backup.provider).toEqual({ name: 'rolling', reason: expect.stringContaining('EIO') as unknown });
  });

  test('a failure of any native call is a typed error and leaves nothing', async () => {
    // Failures of these are tolerated: there is a fallback, or a database is reported.
    const borne = new Set(['probeReflink', 'transactionLogStyle', 'applyChangeInfo']);
    domino.busy.add('names.nsf');
    for (let nth = 1, name = ''; name !== 'close'; ++nth) {
      let seen = 0;
      domino.onCall = (called) => {
        seen += 1;
        if (seen !== nth) return;
        name = called;
        if (called !== 'close') fail({ code: 'ERR_SHADOW', domain: 'system', status: 5, text: 'I/O error' });
      };
      const error: unknown = await flow().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      rmSync(join(domino.root, 'copies'), { recursive: true, force: true });
      if (borne.has(name) || name === 'close') {
        expect(error).toBeUndefined();
        rmSync(domino.deltaDirectory, { recursive: true });
        continue;
      }
      expect(error).toBeInstanceOf(ShadowError);
      expect((error as ShadowError).stack).toContain('backup.test');
      expectNothingLeft();
    }
  });

  test('an aborted signal begins nothing', async () => {
    const error = await errorOf(begin({ signal: AbortSignal.abort('no') }));
    expect(error).toMatchObject({ code: 'ERR_ABORTED', cause: 'no' });
    expect(domino.calls).toEqual([]);
  });

  test('an exception of the progress listener ends the call, with it as the cause', async () => {
    const backup = await begin();
    const mistake = new Error('in the listener');
    const onProgress = (): never => {
      throw mistake;
    };
    domino.onCall = (name) => (name === 'capture' ? new Promise((resolve) => setTimeout(resolve, 250)) : undefined);
    expect(await errorOf(backup.createShadow({ onProgress }))).toMatchObject({ code: 'ERR_ABORTED', cause: mistake });
    expectNothingLeft();
  });

  test('a deadline ends a call that hangs', async () => {
    domino.onCall = (name) => (name === 'findDatabases' ? new Promise(() => undefined) : undefined);
    expect(await errorOf(begin({ timeoutMs: 1000 }))).toMatchObject({
      code: 'ERR_DEADLINE',
      phase: 'find',
      name: 'BackupError',
    });
    expectNothingLeft();
  });

  test('what a failed window had already skipped is in the error', async () => {
    domino.refusing.set('names.nsf', alreadyInProgress);
    const backup = await begin();
    domino.onCall = (name) => {
      if (name === 'drain') fail({ code: 'ERR_DEADLINE', phase: 'drain', text: 'time is over' });
    };
    const error = await errorOf(backup.createShadow());
    expect(error).toBeInstanceOf(BackupError);
    expect(error).toMatchObject({ failures: [{ database: 'names.nsf' }] });
  });
});

describe('unsafe places', () => {
  const leadingInside = (): string => {
    const link = join(domino.root, 'link');
    symlinkSync(join(domino.dataDirectory, 'mail'), link);
    return link;
  };

  (canLink ? test : test.skip)(
    'a delta directory and copies in the data directory are refused by their real path',
    async () => {
      const link = leadingInside();
      expect(await errorOf(begin({ deltaDirectory: join(link, 'delta') }))).toMatchObject({
        code: 'ERR_DELTA_DIRECTORY',
      });
      const backup = await begin();
      const set = await backup.createShadow();
      const error = await errorOf(set.copyDatabases({ to: join(link, 'copies') }));
      expect(error).toMatchObject({ code: 'ERR_OPTION', option: 'to' });
      await backup.dispose();
      expect(readdirSync(join(domino.dataDirectory, 'mail')).sort()).toEqual(['ada.nsf', 'bob.nsf']);
      expectNothingLeft();
    },
  );

  linuxTest('a private key that every user can read is used with a warning', async () => {
    const signKey = join(domino.root, 'key.pem');
    writeFileSync(signKey, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const codes = async (mode: number): Promise<string[]> => {
      chmodSync(signKey, mode);
      const backup = await begin({ signKey });
      await backup.dispose();
      return backup.warnings.map(({ code }) => code);
    };
    expect(await codes(0o644)).toContain('WARN_KEY_READABLE');
    expect(await codes(0o640)).not.toContain('WARN_KEY_READABLE');
  });

  linuxTest('a delta directory, copies and shadows where everybody may write are refused', async () => {
    const open = join(domino.root, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(await errorOf(begin({ deltaDirectory: open }))).toMatchObject({
      code: 'ERR_DELTA_DIRECTORY',
      message: `the delta directory ${open} cannot be used: everybody may write to ${open}: chmod o-w`,
    });
    const unsafe = await begin({ shadowDirectory: open });
    expect(await errorOf(unsafe.createShadow())).toMatchObject({ code: 'ERR_SHADOW_DIRECTORY' });
    const backup = await begin();
    const set = await backup.createShadow();
    expect(await errorOf(set.copyDatabases({ to: open }))).toMatchObject({ code: 'ERR_OPTION', option: 'to' });
    await backup.dispose();
    expect(readdirSync(open)).toEqual([]);
    expectNothingLeft();
  });

  (canLink ? test : test.skip)('a link that waits where a copy goes is not followed', async () => {
    const to = join(domino.root, 'copies');
    const victim = join(domino.root, 'victim');
    writeFileSync(victim, 'precious');
    const backup = await begin();
    const set = await backup.createShadow();
    mkdirSync(to, { mode: 0o700 });
    symlinkSync(victim, join(to, 'names.nsf'));
    const { failures } = await set.copyDatabases({ to });
    expect(failures.map(({ database }) => database)).toEqual(['names.nsf']);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    await backup.endBackup();
  });

  describe('on Windows', () => {
    let foreign: string;

    beforeEach(() => {
      foreign = join(domino.root, 'foreign');
      Object.assign(domino.binding, {
        directoryAccess: (path: string) =>
          Promise.resolve({ othersOwn: path.startsWith(foreign), othersChange: path.endsWith('open') ? path : '' }),
      });
    });

    test('directories of ordinary users are refused', async () => {
      expect(await errorOf(begin({ deltaDirectory: foreign }))).toMatchObject({ code: 'ERR_DELTA_DIRECTORY' });
      const unsafe = await begin({ shadowDirectory: foreign });
      expect(await errorOf(unsafe.createShadow())).toMatchObject({ code: 'ERR_SHADOW_DIRECTORY' });
      const backup = await begin();
      const set = await backup.createShadow();
      expect(await errorOf(set.copyDatabases({ to: foreign }))).toMatchObject({ code: 'ERR_OPTION', option: 'to' });
      await backup.dispose();
      expectNothingLeft();
    });

    test('a directory for journals that an ordinary user has made beforehand is refused', async () => {
      foreign = join(domino.deltaDirectory, '.journal');
      expect(await errorOf(begin())).toMatchObject({ code: 'ERR_DELTA_DIRECTORY' });
    });

    test('one that ordinary users can write to is named in a warning, and what is made there is private', async () => {
      const made: string[] = [];
      Object.assign(domino.binding, {
        createPrivateDirectory: (path: string) => {
          made.push(path);
          mkdirSync(path);
          return Promise.resolve();
        },
      });
      const open = join(domino.root, 'open');
      mkdirSync(open);
      const backup = await begin({ deltaDirectory: open });
      expect(backup.warnings).toContainEqual(
        expect.objectContaining({
          code: 'WARN_DIRECTORY_SHARED',
          message: expect.stringContaining(`ordinary users can change ${open}: icacls`),
        }),
      );
      const set = await backup.createShadow();
      const to = join(domino.root, 'copies');
      await set.copyDatabases({ to });
      await backup.endBackup();
      expect(made).toEqual(expect.arrayContaining([join(open, '.journal'), backup.directory, to]));
    });

    test('so are those of copies and shadows, each once, in the result and in the manifest', async () => {
      const shadows = join(domino.root, 'shadows-open');
      const copies = join(domino.root, 'copies-open');
      for (const directory of [shadows, copies]) mkdirSync(directory);
      const backup = await begin({ shadowDirectory: shadows });
      const set = await backup.createShadow();
      await set.copyDatabases({ to: copies });
      const report = await backup.endBackup();
      const shared = report.warnings.filter(({ code }) => code === 'WARN_DIRECTORY_SHARED');
      expect(shared.map(({ subjects }) => subjects)).toEqual([[shadows], [copies]]);
      const manifest = await loadManifest(report.manifest);
      expect(manifest.warnings).toEqual(expect.arrayContaining([...shared]));
    });
  });
});

describe('a second backup of the same data directory', () => {
  const elsewhere = (): Partial<BeginBackupOptions> => ({ deltaDirectory: join(domino.root, 'elsewhere') });

  test('is refused, also with a delta directory of its own, until the first has ended', async () => {
    const first = await begin();
    const error = await errorOf(begin(elsewhere()));
    expect(error).toMatchObject({ code: 'ERR_LOCKED', retryable: true });
    expect(error.message).toContain(domino.dataDirectory);
    await first.createShadow();
    await first.endBackup();
    await (await begin(elsewhere())).dispose();
    expect(domino.locks).toEqual(new Set());
  });

  test('is not refused after a begin that failed', async () => {
    domino.onCall = (name) => name === 'findDatabases' && fail({ code: 'ERR_FIND', phase: 'find' });
    await errorOf(begin());
    domino.onCall = () => undefined;
    await (await begin(elsewhere())).dispose();
    expect(domino.locks).toEqual(new Set());
  });
});

describe('skipped databases', () => {
  test('make the outcome partial, each with call, number, text and advice', async () => {
    domino.refusing.set('mail/bob.nsf', alreadyInProgress);
    const backup = await begin();
    const set = await backup.createShadow();
    expect(set).toMatchObject({ outcome: 'partial', databases: 3 });
    expect(set.skipped).toEqual([
      expect.objectContaining({
        database: 'mail/bob.nsf',
        code: 'ERR_DOMINO_CALL',
        operation: 'NSFBackupStart',
        status: 3748,
        statusHex: '0x0EA4',
        statusName: 'ERR_BACKUP_ALREADY_IN_PROGRESS',
      }),
    ]);
    const report = await backup.endBackup();
    expect(report.outcome).toBe('partial');
    expect((await loadManifest(report.manifest)).failures).toEqual(set.skipped);
  });

  test('fail the backup when they are required or too many', async () => {
    domino.refusing.set('mail/bob.nsf', alreadyInProgress);
    const required = await begin({ required: ['MAIL/**'] });
    expect(await errorOf(required.createShadow())).toMatchObject({ code: 'ERR_REQUIRED_DATABASE' });
    expectNothingLeft();

    const tooMany = await begin({ maxSkipped: 0 });
    expect(await errorOf(tooMany.createShadow())).toMatchObject({ code: 'ERR_TOO_MANY_SKIPPED' });
    expectNothingLeft();

    const allowed = await begin({ maxSkipped: 1, required: ['names.nsf'] });
    await allowed.createShadow();
    await allowed.dispose();
  });

  test('a required glob without a database, or a selection without any, fails at the begin', async () => {
    expect(await errorOf(begin({ required: ['nowhere.nsf'] }))).toMatchObject({ code: 'ERR_REQUIRED_DATABASE' });
    expect(await errorOf(begin({ include: ['nowhere/**'] }))).toMatchObject({ code: 'ERR_NO_DATABASES' });
    expectNothingLeft();
  });

  test('a directory that cannot be read makes it partial, a file that is no database does not', async () => {
    const unreadable = { code: 'ERR_FIND', phase: 'find', domain: 'system', operation: 'opendir', status: 13 } as const;
    domino.problems = [failure({ ...unreadable, subject: domino.file('secret') })];
    const partial = await begin();
    expect((await partial.createShadow()).skipped).toEqual([expect.objectContaining({ database: 'secret' })]);
    await partial.dispose();

    const notADatabase = { code: 'ERR_FIND', phase: 'find', text: 'no signature' } as const;
    domino.problems = [failure({ ...notADatabase, subject: domino.file('text.nsf') })];
    const complete = await begin();
    expect((await complete.createShadow()).outcome).toBe('complete');
    expect(complete.warnings).toContainEqual({
      code: 'WARN_NOT_A_DATABASE',
      message: 'text.nsf was left out: no signature',
      subjects: ['text.nsf'],
    });
    await complete.dispose();

    domino.problems = [failure({ ...unreadable, subject: domino.file('secret') })];
    const excluded = await begin({ exclude: ['secret'] });
    expect((await excluded.createShadow()).outcome).toBe('complete');
    await excluded.dispose();
  });

  test('databases that appeared, vanished or were replaced since the begin are reported', async () => {
    const backup = await begin();
    domino.write('mail/new.nsf', 'new');
    rmSync(domino.file('names.nsf'));
    // Both exist at the same time, so the new one cannot get the file id of the old one.
    domino.write('apps/crm.tmp', 'another file');
    renameSync(domino.file('apps/crm.tmp'), domino.file('apps/crm.nsf'));
    const set = await backup.createShadow();
    expect(set.changes).toEqual({
      appeared: ['mail/new.nsf'],
      vanished: ['names.nsf'],
      replaced: ['apps/crm.nsf'],
    });
    expect(set.skipped.map(({ database, code }) => [database, code])).toEqual([
      ['names.nsf', 'ERR_DATABASE_VANISHED'],
      ['apps/crm.nsf', 'ERR_DATABASE_REPLACED'],
    ]);
    await backup.dispose();
  });
});

describe('hooks', () => {
  const hook = (create: HookProvider['create'], removed: unknown[] = []): HookProvider => ({
    name: 'lvm',
    create,
    remove: async (result) => {
      removed.push(result);
    },
  });

  const busy = (): Promise<void> => Promise.reject(new Error('volume is busy'));

  async function leftOvers(): Promise<readonly LeftOver[]> {
    return (await readJournals(domino.deltaDirectory, domino.dataDirectory)).leftOvers;
  }

  /** The end of the nth call of a function, for which the code under test does not wait. */
  async function resultOf(spy: jest.SpyInstance<Promise<void>>, nth = 1): Promise<void> {
    while (spy.mock.results.length < nth) await setImmediate();
    await spy.mock.results[nth - 1]?.value;
    spy.mockRestore();
  }

  async function journaled(): Promise<JournalHead> {
    return (await readJournals(domino.deltaDirectory, domino.dataDirectory)).live[0]!;
  }

  test('nothing is copied from a snapshot that cannot be read here', async () => {
    const create: HookProvider['create'] = ({ volumes }) =>
      Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: '' })) });
    const backup = await begin({ provider: hook(create) });
    const set = await backup.createShadow();
    await expect(set.copyDatabases({ to: join(domino.root, 'copies') })).rejects.toMatchObject({ code: 'ERR_STATE' });
    expect(existsSync(join(domino.root, 'copies'))).toBe(false);
    await backup.dispose();
  });

  test('a backup whose change information is gone fails', async () => {
    domino.busy.add('mail/ada.nsf');
    const backup = await begin();
    await backup.createShadow();
    const deltas = join(backup.directory, 'deltas');
    expect(readdirSync(deltas)).toHaveLength(1);
    rmSync(join(deltas, readdirSync(deltas)[0] ?? ''));
    const message = expect.stringMatching(
      /\.delta was removed: without the change information of mail\/ada\.nsf/,
    ) as string;
    await expect(backup.endBackup()).rejects.toMatchObject({ code: 'ERR_DELTA_WRITE', message });
    expect(existsSync(backup.directory)).toBe(false);
  });

  describe('a database that changes while the snapshot is made', () => {
    /** Makes a "snapshot" of hard links, which keep the numbers of files as a real one does, before or after a change. */
    async function backUp(
      change: () => void,
      order: 'change first' | 'snapshot first',
      isReadable: boolean,
    ): Promise<{ readonly changes: DatabaseChanges; readonly skipped: readonly (readonly string[])[] }> {
      const root = join(domino.root, 'snapshot');
      const create: HookProvider['create'] = ({ volumes }) => {
        const copy = join(root, domino.dataDirectory.slice(volumes[0]?.path.length));
        const take = (): void => {
          for (const path of readdirSync(domino.dataDirectory, { recursive: true }) as string[]) {
            if (!path.endsWith('.nsf')) continue;
            mkdirSync(dirname(join(copy, path)), { recursive: true });
            linkSync(join(domino.dataDirectory, path), join(copy, path));
          }
        };
        for (const step of order === 'change first' ? [change, take] : [take, change]) step();
        return Promise.resolve({
          shadows: volumes.map(({ path }) => ({ volume: path, root: isReadable ? root : '' })),
        });
      };
      const backup = await begin({ provider: hook(create) });
      const { changes, skipped } = await backup.createShadow();
      await backup.dispose();
      return { changes, skipped: skipped.map(({ database, code }) => [database, code]) };
    }
    const replace = (): void => {
      domino.write('apps/crm.tmp', 'another file');
      renameSync(domino.file('apps/crm.tmp'), domino.file('apps/crm.nsf'));
    };
    const remove = (): void => {
      rmSync(domino.file('apps/crm.nsf'));
    };
    const replaced = ['apps/crm.nsf', 'ERR_DATABASE_REPLACED'];
    const vanished = ['apps/crm.nsf', 'ERR_DATABASE_VANISHED'];

    test.each([
      ['replaced', 'change first', true, [replaced], replace],
      ['replaced', 'snapshot first', true, [], replace],
      ['replaced', 'snapshot first', false, [replaced], replace],
      ['deleted', 'change first', true, [vanished], remove],
      ['deleted', 'snapshot first', true, [], remove],
      ['deleted', 'snapshot first', false, [], remove],
    ] as const)('%s, %s, readable: %s', async (_how, order, isReadable, expected, change) => {
      const { changes, skipped } = await backUp(change, order, isReadable);
      expect(skipped).toEqual(expected);
      const [[, code] = []] = expected;
      expect(changes.replaced).toEqual(code === 'ERR_DATABASE_REPLACED' ? ['apps/crm.nsf'] : []);
      expect(changes.vanished).toEqual(code === 'ERR_DATABASE_VANISHED' ? ['apps/crm.nsf'] : []);
    });
  });

  describe('hashes of a kept snapshot', () => {
    const reports = async (
      root: string,
      hash: boolean,
      prepare = (): void => undefined,
    ): Promise<Pick<BackupReport, 'contents' | 'warnings'>> => {
      const create: HookProvider['create'] = ({ volumes }) =>
        Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root })) });
      const backup = await begin({ provider: hook(create) });
      await backup.createShadow();
      prepare();
      const report = await backup.endBackup({ keep: true, hash });
      const { contents, warnings } = await loadManifest(report.manifest);
      expect({ contents, warnings }).toEqual({ contents: report.contents, warnings: report.warnings });
      expect(report).toMatchObject({ outcome: 'complete', skipped: [] });
      return { contents, warnings: warnings.filter(({ code }) => code !== 'WARN_DELTA_VOLUME') };
    };
    const all = ['apps/crm.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'names.nsf'];

    test('databases that cannot be read have no hash: the manifest names them, and the result warns', async () => {
      const { contents, warnings } = await reports(domino.root, true, () => {
        rmSync(join(domino.dataDirectory, 'names.nsf'));
        writeFileSync(join(domino.dataDirectory, 'mail/bob.nsf'), 'short');
      });
      const unhashed = [
        { database: 'names.nsf', reason: expect.stringContaining('ENOENT') },
        { database: 'mail/bob.nsf', reason: expect.stringContaining('it has only 5 of ') },
      ];
      expect(contents).toEqual({ copies: 'none', shadows: 'sha256', unhashed });
      const message = expect.stringMatching(
        /^2 databases in the kept shadow could not be hashed: names\.nsf: .*, and 1 more$/,
      );
      const subjects = ['names.nsf', 'mail/bob.nsf'];
      expect(warnings).toEqual([expect.objectContaining({ code: 'WARN_SHADOW_NOT_HASHED', message, subjects })]);
    });

    test.each([true, false])(
      'none is claimed if the snapshot is not where the hook says (all bytes: %s)',
      async (hash) => {
        const elsewhere = join(domino.root, 'elsewhere');
        mkdirSync(elsewhere);
        const { contents, warnings } = await reports(elsewhere, hash);
        expect(contents).toMatchObject({ copies: 'none', shadows: 'none' });
        expect(contents?.unhashed?.map(({ database }) => database).sort()).toEqual(all);
        expect(warnings).toMatchObject([{ code: 'WARN_SHADOW_NOT_HASHED' }]);
      },
    );

    test('a snapshot that cannot be read here is only worth a warning if hashes are asked for', async () => {
      const { contents, warnings } = await reports('', true);
      expect(contents).toMatchObject({ shadows: 'none', unhashed: all.map((database) => ({ database })) });
      expect(warnings).toMatchObject([{ code: 'WARN_SHADOW_NOT_HASHED', subjects: all }]);
      const unasked = await reports('', false);
      expect(unasked).toMatchObject({ contents: { copies: 'none', shadows: 'none' }, warnings: [] });
      expect(unasked.contents).not.toHaveProperty('unhashed');
    });
  });

  test('deliver the roots that are read from, and remove them at the end', async () => {
    const removed: unknown[] = [];
    const seen: unknown[] = [];
    const shadows = [{ volume: domino.root, root: domino.root }];
    const provider = hook(async (context, limits) => {
      seen.push(context.volumes, limits.deadlineMs, domino.inBackupMode.size);
      return { shadows };
    }, removed);
    const backup = await begin({ provider });
    const set = await backup.createShadow();
    expect(seen).toEqual([[{ path: domino.root, device: '/dev/fake', fileSystem: 'xfs' }], 1000, 4]);
    expect(set.shadows.map(({ root }) => root)).toEqual([domino.root]);
    await set.copyDatabases({ to: join(domino.root, 'copies') });
    await backup.endBackup();
    expect(removed).toEqual([{ shadows }]);
  });

  test('what they throw is the cause of an error with their name', async () => {
    const cause = Object.assign(new Error('array is offline'), { code: 'ARRAY-17', cause: new Error('no route') });
    const backup = await begin({ provider: hook(() => Promise.reject(cause)) });
    const error = await errorOf(backup.createShadow());
    expect(error).toMatchObject({ name: 'ShadowError', code: 'ERR_HOOK', provider: 'lvm', phase: 'shadow' });
    expect(error.message).toBe('lvm: create() failed: array is offline');
    expect(error.cause).toBe(cause);
  });

  test('are given the context and their own state to remove what they have made, and asked again later', async () => {
    const shadows = [{ volume: domino.root, root: domino.root }];
    const state = { snapshot: 'vg/one', tags: [1, null] };
    const context = (): unknown => ({ backupId: backup.id, volumes: journalHook().volumes });
    const journalHook = (): { volumes: unknown } => ({
      volumes: [{ path: domino.root, device: '/dev/fake', fileSystem: 'xfs' }],
    });
    const cause = new Error('volume is busy');
    const remove = jest.fn<Promise<void>, Parameters<NonNullable<HookProvider['remove']>>>(() => Promise.reject(cause));
    const provider = { ...hook(() => Promise.resolve({ shadows, state })), remove };
    const backup = await begin({ provider });
    await backup.createShadow();
    const error = await errorOf(backup.dispose());
    expect(error).toMatchObject({ code: 'ERR_HOOK', provider: 'lvm', phase: 'end' });
    expect(error.cause).toBe(cause);
    expect(remove.mock.calls).toEqual([[{ shadows, state }, context()]]);
    expect(await leftOvers()).toEqual([expect.objectContaining({ hook: { ...journalHook(), state } })]);
  });

  test('that remove nothing in time do not hold up the end', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
    const shadows = [{ volume: domino.root, root: domino.root }];
    const provider = {
      ...hook(() => Promise.resolve({ shadows })),
      remove: jest.fn(() => new Promise<void>(() => undefined)),
    };
    const backup = await begin({ provider });
    await backup.createShadow();
    const ended = errorOf(backup.dispose());
    while (provider.remove.mock.calls.length === 0) await setImmediate();
    jest.advanceTimersByTime(61_000);
    jest.useRealTimers();
    expect(await ended).toMatchObject({ code: 'ERR_DEADLINE' });
    expect(await leftOvers()).toEqual([expect.objectContaining({ shadows: [domino.root] })]);
  });

  test.each([
    ['nothing usable', { shadows: [] }, []],
    ['what is no shadow', { shadows: [null] }, ['undefined']],
    ['a state that is no JSON', { shadows: [], state: 1n }, []],
  ])('that have delivered %s are asked to remove it all the same', async (_what, delivery, roots) => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const remove = jest.fn(busy);
    const backup = await begin({ provider: { ...hook(() => Promise.resolve(delivery as never)), remove } });
    const error = await errorOf(backup.createShadow());
    expect(error).toMatchObject({ code: 'ERR_HOOK', leftBehind: { code: 'ERR_HOOK' } });
    expect(remove).toHaveBeenCalledWith(delivery, expect.objectContaining({ backupId: backup.id }));
    expect(await leftOvers()).toEqual([expect.objectContaining({ shadows: roots, hook: expect.anything() })]);
    warned.mockRestore();
  });

  test.each([
    ['throws', () => Promise.reject(new Error('array is offline')), 'array is offline'],
    ['delivers nothing', () => Promise.resolve({} as never), 'must return'],
    ['forgets a volume', () => Promise.resolve({ shadows: [] }), 'returned no shadow of'],
  ])('that %s fails the window in its own words', async (_what, create, text) => {
    const backup = await begin({ provider: hook(create) });
    const error = await errorOf(backup.createShadow());
    expect(error).toMatchObject({ name: 'ShadowError', code: 'ERR_HOOK', message: expect.stringContaining(text) });
    expectNothingLeft();
  });

  test.each([true, false])('that flush the volumes themselves (%p) need no other flush', async (flushesVolumes) => {
    const sessions = jest.spyOn(domino.binding, 'createSession');
    const backup = await begin({ provider: { ...hook(() => Promise.resolve({ shadows: [] })), flushesVolumes } });
    expect(sessions.mock.calls[0]?.[0].volumes).toHaveLength(flushesVolumes ? 0 : 1);
    await backup.dispose();
  });

  test('that deliver too late have the result removed', async () => {
    const removed: unknown[] = [];
    let deliver: (() => void) | undefined;
    const shadows = [{ volume: domino.root, root: domino.root }];
    let told: AbortSignal | undefined;
    const provider = hook((_context, { signal }) => {
      told = signal;
      return new Promise((resolve) => {
        deliver = () => {
          resolve({ shadows });
        };
      });
    }, removed);
    const backup = await begin({ provider });
    // The engine itself stops waiting for the hook when the time is over.
    const session = [...domino.openSessions][0]!;
    const failed = errorOf(backup.createShadow());
    while (!deliver) await setImmediate();
    session.settleShadow({ text: 'no answer in time' });
    expect(await failed).toMatchObject({ code: 'ERR_HOOK' });
    expect(told?.aborted).toBe(true);
    expect(removed).toEqual([]);
    expect(await leftOvers()).toEqual([expect.objectContaining({ pendingHook: 'lvm', shadows: [] })]);
    const ended = jest.spyOn(Journal.prototype, 'remove');
    deliver();
    await resultOf(ended);
    expect(removed).toEqual([{ shadows }]);
    expectNothingLeft();
  });

  test('that deliver too late what they cannot remove stay in the journal', async () => {
    const shadows = [{ volume: domino.root, root: domino.root }];
    let deliver: (() => void) | undefined;
    const create: HookProvider['create'] = () =>
      new Promise((resolve) => {
        deliver = () => {
          resolve({ shadows });
        };
      });
    const backup = await begin({ provider: { ...hook(create), remove: busy } });
    const session = [...domino.openSessions][0]!;
    const failed = errorOf(backup.createShadow());
    while (!deliver) await setImmediate();
    session.settleShadow({ text: 'no answer in time' });
    await failed;
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const noted = jest.spyOn(Journal.prototype, 'update');
    deliver();
    await resultOf(noted, 2);
    expect(warned.mock.calls[0]).toEqual([expect.stringContaining('volume is busy'), { code: 'ERR_HOOK' }]);
    warned.mockRestore();
    expect(await leftOvers()).toEqual([expect.objectContaining({ shadows: [domino.root], pendingHook: '' })]);
  });

  test('are named in the journal as soon as they have delivered', async () => {
    let atStop: readonly string[] = [];
    domino.onCall = async (name) => {
      if (name !== 'drain') return;
      // Not waited for in the window.
      do atStop = (await journaled()).shadows;
      while (atStop.length === 0);
    };
    const create = (): ReturnType<HookProvider['create']> =>
      Promise.resolve({ shadows: [{ volume: domino.root, root: domino.root }] });
    const backup = await begin({ provider: hook(create) });
    await backup.createShadow();
    expect(atStop).toEqual([domino.root]);
    expect(await journaled()).toMatchObject({ pendingHook: '' });
    await backup.endBackup();
    expect(domino.remains().filter((file) => file.includes('.journal'))).toEqual([]);
  });

  test('that remove nothing are not named: what they make stays on purpose', async () => {
    const create = (): ReturnType<HookProvider['create']> =>
      Promise.resolve({ shadows: [{ volume: domino.root, root: domino.root }] });
    const backup = await begin({ provider: { name: 'lvm', create } });
    await backup.createShadow();
    expect(await journaled()).toMatchObject({ shadows: [], pendingHook: '' });
    await backup.dispose();
    expectNothingLeft();
  });

  test('that fail to remove leave the error of the window its place, and the journal names the snapshot', async () => {
    const create = (): ReturnType<HookProvider['create']> =>
      Promise.resolve({ shadows: [{ volume: domino.root, root: domino.root }] });
    const remove = jest.fn(busy);
    domino.onCall = (name) => {
      if (name === 'drain') fail({ code: 'ERR_DEADLINE', phase: 'drain', text: 'time is over' });
    };
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const backup = await begin({ provider: { ...hook(create), remove } });
    expect(await errorOf(backup.createShadow())).toMatchObject({ code: 'ERR_DEADLINE' });
    expect(remove).toHaveBeenCalledTimes(1);
    expect(warned.mock.calls).toEqual([[expect.stringContaining('volume is busy'), { code: 'ERR_HOOK' }]]);
    warned.mockRestore();
    expect(await leftOvers()).toEqual([expect.objectContaining({ shadows: [domino.root] })]);
  });
});

describe('stop mode', () => {
  const service = (running: boolean, log: string[]): DominoService => ({
    name: 'domino.service',
    isRunning: () => Promise.resolve(running),
    stop: () => Promise.resolve(void log.push('stop')),
    start: () => Promise.resolve(void log.push(`start, in backup mode: ${domino.inBackupMode.size}`)),
  });

  test('stops, captures and starts again, without the runtime', async () => {
    const log: string[] = [];
    const backup = await begin({ mode: { type: 'stop-service', service: service(true, log) } });
    domino.onCall = (name) => log.push(name);
    await backup.createShadow();
    expect(log.slice(0, -1)).toEqual(['stop', 'findDatabases', 'prepare', 'capture', 'drain']);
    expect(log.at(-1)).toMatch(/^start/);
    const report = await backup.endBackup();
    expect(await loadManifest(report.manifest)).toMatchObject({ source: 'offline', logStyle: 'unknown' });
    expect(domino.calls).not.toContain('openRuntime');
  });

  test('starts again when the capture fails, and not when it did not run', async () => {
    const log: string[] = [];
    const failing = await begin({ mode: { type: 'stop-service', service: service(true, log) } });
    domino.onCall = (name) => {
      if (name === 'capture') fail({ code: 'ERR_SHADOW', phase: 'shadow' });
    };
    expect(await errorOf(failing.createShadow())).toMatchObject({ code: 'ERR_SHADOW' });
    expect(log).toEqual(['stop', expect.stringMatching(/^start/)]);

    domino.onCall = () => undefined;
    const resting: string[] = [];
    const backup = await begin({ mode: { type: 'stop-service', service: service(false, resting) } });
    await backup.createShadow();
    await backup.dispose();
    expect(resting).toEqual([]);
  });

  test.each<[string, { signal?: boolean; timeoutMs?: number; code: string }]>([
    ['an abort', { signal: true, code: 'ERR_ABORTED' }],
    ['the deadline', { timeoutMs: 2_000, code: 'ERR_DEADLINE' }],
  ])('%s reaches a service that does not stop, and it is started again', async (_what, { signal, timeoutMs, code }) => {
    const log: string[] = [];
    const controller = new AbortController();
    const stop: DominoService['stop'] = ({ signal: told }) =>
      new Promise((_resolve, reject) => {
        told.addEventListener('abort', () => {
          reject(new Error('interrupted'));
        });
        if (signal) controller.abort();
      });
    const backup = await begin({ mode: { type: 'stop-service', service: { ...service(true, log), stop } } });
    const error = await errorOf(backup.createShadow({ timeoutMs, signal: controller.signal }));
    expect(error.code).toBe(code);
    expect(log).toEqual([expect.stringMatching(/^start/)]);
    expectNothingLeft();
  });

  test('says loudly that the service did not start again', async () => {
    const broken = { ...service(true, []), start: () => Promise.reject(new Error('unit is masked')) };
    const backup = await begin({ mode: { type: 'stop-service', service: broken } });
    expect(await errorOf(backup.createShadow())).toMatchObject({
      code: 'ERR_SERVICE',
      message: expect.stringContaining('domino.service could not be started again: unit is masked'),
    });
  });

  test('waits ten minutes at most for a service that never comes up', async () => {
    const timeout = setTimeout;
    const soon = ((run: () => void, ms: number) => timeout(run, ms === 600_000 ? 0 : ms)) as typeof setTimeout;
    const timers = jest.spyOn(globalThis, 'setTimeout').mockImplementation(soon);
    const hanging = { ...service(true, []), start: () => new Promise<void>(() => undefined) };
    const backup = await begin({ mode: { type: 'stop-service', service: hanging } });
    expect(await errorOf(backup.createShadow({ timeoutMs: 500 }))).toMatchObject({
      code: 'ERR_SERVICE',
      message: expect.stringMatching(/domino\.service could not be started again: .*start/),
    });
    timers.mockRestore();
  });
});

describe('directories', () => {
  test('a delta directory on the volume of the snapshot is a warning', async () => {
    const backup = await begin();
    expect(backup.warnings).toMatchObject([
      { code: 'WARN_DELTA_VOLUME', message: expect.stringContaining('part of the snapshot') },
    ]);
    await backup.dispose();
  });

  test('a delta directory that is a file is refused before anything is made', async () => {
    writeFileSync(domino.deltaDirectory, 'a file');
    expect(await errorOf(begin())).toMatchObject({ code: 'ERR_DELTA_DIRECTORY' });
  });

  test('shadows in the data directory are refused unless it is named', async () => {
    domino.volumes = [domino.volume({ mountPoint: domino.dataDirectory })];
    const error = await errorOf(begin());
    expect(error).toMatchObject({ code: 'ERR_SHADOW_DIRECTORY', message: expect.stringContaining('shadowDirectory') });
    expectNothingLeft();
    const backup = await begin({ shadowDirectory: domino.file('shadows') });
    await backup.createShadow();
    await backup.dispose();
  });

  test('copies in the data directory are refused', async () => {
    const backup = await begin();
    const set = await backup.createShadow();
    expect(await errorOf(set.copyDatabases({ to: domino.file('copies') }))).toBeInstanceOf(OptionError);
    await backup.dispose();
  });

  test('a copy that would overwrite something is reported and the rest is copied', async () => {
    const backup = await begin();
    const set = await backup.createShadow();
    const to = join(domino.root, 'copies');
    await set.copyDatabases({ to });
    await backup.endBackup();

    const again = await begin();
    const other = await again.createShadow();
    rmSync(join(to, 'names.nsf'));
    const report = await other.copyDatabases({ to });
    expect(report.databases).toBe(1);
    expect(report.failures.map(({ code }) => code)).toEqual(['ERR_COPY', 'ERR_COPY', 'ERR_COPY']);
    expect((await again.endBackup()).outcome).toBe('partial');
  });
});

linuxTest('a shadow is exposed as a link, once, and taken away by unexpose', async () => {
  const backup = await begin();
  const { shadows } = await backup.createShadow();
  const as = join(domino.root, 'exposed');
  await shadows[0]!.expose({ as });
  expect(resolve(readlinkSync(as))).toBe(shadows[0]!.root);
  expect(await errorOf(shadows[0]!.expose({ as }))).toMatchObject({ code: 'ERR_STATE' });
  await shadows[0]!.unexpose();
  await shadows[0]!.unexpose();
  expect(existsSync(as)).toBe(false);
  writeFileSync(as, 'somebody else’s');
  expect(await errorOf(shadows[0]!.expose({ as }))).toMatchObject({ code: 'ERR_FILE_SYSTEM' });
  expect(readFileSync(as, 'utf8')).toBe('somebody else’s');
  await backup.dispose();
});

test('two live backups of one data directory exclude each other, and the second may be tried again', async () => {
  const first = await begin();
  const error = await errorOf(begin());
  expect(error).toMatchObject({ code: 'ERR_LOCKED', retryable: true });
  await first.dispose();
  await (await begin()).dispose();
  expectNothingLeft();
});
