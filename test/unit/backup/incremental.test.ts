import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { BackupReport } from '#lib/backup/report';
import { timedateToDate } from '#lib/domino/timedate';
import { loadLinks } from '#lib/store/chain';
import { verifyBackup } from '#lib/restore/verify';
import { loadManifest, writeManifest } from '#lib/store/manifest';
import type { ManifestDatabase, ManifestHead } from '#lib/store/manifest-format';
import { FakeDomino, signature } from '../fake-binding';
import { linuxTest } from '../../platform';

const paths = ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf'];
let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino(paths);
  domino.sameReplicaIds = true;
  for (const path of paths) domino.unlogged.add(path);
});

afterEach(() => {
  domino.destroy();
});

async function backUp(options: Partial<BeginBackupOptions> = {}, keep = true): Promise<BackupReport> {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
  try {
    await backup.createShadow();
    return await backup.endBackup({ keep });
  } finally {
    await backup.dispose();
  }
}

const incremental = (options: Partial<BeginBackupOptions> = {}): Promise<BackupReport> =>
  backUp({ incremental: true, ...options });

/** For each database, whether an incremental backup has captured it, or from which backup it is carried over. */
async function placesOf({ directory }: BackupReport): Promise<Record<string, string>> {
  const places: Record<string, string> = {};
  for await (const { path, from } of (await loadManifest(directory)).databases()) places[path] = from ?? 'taken';
  return places;
}

test('the first one takes everything, and says that there was nothing to build on', async () => {
  const report = await incremental();
  expect(report.incremental).toMatchObject({ base: null, links: [], taken: { new: paths.length } });
  expect(report.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_NOTHING_TO_BUILD_ON',
      message: expect.stringContaining('all databases are captured'),
    }),
  );
});

const changes: [what: string, reason: string, change: () => void][] = [
  ['changed', 'changed', () => domino.modified.set('mail/ada.nsf', new Date())],
  ['of an unknown age', 'changed', () => domino.modified.set('mail/ada.nsf', undefined)],
  ['older than it was', 'replaced', () => domino.modified.set('mail/ada.nsf', new Date(1990, 0, 1))],
  ['another replica', 'replaced', () => domino.replicaIds.set('mail/ada.nsf', 9)],
  ['logged now', 'instance-id', () => domino.unlogged.delete('mail/ada.nsf')],
];
test.each(changes)('a database that is %s is taken as "%s"', async (_what, reason, change) => {
  const full = await backUp();
  change();
  const report = await incremental();
  expect(report.incremental).toMatchObject({ base: full.id, taken: { [reason]: 1 }, links: [{ databases: 3 }] });
  const from = full.id;
  expect(await placesOf(report)).toEqual({
    'mail/ada.nsf': 'taken',
    'names.nsf': from,
    'mail/bob.nsf': from,
    'apps/crm.nsf': from,
  });
});

test('a logged database that is not logged any more is taken, and one of another log', async () => {
  domino.unlogged.delete('mail/ada.nsf');
  await backUp();
  domino.unlogged.add('mail/ada.nsf');
  expect((await incremental()).incremental?.taken).toEqual({ 'instance-id': 1 });
  domino.unlogged.delete('mail/bob.nsf');
  await backUp();
  domino.logIdByte = 2;
  expect((await incremental()).incremental?.taken).toEqual({ 'instance-id': 1 });
});

test('one that was changed so shortly before its backup that its modification time could not show a later change is captured', async () => {
  const { timeAfterLastStart } = await loadManifest((await backUp()).directory);
  const [low = 0, high = 0] = timeAfterLastStart?.innards.map((half) => parseInt(half, 16)) ?? [];
  domino.modified.set('mail/ada.nsf', new Date((timedateToDate([low, high])?.getTime() ?? NaN) - 700));
  await backUp();
  expect((await incremental()).incremental?.taken).toEqual({ changed: 1 });
});

test('if the server does not respond, nothing is left out', async () => {
  await backUp();
  domino.onCall = (name) => {
    if (name === 'readIdentities') throw Object.assign(new Error('the server is busy'), { code: 'ERR_INTERNAL' });
  };
  const report = await incremental();
  expect(report).toMatchObject({ outcome: 'complete', incremental: { taken: { unknown: paths.length }, links: [] } });
});

test('a server that does not answer for databases is named with the reason', async () => {
  await backUp();
  domino.onCall = (name) => {
    if (name === 'readIdentities') throw Object.assign(new Error('the server is busy'), { code: 'ERR_INTERNAL' });
  };
  expect((await incremental()).warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_DATABASE_UNANSWERED',
      message: expect.stringMatching(/did not answer for these, so they are captured: .*mail.*the server is busy/),
    }),
  );
});

test('a backup is not built on a kept shadow whose path may be that of another snapshot by now', async () => {
  const root = join(domino.root, 'snapshot');
  cpSync(domino.dataDirectory, join(root, 'data'), { recursive: true });
  const hook = { name: 'array', create: () => Promise.resolve({ shadows: [{ volume: domino.root, root }] }) };
  await backUp({ provider: hook });
  expect((await incremental()).incremental?.taken).toEqual({ source: paths.length });
});

test('a backup is not built on a file of the same size that is not a database', async () => {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  const copies = join(domino.root, 'copies');
  await (await backup.createShadow()).copyDatabases({ to: copies });
  await backup.endBackup();
  const copy = join(copies, 'mail/ada.nsf');
  writeFileSync(copy, Buffer.alloc(readFileSync(copy).length));
  expect((await incremental()).incremental?.taken).toEqual({ source: 1 });
});

// Wine cannot make symbolic links.
linuxTest('a backup that is named by a symbolic link builds on those beside the backup itself', async () => {
  const full = await backUp();
  const report = await incremental();
  const link = join(domino.root, 'latest');
  symlinkSync(report.directory, link);
  const links = await loadLinks(await loadManifest(link));
  expect(links.get(full.id)).toMatchObject({ id: full.id });
});

test('if nothing has changed, the smallest database is captured, which gives the backup its time', async () => {
  domino.write('mail/bob.nsf', `${signature}x`);
  await backUp();
  const report = await incremental();
  expect(report.incremental?.taken).toEqual({ moment: 1 });
  expect(report.counts).toMatchObject({ databases: 1, captured: 1, carried: 3 });
  expect((await placesOf(report))['mail/bob.nsf']).toBe('taken');
});

test('what a partial backup could not take is taken by the next one', async () => {
  const partial = await backUp({ exclude: ['mail/ada.nsf'] });
  const report = await incremental();
  expect(report.incremental).toMatchObject({ base: partial.id, taken: { new: 1 } });
});

test('backups without contents and damaged backups are not built on', async () => {
  const full = await backUp();
  await backUp({}, false);
  expect((await incremental()).incremental?.base).toBe(full.id);
  const damaged = await backUp();
  writeFileSync(damaged.manifest, readFileSync(damaged.manifest, 'utf8').replace('complete', 'partial'));
  const report = await incremental();
  expect(report.incremental?.base).not.toBe(damaged.id);
  expect(report.warnings).toContainEqual({
    code: 'WARN_BACKUP_UNREADABLE',
    message: expect.stringContaining(`cannot build on backup ${damaged.id}`),
    subjects: [damaged.id],
    errorCode: 'ERR_MANIFEST',
  });
});

/** Rewrites the manifest of a backup with a change. */
async function rewrite(
  { directory, manifest }: BackupReport,
  { head = {}, line = {} }: { readonly head?: Partial<ManifestHead>; readonly line?: Partial<ManifestDatabase> },
): Promise<void> {
  const lines: ManifestDatabase[] = [];
  for await (const one of (await loadManifest(directory)).databases()) lines.push({ ...one, ...line });
  const before = JSON.parse(readFileSync(manifest, 'utf8')) as ManifestHead & { sha256?: string };
  delete before.sha256;
  await writeManifest(directory, lines, (databasesSha256) => ({ ...before, ...head, databasesSha256 }));
}

test('when VSS does not say where a kept shadow is, the copies count all the same', async () => {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
  });
  await (await backup.createShadow()).copyDatabases({ to: join(domino.root, 'copies') });
  const full = await backup.endBackup({ keep: true });
  const { provider } = await loadManifest(full.directory);
  // There is no VSS here.
  await rewrite(full, { head: { provider: { ...provider, name: 'vss' } } });
  expect((await incremental()).incremental).toMatchObject({ base: full.id, taken: { moment: 1 } });
});

test('a base that was rewritten under the same id is a different one', async () => {
  const full = await backUp();
  const report = await incremental();
  const head = await loadManifest(report.directory);
  expect((await loadLinks(head)).get(full.id)).toMatchObject({ id: full.id });
  await rewrite(full, { line: { shadowPath: 'elsewhere.nsf' } });
  expect((await loadManifest(full.directory)).id).toBe(full.id);
  expect((await loadLinks(head)).get(full.id)).toContain('is a different one now');
});

/** Writes a key pair, and returns its files. */
function makeKeys(name: string): { readonly signKey: string; readonly requireSignature: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signKey = join(domino.root, `${name}.private.pem`);
  const requireSignature = join(domino.root, `${name}.public.pem`);
  writeFileSync(signKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(requireSignature, publicKey.export({ type: 'spki', format: 'pem' }));
  return { signKey, requireSignature };
}

test('one that is signed builds only on what the same key has signed', async () => {
  const { signKey } = makeKeys('ours');
  const { signKey: another } = makeKeys('theirs');
  const signed = await backUp({ signKey });
  const unsigned = await backUp();
  const foreign = await backUp({ signKey: another });
  const report = await incremental({ signKey });
  expect(report.incremental).toMatchObject({ base: signed.id, taken: { moment: 1 } });
  for (const { id } of [unsigned, foreign])
    expect(report.warnings).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining(`cannot build on backup ${id}`), subjects: [id] }),
    );
  // Databases in an unsigned backup in between are captured again.
  const mixed = await incremental();
  writeFileSync(join(mixed.directory, 'manifest.sig'), 'forged');
  expect((await incremental({ signKey })).incremental?.base).toBe(report.id);
});

test('a signed chain whose base is unsigned, or was exchanged for another signed one, is not verified', async () => {
  const { signKey, requireSignature } = makeKeys('ours');
  const key = createPublicKey(readFileSync(requireSignature));
  const other = await backUp({ signKey });
  domino.modified.set('names.nsf', new Date());
  const base = await backUp({ signKey });
  const link = await incremental({ signKey });
  const verify = () => verifyBackup(() => domino.binding, { manifest: link.directory, requireSignature });
  expect(await verify()).toMatchObject({ outcome: 'intact' });
  const names = ['manifest.json', 'manifest.sig', 'databases.ndjson'] as const;
  const kept = names.map((name) => readFileSync(join(base.directory, name)));
  const failed = { outcome: 'damaged', counts: { damaged: link.incremental?.links[0]?.databases } };
  const whyNot = async (): Promise<unknown> => (await loadLinks(await loadManifest(link.directory), key)).get(base.id);

  rmSync(join(base.directory, 'manifest.sig'));
  expect(await whyNot()).toContain('is not signed');
  expect(await verify()).toMatchObject(failed);

  // The list of its databases is the same, but the head names another place for their copies.
  const head = JSON.parse(kept[0]!.toString()) as ManifestHead & { sha256?: string };
  delete head.sha256;
  const lines = kept[2]!.toString().trimEnd().split('\n');
  const databases = lines.map((line) => JSON.parse(line) as ManifestDatabase);
  const forged = { ...head, copies: { directory: dirname(base.directory), databases: 4 } } as ManifestHead;
  await writeManifest(base.directory, databases, () => forged);
  writeFileSync(join(base.directory, 'manifest.sig'), kept[1]!);
  expect((await loadManifest(base.directory)).databasesSha256).toBe(head.databasesSha256);
  expect(await whyNot()).toContain('is not a signature of');
  expect(await verify()).toMatchObject(failed);

  for (const name of names) writeFileSync(join(base.directory, name), readFileSync(join(other.directory, name)));
  expect(await whyNot()).toContain('it is the manifest of another backup');
  expect(await verify()).toMatchObject(failed);
});

test.each<[string, () => Partial<BeginBackupOptions>]>([
  ['incremental', () => ({ incremental: true, source: 'volumes', volumes: [domino.root], domino: undefined })],
  [
    'incremental',
    () => ({
      incremental: true,
      mode: {
        type: 'stop-service',
        service: {
          name: 'domino',
          isRunning: () => Promise.resolve(true),
          stop: () => Promise.resolve(),
          start: () => Promise.resolve(),
        },
      },
    }),
  ],
  ['logArchive', () => ({ logArchive: domino.deltaDirectory })],
])('%s is refused where it has no meaning', async (option, options) => {
  await expect(backUp(options())).rejects.toMatchObject({ code: 'ERR_OPTION', option });
});
