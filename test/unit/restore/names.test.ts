// The names that people use for a database that they want to restore.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import type { BackupReport } from '#lib/backup/report';
import { locateDatabase } from '#lib/domino/links';
import type { RestoreReport } from '#lib/restore/report';
import { restoreDatabases, type RestoreOptions } from '#lib/restore/restore';
import { journalDirectory } from '#lib/store/journals';
import { loadManifest } from '#lib/store/manifest';
import { linuxTest } from '../../platform';
import { FakeDomino, signature } from '../fake-binding';

const paths = ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf'];
let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino(paths);
});

afterEach(() => {
  domino.destroy();
});

async function backUp(): Promise<BackupReport> {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  await (await backup.createShadow()).copyDatabases({ to: join(domino.root, 'copies') });
  return backup.endBackup();
}

function restore(manifest: string, options: Partial<RestoreOptions> = {}): Promise<RestoreReport> {
  return restoreDatabases(() => domino.binding, { manifest, domino: domino.location, ...options });
}

describe('a backup', () => {
  beforeEach(() => {
    domino.aliases = [
      { alias: 'aalias.nsf', path: 'mail/ada.nsf' },
      { alias: 'mailalias/', path: 'mail/' },
      { alias: 'users.nsf', path: 'names.nsf' },
    ];
  });

  test('remembers the aliases of its databases', async () => {
    expect((await loadManifest((await backUp()).manifest)).aliases).toEqual(domino.aliases);
  });

  test.each([
    [['aalias.nsf'], ['mail/ada.nsf']],
    [['mailalias/bob.nsf'], ['mail/bob.nsf']],
    [['mailalias'], ['mail/ada.nsf', 'mail/bob.nsf']],
    [['mail\\ada.nsf'], ['mail/ada.nsf']],
    [['mail\\'], ['mail/ada.nsf', 'mail/bob.nsf']],
    // A server database counts as named under any of its names.
    [['USERS.nsf'], ['names.nsf']],
    [['.\\names.nsf'], ['names.nsf']],
  ])('gives %j back (V1, D3)', async (databases, expected) => {
    const { manifest } = await backUp();
    const report = await restore(manifest, { databases });
    expect(report).toMatchObject({ outcome: 'complete' });
    expect(report.databases.map(({ database }) => database)).toEqual(expected);
  });

  test('a leading ! does not select all other databases', async () => {
    const { manifest } = await backUp();
    await expect(restore(manifest, { databases: ['!mail/ada.nsf'] })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/contains no database "!mail\/ada\.nsf"; a leading ! does not negate$/),
    });
  });

  test("accepts a new name in Domino's spelling", async () => {
    const { manifest } = await backUp();
    const as = 'old\\deep\\ada.nsf';
    const report = await restore(manifest, { databases: ['mail/ada.nsf'], mode: { type: 'new-database', as } });
    expect(report.databases).toMatchObject([{ path: 'old/deep/ada.nsf' }]);
    expect(readFileSync(domino.file('old/deep/ada.nsf'), 'utf8')).toBe(domino.read('mail/ada.nsf'));
  });

  test.each(['..\\x.nsf', 'a\\..\\..\\x.nsf', '\\x.nsf', 'c:\\x.nsf'])(
    '%s is not inside the data directory',
    async (as) => {
      const { manifest } = await backUp();
      const mode = { type: 'new-database', as } as const;
      await expect(restore(manifest, { mode })).rejects.toMatchObject({ code: 'ERR_OPTION' });
      await expect(restore(manifest, { databases: [as] })).rejects.toMatchObject({ code: 'ERR_OPTION' });
    },
  );

  test('has a warning with a code for each glob that matches nothing (D4)', async () => {
    const backup = await beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      include: ['mail', 'nosuch/**'],
    });
    await (await backup.createShadow()).copyDatabases({ to: join(domino.root, 'copies') });
    const { notices, warnings, manifest } = await backup.endBackup();
    expect(notices).toMatchObject([{ code: 'WARN_GLOB_UNMATCHED', subjects: ['nosuch/**'] }]);
    expect(warnings).toContainEqual({
      code: 'WARN_GLOB_UNMATCHED',
      message: notices[0]!.text,
      subjects: ['nosuch/**'],
    });
    expect((await loadManifest(manifest)).notices).toEqual(notices);
  });
});

linuxTest('a backup that knows a database by an alias only gives it back by its true name', async () => {
  // As those of earlier versions do.
  const { manifest } = await backUp();
  symlinkSync(domino.file('mail'), domino.file('other'));
  expect((await restore(manifest, { databases: ['other/ada.nsf'] })).databases).toMatchObject([
    { result: 'restored', database: 'mail/ada.nsf' },
  ]);
});

linuxTest('a database that only a symbolic link leads to goes back to its file, also when that is gone', async () => {
  const outside = join(domino.root, 'outside');
  mkdirSync(outside);
  symlinkSync(join(outside, 'far.nsf'), domino.file('link.nsf'));
  expect(await locateDatabase(domino.dataDirectory, 'link.nsf')).toBe(join(outside, 'far.nsf'));
  domino.write('link.nsf', signature + 'far away '.repeat(20));
  const catalog = domino.catalog.bind(domino);
  domino.catalog = () => {
    const file = join(outside, 'far.nsf');
    return { ...catalog(), paths: ['link.nsf'], files: [file], fileIds: [String(statSync(file).ino)] };
  };
  const { manifest } = await backUp();
  rmSync(join(outside, 'far.nsf'));
  expect((await restore(manifest)).outcome).toBe('complete');
  expect(readFileSync(join(outside, 'far.nsf'), 'utf8')).toBe(signature + 'far away '.repeat(20));
});

linuxTest(
  'of names that differ only in case, the one that is spelled like this is restored, and all if all are',
  async () => {
    domino.destroy();
    domino = new FakeDomino(['mail/A.nsf', 'mail/a.nsf', 'mail/b.nsf']);
    const { manifest } = await backUp();
    const restored = async (name: string): Promise<string[]> => {
      const { databases } = await restore(manifest, { databases: [name] });
      return databases.filter(({ result }) => result === 'restored').map(({ database }) => database);
    };
    expect(await restored('mail/a.nsf')).toEqual(['mail/a.nsf']);
    expect((await restored('mail')).sort()).toEqual(['mail/A.nsf', 'mail/a.nsf', 'mail/b.nsf']);
    // Nobody has spelled it like this.
    expect(await restored('MAIL/B.NSF')).toEqual(['mail/b.nsf']);
  },
);

describe('a place that cannot be', () => {
  const place = (as: string): RestoreOptions['mode'] => ({ type: 'new-database', as });

  test('a name that leaves no room for the names beside it is refused beforehand', async () => {
    const { manifest } = await backUp();
    const as = `${'x'.repeat(240)}.nsf`;
    const report = await restore(manifest, { databases: ['mail/ada.nsf'], mode: place(as), dryRun: true });
    const text = expect.stringContaining('is too long for a file') as string;
    expect(report.databases).toMatchObject([{ result: 'left-out', failure: { code: 'ERR_RESTORE_TARGET', text } }]);
  });

  linuxTest('below a file: nothing is left, not even a journal', async () => {
    const { manifest } = await backUp();
    const restoring = restore(manifest, { databases: ['mail/ada.nsf'], mode: place('names.nsf/ada.nsf') });
    await expect(restoring).rejects.toMatchObject({ failures: [{ database: 'mail/ada.nsf' }] });
    expect(readdirSync(journalDirectory(domino.deltaDirectory))).toEqual([]);
  });

  linuxTest('directories that were made for a database that is not restored are removed', async () => {
    const { manifest } = await backUp();
    const copy = join(domino.root, 'copies', 'mail', 'ada.nsf');
    writeFileSync(copy, readFileSync(copy, 'latin1').replace(/.$/s, '?'), 'latin1');
    const restoring = restore(manifest, { databases: ['mail/ada.nsf'], mode: place('new/deeper/ada.nsf') });
    await expect(restoring).rejects.toMatchObject({ code: 'ERR_CONTENTS_DAMAGED' });
    expect(existsSync(join(domino.dataDirectory, 'new'))).toBe(false);
  });
});

describe('a backup of another server with the same data directory', () => {
  test('is restored in place only on request', async () => {
    const { manifest } = await backUp();
    domino.serverName = 'CN=bob/O=Acme';
    const restoring = restore(manifest, { databases: ['mail/ada.nsf'] });
    const message = expect.stringContaining('the backup is of CN=ada/O=Acme, this server is CN=bob/O=Acme') as string;
    await expect(restoring).rejects.toMatchObject({ code: 'ERR_RESTORE_TARGET', message });
    const onRequest = restore(manifest, { databases: ['mail/ada.nsf'], otherServer: true });
    await expect(onRequest).rejects.not.toMatchObject({ message });
  });
});

linuxTest('a name with a colon is that of a database like others', async () => {
  domino.destroy();
  domino = new FakeDomino([...paths, 'a:b.nsf']);
  const { manifest } = await backUp();
  const { databases } = await restore(manifest, { databases: ['a:b.nsf'] });
  expect(databases).toMatchObject([{ database: 'a:b.nsf', result: 'restored' }]);
  await expect(restore(manifest, { databases: ['C:/b.nsf'] })).rejects.toMatchObject({ name: 'OptionError' });
});
