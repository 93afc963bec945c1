import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backup } from '#lib/backup/backup';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import { breakSnapshotSet } from '#lib/vss/hardware-sets';
import { VssTarget } from '#lib/script/vss-target';
import { deleteShadows } from '#lib/vss/shadows';
import { FakeDomino } from '../fake-binding';
import { comFailure, nativeWriter, setId, shadowId, type FakeVss, FakeVssSession } from '../fake-vss';

/** Exposures, warnings and the journal from the shadow to the end of its backup. */
let domino: FakeDomino;
let vss: FakeVss;

beforeEach(() => {
  domino = new FakeDomino();
  vss = domino.haveVss();
});

afterEach(() => {
  domino.destroy();
  jest.restoreAllMocks();
});

function begin(options: Partial<BeginBackupOptions> = {}): Promise<Backup> {
  return beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
}

/** Heads of the present journals. */
function journals(): Record<string, unknown>[] {
  const directory = join(domino.deltaDirectory, '.journal');
  return readdirSync(directory).map((name) => {
    const [head] = readFileSync(join(directory, name), 'utf8').split('\n');
    return JSON.parse(head!) as Record<string, unknown>;
  });
}

function haveSecondVolume(): string {
  const mountPoint = join(domino.root, 'other');
  const other = domino.volume({ path: mountPoint, mountPoint, device: '/dev/other' });
  domino.binding.inspectVolume = (path) => Promise.resolve(path.startsWith(mountPoint) ? other : domino.volume());
  return mountPoint;
}

test('shadows exposed at the same time are all in the journal', async () => {
  const backup = await begin({ lifetime: 'persistent', volumes: [haveSecondVolume()] });
  const set = await backup.createShadow();
  const places = await Promise.all(
    set.shadows.map((shadow, index) => shadow.expose({ as: index === 0 ? 'X:' : 'Y:' })),
  );
  expect(places).toEqual(['X:\\', 'Y:\\']);
  expect((journals()[0]!['exposures'] as string[]).sort()).toEqual(['X:\\', 'Y:\\']);
  await Promise.all(set.shadows.map((shadow) => shadow.unexpose()));
  expect(journals()).toMatchObject([{ exposures: [] }]);
  await backup.dispose();
});

test('what VSS warns of is known from the begin on, and what it warns of at the end is in the report', async () => {
  const backup = await begin();
  expect(backup.warnings).toContainEqual({
    code: 'WARN_COM_SECURITY',
    message: 'another part of this process has set up COM security',
    subjects: [],
  });
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object
  const reportOf = FakeVssSession.prototype.report;
  jest.spyOn(FakeVssSession.prototype, 'close').mockImplementation(() => {
    jest.spyOn(FakeVssSession.prototype, 'report').mockImplementation(function (this: FakeVssSession) {
      const report = reportOf.call(this);
      const gone = {
        code: 'WARN_SHADOW_VANISHED',
        message: 'the shadow was gone before it was deleted',
        subject: report.setId,
      } as const;
      return { ...report, warnings: [...report.warnings, gone] };
    });
  });
  await backup.createShadow();
  const { warnings } = await backup.endBackup();
  expect(warnings.filter(({ code }) => code === 'WARN_COM_SECURITY')).toHaveLength(1);
  expect(warnings).toContainEqual(expect.objectContaining({ code: 'WARN_SHADOW_VANISHED', subjects: [setId(100)] }));
});

test('writers have the time of endBackup to end their backup', async () => {
  const close = jest.spyOn(FakeVssSession.prototype, 'close');
  const patient = await begin({ lifetime: 'persistent', writers: 'all' });
  await patient.createShadow();
  await patient.endBackup({ timeoutMs: 300_000 });
  const hurried = await begin({ lifetime: 'persistent', writers: 'all' });
  await hurried.createShadow();
  await hurried.endBackup({ timeoutMs: 30_000 });
  const [first = 0, second] = close.mock.calls.map(([options]) => (options as { timeoutMs?: number }).timeoutMs);
  expect(first).toBeGreaterThan(200_000);
  // Less would only leave the writers in the middle of a backup.
  expect(second).toBe(60_000);
});

test('a kept shadow is no left-over when a writer fails at the very end', async () => {
  const backup = await begin({ lifetime: 'persistent', writers: 'all' });
  await backup.createShadow();
  jest.spyOn(FakeVssSession.prototype, 'close').mockImplementation(() => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
    throw comFailure(0x800423f4, { phase: 'end', operation: 'IVssBackupComponents::BackupComplete' });
  });
  const report = await backup.endBackup();
  expect(report.volumes).toMatchObject([{ kept: true }]);
  expect(report.warnings).toContainEqual({
    code: 'WARN_END_FAILED',
    message: expect.stringContaining('BackupComplete'),
    subjects: [],
    errorCode: 'ERR_VSS_WRITER',
  });
  expect(report.problems).toMatchObject([{ name: 'VssError', code: 'ERR_VSS_WRITER', hresult: 0x800423f4 }]);
  expect(journals()).toEqual([]);
});

test('writers and documents are asked for after the window, once, and documents only where somebody wants them', async () => {
  const files = Array.from({ length: 300 }, (_value, index) => ({
    path: `C:\\${index}`,
    fileSpec: '*',
    recursive: index === 7,
  }));
  const parts = [files.slice(0, 5), [], files.slice(5, 290)];
  const component = vss.writers[0]!.components[0]!;
  vss.writers = [
    nativeWriter('Large Writer', {
      components: parts.map((part, index) => ({ ...component, name: `${index}`, files: part })),
      excludedFiles: files.slice(290),
    }),
  ];
  let atCapture: readonly string[] = [];
  domino.onCall = (name) => {
    if (name === 'capture') atCapture = [...vss.asked];
  };
  const backup = await begin({ lifetime: 'persistent', writers: 'all' });
  const set = await backup.createShadow();
  expect(atCapture).toEqual([]);
  const [writer] = set.vss!.writers;
  expect(writer!.components.map((one) => one.files)).toEqual(parts);
  expect(writer!.excludedFiles).toEqual(files.slice(290));
  expect(vss.asked.filter((call) => call !== 'files')).toEqual(['writers', 'components']);
  expect(vss.asked.length).toBeGreaterThan(4); // in blocks
  expect(writer!.document).toBe('<WRITER name="Large Writer"/>');
  expect(set.vss!.componentsDocument).toBe('<BACKUP_COMPONENTS/>');
  vss.asked.length = 0;
  await backup.endBackup();
  expect(vss.asked).toEqual(['writers', 'components document', 'document']);
});

describe('a shadow that is just being exposed', () => {
  /** The call of VSS returns when the test lets it. */
  function holdExpose(): () => void {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const exposeShadow = vss.native.exposeShadow.bind(vss.native);
    vss.native.exposeShadow = async (options) => {
      await held;
      return exposeShadow(options);
    };
    return go;
  }

  test('loses its place when the backup is disposed of meanwhile', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const { shadows } = await backup.createShadow();
    const go = holdExpose();
    const exposing = shadows[0]!.expose({ as: 'X:' });
    const disposed = backup.dispose();
    await expect(shadows[0]!.expose({ as: 'Y:' })).rejects.toMatchObject({ code: 'ERR_STATE' });
    go();
    expect(await exposing).toBe('X:\\');
    await disposed;
    expect(vss.changes.map(([call]) => call)).toEqual(['expose', 'unexpose', 'close']);
    expect(journals()).toEqual([]);
  });

  test('is waited for by the end of the backup, and keeps its place with it', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const { shadows } = await backup.createShadow();
    const go = holdExpose();
    const exposing = shadows[0]!.expose({ as: 'X:' });
    const ended = backup.endBackup();
    go();
    await exposing;
    expect((await ended).volumes).toMatchObject([{ kept: true, exposedAs: 'X:\\' }]);
    expect(journals()).toEqual([]);
    await shadows[0]!.unexpose();
    expect(vss.shadows[0]?.exposedName).toBe('');
    expect(journals()).toEqual([]);
    await expect(shadows[0]!.expose({ as: 'X:' })).rejects.toMatchObject({ code: 'ERR_STATE' });
  });

  test('is not exposed a second time', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const { shadows } = await backup.createShadow();
    const places = await Promise.allSettled(['X:', 'Y:'].map((as) => shadows[0]!.expose({ as })));
    expect(places).toMatchObject([{ value: 'X:\\' }, { reason: { code: 'ERR_STATE' } }]);
    expect(journals()).toMatchObject([{ exposures: ['X:\\'] }]);
    await backup.dispose();
  });
});

describe('a shadow that shall be kept and is gone before the end', () => {
  test('fails the backup before its manifest is written', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    await backup.createShadow();
    vss.shadows = [];
    await expect(backup.endBackup()).rejects.toMatchObject({
      name: 'ShadowError',
      code: 'ERR_SHADOW_VANISHED',
      phase: 'end',
      shadows: [shadowId(100)],
    });
    expect(existsSync(backup.directory)).toBe(false);
    expect(journals()).toEqual([]);
  });

  test('is no loss when this process has deleted it', async () => {
    const backup = await begin({ lifetime: 'persistent', volumes: [haveSecondVolume()] });
    await backup.createShadow();
    await deleteShadows(() => domino.binding, { by: 'id', id: shadowId(101) });
    expect(await backup.endBackup()).toMatchObject({ outcome: 'complete' });
    expect(vss.shadows.map(({ id }) => id)).toEqual([shadowId(100)]);
  });

  test('is no loss when its set was broken', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    const { vss: set } = await backup.createShadow();
    await breakSnapshotSet(() => domino.binding, { setId: set!.setId });
    vss.shadows = [];
    expect(await backup.endBackup()).toMatchObject({ outcome: 'complete' });
  });

  test('is not looked for when nothing shall be kept', async () => {
    const backup = await begin({ lifetime: 'persistent' });
    await backup.createShadow();
    vss.shadows = [];
    expect(await backup.endBackup({ keep: false })).toMatchObject({ outcome: 'complete' });
  });
});

test('a transportable shadow, which has no properties yet, has its own id', async () => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object
  const reportOf = FakeVssSession.prototype.report;
  jest.spyOn(FakeVssSession.prototype, 'report').mockImplementation(function (this: FakeVssSession) {
    return { ...reportOf.call(this), shadows: [] };
  });
  const backup = await begin({ lifetime: 'persistent', vss: { attributes: ['transportable'] } });
  const set = await backup.createShadow();
  expect(set.shadows).toMatchObject([{ id: shadowId(100), root: '', devicePath: '' }]);
  // It is also not listed before it is imported.
  vss.shadows = [];
  expect((await backup.endBackup()).volumes).toMatchObject([{ id: shadowId(100), kept: true }]);
});

test('a script may begin and end several backups', async () => {
  const volume = { device: '\\\\?\\Volume{0000000d-0000-0000-0000-000000000000}\\', path: domino.root };
  domino.binding.inspectVolume = () => Promise.resolve({ ...domino.volume(), ...volume });
  const target = await VssTarget.open({
    loadBinding: () => domino.binding,
    workingDirectory: domino.root,
    domino: undefined,
    stateDirectory: join(domino.root, 'state'),
  });
  const backup = await target.create({
    context: { lifetime: 'persistent', writers: true },
    options: [],
    backupType: 'full',
    volumes: [{ volume: domino.root, providerId: '' }],
    writers: { exclude: [], verify: [] },
    metadataFile: join(domino.root, 'meta', 'set.cab'),
    onProgress: () => undefined,
  });
  await backup.complete();
  // Whenever a backup ends, the interpreter completes every set that it has made.
  expect(await backup.complete()).toEqual({ warnings: [], notes: [] });
  expect(vss.changes.filter(([call]) => call === 'close')).toHaveLength(1);
  await backup.release('sound');
});
