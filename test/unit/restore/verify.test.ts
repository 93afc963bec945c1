import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { RestoreReport } from '#lib/restore/report';
import { restoreDatabases, type RestoreOptions } from '#lib/restore/restore';
import { verifyBackup, type VerifyBackupOptions, type VerifyReport } from '#lib/restore/verify';
import { loadManifest, writeManifest } from '#lib/store/manifest';
import type { ManifestDatabase, ManifestHead } from '#lib/store/manifest-format';
import { FakeDomino, signature } from '../fake-binding';

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
async function backUp({
  copies = true,
  keep = false,
  ...options
}: { copies?: boolean; keep?: boolean } & Partial<BeginBackupOptions> = {}): Promise<string> {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
  const set = await backup.createShadow();
  if (copies) await set.copyDatabases({ to: join(domino.root, 'copies') });
  await backup.endBackup({ keep });
  for (const path of paths) domino.write(path, `${path} of today`);
  return backup.directory;
}

const restore = (manifest: string, options: Partial<RestoreOptions> = {}): Promise<RestoreReport> =>
  restoreDatabases(() => domino.binding, { manifest, domino: domino.location, databases: ['mail/*'], ...options });

const verify = (manifest: string, options: Partial<VerifyBackupOptions> = {}): Promise<VerifyReport> =>
  verifyBackup(() => domino.binding, { manifest, ...options });

async function databasesOf(directory: string): Promise<ManifestDatabase[]> {
  const databases = [];
  for await (const database of (await loadManifest(directory)).databases()) databases.push(database);
  return databases;
}

/** Rewrites a manifest with valid hashes, as an attacker would. */
async function forge(directory: string, change: (database: ManifestDatabase) => object): Promise<void> {
  const head: ManifestHead = { ...(await loadManifest(directory)) };
  for (const name of ['directory', 'databases']) Reflect.deleteProperty(head, name);
  const databases = (await databasesOf(directory)).map((database) => ({ ...database, ...change(database) }));
  const complete = (databasesSha256: string): ManifestHead => ({ ...head, databasesSha256 });
  await writeManifest(directory, databases, complete);
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const copy = (path: string): string => join(domino.root, 'copies', path);

function shadowOf(database: ManifestDatabase | undefined, directory: string): Promise<string> {
  return loadManifest(directory).then(({ volumes }) => join(volumes[0]!.root, database!.shadowPath));
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
}

/** The present databases are unchanged. */
function expectUntouched(): void {
  for (const path of paths) expect(domino.read(path)).toBe(`${path} of today`);
  expect(domino.offline).toEqual(new Set());
}

test('the manifest has the SHA-256 of every copy as it is delivered', async () => {
  const databases = await databasesOf(await backUp());
  expect(databases.filter(({ delta }) => delta !== '')).toHaveLength(1);
  for (const { path, copy: made } of databases) expect([path, made?.sha256]).toEqual([path, sha256(copy(path))]);
});

test('an intact backup is verified, and restored as hashed', async () => {
  const directory = await backUp({ keep: true });
  const report = await verify(directory);
  expect(report).toMatchObject({ outcome: 'intact', signature: 'not checked', counts: { verified: 4, damaged: 0 } });
  expect(report.databases.find(({ database }) => database === 'mail/ada.nsf')).toEqual({
    database: 'mail/ada.nsf',
    from: '',
    copy: 'verified',
    shadow: 'not-hashed',
    delta: 'verified',
    applied: 'none',
    result: 'verified',
    failures: [],
  });
  const restored = await restore(directory);
  expect(restored).toMatchObject({
    outcome: 'complete',
    databases: [{ hashed: true }, { hashed: true }],
    warnings: [],
  });
  for (const path of ['mail/ada.nsf', 'mail/bob.nsf']) expect(domino.read(path)).toBe(before.get(path));
});

describe('a damaged copy', () => {
  const size = (signature + 'mail/bob.nsf at first '.repeat(50)).length;
  test.each([
    [
      'its first byte',
      (file: string) => {
        flip(file, 0);
      },
    ],
    [
      'a byte in its middle',
      (file: string) => {
        flip(file, Math.floor(size / 2));
      },
    ],
    [
      'its last byte',
      (file: string) => {
        flip(file, size - 1);
      },
    ],
    [
      'random bytes of the same length',
      (file: string) => {
        writeFileSync(file, randomBytes(size));
      },
    ],
    [
      'random bytes behind the signature',
      (file: string) => {
        writeFileSync(file, signature + randomBytes(size - 2).toString('latin1'), 'latin1');
      },
    ],
    [
      'one byte less',
      (file: string) => {
        writeFileSync(file, readFileSync(file).subarray(0, size - 1));
      },
    ],
    [
      'another database',
      (file: string) => {
        writeFileSync(file, readFileSync(copy('apps/crm.nsf')));
      },
    ],
  ])('%s: found by verify, and before the original is touched', async (_what, damage) => {
    const directory = await backUp();
    damage(copy('mail/bob.nsf'));
    const failure = { database: 'mail/bob.nsf', code: 'ERR_CONTENTS_DAMAGED' };
    expect(await verify(directory)).toMatchObject({ outcome: 'damaged', counts: { verified: 3, damaged: 1 } });
    await expect(restore(directory, { databases: ['mail/bob.nsf'] })).rejects.toMatchObject({ failures: [failure] });
    expectUntouched();
    const report = await restore(directory);
    expect(report.databases.filter(({ result }) => result === 'failed')).toMatchObject([{ failure }]);
    expect(domino.read('mail/ada.nsf')).toBe(before.get('mail/ada.nsf'));
    expect(domino.read('mail/bob.nsf')).toBe('mail/bob.nsf of today');
  });

  test('of which another one is verified where it was moved to', async () => {
    const directory = await backUp();
    rmSync(copy('mail/bob.nsf'));
    const { databases } = await verify(directory, { copiesDirectory: join(domino.root, 'copies') });
    expect(databases.find(({ database }) => database === 'mail/bob.nsf')).toMatchObject({
      copy: 'damaged',
      failures: [{ code: 'ERR_RESTORE_SOURCE' }],
    });
  });
});

describe('a kept shadow that was not hashed', () => {
  test('says so, and is restored after its signature, size and header were checked', async () => {
    const directory = await backUp({ copies: false, keep: true });
    expect(await verify(directory)).toMatchObject({ outcome: 'intact', counts: { verified: 0, notHashed: 4 } });
    const report = await restore(directory);
    expect(report).toMatchObject({ outcome: 'complete', databases: [{ hashed: false }, { hashed: false }] });
    expect(report.warnings).toMatchObject([
      { code: 'WARN_NOT_HASHED', message: expect.stringContaining('2 databases were not hashed') },
    ]);
  });

  test('random bytes in it are found by verify, and before the original is touched', async () => {
    const directory = await backUp({ copies: false, keep: true });
    const bob = (await databasesOf(directory)).find(({ path }) => path === 'mail/bob.nsf');
    const file = await shadowOf(bob, directory);
    writeFileSync(file, randomBytes(bob!.startSizeBytes).fill(0xa5, 0, 2));
    expect(await verify(directory)).toMatchObject({ counts: { damaged: 1 } });
    await expect(restore(directory, { databases: ['mail/bob.nsf'] })).rejects.toMatchObject({
      code: 'ERR_CONTENTS_DAMAGED',
    });
    expectUntouched();
  });
});

test('a kept shadow that was hashed on request is compared byte by byte', async () => {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  await backup.createShadow();
  const report = await backup.endBackup({ keep: true, hash: true });
  expect(report.contents).toEqual({ copies: 'none', shadows: 'sha256' });
  for (const path of paths) domino.write(path, `${path} of today`);
  const { directory } = backup;
  const bob = (await databasesOf(directory)).find(({ path }) => path === 'mail/bob.nsf');
  const file = await shadowOf(bob, directory);
  expect(bob!.sha256).toBe(sha256(file));
  expect(await verify(directory)).toMatchObject({ outcome: 'intact', counts: { verified: 4, notHashed: 0 } });
  flip(file, bob!.startSizeBytes - 1);
  expect(await verify(directory)).toMatchObject({ outcome: 'damaged', counts: { verified: 3, damaged: 1 } });
  await expect(restore(directory, { databases: ['mail/bob.nsf'] })).rejects.toMatchObject({
    code: 'ERR_CONTENTS_DAMAGED',
  });
  expectUntouched();
  const restored = await restore(directory, { databases: ['mail/ada.nsf'] });
  expect(restored).toMatchObject({ databases: [{ hashed: true }], warnings: [] });
  expect(domino.read('mail/ada.nsf')).toBe(before.get('mail/ada.nsf'));
});

test('a changed header of a database in a kept shadow is found, and the manifest says that only headers are known', async () => {
  const directory = await backUp({ copies: false, keep: true });
  expect((await loadManifest(directory)).contents).toEqual({ copies: 'none', shadows: 'header' });
  const bob = (await databasesOf(directory)).find(({ path }) => path === 'mail/bob.nsf');
  flip(await shadowOf(bob, directory), 20);
  expect(await verify(directory)).toMatchObject({ counts: { notHashed: 3, damaged: 1 } });
  await expect(restore(directory, { databases: ['mail/bob.nsf'] })).rejects.toMatchObject({
    code: 'ERR_CONTENTS_DAMAGED',
  });
  expectUntouched();
});

test('a backup that holds no data is damaged', async () => {
  const directory = await backUp({ copies: false });
  expect(await verify(directory)).toMatchObject({ outcome: 'damaged', counts: { damaged: 4 } });
});

describe('a forged manifest', () => {
  const asBob = (change: object) => (database: ManifestDatabase) => (database.path === 'mail/bob.nsf' ? change : {});

  test.each([
    ['notes.ini', { path: 'notes.ini' }],
    ['a program', { path: 'mail/bob.exe' }],
    ['a link', { path: 'mail.dir' }],
  ])('writes no %s', async (_what, change) => {
    const directory = await backUp();
    const ini = readFileSync(domino.notesIni, 'utf8');
    await forge(directory, asBob({ ...change, file: domino.file(change.path) }));
    await expect(restore(directory, { databases: [change.path] })).rejects.toMatchObject({
      code: 'ERR_RESTORE_TARGET',
    });
    const elsewhere = { databases: [change.path], mode: { type: 'new-database', as: 'old' } } as const;
    await expect(restore(directory, elsewhere)).rejects.toMatchObject({ code: 'ERR_RESTORE_TARGET' });
    expect(readFileSync(domino.notesIni, 'utf8')).toBe(ini);
    expectUntouched();
  });

  test('does not write two databases to one place', async () => {
    const directory = await backUp();
    // On Windows, names that differ only in case are one place.
    const name = process.platform === 'win32' ? 'mail/ADA.nsf' : 'mail/ada.nsf';
    await forge(directory, asBob({ path: name, file: domino.file(name) }));
    const report = await restore(directory);
    expect(report.outcome).toBe('partial');
    expect(report.databases.filter(({ result }) => result === 'left-out')).toHaveLength(1);
  });

  test('writes only databases', async () => {
    const directory = await backUp();
    writeFileSync(copy('mail/bob.nsf'), 'no database');
    await forge(directory, asBob({ startSizeBytes: 11, copy: { file: 'mail/bob.nsf', deltaApplied: true } }));
    await expect(restore(directory, { databases: ['mail/bob.nsf'] })).rejects.toMatchObject({
      code: 'ERR_CONTENTS_DAMAGED',
    });
    expectUntouched();
  });
});

describe('a signature', () => {
  function makeKeys(name: string): { signKey: string; publicKey: string } {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const files = { signKey: join(domino.root, `${name}.key`), publicKey: join(domino.root, `${name}.pub`) };
    writeFileSync(files.signKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(files.publicKey, publicKey.export({ type: 'spki', format: 'pem' }));
    return files;
  }

  test('of the right key is accepted; without one asked for it makes no difference', async () => {
    const { signKey, publicKey } = makeKeys('ours');
    const directory = await backUp({ signKey });
    expect(await verify(directory, { requireSignature: publicKey })).toMatchObject({
      outcome: 'intact',
      signature: 'valid',
    });
    expect((await restore(directory, { requireSignature: publicKey })).outcome).toBe('complete');
    expect((await restore(directory)).outcome).toBe('complete');
  });

  test('that is missing, of another key, or of another manifest is refused, and nothing is touched', async () => {
    const ours = makeKeys('ours');
    const theirs = makeKeys('theirs');
    const requireSignature = ours.publicKey;
    const cases: (() => Promise<string>)[] = [
      () => backUp(),
      () => backUp({ signKey: theirs.signKey }),
      async () => {
        const directory = await backUp({ signKey: ours.signKey });
        await forge(directory, () => ({ logExtent: 1 }));
        return directory;
      },
      async () => {
        const directory = await backUp({ signKey: ours.signKey });
        flip(join(directory, 'manifest.sig'), 5);
        return directory;
      },
    ];
    for (const make of cases) {
      rmSync(join(domino.root, 'copies'), { recursive: true, force: true });
      for (const path of paths) domino.write(path, before.get(path)!);
      const directory = await make();
      for (const reading of [restore, verify]) {
        await expect(reading(directory, { requireSignature })).rejects.toMatchObject({
          code: 'ERR_SIGNATURE',
          name: 'RestoreError',
        });
      }
      expectUntouched();
    }
  });

  test('needs a key of the right kind, before anything is begun', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const files = new Map([
      ['rsa.key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })],
      ['no.key', 'no key'],
    ]);
    for (const [name, contents] of files) writeFileSync(join(domino.root, name), contents);
    for (const name of [...files.keys(), 'missing.key']) {
      await expect(backUp({ signKey: join(domino.root, name) })).rejects.toMatchObject({ code: 'ERR_OPTION' });
    }
    expect(domino.remains()).toEqual([]);
  });
});
