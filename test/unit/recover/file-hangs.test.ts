import { existsSync, mkdirSync, promises, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beginBackup } from '#lib/backup/begin-backup';
import { recoverInterrupted } from '#lib/recover/recover';
import type { RecoveryReport } from '#lib/recover/report';
import { drillRestore } from '#lib/restore/drill';
import { restoreDatabases } from '#lib/restore/restore';
import { identityOf } from '#lib/store/file-identity';
import { journalDirectory } from '#lib/store/journals';
import { ownIdentity } from '#lib/store/process-identity';
import { linuxTest, memoryDirectory } from '../../platform';
import { FakeDomino } from '../fake-binding';
import { hang } from '../hanging-files';
import { writeDeadJournal } from './dead-journal';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino(undefined, memoryDirectory);
});

afterEach(() => {
  jest.restoreAllMocks();
  domino.destroy();
});

const journals = (): string[] => readdirSync(journalDirectory(domino.deltaDirectory));

const recover = (): Promise<RecoveryReport> => {
  const { deltaDirectory, location } = domino;
  return recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location, databaseBudgetMs: 500 });
};

/** A restore that died between its two renames. */
async function interruptedRestore(): Promise<{ file: string; original: string }> {
  const file = domino.file('mail/ada.nsf');
  const [original, temporary] = [`${file}.domino-vss-original`, `${file}.domino-vss-restore`];
  writeFileSync(temporary, 'the copy of the backup');
  const copy = await identityOf(temporary);
  const restoring = { file, original, temporary, offline: true, hadOriginal: true, copy };
  writeDeadJournal(domino, { work: 'restore', restoring: [restoring], temporaryFiles: [temporary] });
  renameSync(file, original);
  domino.offline.add(file);
  return { file, original };
}

test('a recovery names in its journal what a call of it may still change', async () => {
  const { file, original } = await interruptedRestore();
  const proceed = hang('rename', original);
  expect((await recover()).outcome).toBe('partial');
  const texts = journals().map((name) => readFileSync(join(journalDirectory(domino.deltaDirectory), name), 'utf8'));
  const own = texts.find((text) => text.includes('"work":"recovery"')) ?? '';
  expect(JSON.parse(own.split('\n')[0] ?? '')).toMatchObject({ ended: true, hanging: [file] });
  await proceed();
  jest.restoreAllMocks();
  expect((await recover()).outcome).toBe('recovered');
  expect(journals()).toEqual([]);
});

test('the emptied directory of a shadow that cannot be removed is left, and named', async () => {
  const id = '20260807T101530Z-3f9a2c';
  const parent = join(domino.root, 'shadows', id);
  mkdirSync(parent, { recursive: true });
  writeDeadJournal(domino, { id, provider: 'rolling', shadows: [join(parent, 'c')] });
  const proceed = hang('rmdir', parent);
  const { outcome, works } = await recover();
  expect(outcome).toBe('partial');
  const error = expect.objectContaining({ code: 'ERR_FILE_HANGS' }) as unknown;
  expect(works[0]?.items).toContainEqual(expect.objectContaining({ subject: parent, result: 'left', error }));
  await proceed();
  jest.restoreAllMocks();
  expect((await recover()).outcome).toBe('recovered');
  expect(existsSync(parent)).toBe(false);
});

/** Work that first recovers what a dead process has left, on a manifest. It ends by itself or when the signal fires. */
type Work = (manifest: string, signal: AbortSignal) => Promise<unknown>;
const common = (): { readonly domino: typeof domino.location; readonly databaseBudgetMs: number } => {
  return { domino: domino.location, databaseBudgetMs: 500 };
};

test.each<[string, Work]>([
  [
    'a backup',
    (_manifest, signal) =>
      beginBackup(() => domino.binding, { ...common(), deltaDirectory: domino.deltaDirectory, signal }),
  ],
  [
    'a restore',
    (manifest, signal) =>
      restoreDatabases(() => domino.binding, { ...common(), manifest, databases: ['names.nsf'], signal }),
  ],
  ['a drill', (manifest, signal) => drillRestore(() => domino.binding, { ...common(), manifest, signal })],
])('%s names in a journal what its recovery may still change', async (_what, work) => {
  const { deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { ...common(), deltaDirectory });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.root, 'copies') });
  await backup.endBackup();
  const { file, original } = await interruptedRestore();
  const proceed = hang('rename', original);
  const controller = new AbortController();
  const ended = work(backup.directory, controller.signal).catch(() => undefined);
  // A restore gives the call up after its budget, the others when they are aborted.
  const calls = (): readonly unknown[][] => jest.mocked(promises.rename).mock.calls;
  while (!calls().some(([from]) => from === original)) await delay(10);
  controller.abort();
  await ended;
  const texts = journals().map((name) => readFileSync(join(journalDirectory(deltaDirectory), name), 'utf8'));
  const own = texts.find((text) => text.includes('"work":"recovery"')) ?? '{}';
  expect(JSON.parse(own.split('\n')[0] ?? '')).toMatchObject({ ended: true, hanging: [file] });
  await proceed();
  jest.restoreAllMocks();
  expect((await recover()).outcome).toBe('recovered');
  expect(journals()).toEqual([]);
});

linuxTest(
  'a recovery leaves a database alone on which a call of an earlier one hangs, in another process',
  async () => {
    const { file, original } = await interruptedRestore();
    const [, fields = ''] = readFileSync(`/proc/${process.ppid}/stat`, 'latin1').split(') ');
    const alive = { ...ownIdentity(), pid: process.ppid, processStart: fields.split(' ')[19] ?? '' };
    writeDeadJournal(domino, { ...alive, work: 'recovery', ended: true, hanging: [file] });
    const { outcome, works } = await recover();
    expect(outcome).toBe('partial');
    const advice = `Run recover again when process ${process.ppid} has ended.`;
    for (const { items } of works) expect(items).toContainEqual(expect.objectContaining({ subject: file, advice }));
    expect(readFileSync(original, 'utf8')).not.toBe('');
  },
);
