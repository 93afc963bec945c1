import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeLeftOver,
  Journal,
  journalDirectory,
  newWorkId,
  readJournals,
  type JournalHead,
} from '#lib/store/journal';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-journal-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const work = (id = newWorkId()): Parameters<typeof Journal.open>[1] => ({
  id,
  work: 'backup',
  dataDirectory: '/data',
  backupDirectory: `/delta/${id}`,
});

/** The journal of a process that has died: its number may belong to another one by now. */
function writeDead(change: Partial<JournalHead> = {}): string {
  const id = newWorkId();
  const head: JournalHead = {
    format: 1,
    ...work(id),
    pid: process.pid,
    processStart: '1',
    host: hostname(),
    created: '2026-01-01T00:00:00.000Z',
    provider: 'btrfs',
    shadows: ['/mnt/.domino-vss/a/0'],
    snapshotSet: '',
    pendingHook: '',
    exposures: [],
    stoppedService: '',
    databasesInBackupMode: 2,
    restoring: [],
    temporaryFiles: [],
    ended: false,
    ...change,
  };
  mkdirSync(journalDirectory(directory), { recursive: true });
  const file = join(journalDirectory(directory), `${id}.journal`);
  writeFileSync(file, `${JSON.stringify(head)}\n"names.nsf"\n"log.nsf"\n`);
  return file;
}

test('a journal names what is about to be done and goes with it', async () => {
  const { journal, leftOvers } = await Journal.open(directory, work('20260101T000000Z-000000'));
  expect(leftOvers).toEqual([]);
  await journal.update({ shadows: ['/s'] }, ['names.nsf', 'Büro/ñ.nsf']);
  const file = join(journalDirectory(directory), '20260101T000000Z-000000.journal');
  const [head, ...paths] = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(head!)).toMatchObject({ pid: process.pid, shadows: ['/s'], databasesInBackupMode: 2 });
  expect(paths.map((line) => JSON.parse(line) as string)).toEqual(['names.nsf', 'Büro/ñ.nsf']);
  await journal.update({ exposures: ['/x'] });
  expect(readFileSync(file, 'utf8')).toContain('"names.nsf"');
  await journal.remove();
  expect(readdirSync(journalDirectory(directory))).toEqual([]);
});

test('one that is removed is not written again', async () => {
  const { journal } = await Journal.open(directory, work());
  const written = journal.update({ exposures: ['/x'] });
  const removed = journal.remove();
  await expect(journal.update({ exposures: [] })).rejects.toMatchObject({ code: 'ERR_STATE' });
  await Promise.all([written, removed]);
  expect(readdirSync(journalDirectory(directory))).toEqual([]);
});

test('a live one locks its data directory and no other', async () => {
  const { journal } = await Journal.open(directory, work());
  await expect(Journal.open(directory, work())).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  const other = await Journal.open(directory, { ...work(), dataDirectory: '/other' });
  await other.journal.remove();
  await journal.remove();
  const again = await Journal.open(directory, work());
  await again.journal.remove();
});

test('of two that come together at most one gets in', async () => {
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => Journal.open(directory, work())));
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
});

test('one of a dead process is reported and not touched', async () => {
  const dead = writeDead();
  const before = readFileSync(dead, 'utf8');
  const { journal, leftOvers } = await Journal.open(directory, work());
  expect(leftOvers).toEqual([expect.objectContaining({ journal: dead, databasesInBackupMode: 2 })]);
  expect(describeLeftOver(leftOvers[0]!)).toContain(
    'up to 2 databases may still be in backup mode until the server restarts; shadows may be left: /mnt/.domino-vss/a/0',
  );
  await journal.remove();
  expect(readFileSync(dead, 'utf8')).toBe(before);
});

test('says what a restore and a stopped service have left', () => {
  writeDead({
    stoppedService: 'domino.service',
    databasesInBackupMode: 0,
    exposures: ['/mnt/b'],
    pendingHook: 'lvm',
    restoring: [{ file: '/data/x.nsf', original: '/data/x.nsf.domino-vss-original', offline: true }],
    temporaryFiles: Array.from({ length: 12 }, (_value, index) => `/data/${index}.nsf.domino-vss-restore`),
  });
  return readJournals(directory, '/data').then(({ leftOvers }) => {
    const text = describeLeftOver(leftOvers[0]!);
    expect(text).toContain('the service domino.service may still be stopped');
    expect(text).toContain('shadows may be exposed at /mnt/b');
    expect(text).toContain('the hook lvm had not answered: its snapshot may be there, or still come');
    expect(text).toContain('/data/x.nsf may be offline, its original is /data/x.nsf.domino-vss-original');
    expect(text).toMatch(/files that nobody needs may be left: \/data\/0\.nsf\.domino-vss-restore, .*, and 2 more/);
    expect(text).not.toContain('backup mode');
  });
});

test('one of an earlier version, which did not know all fields, is read', async () => {
  writeDead({ snapshotSet: undefined, pendingHook: undefined, temporaryFiles: undefined } as object);
  const [left] = (await readJournals(directory, '/data')).leftOvers;
  expect(left).toMatchObject({ snapshotSet: '', pendingHook: '', temporaryFiles: [] });
  expect(describeLeftOver(left!)).toContain('shadows may be left');
});

test('one whose work has ended locks nobody out, even while its process lives', async () => {
  const { journal } = await Journal.open(directory, work());
  await journal.update({ ended: true, shadows: ['/could/not/be/removed'] });
  const { journal: next, leftOvers } = await Journal.open(directory, work());
  expect(leftOvers).toEqual([expect.objectContaining({ shadows: ['/could/not/be/removed'] })]);
  await next.remove();
});

test('one of another host says nothing about this one', async () => {
  writeDead({ host: 'elsewhere' });
  expect(await readJournals(directory, '/data')).toEqual({ live: [], leftOvers: [] });
});

test('a file that is no journal is an error, not nothing', async () => {
  const file = writeDead();
  writeFileSync(file, 'torn');
  await expect(readJournals(directory, '/data')).rejects.toMatchObject({ code: 'ERR_FILE_SYSTEM' });
});
