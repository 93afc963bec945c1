import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeVss } from '#lib/native/vss';
import { writeManifestXml } from '#lib/script/metadata';
import { runStatements } from '#lib/script/run-statements';
import { nothingSaid, type CreateRequest } from '#lib/script/target';
import { VssTarget } from '#lib/script/vss-target';
import { stateDirectory } from '#lib/store/state-directory';
import { forgetOwnShadow } from '#lib/vss/own-shadows';
import { deleteShadows, listShadows } from '#lib/vss/shadows';
import type { NativeBinding } from '#lib/native/session';
import { fail, FakeDomino } from '../fake-binding';
import { comFailure, shadowId, type FakeVss, FakeVssSession } from '../fake-vss';

/**
 * The real target over a fake of native code. In place of the names that Windows gives to volumes, the test uses a
 * directory: scripts and their grammar are tested with a computer in memory.
 */
let domino: FakeDomino;
let vss: FakeVss;
let cabinets: Map<string, Map<string, string>>;

/** The files that a cabinet is made from, or unpacked to, are in the private directory of this package. */
function expectPrivate(path: string): void {
  expect(path.startsWith(join(domino.root, 'state', 'metadata-'))).toBe(true);
}

beforeEach(() => {
  domino = new FakeDomino();
  vss = domino.haveVss();
  cabinets = new Map();
  Object.assign(vss.native, {
    writeCabinet: async ({ cabinet, files }) => {
      for (const { file } of files) expectPrivate(file);
      cabinets.set(cabinet, new Map(files.map(({ file, name }) => [name, readFileSync(file, 'utf8')])));
    },
    readCabinet: async ({ cabinet, directory }) => {
      expectPrivate(directory);
      const files = cabinets.get(cabinet) ?? new Map<string, string>();
      for (const [name, text] of files) writeFileSync(join(directory, name), text);
      return [...files.keys()];
    },
  } satisfies Partial<NativeVss>);
  const volume = { device: '\\\\?\\Volume{0000000d-0000-0000-0000-000000000000}\\', path: domino.root };
  const inspectVolume = domino.binding.inspectVolume.bind(domino.binding);
  Object.assign(domino.binding, {
    inspectVolume: async (path: string) => {
      // A free letter.
      if (path.startsWith('Z:')) fail({ code: 'ERR_VSS_VOLUME', domain: 'system', status: 3 });
      return { ...(await inspectVolume(domino.root)), ...volume, path: path || '/' };
    },
  });
});

afterEach(() => {
  domino.destroy();
  jest.restoreAllMocks();
});

const open = (withDomino = false): Promise<VssTarget> =>
  VssTarget.open({
    loadBinding: () => domino.binding,
    workingDirectory: domino.root,
    domino: withDomino ? domino.location : undefined,
    stateDirectory: join(domino.root, 'state'),
  });

const request = (change: Partial<CreateRequest> = {}): CreateRequest => ({
  context: { lifetime: 'persistent', writers: false },
  options: [],
  backupType: 'copy',
  volumes: [{ volume: domino.root, providerId: '' }],
  writers: { exclude: [], verify: [] },
  metadataFile: join(domino.root, 'meta', 'set.cab'),
  onProgress: () => undefined,
  ...change,
});

/** The error of Windows for any unsuitable place. */
async function refuseArguments(): Promise<string> {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
  throw comFailure(0x80070057, { operation: 'ExposeSnapshot' });
}

const closed = (): unknown => vss.changes.find(([call]) => call === 'close')?.[1];

test('a computer that cannot use VSS is refused before anything is done', async () => {
  vss.reasons = [comFailure(0x80070005, { code: 'ERR_VSS_ACCESS' })];
  await expect(open()).rejects.toMatchObject({ code: 'ERR_VSS_ACCESS', hresult: 0x80070005 });
  Object.assign(domino.binding, { vss: undefined });
  await expect(open()).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED' });
});

test('a set that cannot be described is taken back, and what is left hides no error', async () => {
  const target = await open();
  const inspectVolume = domino.binding.inspectVolume.bind(domino.binding);
  domino.onCall = (name) => {
    if (name === 'close') fail({ code: 'ERR_SHADOW', domain: 'system', status: 16 });
    if (name !== 'drain') return;
    domino.binding.inspectVolume = () => fail({ code: 'ERR_VSS_VOLUME', domain: 'system', status: 2 });
  };
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
  await expect(target.create(request())).rejects.toMatchObject({ code: 'ERR_VSS_VOLUME' });
  expect(warned).toHaveBeenCalledTimes(1);
  domino.binding.inspectVolume = inspectVolume;
});

describe('a persistent set', () => {
  test('stays when the script lets it go, and its metadata come back', async () => {
    const target = await open();
    const backup = await target.create(request());
    expect(backup.shadows).toMatchObject([{ id: shadowId(100), persistent: true, own: true }]);
    const xml = writeManifestXml(backup.setId, request(), [{ name: 'data', value: shadowId(100) }]);
    await backup.saveMetadata(xml);
    expect([...cabinets.values()].map((files) => [...files.keys()])).toEqual([['Manifest.xml', 'BCDocument.xml']]);
    await backup.release('sound');
    expect(vss.shadows.map(({ id }) => id)).toEqual([shadowId(100)]);
    expect(closed()).toEqual({ keepShadow: true, succeeded: false, untold: true });

    mkdirSync(join(domino.root, 'meta'));
    writeFileSync(join(domino.root, 'meta', 'set.cab'), '');
    expect(await target.loadMetadata('meta/set.cab')).toEqual({ manifest: xml, components: '' });
  });

  test('with writers they are told at end backup, and only then', async () => {
    const full = request({ context: { lifetime: 'persistent', writers: true }, backupType: 'full' });
    const ended = await (await open()).create(full);
    expect(ended.writers.map(({ name }) => name)).toEqual(['System Writer', 'Registry Writer']);
    await ended.complete();
    await ended.release('sound');
    expect(closed()).toEqual({ keepShadow: true, succeeded: true });

    vss.changes.length = 0;
    const left = await (await open()).create(full);
    await left.saveMetadata('');
    expect([...cabinets.values()][0]!.get('WM1.xml')).toBe('<WRITER name="Registry Writer"/>');
    await left.release('sound');
    expect(closed()).toEqual({ keepShadow: true, succeeded: false, untold: true });
  });

  test('whose writers fail at the end fails end backup', async () => {
    const backup = await (await open()).create(request({ context: { lifetime: 'persistent', writers: true } }));
    jest.spyOn(FakeVssSession.prototype, 'close').mockImplementation(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
      throw comFailure(0x800423f4, { phase: 'end', operation: 'IVssBackupComponents::BackupComplete' });
    });
    await expect(backup.complete()).rejects.toMatchObject({ name: 'VssError', phase: 'end', hresult: 0x800423f4 });
    expect(await backup.release('failed')).toEqual({ ...nothingSaid, isTakenBack: false });
    expect(vss.shadows).toHaveLength(1);
  });

  test('that the script has deleted is not kept', async () => {
    const target = await open();
    const backup = await target.create(request());
    const found: unknown[] = [];
    const deleted = await target.deleteShadows({ by: 'all' }, (shadows) => found.push(...shadows));
    expect(deleted).toMatchObject([{ id: shadowId(100), own: true }]);
    expect(found).toEqual(deleted);
    // Deliberately removed, so nothing is reported.
    expect(await backup.release('sound')).toEqual({ ...nothingSaid, isTakenBack: false });
    expect(vss.shadows).toEqual([]);
  });

  test('that the script has deleted is completed all the same', async () => {
    const target = await open();
    const backup = await target.create(request({ context: { lifetime: 'persistent', writers: true } }));
    await target.deleteShadows({ by: 'all' }, () => undefined);
    expect(await backup.complete()).toEqual(nothingSaid);
    expect(closed()).toEqual({ keepShadow: false, succeeded: true, deletedShadows: [shadowId(100)] });
  });

  test('that the script has broken is completed, and not promised by a manifest', async () => {
    vss.native.breakSnapshotSet = async () => undefined;
    const target = await open();
    const backup = await target.create(request({ context: { lifetime: 'persistent', writers: true } }));
    await target.breakSet({ setId: backup.setId, how: 'writable' });
    expect(await backup.complete()).toEqual(nothingSaid);
    expect(closed()).toEqual({ keepShadow: false, succeeded: true, deletedShadows: [shadowId(100)] });
  });

  test('that nothing has used goes with a script that fails, unless the writers were told of its success', async () => {
    const unused = await (await open()).create(request());
    expect(await unused.release('unused')).toEqual({ ...nothingSaid, isTakenBack: true });
    expect(vss.shadows).toEqual([]);
    expect(readdirSync(join(domino.root, 'state')).filter((name) => !name.startsWith('.'))).toEqual([]);

    const complete = await (await open()).create(request({ context: { lifetime: 'persistent', writers: true } }));
    await complete.complete();
    expect(await complete.release('unused')).toEqual({ ...nothingSaid, isTakenBack: false });
    expect(vss.shadows).toHaveLength(1);
  });

  test('is not exposed where another one is, and the error says which', async () => {
    const target = await open();
    await target.create(request());
    await target.create(request());
    const [first, second] = vss.shadows;
    await target.expose({ id: first!.id, place: { kind: 'local', as: 'B:' } });
    const taken = {
      code: 'ERR_VSS_PLACE',
      message: expect.stringContaining(`B: is taken: the shadow copy ${first!.id}`) as unknown,
    };
    await expect(target.requirePlace({ kind: 'local', as: 'B:' }, { shadowsMayGo: false })).rejects.toMatchObject(
      taken,
    );
    await target.requirePlace({ kind: 'local', as: 'B:' }, { shadowsMayGo: true });
    await target.requirePlace({ kind: 'local', as: 'Z:' }, { shadowsMayGo: false });

    vss.native.exposeShadow = refuseArguments;
    await expect(target.expose({ id: second!.id, place: { kind: 'local', as: 'B:' } })).rejects.toMatchObject({
      ...taken,
      hresult: 0x80070057,
    });
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['is missing', () => undefined, /there is no directory/],
    [
      'is a file',
      (path) => {
        writeFileSync(path, '');
      },
      /is a file, not a directory/,
    ],
    ['is not empty', (path) => void mkdirSync(join(path, 'more'), { recursive: true }), /is not empty/],
  ])('is not exposed at a directory that %s', async (_what, make, message) => {
    const target = await open();
    // On Linux, a Windows path is a name in the working directory.
    const as = process.platform === 'win32' ? join(domino.root, 'place') : 'C:\\place';
    const here = process.cwd();
    process.chdir(domino.root);
    try {
      make(as);
      await expect(target.requirePlace({ kind: 'local', as }, { shadowsMayGo: false })).rejects.toMatchObject({
        code: 'ERR_VSS_PLACE',
        message: expect.stringMatching(message) as unknown,
      });
    } finally {
      process.chdir(here);
    }
  });

  test('of a client-accessible context is not exposed, and the error names the context', async () => {
    const target = await open();
    await target.create(request({ context: { lifetime: 'clientaccessible', writers: false } }));
    vss.native.exposeShadow = refuseArguments;
    const id = vss.shadows[0]!.id;
    await expect(target.expose({ id, place: { kind: 'local', as: 'Z:' } })).rejects.toMatchObject({
      code: 'ERR_VSS_CONTEXT',
      message: expect.stringContaining('was made in the context client-accessible') as unknown,
    });
  });

  test('gets places and loses them', async () => {
    const target = await open();
    const backup = await target.create(request());
    expect(await target.expose({ id: shadowId(100), place: { kind: 'local', as: 'B:' } })).toBe('B:\\');
    expect(await target.unexpose({ by: 'exposed', as: 'b:' })).toBe('B:');
    expect(await target.expose({ id: shadowId(100), place: { kind: 'share', as: 'nightly' } })).toBe('nightly');
    await backup.release('sound');
    expect(vss.shadows).toMatchObject([{ exposedName: 'nightly' }]);

    const later = await open();
    expect(await later.listShadows({ by: 'all' })).toMatchObject([{ own: true, exposedAs: 'nightly' }]);
    expect(await later.unexpose({ by: 'id', id: shadowId(100) })).toBe('nightly');
    await expect(later.unexpose({ by: 'id', id: shadowId(100) })).rejects.toMatchObject({ code: 'ERR_VSS_NOT_FOUND' });
  });
});

test('a volume with the metadata of the script is not reverted', async () => {
  const target = await open();
  await target.create(request({ metadataFile: join(domino.root, 'set.cab') }));
  await expect(target.revert(shadowId(100))).rejects.toMatchObject({
    code: 'ERR_VSS_REVERT',
    message: expect.stringContaining(`it contains the metadata in ${domino.root}`),
  });
  expect(vss.changes.filter(([call]) => call === 'revert')).toEqual([]);
});

describe('a volatile set', () => {
  const volatile = (writers: boolean): CreateRequest => request({ context: { lifetime: 'volatile', writers } });

  test('goes when the script lets it go, and leaves nothing', async () => {
    const backup = await (await open()).create(volatile(false));
    expect(vss.shadows).toHaveLength(1);
    expect(await backup.release('sound')).toEqual({ ...nothingSaid, isTakenBack: false });
    expect(vss.shadows).toEqual([]);
    expect(readdirSync(join(domino.root, 'state')).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  test('that the script has deleted is completed at end backup', async () => {
    const target = await open();
    const backup = await target.create(volatile(true));
    await target.deleteShadows({ by: 'all' }, () => undefined);
    expect(await backup.complete()).toEqual(nothingSaid);
    expect(closed()).toEqual({ keepShadow: false, succeeded: true, deletedShadows: [shadowId(100)] });
  });

  test('is readable after end backup; writers are told when it goes', async () => {
    const backup = await (await open()).create(volatile(true));
    expect((await backup.complete()).notes.join()).toContain('stay readable until reset or the end of the script');
    expect(vss.shadows).toHaveLength(1);
    await backup.release('sound');
    expect(vss.shadows).toEqual([]);
    expect(closed()).toEqual({ keepShadow: false, succeeded: true });
  });
});

test.each(['persistent', 'volatile'] as const)(
  'a transportable %s set stays, with ids for its aliases',
  async (lifetime) => {
    const context = { lifetime, writers: false };
    const backup = await (await open()).create(request({ context, options: ['transportable'] }));
    expect(backup.shadows).toMatchObject([{ id: shadowId(100), setId: backup.setId, root: '', own: true }]);
    expect(backup.shadows[0]!.attributes).toContain('transportable');
    await backup.release('sound');
    expect(closed()).toEqual({ keepShadow: true, succeeded: false, untold: true });
  },
);

describe('with Domino', () => {
  test('the databases are captured round the set, with deltas and manifest beside the metadata', async () => {
    const backup = await (await open(true)).create(request());
    expect(domino.calls).toContain('capture');
    expect(backup.outcome).toBe('complete');
    const [said] = (await backup.release('sound')).notes;
    const [, directory] = /deltas and manifest of the databases: (.*)$/.exec(said!)!;
    expect(directory!.startsWith(join(domino.root, 'meta'))).toBe(true);
    expect(existsSync(join(directory!, 'manifest.json'))).toBe(true);
  });

  test('a volatile set of a script that fails leaves no manifest, unless its backup was ended before', async () => {
    const volatile = request({ context: { lifetime: 'volatile', writers: false } });
    const manifests = (): string[] => readdirSync(join(domino.root, 'meta')).filter((name) => !name.startsWith('.'));
    const failed = await (await open(true)).create(volatile);
    expect(await failed.release('failed')).toEqual({ ...nothingSaid, isTakenBack: false });
    expect(vss.shadows).toEqual([]);
    expect(manifests()).toEqual([]);

    const ended = await (await open(true)).create(volatile);
    await ended.complete();
    await ended.release('failed');
    expect(manifests()).toHaveLength(1);
  });

  test.each([
    ['that fails after create', 'unexpose {11111111-2222-3333-4444-555555555555}', 'failed', 0],
    ['that reaches its end', 'list shadows all', 'complete', 1],
  ])('a volatile set of a script %s', async (_what, last, outcome, manifests) => {
    mkdirSync(join(domino.root, 'meta'));
    const lines = ['set context volatile nowriters', 'set metadata meta/set.cab', 'add volume d:', 'create', last];
    const target = await open(true);
    const create = target.create.bind(target);
    jest.spyOn(target, 'create').mockImplementation((made) => create({ ...made, volumes: request().volumes }));
    const report = await runStatements({
      text: lines.join('\n'),
      file: 'backup.txt',
      check: false,
      keepGoing: false,
      env: {},
      workingDirectory: domino.root,
      emit: () => undefined,
      createTarget: () => Promise.resolve(target),
    });
    expect(report).toMatchObject({ outcome, commands: outcome === 'failed' ? 4 : 5 });
    const directories = readdirSync(join(domino.root, 'meta')).filter((name) => !name.startsWith('.'));
    expect(directories).toHaveLength(manifests);
  });

  test('a database that is left out makes it partial, and is named', async () => {
    domino.refusing.set('mail/bob.nsf', comFailure(1, { code: 'ERR_DOMINO_CALL', domain: 'domino', text: 'refused' }));
    const backup = await (await open(true)).create(request());
    expect(backup.outcome).toBe('partial');
    expect(backup.warnings).toContainEqual({
      code: 'WARN_DATABASE_LEFT_OUT',
      message: expect.stringContaining('mail/bob.nsf was left out: refused'),
      subjects: ['mail/bob.nsf'],
      errorCode: 'ERR_DOMINO_CALL',
    });
    await backup.release('sound');
  });
});

describe('what scripts have written down', () => {
  const manifests = (): string[] => {
    return readdirSync(join(domino.root, 'state')).filter((name) => !name.startsWith('.'));
  };
  const night = async (): Promise<void> => {
    const backup = await (await open()).create(request());
    await backup.release('sound');
  };

  test('goes with the shadow copies that a later script deletes', async () => {
    await night();
    await night();
    expect(manifests()).toHaveLength(2);
    await (await open()).deleteShadows({ by: 'id', id: vss.shadows[0]!.id }, () => undefined);
    expect(manifests()).toHaveLength(1);
    await (await open()).deleteShadows({ by: 'all' }, () => undefined);
    expect(manifests()).toEqual([]);
  });

  test('does not pile up when something else deletes them between', async () => {
    for (let run = 0; run < 3; ++run) {
      await night();
      vss.shadows = [];
    }
    expect(manifests()).toHaveLength(1);
  });

  test('stays for a transportable set, which is not listed before it is imported', async () => {
    const backup = await (await open()).create(request({ options: ['transportable'] }));
    await backup.release('sound');
    vss.shadows = [];
    await night();
    expect(manifests()).toHaveLength(2);
  });

  test('makes them ours for those who list and delete shadows', async () => {
    await night();
    // Like another process, which has made none itself.
    forgetOwnShadow(vss.shadows[0]!.id);
    const loadBinding = (): NativeBinding => domino.binding;
    expect(await listShadows(loadBinding, {})).toMatchObject([{ own: false }]);
    process.env['ProgramData'] = join(domino.root, 'programs');
    mkdirSync(join(domino.root, 'programs'));
    renameSync(join(domino.root, 'state'), stateDirectory());
    expect(await listShadows(loadBinding, {})).toMatchObject([{ own: true }]);
    expect(await deleteShadows(loadBinding, { by: 'all' })).toMatchObject({ deleted: [{ own: true }] });
  });
});

test('a script file is found along PATH, as the command interpreter finds it', async () => {
  const bin = join(domino.root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'tool.exe'), '');
  const options = { loadBinding: () => domino.binding, workingDirectory: domino.root, domino: undefined };
  const target = await VssTarget.open({ ...options, stateDirectory: join(domino.root, 'state'), env: { Path: bin } });
  await target.requireScriptFile('tool.exe');
  await expect(target.requireScriptFile('other.exe')).rejects.toMatchObject({
    message: `there is no other.exe in ${domino.root} or along PATH`,
  });
  await expect(target.requireScriptFile('bin/other.exe')).rejects.toMatchObject({ code: 'ERR_FILE_SYSTEM' });
});

test('taking away or deleting what is not exposed is no error', async () => {
  const target = await open();
  expect(await target.unexpose({ by: 'exposed', as: 'Q:' })).toBeUndefined();
  expect(await target.deleteShadows({ by: 'exposed', as: 'Q:' }, () => undefined)).toEqual([]);
  await expect(target.unexpose({ by: 'id', id: shadowId(7) })).rejects.toMatchObject({ code: 'ERR_VSS_NOT_FOUND' });
});

test('deleting what is not there is an error for one shadow copy, and none for a volume', async () => {
  const target = await open();
  const nobody = (): undefined => undefined;
  await expect(target.deleteShadows({ by: 'id', id: shadowId(7) }, nobody)).rejects.toMatchObject({
    code: 'ERR_VSS_NOT_FOUND',
  });
  expect(await target.deleteShadows({ by: 'volume', volume: 'D:\\' }, nobody)).toEqual([]);
});
