import { beginBackup } from '#lib/backup/begin-backup';
import { findDatabases } from '#lib/domino/databases';
import { runDoctor } from '#lib/doctor/doctor';
import { OptionError } from '#lib/errors/errors';
import { getCapabilities } from '#lib/doctor/capabilities';
import type { NativeBinding } from '#lib/native/session';
import { restoreDatabases } from '#lib/restore/restore';
import { systemdService } from '#lib/domino/service';

/** Options are checked before the addon is even loaded. */
const binding = (): NativeBinding => {
  throw new Error('must not be needed');
};

async function refusalOf(promise: Promise<unknown>): Promise<OptionError> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OptionError);
  expect(error).toMatchObject({ code: 'ERR_OPTION', name: 'OptionError' });
  return error as OptionError;
}

const good = { deltaDirectory: '/delta' };

describe('beginBackup refuses', () => {
  test.each<[string, unknown, string]>([
    ['no options', undefined, 'options must be an object, got undefined'],
    ['an array', [], 'options must be an object, got an array'],
    ['no delta directory', {}, 'deltaDirectory must be an absolute path, got undefined'],
    [
      'a relative delta directory',
      { deltaDirectory: 'delta' },
      'deltaDirectory must be an absolute path (path.resolve makes one), got "delta"',
    ],
    ['a NUL in a path', { deltaDirectory: '/a\0b' }, 'deltaDirectory must be a path without NUL characters'],
    [
      'an unknown name',
      { ...good, colour: 'red' },
      'unknown option "colour"; known are: source, volumes, domino, deltaDirectory',
    ],
    ['a typing error', { ...good, deltaDirectry: '/x' }, 'did you mean "deltaDirectory"?'],
    ['another spelling', { ...good, timeout: 5 }, 'did you mean "timeoutMs"?'],
    ['wrong letter case', { ...good, onprogress: () => undefined }, 'did you mean "onProgress"?'],
    [
      'a misspelt nested name',
      { ...good, domino: { ini: '/x' } },
      'unknown option "domino.ini"; did you mean "domino.notesIni"?',
    ],
    [
      'a relative program directory',
      { ...good, domino: { programDirectory: 'notes' } },
      'domino.programDirectory must be an absolute path',
    ],
    [
      'another lifetime',
      { ...good, lifetime: 'forever' },
      'lifetime must be one of "backup", "persistent", got "forever"',
    ],
    [
      'another provider',
      { ...good, provider: 'vss2' },
      'provider must be one of "auto", "vss", "btrfs", "reflink", "rolling"',
    ],
    ['half a hook', { ...good, provider: { name: 'x' } }, 'provider.create must be a function'],
    ['another mode', { ...good, mode: { type: 'stop' } }, 'mode.type must be one of "backup-api", "stop-service"'],
    [
      'a mode without its service',
      { ...good, mode: { type: 'stop-service' } },
      'mode.service.name must be a non-empty string',
    ],
    ['a string for globs', { ...good, include: 'mail/**' }, 'include must be an array of globs, got "mail/**"'],
    [
      'a glob that leaves',
      { ...good, include: ['mail/../../etc/*'] },
      'include[0] must be relative to the data directory and stay inside it',
    ],
    ['an absolute glob', { ...good, exclude: ['a', '/etc'] }, 'exclude[1] must be relative'],
    ['a negative number', { ...good, maxSkipped: -1 }, 'maxSkipped must be a whole number from 0'],
    ['a fraction', { ...good, shards: 1.5 }, 'shards must be a whole number from 1 to 64, got 1.5'],
    ['a number as text', { ...good, leaseMs: '5' }, 'leaseMs must be a whole number'],
    ['no signal', { ...good, signal: {} }, 'signal must be an AbortSignal, got an object'],
    ['no function', { ...good, onProgress: true }, 'onProgress must be a function, got true'],
  ])('%s', async (_what, options, message) => {
    expect((await refusalOf(beginBackup(binding, options as never))).message).toContain(message);
  });
});

test('an error names its option', async () => {
  expect((await refusalOf(beginBackup(binding, { ...good, domino: { notesIni: 'x' } }))).option).toBe(
    'domino.notesIni',
  );
});

test('an option with the value undefined counts as omitted', async () => {
  const error: unknown = await beginBackup(binding, { ...good, shards: undefined }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'must not be needed' });
});

test.each<[string, unknown, string]>([
  ['no manifest', {}, 'manifest must be an absolute path'],
  ['no database', { manifest: '/m', databases: [] }, 'must name at least one database'],
  ['a way out', { manifest: '/m', mode: { type: 'new-database', as: '../x.nsf' } }, 'mode.as must be relative'],
  ['no name', { manifest: '/m', mode: { type: 'new-database' } }, 'mode.as must be a non-empty string'],
  ['a name in the wrong mode', { manifest: '/m', mode: { type: 'offline', as: 'x.nsf' } }, 'unknown option "mode.as"'],
  [
    'no type',
    { manifest: '/m', mode: {} },
    'mode.type must be one of "online", "offline", "new-database", "directory"',
  ],
])('restoreDatabases refuses %s', async (_what, options, message) => {
  expect((await refusalOf(restoreDatabases(binding, options as never))).message).toContain(message);
});

test('the other functions check their options as well', async () => {
  await refusalOf(findDatabases(binding, { includes: [] } as never));
  await refusalOf(findDatabases(binding, { excludeDirectories: ['relative'] }));
  await refusalOf(runDoctor(binding, { deltaDir: '/x' } as never));
  await refusalOf(getCapabilities(binding, { directory: 'here' }));
  expect(() => systemdService('')).toThrow(OptionError);
});
