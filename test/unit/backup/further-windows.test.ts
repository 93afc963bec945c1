import { Ajv } from 'ajv';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Backup, CreateShadowOptions } from '#lib/backup/backup';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { BackupReport } from '#lib/backup/report';
import type { Progress } from '#lib/call/progress';
import { restoreDatabases } from '#lib/restore/restore';
import { verifyBackup } from '#lib/restore/verify';
import { journalDirectory } from '#lib/store/journals';
import { loadManifest } from '#lib/store/manifest';
import type { ManifestDatabase } from '#lib/store/manifest-format';
import { alreadyInProgress, failure, FakeDomino } from '../fake-binding';
import { comFailure } from '../fake-vss';

/** Databases that were busy in the first window get another one. */
let domino: FakeDomino;
/** Databases in backup mode whenever a session opens. */
let frozen: number[];
let opened: number;
/** What happens when the session with this number opens. */
let onOpen: Map<number, () => void>;

const compacting = failure({ domain: 'domino', operation: 'NSFBackupStart', status: 0x13aa, text: 'compacting' });
const overload = failure({ domain: 'domino', operation: 'NSFBackupStop', phase: 'stop', status: 0x2dd8 | 0x8000 });
const broken = failure({ domain: 'domino', operation: 'NSFBackupStart', status: 0x0102, text: 'broken' });

beforeEach(() => {
  domino = new FakeDomino();
  frozen = [];
  opened = 0;
  onOpen = new Map();
  domino.onCall = (name) => {
    if (name !== 'open') return;
    frozen.push(domino.inBackupMode.size);
    onOpen.get(++opened)?.();
  };
});

afterEach(() => {
  domino.destroy();
});

const retries = { busyDatabases: 2, busyPauseMs: 1 };

function begin(options: Partial<BeginBackupOptions> = {}): Promise<Backup> {
  return beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
}

/** A backup whose shadows are kept. */
async function backUp(options: CreateShadowOptions = { retries }): Promise<BackupReport> {
  const backup = await begin();
  await backup.createShadow(options);
  return backup.endBackup({ keep: true });
}

/** `mail/ada.nsf` is compacted during the first window and changed during the next one. */
function compactAda(): void {
  domino.refusing.set('mail/ada.nsf', compacting);
  onOpen.set(2, () => {
    domino.refusing.clear();
    domino.busy.add('mail/ada.nsf');
  });
}

async function databaseOf(directory: string, path: string): Promise<ManifestDatabase | undefined> {
  for await (const database of (await loadManifest(directory)).databases()) if (database.path === path) return database;
  return undefined;
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a database that was compacted during the first window is in the second one, with a shadow of its own', async () => {
  compactAda();
  const progress: Progress[] = [];
  const report = await backUp({ retries, onProgress: (one) => progress.push(one) });
  expect(report).toMatchObject({ outcome: 'complete', skipped: [] });
  expect(report.counts).toMatchObject({ databases: 4, captured: 4, skipped: 0, deltas: 1 });
  expect(report.furtherWindows).toMatchObject([{ number: 2, databases: 1 }]);
  expect(report.volumes.map(({ id }) => id)).toEqual([`${report.id}-0`, `${report.id}-2-0`]);
  expect(frozen).toEqual([0, 0]);
  expect(progress.filter(({ type }) => type === 'busy')).toEqual([
    { type: 'busy', window: 2, windows: 3, pauseMs: 1, databases: 1 },
  ]);
  // Only of these databases.
  const root = report.volumes[1]!.root;
  const files = readdirSync(root, { recursive: true }).filter((file) => (file as string).endsWith('.nsf'));
  expect(files).toEqual([join('data', 'mail', 'ada.nsf')]);
  const manifest = await loadManifest(report.directory);
  expect(manifest.furtherWindows).toEqual(report.furtherWindows);
  expect(await databaseOf(report.directory, 'mail/ada.nsf')).toMatchObject({
    index: domino.catalog().paths.indexOf('mail/ada.nsf'),
    shadow: `${report.id}-2-0`,
    delta: 'window-2/deltas/0.delta',
  });
  expect(await databaseOf(report.directory, 'mail/bob.nsf')).not.toHaveProperty('shadow');
  expect(domino.openSessions.size).toBe(0);
});

test.each(['offline', 'online'] as const)('a restore (%s) and verify take it from there', async (type) => {
  const before = domino.read('mail/ada.nsf');
  compactAda();
  const { directory } = await backUp();
  expect(domino.read('mail/ada.nsf')).not.toBe(before);
  const report = await verifyBackup(() => domino.binding, { manifest: directory });
  expect(report).toMatchObject({ outcome: 'intact', counts: { damaged: 0 } });
  const { domino: location } = { domino: domino.location };
  const restored = await restoreDatabases(() => domino.binding, {
    manifest: directory,
    domino: location,
    databases: ['mail/ada.nsf'],
    mode: { type },
  });
  expect(restored.outcome).toBe('complete');
  expect(domino.read('mail/ada.nsf')).toBe(before);
});

test('copies come from the shadows of all windows', async () => {
  const before = domino.read('mail/ada.nsf');
  compactAda();
  const backup = await begin();
  const set = await backup.createShadow({ retries });
  expect(set).toMatchObject({ databases: 4, outcome: 'complete', furtherWindows: [{ number: 2, databases: 1 }] });
  expect([...set.describeDatabases()].map(({ path }) => path).sort()).toEqual(domino.catalog().paths);
  const to = join(domino.root, 'copies');
  expect(await set.copyDatabases({ to })).toMatchObject({ databases: 4, failures: [] });
  const { directory } = await backup.endBackup();
  expect(readFileSync(join(to, 'mail', 'ada.nsf'), 'utf8')).toBe(before);
  expect((await databaseOf(directory, 'mail/ada.nsf'))?.copy).toBeDefined();
  expect(await verifyBackup(() => domino.binding, { manifest: directory })).toMatchObject({
    counts: { verified: 4 },
  });
  expect(domino.remains().filter((file) => file.startsWith('.domino-vss'))).toEqual([]);
});

test('a database that stays busy is left out after the last window, and nothing of these windows is left', async () => {
  domino.refusing.set('mail/ada.nsf', compacting);
  onOpen.set(3, () => domino.refusing.set('mail/ada.nsf', alreadyInProgress));
  const report = await backUp();
  expect(opened).toBe(3);
  expect(report).toMatchObject({ outcome: 'partial', furtherWindows: [] });
  expect(report.skipped).toMatchObject([{ database: 'mail/ada.nsf', status: 0x13aa }]);
  expect(readdirSync(report.directory).filter((name) => name.startsWith('window-'))).toEqual([]);
  expect(report.volumes).toHaveLength(1);
});

test('two databases that become free one after the other are in two windows', async () => {
  domino.refusing.set('mail/ada.nsf', compacting).set('mail/bob.nsf', overload);
  onOpen.set(2, () => domino.refusing.delete('mail/bob.nsf'));
  onOpen.set(3, () => {
    domino.refusing.clear();
  });
  const report = await backUp();
  expect(report).toMatchObject({ outcome: 'complete', furtherWindows: [{ number: 2 }, { number: 3 }] });
  expect(report.volumes).toHaveLength(3);
  expect((await databaseOf(report.directory, 'mail/bob.nsf'))?.shadow).toBe(`${report.id}-2-0`);
  expect((await databaseOf(report.directory, 'mail/ada.nsf'))?.shadow).toBe(`${report.id}-3-0`);
});

test.each<[string, () => void, CreateShadowOptions]>([
  ['unless asked for', () => domino.refusing.set('mail/ada.nsf', compacting), {}],
  ['for other failures', () => domino.refusing.set('mail/ada.nsf', broken), { retries }],
  [
    'without time for the pause',
    () => domino.refusing.set('mail/ada.nsf', compacting),
    { retries: { busyDatabases: 1, busyPauseMs: 120_000 } },
  ],
])('no further window %s', async (_what, arrange, options) => {
  arrange();
  expect(await backUp(options)).toMatchObject({ outcome: 'partial', furtherWindows: [] });
  expect(opened).toBe(1);
});

test('what is required may come in a further window, and fails the backup only when it does not', async () => {
  compactAda();
  const backup = await begin({ required: ['mail/ada.nsf'], maxSkipped: 0 });
  await backup.createShadow({ retries });
  expect(await backup.endBackup()).toMatchObject({ outcome: 'complete' });

  domino.refusing.set('mail/ada.nsf', compacting);
  const another = await begin({ required: ['mail/ada.nsf'] });
  expect(await errorOf(another.createShadow({ retries }))).toMatchObject({ code: 'ERR_REQUIRED_DATABASE' });
  domino.refusing.delete('mail/ada.nsf');
  domino.refusing.set('mail/bob.nsf', compacting);
  const last = await begin({ maxSkipped: 0 });
  expect(await errorOf(last.createShadow({ retries }))).toMatchObject({ code: 'ERR_TOO_MANY_SKIPPED' });
  expect(domino.openSessions.size).toBe(0);
  expect(readdirSync(domino.deltaDirectory).filter((name) => !name.startsWith('.'))).toEqual([
    basename(backup.directory),
  ]);
});

test('a further window that fails does not harm the backup', async () => {
  domino.refusing.set('mail/ada.nsf', compacting);
  const full = failure({ code: 'ERR_NO_SPACE', phase: 'shadow', text: 'no room' });
  onOpen.set(2, () => {
    const { onCall } = domino;
    domino.onCall = (name) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
      if (name === 'capture') throw full;
      return onCall(name);
    };
  });
  const report = await backUp();
  expect(report).toMatchObject({ outcome: 'partial', counts: { captured: 3 }, furtherWindows: [] });
  expect(report.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_WINDOW_FAILED',
      message: expect.stringMatching(/^window 2 for busy databases failed: .*no room/),
    }),
  );
  expect(domino.openSessions.size).toBe(0);
});

test('while a further window is made, the journal names the shadows of both and its databases', async () => {
  compactAda();
  let journal: string[] = [];
  const { onCall } = domino;
  domino.onCall = (name) => {
    if (name === 'capture' && opened === 2) {
      const directory = journalDirectory(domino.deltaDirectory);
      const [file] = readdirSync(directory).filter((entry) => entry.endsWith('.journal'));
      journal = readFileSync(join(directory, file ?? ''), 'utf8')
        .trim()
        .split('\n');
    }
    return onCall(name);
  };
  const { id, volumes } = await backUp();
  const head = JSON.parse(journal[0] ?? '') as { id: string; shadows: string[] };
  expect(head).toMatchObject({ id, shadows: volumes.map(({ root }) => root) });
  expect(journal.slice(1, -1)).toEqual(['"mail/ada.nsf"']);
  expect(readdirSync(journalDirectory(domino.deltaDirectory))).toEqual([]);
});

test('the pause is interrupted, and everything is taken back', async () => {
  domino.refusing.set('mail/ada.nsf', compacting);
  const controller = new AbortController();
  const backup = await begin();
  const created = backup.createShadow({
    retries: { busyDatabases: 1, busyPauseMs: 60_000 },
    signal: controller.signal,
    onProgress: ({ type }) => {
      if (type === 'busy') controller.abort();
    },
  });
  expect(await errorOf(created)).toMatchObject({ code: 'ERR_ABORTED' });
  expect(domino.openSessions.size).toBe(0);
  expect(domino.remains()).toEqual([]);
});

test('a backup that is disposed of during a further window takes both back', async () => {
  domino.refusing.set('mail/ada.nsf', compacting);
  const backup = await begin();
  const { onCall } = domino;
  let disposed: Promise<void> | undefined;
  domino.onCall = async (name) => {
    await onCall(name);
    if (name === 'capture' && opened === 2) disposed ??= backup.dispose();
  };
  expect(await errorOf(backup.createShadow({ retries }))).toBeDefined();
  await disposed;
  expect(domino.calls.filter((call) => call === 'cancel').length).toBeGreaterThanOrEqual(2);
  expect(domino.openSessions.size).toBe(0);
  expect(domino.remains()).toEqual([]);
});

test('a hook makes one snapshot a backup', async () => {
  const create = (): Promise<{ shadows: { volume: string; root: string }[] }> => {
    return Promise.resolve({ shadows: domino.volumes.map(({ path }) => ({ volume: path, root: path })) });
  };
  const backup = await begin({ provider: { name: 'lvm', create } });
  expect(await errorOf(backup.createShadow({ retries }))).toMatchObject({ option: 'retries.busyDatabases' });
  expect(domino.remains()).toEqual([]);
});

test('with VSS the further window is a snapshot set of its own, and both are told that the backup is good', async () => {
  const vss = domino.haveVss();
  compactAda();
  const backup = await begin({ lifetime: 'persistent' });
  const set = await backup.createShadow({ retries });
  expect(set.shadows.map(({ id }) => id)).toHaveLength(2);
  const report = await backup.endBackup({ keep: true });
  const own = report.furtherWindows[0]?.vss;
  expect(own?.setId).not.toBe(report.vss?.setId);
  expect(vss.shadows.map((shadow) => shadow.setId)).toEqual([report.vss?.setId, own?.setId]);
  const closed = ['close', { keepShadow: true, succeeded: true }];
  expect(vss.changes.filter(([what]) => what === 'close')).toEqual([closed, closed]);
  expect((await databaseOf(report.directory, 'mail/ada.nsf'))?.shadow).toBe(vss.shadows[1]?.id);
});

test('with VSS a further window that cannot be made leaves no shadow', async () => {
  const vss = domino.haveVss();
  domino.refusing.set('mail/ada.nsf', compacting);
  onOpen.set(2, () => {
    const { onCall } = domino;
    domino.onCall = (name) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
      if (name === 'drain') throw comFailure(0x80042316, { operation: 'IVssBackupComponents::StartSnapshotSet' });
      return onCall(name);
    };
  });
  const backup = await begin({ lifetime: 'persistent' });
  await backup.createShadow({ retries });
  const report = await backup.endBackup({ keep: true });
  expect(report.outcome).toBe('partial');
  expect(vss.shadows.map((shadow) => shadow.setId)).toEqual([report.vss?.setId]);
});

test('an earlier version of this package, without further windows, refuses the manifest', async () => {
  compactAda();
  const { manifest } = await backUp();
  const schema = JSON.parse(readFileSync(join(__dirname, '../../../../schema/manifest-1.json'), 'utf8')) as {
    properties: Record<string, unknown>;
  };
  const head = JSON.parse(readFileSync(manifest, 'utf8')) as object;
  expect(new Ajv({ strict: true, allowUnionTypes: true }).validate(schema, head)).toBe(true);
  delete schema.properties['furtherWindows'];
  expect(new Ajv({ strict: true, allowUnionTypes: true }).validate(schema, head)).toBe(false);
});
