import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import type { BackupReport } from '#lib/backup/report';
import type { NativeFailure } from '#lib/native/failure';
import { loadManifest } from '#lib/store/manifest';
import { alreadyInProgress, failure, FakeDomino } from '../fake-binding';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino(['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf']);
});

afterEach(() => {
  domino.destroy();
});

async function backUp(options: Partial<BeginBackupOptions> = {}): Promise<BackupReport> {
  const backup = await beginBackup(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
  try {
    await backup.createShadow();
    const report = await backup.endBackup({ keep: true });
    return { ...report, warnings: report.warnings.filter(({ code }) => code !== 'WARN_DELTA_VOLUME') };
  } finally {
    await backup.dispose();
  }
}

/** As in the catalog: a file with the name of a database that does not begin like one is a problem, and is not listed. */
function emptied(path: string): void {
  const catalog = domino.catalog.bind(domino);
  writeFileSync(domino.file(path), '');
  domino.problems = [notDatabase(path)];
  domino.catalog = () => {
    const all = catalog();
    const at = all.paths.indexOf(path);
    const without = <T>(column: readonly T[]): T[] => column.filter((_value, index) => index !== at);
    return { ...all, paths: without(all.paths), files: without(all.files), fileIds: without(all.fileIds) };
  };
}

const notDatabase = (path: string): NativeFailure =>
  failure({
    code: 'ERR_FIND',
    phase: 'find',
    text: 'has the name of a database but neither its signature nor a link’s path',
    subject: domino.file(path),
  });

test('the first backup has nothing to compare with; the second says with which one it was compared', async () => {
  const first = await backUp();
  expect(first.continuity).toMatchObject({ comparedWith: null, vanished: [], lost: [], replaced: [] });
  const second = await backUp();
  expect(second).toMatchObject({ outcome: 'complete', warnings: [], continuity: { comparedWith: first.id } });
  expect((await loadManifest(second.directory)).continuity).toEqual(second.continuity);
});

test('a deleted database makes one backup partial, is named, and does not count towards a limit', async () => {
  await backUp();
  rmSync(domino.file('mail/bob.nsf'));
  const next = await backUp({ maxSkipped: 0 });
  expect(next).toMatchObject({
    outcome: 'partial',
    skipped: [{ database: 'mail/bob.nsf', code: 'ERR_DATABASE_VANISHED' }],
    continuity: { vanished: ['mail/bob.nsf'], lost: [] },
  });
  expect(await backUp()).toMatchObject({ outcome: 'complete', continuity: { vanished: [] } });
});

test('a database that is no longer selected does not count as vanished', async () => {
  await backUp();
  rmSync(domino.file('mail/bob.nsf'));
  expect(await backUp({ exclude: ['mail/bob.nsf'] })).toMatchObject({ outcome: 'complete', skipped: [] });
});

test('a database that became unreadable makes every backup partial until it is back', async () => {
  const first = await backUp();
  emptied('mail/bob.nsf');
  const lost = { outcome: 'partial', skipped: [{ database: 'mail/bob.nsf', code: 'ERR_DATABASE_UNREADABLE' }] };
  const second = await backUp();
  expect(second).toMatchObject({ ...lost, continuity: { comparedWith: first.id, lost: ['mail/bob.nsf'] } });
  expect(await backUp()).toMatchObject({ ...lost, continuity: { comparedWith: second.id, lost: ['mail/bob.nsf'] } });
  await expect(backUp({ maxSkipped: 0 })).rejects.toMatchObject({ code: 'ERR_TOO_MANY_SKIPPED' });
});

test('a file that was never a database is only a warning', async () => {
  emptied('mail/bob.nsf');
  expect(await backUp()).toMatchObject({
    outcome: 'complete',
    warnings: [{ code: 'WARN_NOT_A_DATABASE', subjects: ['mail/bob.nsf'] }],
  });
  expect(await backUp()).toMatchObject({
    outcome: 'complete',
    warnings: [{ code: 'WARN_NOT_A_DATABASE', subjects: ['mail/bob.nsf'] }],
  });
});

test('a database that cannot be captured counts as lost if an earlier backup has it, and is only named otherwise', async () => {
  domino.refusing.set('mail/ada.nsf', alreadyInProgress);
  await backUp();
  domino.refusing.set('mail/bob.nsf', alreadyInProgress);
  const report = await backUp();
  expect(report.continuity).toMatchObject({ lost: ['mail/bob.nsf'], neverCaptured: ['mail/ada.nsf'] });
  expect(report.warnings).toEqual([
    { code: 'WARN_NEVER_CAPTURED', message: 'not in any backup so far: mail/ada.nsf', subjects: ['mail/ada.nsf'] },
  ]);
});

test('a replaced database is named, and is in the backup', async () => {
  const first = await backUp();
  copyFileSync(domino.file('mail/bob.nsf'), join(domino.root, 'other.nsf'));
  renameSync(join(domino.root, 'other.nsf'), domino.file('mail/bob.nsf'));
  const report = await backUp();
  expect(report).toMatchObject({
    outcome: 'complete',
    continuity: { replaced: [{ database: 'mail/bob.nsf', changed: ['file'] }] },
    warnings: [
      {
        code: 'WARN_DATABASE_REPLACED',
        message: `different databases from those in backup ${first.id}: mail/bob.nsf (file)`,
        subjects: ['mail/bob.nsf'],
      },
    ],
  });
});

test('a database that is not logged any more ends what older backups of it reach', async () => {
  const first = await backUp();
  domino.unlogged.add('mail/bob.nsf');
  const report = await backUp();
  expect(report.continuity?.replaced).toEqual([{ database: 'mail/bob.nsf', changed: ['instance id'] }]);
  expect(report.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_INSTANCE_ID_CHANGED',
      message: expect.stringContaining(
        `an instance id different from that in backup ${first.id}, or none: mail/bob.nsf; the transaction log`,
      ),
    }),
  );
  // Logged again, it is new to the log: no older backup can be rolled forward to this state.
  domino.unlogged.clear();
  expect((await backUp()).continuity?.replaced).toEqual([]);
});

test('a damaged last backup is named, and the one before it is compared with', async () => {
  const first = await backUp();
  const second = await backUp();
  writeFileSync(join(second.directory, 'databases.ndjson'), '');
  const third = await backUp();
  expect(third.continuity?.comparedWith).toBe(first.id);
  expect(third.warnings).toEqual([
    {
      code: 'WARN_BACKUP_UNREADABLE',
      message: expect.stringContaining(`cannot be compared with backup ${second.id}`),
      subjects: [second.id],
      errorCode: 'ERR_MANIFEST',
    },
  ]);
});

test('backups of another data directory, and unfinished ones, are not compared with', async () => {
  const first = await backUp();
  const other = new FakeDomino(['other.nsf']);
  try {
    const backup = await beginBackup(() => other.binding, {
      domino: other.location,
      deltaDirectory: domino.deltaDirectory,
    });
    await backup.createShadow();
    expect((await backup.endBackup()).continuity?.comparedWith).toBeNull();
  } finally {
    other.destroy();
  }
  const unfinished = await backUp();
  rmSync(join(unfinished.directory, 'manifest.json'));
  expect(await backUp()).toMatchObject({ continuity: { comparedWith: first.id }, warnings: [] });
});
