import { VssError, toPublicError } from '#lib/errors/errors';
import { withDatabasesOnVolume } from '#lib/vss/unsupported-volume';
import { comFailure } from '../fake-vss';

const [volumeC, volumeD] = ['c', 'd'].map((letter) => `\\\\?\\Volume{0000000${letter}-0000-0000-0000-000000000000}\\`);
const operation = 'IVssBackupComponents::IsVolumeSupported';

test('a provider that does not know what to make of a volume is no reason to wait', () => {
  const error = toPublicError(comFailure(0x8004230f, { operation, subject: volumeD! }));
  expect(error).toMatchObject({ code: 'ERR_VSS_VOLUME', retryable: false });
  expect(error.message).toContain(volumeD);
  expect(error.hint).toContain('encrypted containers, pool drives');
  expect(error.hint).not.toMatch(/wait|again/i);
});

test('the same number of another method still is one', () => {
  const error = toPublicError(comFailure(0x8004230f, { operation: 'IVssBackupComponents::AddToSnapshotSet' }));
  expect(error).toMatchObject({ code: 'ERR_VSS_PROVIDER', retryable: true });
});

describe('one volume among several', () => {
  const volume = (device: string): never => ({ device, path: device }) as never;
  const databases = {
    paths: ['mail/ada.nsf', 'archive/2024.nsf', 'archive/old/2023.nsf', 'names.nsf', 'extra.nsf'],
    volumes: [volume(volumeC!), volume(volumeD!)],
    volumeIndex: Uint16Array.from([0, 1, 1, 0, 1]),
  };

  test('is refused with its databases and the globs that leave them out', () => {
    const error = withDatabasesOnVolume(comFailure(0x8004230c, { operation, subject: volumeD! }), databases);
    expect(error).toBeInstanceOf(VssError);
    expect(error).toMatchObject({ code: 'ERR_VSS_VOLUME', hresult: 0x8004230c, volume: volumeD });
    expect(error.message).toMatch(/; databases on it: archive\/2024\.nsf, archive\/old\/2023\.nsf, extra\.nsf$/);
    expect(error.hint).toContain(
      'leave its databases out: --exclude "archive/**" --exclude "archive/old/**" --exclude "extra.nsf".',
    );
  });

  test('that holds them all has none to leave out', () => {
    const all = { ...databases, volumeIndex: Uint16Array.from([1, 1, 1, 1, 1]) };
    const error = withDatabasesOnVolume(comFailure(0x8004230c, { operation, subject: volumeD! }), all);
    expect(error.message).toContain('databases on it: mail/ada.nsf');
    expect(error.hint).not.toContain('--exclude');
  });

  test('of hundreds the first are named, and the rest counted', () => {
    const paths = Array.from({ length: 200 }, (_value, index) => `d${index}.nsf`);
    const many = {
      ...databases,
      paths: ['c.nsf', ...paths],
      volumeIndex: Uint16Array.from([0, ...paths.map(() => 1)]),
    };
    const error = withDatabasesOnVolume(comFailure(0x8004230c, { operation, subject: volumeD! }), many);
    expect(error.message).toMatch(/d9\.nsf and 190 more$/);
    expect(error.message.length + error.hint.length).toBeLessThan(1500);
  });

  test('is not named for other errors, nor for volumes without databases', () => {
    const other = toPublicError(comFailure(0x80042306, { operation, subject: volumeD! }));
    expect(withDatabasesOnVolume(other, databases)).toBe(other);
    const elsewhere = toPublicError(comFailure(0x8004230c, { operation, subject: '\\\\?\\Volume{x}\\' }));
    expect(withDatabasesOnVolume(elsewhere, databases)).toBe(elsewhere);
  });
});
