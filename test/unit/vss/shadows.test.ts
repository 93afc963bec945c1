import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { exposeShadow, unexposeShadow } from '#lib/vss/exposure';
import { beginBackup } from '#lib/backup/begin-backup';
import { AbortError, DominoVssError, OptionError, ShadowError, toPublicError, VssError } from '#lib/errors/errors';
import { breakSnapshotSet, importShadows } from '#lib/vss/hardware-sets';
import { Journal, newWorkId } from '#lib/store/journal';
import type { NativeBinding } from '#lib/native/session';
import { queryRevertStatus, revertToShadow } from '#lib/vss/revert';
import { deleteShadows, listShadows, type DeleteShadowsOptions } from '#lib/vss/shadows';
import { adviceOnHresult } from '#lib/errors/vss-advice';
import { isVolumeSupported, listProviders } from '#lib/vss/providers';
import { attributeBits, attributeWords, contextBits, contextOf } from '#lib/vss/words';
import { exposurePlace, isSameName, normalGuid, volumePath } from '#lib/vss/windows-names';
import { listWriters } from '#lib/vss/writers';
import { FakeDomino } from '../fake-binding';
import { comFailure, nativeShadow, nativeWriter, setId, shadowId, systemProvider, type FakeVss } from '../fake-vss';

const volumeC = '\\\\?\\Volume{0000000c-0000-0000-0000-000000000000}\\';
const volumeD = '\\\\?\\Volume{0000000d-0000-0000-0000-000000000000}\\';

let domino: FakeDomino;
let vss: FakeVss;
const binding = (): NativeBinding => domino.binding;

beforeEach(() => {
  domino = new FakeDomino();
  vss = domino.haveVss();
  // Two shadows of D:, in two sets; one of C:.
  vss.shadows = [nativeShadow(3), nativeShadow(1), nativeShadow(2, { volume: volumeC, setId: setId(1) })];
  domino.binding.inspectVolume = (path) =>
    Promise.resolve(domino.volume({ device: path.startsWith('C:') ? volumeC : volumeD, mountPoint: path.slice(0, 3) }));
});

afterEach(() => {
  domino.destroy();
});

async function errorOf(promise: Promise<unknown>): Promise<DominoVssError> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DominoVssError);
  return error as DominoVssError;
}

describe('listing', () => {
  test('oldest first, in words, of all volumes or one', async () => {
    const shadows = await listShadows(binding, {});
    expect(shadows.map(({ id }) => id)).toEqual([1, 2, 3].map(shadowId));
    expect(shadows[0]).toMatchObject({
      root: '\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy1\\',
      context: 'nas-rollback',
      attributes: ['persistent', 'no-auto-release', 'no-writers', 'differential'],
      persistent: true,
      state: 'created',
      own: false,
    });
    for (const volume of ['d:', 'D:\\data\\names.nsf', volumeD.slice(0, -1).toUpperCase()]) {
      expect((await listShadows(binding, { volume })).map(({ id }) => id)).toEqual([shadowId(1), shadowId(3)]);
    }
  });

  test('ours are those of this process, of a manifest and of a journal', async () => {
    const { deltaDirectory } = domino;
    const backup = await beginBackup(binding, { domino: domino.location, deltaDirectory, lifetime: 'persistent' });
    await backup.createShadow();
    const own = async (): Promise<string[]> =>
      (await listShadows(binding, { deltaDirectory })).filter((shadow) => shadow.own).map(({ id }) => id);
    expect(await own()).toEqual([shadowId(100)]);
    await backup.endBackup();
    jest.resetModules();
    // Another process: only the delta directory shows it.
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a second copy is the point
    const other = require('#lib/vss/shadows') as { listShadows: typeof listShadows };
    const listed = await other.listShadows(binding, { deltaDirectory });
    expect(listed.filter((shadow) => shadow.own).map(({ id }) => id)).toEqual([shadowId(100)]);
    expect((await other.listShadows(binding, {})).some((shadow) => shadow.own)).toBe(false);
  });

  test('what a backup still works with is not ours to delete, what it left behind is', async () => {
    const { deltaDirectory } = domino;
    const work = { id: newWorkId(), work: 'backup', dataDirectory: '', backupDirectory: '' } as const;
    const { journal } = await Journal.open({ ...work, deltaDirectory });
    await journal.update({ provider: 'vss', shadows: [shadowId(1)] });
    const doomed = { by: 'id', id: shadowId(1), deltaDirectory } as const;
    expect(await errorOf(deleteShadows(binding, doomed))).toMatchObject({ code: 'ERR_SHADOW_FOREIGN' });
    await journal.update({ ended: true });
    expect((await deleteShadows(binding, doomed)).deleted).toMatchObject([{ id: shadowId(1), own: true }]);
  });

  test('writers, providers, supported volumes', async () => {
    vss.writers = [nativeWriter('B', { state: 9, failure: 0x800423f2, failureName: 'VSS_E_X' }), nativeWriter('A')];
    const writers = await listWriters(binding, { status: true });
    expect(writers).toMatchObject([
      { name: 'A', failure: null, state: 'unknown', components: [{ type: 'file-group' }] },
      { name: 'B', state: 'failed-at-freeze', failure: { hresultHex: '0x800423F2', retryable: true } },
    ]);
    expect(await listProviders(binding, {})).toMatchObject([{ id: systemProvider, type: 'system' }]);
    expect(await isVolumeSupported(binding, { volume: 'D:' })).toBe(true);
  });
});

describe('deleting', () => {
  const left = (): string[] => vss.shadows.map(({ id }) => id).sort();

  test('shadows of others are named, and nothing is deleted', async () => {
    const error = await errorOf(deleteShadows(binding, { by: 'volume', volume: 'D:' }));
    expect(error).toBeInstanceOf(ShadowError);
    expect(error).toMatchObject({ code: 'ERR_SHADOW_FOREIGN', shadows: [shadowId(1), shadowId(3)] });
    expect(error.message).toContain(`${shadowId(1)} of ${volumeD}, made 2026-01-01`);
    const report = await deleteShadows(binding, { by: 'all', foreign: 'keep' });
    expect(report.kept).toHaveLength(3);
    expect(left()).toHaveLength(3);
    expect(vss.changes).toEqual([]);
  });

  test.each<[DeleteShadowsOptions, number[]]>([
    [{ by: 'id', id: shadowId(2).slice(1, -1).toUpperCase() }, [1, 3]],
    [{ by: 'set', setId: setId(1) }, [3]],
    [{ by: 'volume', volume: 'D:' }, [2]],
    [{ by: 'volume', volume: 'C:\\mount\\' }, [1, 3]],
    [{ by: 'oldest', volume: volumeD }, [2, 3]],
    [{ by: 'exposed', as: 'b:\\' }, [1, 2]],
    [{ by: 'exposed', as: 'Share1' }, [1, 3]],
    [{ by: 'all' }, []],
    [{ by: 'id', id: shadowId(9) }, [1, 2, 3]],
  ])('%j', async (selector, expected) => {
    vss.shadows = vss.shadows.map((shadow, index) => ({ ...shadow, exposedName: ['B:\\', '', 'SHARE1'][index]! }));
    await deleteShadows(binding, { ...selector, foreign: 'delete' });
    expect(left()).toEqual(expected.map(shadowId));
  });

  test('an exposed one is unexposed first; one that fails does not stop the others', async () => {
    vss.shadows[0] = nativeShadow(3, { exposedName: 'B:\\' });
    const { native } = vss;
    const really = native.deleteShadows.bind(native);
    native.deleteShadows = (options) =>
      options.id === shadowId(1)
        ? Promise.resolve({ deleted: 0, failure: comFailure(0x80042306), notDeletedId: options.id })
        : really(options);
    const report = await deleteShadows(binding, { by: 'volume', volume: 'D:', foreign: 'delete', force: false });
    expect(report.deleted.map(({ id }) => id)).toEqual([shadowId(3)]);
    expect(report.failures).toMatchObject([{ shadow: { id: shadowId(1) }, error: { code: 'ERR_VSS_PROVIDER' } }]);
    expect(vss.changes).toEqual([
      ['unexpose', shadowId(3)],
      ['delete', { id: shadowId(3), kind: 'shadow', force: false }],
    ]);
    const failed = await errorOf(deleteShadows(binding, { by: 'id', id: shadowId(1), foreign: 'delete' }));
    expect(failed).toMatchObject({ code: 'ERR_VSS_PROVIDER', retryable: true });
  });

  test.each([
    {},
    { by: 'name' },
    { by: 'id' },
    { by: 'id', id: '42' },
    { by: 'set', id: setId(1) },
    { by: 'volume' },
    { by: 'volume', volume: 'data' },
    { by: 'exposed', as: '' },
    { by: 'all', ownOnly: true },
  ])('refuses %j', async (selector) => {
    expect(await errorOf(deleteShadows(binding, selector as DeleteShadowsOptions))).toBeInstanceOf(OptionError);
  });

  test('is over when it is aborted', async () => {
    const controller = new AbortController();
    vss.native.deleteShadows = () => {
      controller.abort(new Error('enough'));
      return Promise.resolve({ deleted: 1, failure: null, notDeletedId: '' });
    };
    const aborted = deleteShadows(binding, { by: 'all', foreign: 'delete', signal: controller.signal });
    expect(await errorOf(aborted)).toBeInstanceOf(AbortError);
  });
});

describe('places', () => {
  test('a drive, a directory, a share', async () => {
    expect(await exposeShadow(binding, { id: shadowId(1), as: 'b' })).toBe('B:\\');
    await exposeShadow(binding, { id: shadowId(2), as: 'C:/mnt/x/' });
    await exposeShadow(binding, { id: shadowId(3), as: { share: 'old', directory: 'data/' } });
    expect(vss.changes.map(([, change]) => change)).toEqual([
      { id: shadowId(1), kind: 'local', as: 'B:', pathFromRoot: '' },
      { id: shadowId(2), kind: 'local', as: 'C:\\mnt\\x', pathFromRoot: '' },
      { id: shadowId(3), kind: 'share', as: 'old', pathFromRoot: '\\data' },
    ]);
    await unexposeShadow(binding, { by: 'exposed', as: 'c:\\MNT\\x' });
    await unexposeShadow(binding, { by: 'id', id: shadowId(3) });
    expect(vss.changes.slice(3)).toEqual([
      ['unexpose', shadowId(2)],
      ['unexpose', shadowId(3)],
    ]);
    expect(await errorOf(unexposeShadow(binding, { by: 'exposed', as: 'Z:' }))).toMatchObject({ option: 'as' });
  });

  test.each(['', 'mnt', '1:', 'BB:', '\\\\server\\share', { share: 'a\\b' }, { share: '' }, {}, null])(
    'refuses %j',
    async (as) => {
      expect(await errorOf(exposeShadow(binding, { id: shadowId(1), as } as never))).toBeInstanceOf(OptionError);
    },
  );
});

test('break and import', async () => {
  await breakSnapshotSet(binding, { setId: setId(1), writable: true, revertIdentity: 'none' });
  await breakSnapshotSet(binding, { setId: setId(1), mask: true });
  expect(vss.changes).toMatchObject([
    ['break', { flags: 10 }],
    ['break', { flags: 1 }],
  ]);
  const both = breakSnapshotSet(binding, { setId: setId(1), mask: true, writable: true });
  expect(await errorOf(both)).toMatchObject({ option: 'mask' });
  expect(await importShadows(binding, { document: '<x/>' })).toMatchObject([
    { own: true, attributes: expect.arrayContaining(['imported', 'transportable']) },
  ]);
});

describe('a deletion that is cut off', () => {
  /** The second of the three hangs; the first one fails if requested. */
  function hang(firstFails: boolean, onHang: () => void = () => undefined): void {
    const deleteShadow = vss.native.deleteShadows.bind(vss.native);
    let calls = 0;
    vss.native.deleteShadows = (options) => {
      calls += 1;
      if (calls === 1 && firstFails) {
        return Promise.resolve({ deleted: 0, failure: comFailure(0x8000ffff), notDeletedId: options.id });
      }
      if (calls < 2) return deleteShadow(options);
      setImmediate(onHang);
      return new Promise(() => undefined);
    };
  }

  test('by its deadline says what is deleted and what is left', async () => {
    hang(false);
    const error = await errorOf(deleteShadows(binding, { by: 'all', foreign: 'delete', timeoutMs: 100 }));
    expect(error).toMatchObject({
      code: 'ERR_DEADLINE',
      deletion: { deleted: [shadowId(1)], left: [shadowId(2), shadowId(3)], failed: [] },
    });
    expect(error.message).toContain('deleted 1 of 3 shadows');
    expect(vss.shadows.map(({ id }) => id).sort()).toEqual([shadowId(2), shadowId(3)]);
  });

  test('by its signal as well, with those that had failed', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    hang(true, () => {
      controller.abort(reason);
    });
    const error = await errorOf(deleteShadows(binding, { by: 'all', foreign: 'delete', signal: controller.signal }));
    expect(error).toMatchObject({
      code: 'ERR_ABORTED',
      cause: reason,
      deletion: { deleted: [], left: [shadowId(2), shadowId(3), shadowId(1)], failed: [shadowId(1)] },
    });
    expect((error.toJSON() as { deletion?: unknown }).deletion).toEqual(error.deletion);
  });

  test('before it has begun says nothing of the kind', async () => {
    vss.native.listShadows = () => new Promise(() => undefined);
    const error = await errorOf(deleteShadows(binding, { by: 'all', foreign: 'delete', timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', deletion: undefined });
  });
});

describe('revert', () => {
  const revert = (options: object = {}): ReturnType<typeof revertToShadow> =>
    revertToShadow(binding, { id: shadowId(1), domino: domino.location, ...options });

  test('is refused where the databases of Domino lie, unless it is said to be stopped', async () => {
    domino.volumes = [domino.volume({ device: volumeC })];
    domino.binding.inspectVolume = () => Promise.resolve(domino.volume({ device: volumeD }));
    const refused = await errorOf(revert());
    expect(refused).toMatchObject({ code: 'ERR_VSS_REVERT', hint: expect.stringContaining('dominoIsStopped') });
    expect(vss.changes).toEqual([]);
    expect(await revert({ dominoIsStopped: true })).toMatchObject({ finished: true, volume: volumeD });
    expect(vss.changes).toEqual([['revert', { id: shadowId(1), forceDismount: false }]]);
  });

  test('is refused where linked databases or the deltas lie', async () => {
    domino.binding.inspectVolume = () => Promise.resolve(domino.volume({ device: volumeC }));
    domino.volumes = [domino.volume({ device: volumeC }), domino.volume({ device: volumeD })];
    expect(await errorOf(revert())).toMatchObject({ code: 'ERR_VSS_REVERT' });
    domino.binding.inspectVolume = () => Promise.resolve(domino.volume({ device: volumeD }));
    mkdirSync(domino.deltaDirectory);
    const deltas = await errorOf(revert({ dominoIsStopped: true, deltaDirectory: domino.deltaDirectory }));
    expect(deltas.message).toContain('the delta directory');
    expect(vss.changes).toEqual([]);
  });

  describe('where the server has more than databases', () => {
    let elsewhere: string;

    beforeEach(() => {
      elsewhere = join(domino.root, 'elsewhere');
      mkdirSync(elsewhere);
      domino.volumes = [domino.volume({ device: volumeC })];
      const device = (path: string): string => (path.startsWith(elsewhere) ? volumeD : volumeC);
      domino.binding.inspectVolume = (path) => Promise.resolve(domino.volume({ device: device(path) }));
      mkdirSync(domino.file('DAOS'));
    });

    const settings = (...lines: string[]): void => {
      writeFileSync(domino.notesIni, ['[Notes]', `Directory=${domino.dataDirectory}`, ...lines, ''].join('\n'));
    };

    test('nothing of it lies on the volume', async () => {
      mkdirSync(domino.file('logdir'));
      settings('DAOSEnable=1', 'TRANSLOG_Status=1', `TRANSLOG_RECOVER_PATH=${elsewhere}`);
      expect(await revert()).toMatchObject({ finished: true });
    });

    test.each<[string, () => void, string]>([
      [
        'transaction logs',
        () => {
          settings('TRANSLOG_Status=1', `TRANSLOG_Path=${elsewhere}`);
        },
        'transaction logs',
      ],
      [
        'logs that are not written now',
        () => {
          settings(`TRANSLOG_Path=${elsewhere}`);
        },
        'transaction logs',
      ],
      [
        'DAOS objects',
        () => {
          settings('DAOSEnable=1', `DAOSBasePath=${elsewhere}`);
        },
        'DAOS objects',
      ],
    ])('%s are named, and need the server to be stopped', async (_what, prepare, named) => {
      prepare();
      const refused = await errorOf(revert());
      expect(refused).toMatchObject({ code: 'ERR_VSS_REVERT', hint: expect.stringContaining('dominoIsStopped') });
      expect(refused.message).toMatch(/^\\\\\?\\Volume\{0000000d/);
      expect(refused.message).toContain(`: ${named} (${elsewhere}) of the Domino server are on it`);
      expect(vss.changes).toEqual([]);
      expect(await revert({ dominoIsStopped: true })).toMatchObject({ finished: true });
    });

    test('all that is harmed is named; what is configured and not there is not', async () => {
      settings('TRANSLOG_Status=1', `TRANSLOG_Path=${elsewhere}`, `DAOSBasePath=${elsewhere}`);
      domino.volumes = [domino.volume({ device: volumeD })];
      expect((await errorOf(revert())).message).toContain(
        `databases (data directory ${domino.dataDirectory}), transaction logs (${elsewhere}), DAOS objects (${elsewhere})`,
      );
      domino.volumes = [domino.volume({ device: volumeC })];
      settings('TRANSLOG_Status=1', `TRANSLOG_Path=${join(elsewhere, 'gone')}`);
      expect(await revert()).toMatchObject({ finished: true });
    });

    test('the journals of scripts are never reverted', async () => {
      process.env['ProgramData'] = elsewhere;
      expect(await revert()).toMatchObject({ finished: true });
      vss.changes.length = 0;
      mkdirSync(join(elsewhere, 'domino-vss'));
      const refused = await errorOf(revert({ dominoIsStopped: true }));
      expect(refused.message).toContain(`scripts in ${join(elsewhere, 'domino-vss')} are on it`);
      expect(vss.changes).toEqual([]);
    });
  });

  test('reports if it continues after its time limit', async () => {
    vss.native.awaitRevert = () => Promise.resolve({ finished: false });
    expect(await revert({ dominoIsStopped: true, timeoutMs: 99 })).toMatchObject({ finished: false });
    expect(await queryRevertStatus(binding, { volume: 'D:' })).toEqual({ volume: volumeD, finished: false });
    expect(await errorOf(revertToShadow(binding, { id: shadowId(9) }))).toMatchObject({ code: 'ERR_VSS_NOT_FOUND' });
  });
});

test('without VSS every call says so', async () => {
  Object.assign(domino.binding, { vss: undefined });
  expect(await errorOf(listShadows(binding, {}))).toMatchObject({ code: 'ERR_UNSUPPORTED' });
  expect(await errorOf(deleteShadows(binding, { by: 'all' }))).toMatchObject({ code: 'ERR_UNSUPPORTED' });
});

describe('errors of VSS', () => {
  test.each<[number, string, string, boolean, RegExp]>([
    [0x80070005, 'ERR_VSS', 'ERR_VSS_ACCESS', false, /administrator/],
    [0x80070422, 'ERR_VSS', 'ERR_VSS_SERVICE', false, /8194/],
    [0x80042306, 'ERR_SHADOW', 'ERR_VSS_PROVIDER', true, /veto/],
    [0x8004231f, 'ERR_VSS', 'ERR_VSS_STORAGE', false, /storage/],
    [0x80042314, 'ERR_VSS', 'ERR_VSS_TIMEOUT', true, /10 seconds/],
    [0x80042316, 'ERR_VSS', 'ERR_VSS_IN_PROGRESS', true, /Another program/],
    [0x8004230c, 'ERR_VSS', 'ERR_VSS_VOLUME', false, /NTFS/],
    [0x800423f4, 'ERR_VSS_WRITER', 'ERR_VSS_WRITER', false, /will refuse again/],
    [0x8004ffff, 'ERR_VSS', 'ERR_VSS', false, /event logs/],
  ])('%p', (status, native, code, retryable, hint) => {
    const error = toPublicError(comFailure(status, { code: native, operation: 'X::Y', subject: 'D:\\' }));
    expect(error).toBeInstanceOf(VssError);
    expect(error).toMatchObject({ code, retryable, operation: 'X::Y', volume: 'D:\\', provider: 'vss' });
    expect(error.hint).toMatch(hint);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ hresultHex: expect.stringMatching(/^0x8/), writers: [] });
  });

  test('an abort stays one whatever its number', () => {
    expect(toPublicError(comFailure(0x8004230b, { code: 'ERR_ABORTED' }))).toBeInstanceOf(AbortError);
    expect(adviceOnHresult(0)).toBeUndefined();
  });
});

describe('words and names', () => {
  test('attributes and contexts come back from their bits', () => {
    fc.assert(
      fc.property(fc.subarray(Object.keys(attributeBits) as (keyof typeof attributeBits)[]), (words) => {
        const bits = words.reduce((sum, word) => sum | attributeBits[word], 0);
        expect(attributeWords(bits)).toEqual(words);
      }),
    );
    for (const [word, bits] of Object.entries(contextBits)) expect(contextOf(bits | 0x2_0000)).toBe(word);
    expect(contextOf(0x4)).toBeUndefined();
  });

  test.each([
    ['d', 'D:\\'],
    ['d:', 'D:\\'],
    ['d:\\', 'D:\\'],
    ['d:/data', 'D:\\data'],
    [volumeD, volumeD],
  ])('volume %s', (name, expected) => {
    expect(volumePath(name)).toBe(expected);
  });

  test.each([
    ['b', 'B:'],
    ['b:/', 'B:'],
    ['b:', 'B:'],
    ['b:\\\\', 'B:'],
    ['b:/.', 'B:'],
    ['C:\\mnt\\..\\x\\\\', 'C:\\x'],
  ])('place %s', (name, expected) => {
    expect(exposurePlace(name)).toBe(expected);
  });

  test('GUIDs and volumes are the same in any spelling', () => {
    expect(normalGuid('B5946137-7B9F-4925-AF80-51ABD60B20D5')).toBe(systemProvider);
    expect(isSameName(volumeD, volumeD.slice(0, -1).toUpperCase())).toBe(true);
    expect(isSameName('D:\\', 'E:\\')).toBe(false);
  });
});
