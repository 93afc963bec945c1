import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recoverInterrupted } from '#lib/recover/recover';
import type { RecoveryReport } from '#lib/recover/report';
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
