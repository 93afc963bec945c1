import fc from 'fast-check';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '#lib/native/package-root';
import type { ManifestDatabase } from '#lib/store/manifest-format';
import { readBackups } from '#lib/store/backups';
import { loadManifest, writeManifest, type Manifest } from '#lib/store/manifest';
import { FileCalls, untiring } from '#lib/store/stall';
import type { ManifestHead } from '#lib/store/manifest-format';
import { databaseLine, manifestHead } from '../samples';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-manifest-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const check = (): void => undefined;

function write(
  databases: readonly ManifestDatabase[],
  change: Partial<ManifestHead> = {},
  to = directory,
): Promise<string> {
  const counts = { ...manifestHead.counts, captured: databases.length };
  return writeManifest(to, databases, (databasesSha256) => ({ ...manifestHead, counts, ...change, databasesSha256 }), {
    check,
  });
}

async function readAll(manifest: Manifest): Promise<ManifestDatabase[]> {
  const databases = [];
  for await (const database of manifest.databases()) databases.push(database);
  return databases;
}

describe('warnings', () => {
  test('are written and read with their codes', async () => {
    const warnings = [
      { code: 'WARN_NEVER_CAPTURED', message: 'not in any backup so far: a.nsf', subjects: ['a.nsf'] },
      { code: 'WARN_WINDOW_FAILED', message: 'window 2 failed', subjects: [], errorCode: 'ERR_VSS' },
    ] as const;
    const file = await write([databaseLine], { warnings });
    expect((await loadManifest(file)).warnings).toEqual(warnings);
  });

  test('of a later version are read, whatever their codes', async () => {
    const warnings = [{ code: 'WARN_OF_TOMORROW', message: 'x', subjects: [] }] as unknown as ManifestHead['warnings'];
    expect((await loadManifest(await write([databaseLine], { warnings }))).warnings).toEqual(warnings);
  });

  test.each([{ code: 'WARN_X', message: 'x' }, { code: 'no code', message: 'x', subjects: [] }, 7])(
    'of another shape are refused: %j',
    async (one) => {
      const file = await write([databaseLine], { warnings: [one] as unknown as ManifestHead['warnings'] });
      await expect(loadManifest(file)).rejects.toMatchObject({ code: 'ERR_MANIFEST' });
    },
  );

  test('of a manifest from before they had codes are read as texts without one', async () => {
    // Written by that version: its hash covers the original texts.
    const manifest = await loadManifest(join(packageRoot, 'test/fixtures/manifests/warnings-as-texts'));
    expect(manifest.warnings).toEqual([
      { code: 'WARN_UNCODED', message: 'in no backup so far: mail/ada.nsf', subjects: [] },
      { code: 'WARN_UNCODED', message: expect.stringMatching(/^the delta directory \/backup lies on/), subjects: [] },
    ]);
    expect(await readAll(manifest)).toEqual([databaseLine]);
  });
});

test('what was written is read again, whatever the names and numbers', async () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  const name = text.filter((value) => !/^\/|\0|[\uD800-\uDFFF]/u.test(value) && !value.split('/').includes('..'));
  const database = fc.record({
    path: name,
    startSizeBytes: fc.nat(Number.MAX_SAFE_INTEGER),
    logged: fc.boolean(),
    irregularPieces: fc.array(fc.nat(), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(database, { maxLength: 5 }), async (changes) => {
      const databases = changes.map((change, index) => ({ ...databaseLine, ...change, index }));
      const manifest = await loadManifest(await write(databases));
      expect(await readAll(manifest)).toEqual(databases);
    }),
    { numRuns: 40 },
  );
});

test('the head comes back as it was, by the path of the file or of its directory', async () => {
  const file = await write([databaseLine]);
  const manifest = await loadManifest(directory);
  expect(manifest).toMatchObject({ ...manifestHead, databasesSha256: expect.any(String), directory });
  expect((await loadManifest(file)).id).toBe(manifest.id);
});

test('any changed byte of either file is found', async () => {
  await write([databaseLine, { ...databaseLine, index: 1, path: 'b.nsf' }]);
  for (const name of ['manifest.json', 'databases.ndjson']) {
    const file = join(directory, name);
    const good = readFileSync(file);
    for (let at = 0; at < good.length; at += 13) {
      const bad = Buffer.from(good);
      bad[at] = bad[at]! ^ 1;
      writeFileSync(file, bad);
      const reading = loadManifest(directory).then(readAll);
      await expect(reading).rejects.toMatchObject({ code: 'ERR_MANIFEST', name: 'RestoreError' });
    }
    writeFileSync(file, good);
  }
  expect(await loadManifest(directory).then(readAll)).toHaveLength(2);
});

test.each<[string, Partial<ManifestDatabase>]>([
  ['a path that leaves the data directory', { path: '../etc/passwd' }],
  ['a path that leaves it further in', { path: 'mail/../../x.nsf' }],
  ['an absolute path', { path: '/etc/passwd' }],
  ['a shadow path that leaves the shadow', { shadowPath: 'a/../../x' }],
  ['a delta outside of its directory', { delta: '../other/deltas/0.delta' }],
  ['a negative size', { startSizeBytes: -1 }],
])('%s is refused even in a manifest that is intact', async (_what, change) => {
  await write([{ ...databaseLine, ...change }]);
  await expect(loadManifest(directory).then(readAll)).rejects.toMatchObject({ code: 'ERR_MANIFEST' });
});

test('the databases of another backup are refused', async () => {
  const other = join(directory, 'other');
  await write([databaseLine], {}, other);
  await write([{ ...databaseLine, startSizeBytes: 1 }]);
  copyFileSync(join(other, 'databases.ndjson'), join(directory, 'databases.ndjson'));
  await expect(loadManifest(directory).then(readAll)).rejects.toMatchObject({
    message: expect.stringContaining('it is not the one that belongs to manifest.json'),
  });
});

test.each([
  ['missing', undefined, 'no such file'],
  ['empty', '', 'it is not JSON'],
  ['null', 'null', 'it must be object'],
  ['of a later version', '{"formatVersion":2}', 'its format version is 2'],
  ['something else', '{}', "it must have required property 'formatVersion'"],
])('a manifest that is %s is refused in words', async (_what, text, message) => {
  if (text !== undefined) writeFileSync(join(directory, 'manifest.json'), text);
  await expect(loadManifest(directory)).rejects.toMatchObject({
    code: 'ERR_MANIFEST',
    message: expect.stringContaining(message),
  });
});

test('a missing list of databases is refused', async () => {
  await write([databaseLine]);
  rmSync(join(directory, 'databases.ndjson'));
  await expect(loadManifest(directory).then(readAll)).rejects.toMatchObject({
    message: expect.stringContaining('it is missing'),
  });
});

test('backups are listed by age, with unfinished and damaged ones', async () => {
  const ids = ['20260101T000000Z-00000a', '20260102T000000Z-00000b', '20260103T000000Z-00000c'] as const;
  await write([databaseLine], { id: ids[0], outcome: 'partial' }, join(directory, ids[0]));
  mkdirSync(join(directory, ids[1]));
  mkdirSync(join(directory, ids[2]));
  writeFileSync(join(directory, ids[2], 'manifest.json'), '{');
  mkdirSync(join(directory, '.journal'));
  const backups = await readBackups(directory, new FileCalls(untiring));
  expect(backups.map(({ id, state }) => [id, state])).toEqual([
    [ids[0], 'partial'],
    [ids[1], 'unfinished'],
    [ids[2], 'damaged'],
  ]);
});

test('the manifest of one backup is refused in the directory of another, and is accepted in a renamed one', async () => {
  const [old, recent] = ['20260101T000000Z-00000a', '20260102T000000Z-00000b'];
  await write([databaseLine], { id: old }, join(directory, recent));
  const message = `it is the manifest of another backup, ${old}`;
  await expect(loadManifest(join(directory, recent))).rejects.toMatchObject({
    code: 'ERR_MANIFEST',
    message: expect.stringContaining(message),
  });
  expect(await readBackups(directory, new FileCalls(untiring))).toMatchObject([{ id: recent, state: 'damaged' }]);
  await write([databaseLine], { id: old }, join(directory, 'saved'));
  expect((await loadManifest(join(directory, 'saved'))).id).toBe(old);
});
