import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { Backup } from '#lib/backup/backup';
import { DominoVssError, OptionError, ShadowError, VssError } from '#lib/errors/errors';
import { loadManifest } from '#lib/store/manifest';
import { restoreDatabases } from '#lib/restore/restore';
import type { DominoService } from '#lib/domino/service';
import { FakeDomino } from '../fake-binding';
import { comFailure, nativeShadow, nativeWriter, shadowId, setId, systemProvider, type FakeVss } from '../fake-vss';

let domino: FakeDomino;
let vss: FakeVss;

beforeEach(() => {
  domino = new FakeDomino();
  vss = domino.haveVss();
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

async function errorOf(promise: Promise<unknown>): Promise<DominoVssError> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DominoVssError);
  return error as DominoVssError;
}

/** Heads of the present journals. */
function journals(): Record<string, unknown>[] {
  const directory = join(domino.deltaDirectory, '.journal');
  return readdirSync(directory).map((name) => {
    const [head] = readFileSync(join(directory, name), 'utf8').split('\n');
    return JSON.parse(head!) as Record<string, unknown>;
  });
}

describe('stop mode', () => {
  let log: string[];
  let service: DominoService;

  beforeEach(() => {
    log = [];
    service = {
      name: 'Domino',
      isRunning: () => Promise.resolve(true),
      stop: () => Promise.resolve(void log.push('service.stop')),
      start: () => Promise.resolve(void log.push('service.start')),
    };
    domino.onCall = (name) => log.push(name);
  });

  function beginStopMode(): Promise<Backup> {
    return begin({ mode: { type: 'stop-service', service }, lifetime: 'persistent' });
  }

  test('the set is prepared before the server is stopped, which is down for the snapshot alone', async () => {
    const backup = await beginStopMode();
    log.length = 0;
    let named: unknown;
    service.stop = () => {
      log.push('service.stop');
      [named] = journals();
      return Promise.resolve();
    };
    await backup.createShadow();
    expect(log).toEqual(['prepare', 'service.stop', 'findDatabases', 'capture', 'drain', 'service.start']);
    expect(named).toMatchObject({ snapshotSet: setId(100), stoppedService: 'Domino', databasesInBackupMode: 0 });
    await backup.dispose();
    expect(vss.shadows).toEqual([]);
  });

  test('waiting for others leaves enough of the time to stop the server', async () => {
    const createSession = domino.binding.createSession.bind(domino.binding);
    const given: number[] = [];
    domino.binding.createSession = (options) => {
      const session = createSession(options);
      const prepare = session.prepare.bind(session);
      session.prepare = (timeoutMs) => {
        given.push(timeoutMs);
        return prepare(timeoutMs);
      };
      return session;
    };
    for (const beginOne of [beginStopMode, begin]) {
      const backup = await beginOne();
      await backup.createShadow({ timeoutMs: 60_000 });
      await backup.dispose();
    }
    expect(given[0]).toBeLessThanOrEqual(30_000);
    expect(given[1]).toBeGreaterThan(50_000);
  });

  test('a set that cannot be prepared leaves the server alone', async () => {
    const backup = await beginStopMode();
    log.length = 0;
    const inProgress = comFailure(0x80042316, { operation: 'IVssBackupComponents::StartSnapshotSet' });
    domino.onCall = (name) => {
      log.push(name);
      if (name === 'prepare') throw inProgress as unknown as Error;
    };
    const error = await errorOf(backup.createShadow());
    expect(error).toMatchObject({ hresultName: expect.any(String) as unknown, hresult: 0x80042316, retryable: true });
    expect(log).toEqual(['prepare', 'close']);
    expect(journals()).toEqual([]);
  });

  test.each(['stop', 'findDatabases', 'capture'])('when %s fails, the set is given up at once', async (failing) => {
    const backup = await beginStopMode();
    log.length = 0;
    if (failing === 'stop') service.stop = () => Promise.reject(new Error('refused'));
    let release = (): void => undefined;
    const closing = new Promise<void>((resolve) => {
      release = resolve;
    });
    domino.onCall = (name) => {
      log.push(name);
      if (name === failing) throw comFailure(0x8000ffff) as unknown as Error;
      // The server starts without waiting for VSS.
      return name === 'close' ? closing : undefined;
    };
    service.start = () => {
      log.push('service.start');
      release();
      return Promise.resolve();
    };
    await errorOf(backup.createShadow());
    expect(log.filter((name) => /close|start/.test(name))).toEqual(['close', 'service.start', 'close']);
    expect(vss.shadows).toEqual([]);
    expect(journals()).toEqual([]);
  });
});

describe('the three calls with VSS', () => {
  test('a volatile shadow is read, copied, described, and gone at the end', async () => {
    domino.busy.add('mail/ada.nsf');
    const before = domino.read('mail/ada.nsf');
    const backup = await begin();
    expect(backup.provider).toEqual({ name: 'vss', reason: 'this is Windows' });
    const set = await backup.createShadow();
    const [shadow] = set.shadows;
    expect(shadow).toMatchObject({ id: shadowId(100), volume: domino.root });
    expect(shadow!.root).toBe(`${shadow!.devicePath}\\`);
    expect(set.vss).toMatchObject({ setId: setId(100), context: 'file-share-backup', writers: [] });
    await set.copyDatabases({ to: join(domino.root, 'copies') });
    expect(readFileSync(join(domino.root, 'copies/mail/ada.nsf'), 'utf8')).toBe(before);

    const report = await backup.endBackup();
    expect(report.vss).toMatchObject({ setId: setId(100), attributes: ['no-writers', 'differential'], writers: [] });
    expect(report.warnings.map(({ code }) => code)).toContain('WARN_COM_SECURITY');
    expect(vss.shadows).toEqual([]);
    expect(existsSync(shadow!.root)).toBe(false);
    const manifest = await loadManifest(report.manifest);
    expect(manifest.volumes).toMatchObject([{ id: shadowId(100), root: shadow!.root, kept: false }]);
    expect(manifest.vss).toMatchObject({ context: 'file-share-backup', providerId: systemProvider });
    expect(journals()).toEqual([]);
  });

  test('lists the databases again before the machine is locked, and writes the journal between prepare and window', async () => {
    let named: unknown;
    const backup = await begin();
    domino.calls.length = 0;
    domino.onCall = (name) => {
      if (name === 'capture') [named] = journals();
    };
    await backup.createShadow();
    expect(domino.calls).toEqual(['findDatabases', 'prepare', 'capture', 'drain', 'findDatabases']);
    expect(named).toMatchObject({
      provider: 'vss',
      snapshotSet: setId(100),
      shadows: [shadowId(100)],
      databasesInBackupMode: 4,
    });
    await backup.dispose();
    expect(vss.shadows).toEqual([]);
    expect(journals()).toEqual([]);
  });

  test('with writers: documents beside the manifest, writers in it, and success is told to them', async () => {
    vss.writers[1] = nativeWriter('Domino Writer', { excluded: 'domino' });
    const backup = await begin({ writers: { exclude: ['x'] }, vss: { backupType: 'full' } });
    const set = await backup.createShadow();
    expect(set.vss).toMatchObject({
      context: 'backup',
      componentsDocument: '<BACKUP_COMPONENTS/>',
      writers: [
        { name: 'System Writer', excluded: '', usage: 'bootable-system-state' },
        { name: 'Domino Writer', excluded: 'domino' },
      ],
    });
    const report = await backup.endBackup();
    expect(vss.changes.at(-1)).toEqual(['close', { keepShadow: false, succeeded: true }]);
    const manifest = await loadManifest(report.manifest);
    expect(manifest.vss).toMatchObject({
      backupType: 'full',
      componentsDocument: 'vss/components.xml',
      attributes: ['no-autorecovery', 'differential'],
      writers: [{ document: 'vss/writer-0.xml' }, { excluded: 'domino', document: 'vss/writer-1.xml' }],
    });
    expect(readFileSync(join(report.directory, 'vss/components.xml'), 'utf8')).toBe('<BACKUP_COMPONENTS/>');
    expect(readFileSync(join(report.directory, 'vss/writer-1.xml'), 'utf8')).toBe('<WRITER name="Domino Writer"/>');
  });

  test('a persistent one is exposed, kept, and keeps its place without a journal', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const set = await backup.createShadow();
    const [shadow] = set.shadows;
    expect(await shadow!.expose({ as: 'b:' })).toBe('B:\\');
    expect(journals()).toMatchObject([{ exposures: ['B:\\'] }]);
    expect(await errorOf(shadow!.expose({ as: 'C:' }))).toMatchObject({ code: 'ERR_STATE' });
    const report = await backup.endBackup();
    expect(report.volumes).toMatchObject([{ kept: true, exposedAs: 'B:\\' }]);
    expect((await loadManifest(report.manifest)).volumes).toMatchObject([{ exposedAs: 'B:\\' }]);
    expect(journals()).toEqual([]);
    expect(vss.shadows).toHaveLength(1);
  });

  test('a kept one is restored from under the name that its device has now, and from no other', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    await backup.createShadow();
    const { manifest } = await backup.endBackup();
    const sources = async (): Promise<readonly string[]> => {
      const { steps } = await restoreDatabases(() => domino.binding, {
        domino: domino.location,
        manifest,
        databases: ['mail/ada.nsf'],
        dryRun: true,
      });
      return steps.flatMap((step) => (step.type === 'copy' ? [step.from] : []));
    };
    // Windows has been restarted: the number is now that of another shadow.
    const [kept] = vss.shadows;
    const moved = { ...kept!, device: `${kept!.device}0` };
    vss.shadows = [nativeShadow(1, { device: kept!.device }), moved];
    expect(await sources()).toEqual([join(`${moved.device}\\`, 'data/mail/ada.nsf')]);
    vss.shadows = [nativeShadow(1, { device: kept!.device })];
    expect(await sources()).toEqual([]);
  });

  test('a persistent one that is not kept is unexposed and deleted', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const set = await backup.createShadow();
    await set.shadows[0]!.expose({ as: 'C:\\mnt\\shadow\\' });
    await backup.endBackup({ keep: false });
    expect(vss.changes.slice(0, 3)).toEqual([
      ['expose', { id: shadowId(100), kind: 'local', as: 'C:\\mnt\\shadow', pathFromRoot: '' }],
      ['unexpose', shadowId(100)],
      ['close', { keepShadow: false, succeeded: true }],
    ]);
    expect(vss.shadows).toEqual([]);
  });

  test('an exposure that fails leaves no trace in the journal, and the backup goes on', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const set = await backup.createShadow();
    domino.vss!.native.exposeShadow = async () => {
      throw comFailure(0x80042308) as unknown as Error;
    };
    expect(await errorOf(set.shadows[0]!.expose({ as: 'B:' }))).toMatchObject({ code: 'ERR_VSS_NOT_FOUND' });
    expect(journals()).toMatchObject([{ exposures: [] }]);
    expect(await errorOf(set.shadows[0]!.expose({ as: 'relative' }))).toBeInstanceOf(OptionError);
    await backup.endBackup();
  });
});

describe('what cannot be is refused', () => {
  test('keeping and exposing a volatile shadow, without ending the backup', async () => {
    const backup = await begin();
    const set = await backup.createShadow();
    const exposing = await errorOf(set.shadows[0]!.expose({ as: 'B:' }));
    expect(exposing).toMatchObject({ code: 'ERR_UNSUPPORTED', hint: expect.stringContaining('persistent') });
    expect(await errorOf(backup.endBackup({ keep: true }))).toMatchObject({ code: 'ERR_OPTION', option: 'keep' });
    await backup.endBackup({ keep: false });
  });

  test.each<[Partial<BeginBackupOptions>, string]>([
    [{ lifetime: 'persistent', vss: { context: 'backup' } }, 'vss.context'],
    [{ writers: 'all', vss: { context: 'nas-rollback' } }, 'writers'],
    [{ provider: 'reflink', vss: {} }, 'vss'],
    [{ provider: 'rolling', writers: 'all' }, 'writers'],
    [{ shadowDirectory: '/shadows' }, 'shadowDirectory'],
    [{ source: 'volumes' }, 'volumes'],
    [{ source: 'volumes', volumes: [] }, 'volumes'],
    [{ volumes: ['relative'] }, 'volumes[0]'],
  ])('%j', async (options, option) => {
    expect(await errorOf(begin(options))).toMatchObject({ code: 'ERR_OPTION', option });
    expect(domino.remains()).toEqual([]);
  });

  test('options about databases when there are none', async () => {
    const options = { source: 'volumes', volumes: [domino.root], include: ['*'], domino: undefined } as const;
    expect(await errorOf(begin(options))).toMatchObject({ option: 'include' });
  });

  test('VSS where there is none, or where this process may not use it', async () => {
    vss.reasons = [comFailure(0x80070005, { operation: 'OpenProcessToken', text: 'not elevated' })];
    const denied = await errorOf(begin());
    expect(denied).toBeInstanceOf(VssError);
    expect(denied).toMatchObject({ code: 'ERR_VSS_ACCESS', hint: expect.stringContaining('administrator') });
    Object.assign(domino.binding, { vss: undefined });
    expect(await errorOf(begin({ provider: 'vss' }))).toMatchObject({ code: 'ERR_UNSUPPORTED' });
    expect(await errorOf(begin({ writers: 'all' }))).toMatchObject({ code: 'ERR_OPTION', option: 'writers' });
    expect(domino.remains()).toEqual([]);
  });
});

describe('failures', () => {
  test('of a call of VSS are told with what failed, and nothing is left', async () => {
    const writers = [
      nativeWriter('System Writer', { state: 1 }),
      nativeWriter('SqlServerWriter', {
        state: 9,
        failure: 0x800423f4,
        failureName: 'VSS_E_WRITERERROR_NONRETRYABLE',
        applicationMessage: 'log full',
      }),
    ];
    domino.onCall = (name) => {
      if (name !== 'capture') return;
      vss.writers = writers;
      throw comFailure(0x800423f4, {
        code: 'ERR_VSS_WRITER',
        operation: 'IVssBackupComponents::DoSnapshotSet',
        statusName: 'VSS_E_WRITERERROR_NONRETRYABLE',
        subject: 'SqlServerWriter',
      }) as unknown as Error;
    };
    const backup = await begin({ writers: 'all' });
    const error = await errorOf(backup.createShadow());
    expect(error).toBeInstanceOf(VssError);
    expect(error).toBeInstanceOf(ShadowError);
    expect(error).toMatchObject({
      code: 'ERR_VSS_WRITER',
      phase: 'shadow',
      operation: 'IVssBackupComponents::DoSnapshotSet',
      hresult: 0x800423f4,
      hresultHex: '0x800423F4',
      hresultName: 'VSS_E_WRITERERROR_NONRETRYABLE',
      volume: 'SqlServerWriter',
      retryable: false,
      message: expect.stringContaining('failed writers: SqlServerWriter (failed-at-freeze, 0x800423F4)'),
      writers: [{ name: 'SqlServerWriter', state: 'failed-at-freeze', applicationMessage: 'log full' }],
    });
    expect(domino.inBackupMode).toEqual(new Set());
    expect(domino.remains()).toEqual([]);
    expect(vss.changes).toEqual([['close', { keepShadow: false, succeeded: false }]]);
  });

  test('preparing VSS: it is named, and nothing is taken from live files (V6)', async () => {
    domino.onCall = (name) => {
      if (name !== 'prepare') return;
      const operation = 'IVssBackupComponents::InitializeForBackup';
      throw comFailure(0x80070057, { operation, statusName: 'E_INVALIDARG' }) as unknown as Error;
    };
    const backup = await begin();
    const error = await errorOf(backup.createShadow());
    expect(error).toMatchObject({
      operation: 'IVssBackupComponents::InitializeForBackup',
      hresultHex: '0x80070057',
      hresultName: 'E_INVALIDARG',
    });
    expect(domino.calls).not.toContain('capture');
    await backup.dispose();
    expect({ held: domino.inBackupMode.size, left: domino.remains() }).toEqual({ held: 0, left: [] });
  });

  test('a shadow that vanishes while it is copied is named, and the copies are removed', async () => {
    const backup = await begin();
    const set = await backup.createShadow();
    const to = join(domino.root, 'copies');
    const [shadow] = vss.shadows;
    vss.shadows = [];
    rmSync(join(`${shadow!.device}\\`, 'data/mail'), { recursive: true });
    const error = await errorOf(set.copyDatabases({ to }));
    expect(error).toMatchObject({ code: 'ERR_SHADOW_VANISHED', shadows: [shadow!.id] });
    expect(existsSync(join(to, 'names.nsf'))).toBe(false);
    await backup.dispose();
  });
});

test('at the end of the process the journal stays when a persistent shadow may have been made, and only then', async () => {
  // Internal: the `exit` event calls it.
  const abandon = (backup: Backup): void => {
    (backup as unknown as { abandon(): void }).abandon();
  };
  const volatile = await begin();
  await volatile.createShadow();
  domino.binding.abortSessions();
  abandon(volatile);
  expect(journals()).toEqual([]);
  const begun = await begin({ lifetime: 'persistent' });
  domino.binding.abortSessions();
  abandon(begun);
  expect(journals()).toEqual([]);
  const created = await begin({ lifetime: 'persistent' });
  await created.createShadow();
  domino.binding.abortSessions();
  abandon(created);
  expect(journals()).toMatchObject([
    { id: created.id, shadows: [expect.any(String)], snapshotSet: expect.any(String) },
  ]);
  await Promise.all([volatile, begun, created].map((backup) => backup.dispose()));
});

describe('plain volumes', () => {
  const plain = (options: Partial<BeginBackupOptions> = {}): Promise<Backup> =>
    begin({ source: 'volumes', volumes: [domino.root], domino: undefined, ...options });

  test('need no Domino, and their manifest says so', async () => {
    const backup = await plain({ lifetime: 'persistent' });
    const set = await backup.createShadow();
    expect(set).toMatchObject({ outcome: 'complete', databases: 0 });
    expect(await errorOf(set.copyDatabases({ to: join(domino.root, 'copies') }))).toMatchObject({ code: 'ERR_STATE' });
    const report = await backup.endBackup();
    expect(domino.calls).not.toContain('openRuntime');
    expect(domino.calls).not.toContain('findDatabases');
    expect(await loadManifest(report.manifest)).toMatchObject({ source: 'volumes', dataDirectory: '', alsoSave: [] });
  });

  test('do not lock each other out', async () => {
    const first = await plain();
    const second = await plain();
    await Promise.all([first.dispose(), second.dispose()]);
    expect(journals()).toEqual([]);
  });

  test('one volume by several names is one volume, and databases bring theirs along', async () => {
    const mountPoint = join(domino.root, 'other');
    const other = domino.volume({ path: mountPoint, mountPoint, device: '/dev/other' });
    domino.binding.inspectVolume = (path) => Promise.resolve(path.startsWith(mountPoint) ? other : domino.volume());
    const volumes = [join(mountPoint, 'a'), join(mountPoint, 'b'), domino.dataDirectory];
    const backup = await begin({ volumes });
    const set = await backup.createShadow();
    expect(set.shadows.map(({ volume }) => volume)).toEqual([domino.root, mountPoint]);
    await backup.dispose();
  });

  test('cannot be taken file by file', async () => {
    const reflink = await errorOf(plain({ provider: 'reflink' }));
    expect(reflink).toMatchObject({ code: 'ERR_OPTION', option: 'volumes' });
  });
});
