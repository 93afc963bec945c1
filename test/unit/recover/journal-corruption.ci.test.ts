import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { isDominoVssError } from '#lib/errors/errors';
import { recoverInterrupted } from '#lib/recover/recover';
import { drillDirectory } from '#lib/recover/restores';
import { identityOf } from '#lib/store/file-identity';
import { newWorkId } from '#lib/store/journal';
import type { JournalHead } from '#lib/store/journal-format';
import { memoryDirectory } from '../../platform';
import { Chance, damages } from '../damage';
import { FakeDomino } from '../fake-binding';
import { writeDeadJournal } from './dead-journal';

// Damages the journal of a dead process in each case, at random, and recovers. A damaged journal names files that nobody meant, so
// nothing that it names may be touched. DOMINO_VSS_CASES is the number of cases, DOMINO_VSS_SEED another seed.

const cases = Number(process.env['DOMINO_VSS_CASES'] ?? (process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? 1000 : 150));
const seed = Number(process.env['DOMINO_VSS_SEED'] ?? 20261128);

const path = 'mail/ada.nsf';

/** Work of dead processes: each returns its journal. */
const works: readonly ((domino: FakeDomino) => Promise<string>)[] = [
  async (domino) => {
    const [file, original, temporary] = ['', '.domino-vss-original', '.domino-vss-restore'].map(
      (ending) => domino.file(path) + ending,
    ) as [string, string, string];
    domino.offline.add(file);
    renameSync(file, original);
    writeFileSync(file, 'the copy of the backup');
    const database = { file, original, temporary, offline: true, hadOriginal: true, copy: await identityOf(file) };
    const change: Partial<JournalHead> = { work: 'restore', restoring: [database], restorePhase: 'replacing' };
    return writeDeadJournal(domino, { ...change, temporaryFiles: [temporary] });
  },
  (domino) => {
    const id = newWorkId();
    const backupDirectory = join(domino.deltaDirectory, id);
    const copies = ['names.nsf', path].map((name) => join(domino.root, 'copies', name));
    for (const file of [...copies, join(backupDirectory, '0000.delta')]) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, 'half');
    }
    for (const name of ['names.nsf', path]) domino.abandoned.set(name, 'ends');
    const change = { id, backupDirectory, databasesInBackupMode: 2, copiedFiles: 2 };
    return Promise.resolve(writeDeadJournal(domino, change, ['names.nsf', path, ...copies]));
  },
  (domino) => {
    const id = newWorkId();
    const restored = join(domino.dataDirectory, drillDirectory(id));
    mkdirSync(restored);
    writeFileSync(join(restored, 'names.nsf'), 'a trial restore');
    return Promise.resolve(writeDeadJournal(domino, { id, work: 'drill', temporaryFiles: [restored] }));
  },
];

/** The contents of every file, except the journals. */
function files(domino: FakeDomino): Record<string, string> {
  const names = (readdirSync(domino.root, { recursive: true }) as string[]).filter(
    (name) => !name.includes('.journal'),
  );
  const isFile = (name: string): boolean => statSync(join(domino.root, name)).isFile();
  return Object.fromEntries(
    names.filter(isFile).map((name) => [name, readFileSync(join(domino.root, name), 'latin1')]),
  );
}

async function runCase(number: number): Promise<{ readonly wrong: readonly string[]; readonly isSame: boolean }> {
  const chance = new Chance(`${seed} ${number}`);
  const domino = new FakeDomino(undefined, memoryDirectory);
  try {
    const journals = [];
    for (const work of works) journals.push(await work(domino));
    const journal = chance.of(journals);
    const others = journals.filter((other) => other !== journal);
    const sound = readFileSync(journal);
    const what = chance.of(damages)(journal, others, chance);
    const found = statSync(journal, { throwIfNoEntry: false });
    const isSame = found?.isFile() === true && readFileSync(journal).equals(sound);
    // Only the damaged work is looked at; another journal that was swapped with it is damaged, too.
    for (const other of others) rmSync(other);
    const before = files(domino);
    const wrong: string[] = [];
    const say = (text: string): unknown => wrong.push(`case ${number}, ${what}: ${text}`);
    const options = { deltaDirectory: domino.deltaDirectory, domino: domino.location };
    const report = await recoverInterrupted(() => domino.binding, options).catch((error: unknown) => {
      say(`recover: ${isDominoVssError(error) ? error.code : String(error)}`);
      return undefined;
    });
    if (isSame) {
      if (report?.outcome !== 'recovered') say(`sound work is not recovered: ${JSON.stringify(report?.works)}`);
      return { wrong, isSame };
    }
    if (JSON.stringify(files(domino)) !== JSON.stringify(before)) say('files have changed');
    const isGone = found === undefined;
    if (!isGone && !report?.unusable.some((one) => one.journal === journal)) say('the journal is not named');
    // It blocks nobody.
    await using backup = await beginBackup(() => domino.binding, options);
    await backup.createShadow();
    const { outcome } = await backup.endBackup();
    // While an original of ours lies aside, no backup is complete.
    const isAside = Object.keys(before).some((name) => name.endsWith('.domino-vss-original'));
    if (outcome !== (isAside ? 'partial' : 'complete')) say(`the next backup is ${outcome}`);
    return { wrong, isSame };
  } finally {
    domino.destroy();
  }
}

test('sound journals are believed', async () => {
  const domino = new FakeDomino(undefined, memoryDirectory);
  try {
    for (const work of works) await work(domino);
    const { deltaDirectory, location } = domino;
    const report = await recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location });
    expect(report).toMatchObject({ outcome: 'recovered', works: works.map(() => ({ done: true })), unusable: [] });
    expect(domino.offline.size).toBe(0);
  } finally {
    domino.destroy();
  }
});

test(`a damaged journal is named and not believed: ${cases} cases of seed ${seed}`, async () => {
  const wrong: string[] = [];
  let same = 0;
  for (let number = 0; number < cases; number += 1) {
    const found = await runCase(number);
    wrong.push(...found.wrong);
    same += found.isSame ? 1 : 0;
  }
  expect(wrong).toEqual([]);
  // Otherwise the change is no damage, and nothing is tested.
  expect(same).toBeLessThan(cases / 5);
  process.stdout.write(`${cases} cases, ${same} without effect\n`);
}, 3_600_000);
