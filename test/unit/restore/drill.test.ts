import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beginBackup, type BeginBackupOptions } from '#lib/backup/begin-backup';
import { recoverInterrupted } from '#lib/recover/recover';
import { drillRestore, type DrillOptions, type DrillReport } from '#lib/restore/drill';
import { verifyBackup } from '#lib/restore/verify';
import { Journal, newWorkId } from '#lib/store/journal';
import { journalDirectory, readJournals } from '#lib/store/journals';
import { fail, FakeDomino } from '../fake-binding';

const paths = ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf'];
let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino(paths);
  domino.busy.add('mail/ada.nsf').add('apps/crm.nsf');
  domino.unlogged.add('apps/crm.nsf');
  domino.sameReplicaIds = true;
});

afterEach(() => {
  domino.destroy();
});

async function backUp(options: Partial<BeginBackupOptions> = {}): Promise<string> {
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory, ...options });
  await backup.createShadow();
  await backup.endBackup({ keep: true });
  return backup.directory;
}

const drill = (options: Partial<DrillOptions> = {}): Promise<DrillReport> =>
  drillRestore(() => domino.binding, {
    domino: domino.location,
    ...(options.manifest === undefined && { deltaDirectory: domino.deltaDirectory }),
    ...options,
  });

const results = ({ databases }: DrillReport): Record<string, string> =>
  Object.fromEntries(databases.map(({ database, result }) => [database, result]));

/** Nothing of a drill is left, and nothing is locked. */
function expectNothingLeft(): void {
  expect(readdirSync(domino.dataDirectory).filter((name) => name.includes('domino-vss'))).toEqual([]);
  expect(readdirSync(journalDirectory(domino.deltaDirectory))).toEqual([]);
  expect(domino.locks).toEqual(new Set());
}

test('the last backup is drilled: logged databases are recovered, the others opened elsewhere, and all removed', async () => {
  await backUp();
  const directory = await backUp();
  const before = paths.map((path) => domino.read(path));
  const opened: string[] = [];
  const readIdentities = domino.binding.readIdentities.bind(domino.binding);
  Object.assign(domino.binding, {
    readIdentities: ({ paths: asked }: { paths: readonly string[] }) => {
      opened.push(...asked);
      return readIdentities({ paths: asked });
    },
  });
  const report = await drill();
  expect(report).toMatchObject({ backupId: basename(directory), outcome: 'passed', of: 4 });
  expect(results(report)).toEqual({
    'names.nsf': 'recovered',
    'mail/ada.nsf': 'recovered',
    'mail/bob.nsf': 'recovered',
    'apps/crm.nsf': 'opened',
  });
  const scratch = /^domino-vss-drill-\d{8}T\d{6}Z-[0-9a-f]{6}[\\/]/;
  expect(domino.recovered).toHaveLength(3);
  for (const file of domino.recovered) expect(file.slice(domino.dataDirectory.length + 1)).toMatch(scratch);
  expect(opened.filter((path) => scratch.test(path))).toHaveLength(3);
  expect(opened.filter((path) => path.startsWith(domino.deltaDirectory))).toHaveLength(1);
  expect(paths.map((path) => domino.read(path))).toEqual(before);
  expectNothingLeft();
});

test('the requested number is chosen at random from the named ones', async () => {
  await backUp();
  const chosen = new Set<string>();
  for (let round = 0; round < 12; round += 1) {
    const report = await drill({ sample: 1, databases: ['mail/*'] });
    expect(report.of).toBe(2);
    expect(report.databases).toHaveLength(1);
    chosen.add(report.databases[0]!.database);
  }
  expect([...chosen].sort()).toEqual(['mail/ada.nsf', 'mail/bob.nsf']);
}, 60_000);

test('a damaged database fails by name, and the others are drilled all the same', async () => {
  const directory = await backUp();
  for (const name of readdirSync(join(directory, 'deltas'))) {
    const delta = join(directory, 'deltas', name);
    writeFileSync(
      delta,
      readFileSync(delta).map((byte) => byte ^ 1),
    );
  }
  const report = await drill();
  expect(report.outcome).toBe('failed');
  expect(results(report)).toMatchObject({
    'mail/ada.nsf': 'failed',
    'apps/crm.nsf': 'failed',
    'mail/bob.nsf': 'recovered',
  });
  for (const { failure } of report.databases) if (failure) expect(failure.code).toBe('ERR_DELTA_DAMAGED');
  expectNothingLeft();
});

test('one that Domino does not recover fails, and so do those that it does not open', async () => {
  await backUp();
  domino.onCall = (name) =>
    name === 'recoverDatabases' && fail({ domain: 'domino', status: 0x13e5, operation: 'NSFRecoverDatabases' });
  const unrecovered = await drill({ databases: ['mail/*'] });
  expect(results(unrecovered)).toEqual({ 'mail/ada.nsf': 'failed', 'mail/bob.nsf': 'failed' });
  expect(unrecovered.databases[0]!.failure).toMatchObject({ operation: 'NSFRecoverDatabases' });
  domino.onCall = (name) =>
    name === 'readIdentities' && fail({ domain: 'domino', status: 0x0246, operation: 'NSFDbOpen' });
  const unopened = await drill();
  expect(unopened.databases.map(({ result }) => result)).toEqual(['failed', 'failed', 'failed', 'failed']);
  expectNothingLeft();
});

test('a recovery that gives no new replica id fails: the database would replicate with the original', async () => {
  await backUp();
  const recoverDatabases = domino.binding.recoverDatabases.bind(domino.binding);
  Object.assign(domino.binding, {
    recoverDatabases: (options: Parameters<typeof recoverDatabases>[0]) =>
      recoverDatabases({ ...options, newReplicaId: false }),
  });
  const report = await drill({ databases: ['mail/ada.nsf'] });
  expect(report.databases[0]!.failure?.text).toBe('it was recovered but has no new replica id');
});

test('a replica id that Domino does not return proves nothing, and damages nothing', async () => {
  const manifest = await backUp();
  const readIdentities = domino.binding.readIdentities.bind(domino.binding);
  Object.assign(domino.binding, {
    readIdentities: async (asked: Parameters<typeof readIdentities>[0]) => ({
      ...(await readIdentities(asked)),
      replicaId: new Uint8Array(8),
    }),
  });
  const failure = { code: 'ERR_RESTORE_SOURCE', text: expect.stringContaining('NSFDbReplicaInfoGet') as unknown };
  const { databases: drilled } = await drill();
  expect(drilled.map((one) => one.failure)).toMatchObject([failure, failure, failure, failure]);
  const verified = await verifyBackup(() => domino.binding, { manifest, apply: true, domino: domino.location });
  expect(verified.databases.map(({ failures }) => failures)).toMatchObject([
    [failure],
    [failure],
    [failure],
    [failure],
  ]);
});

test('a recovery that hangs takes no longer than the drill may, and is named', async () => {
  await backUp();
  Object.assign(domino.binding, { recoverDatabases: () => new Promise(() => undefined) });
  await expect(drill({ databases: ['mail/ada.nsf'], databaseBudgetMs: 300, timeoutMs: 1_500 })).rejects.toMatchObject({
    code: 'ERR_DEADLINE',
    failures: [{ database: 'mail/ada.nsf', operation: 'NSFRecoverDatabases' }],
  });
});

test('an abort leaves nothing', async () => {
  await backUp();
  const abort = new AbortController();
  domino.onCall = (name) => {
    if (name === 'applyChangeInfo') abort.abort();
  };
  await expect(drill({ signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expectNothingLeft();
});

test('what an interrupted drill has restored is removed by recover', async () => {
  await backUp();
  const { deltaDirectory, dataDirectory, location } = domino;
  const id = newWorkId();
  const directory = join(dataDirectory, `domino-vss-drill-${id}`);
  const place = { id, work: 'drill', dataDirectory, backupDirectory: '', deltaDirectory } as const;
  const { journal } = await Journal.open(place);
  await journal.update({ temporaryFiles: [directory] });
  domino.write(`domino-vss-drill-${id}/mail/ada.nsf`, 'x');
  await journal.update({ ended: true });
  const report = await recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location });
  expect(report).toMatchObject({ outcome: 'recovered', works: [{ leftOver: { work: 'drill' } }] });
  expect(existsSync(directory)).toBe(false);
  expect((await readJournals(deltaDirectory, dataDirectory)).leftOvers).toEqual([]);
});

test('recover removes nothing that a forged journal calls a drill', async () => {
  await backUp();
  const { deltaDirectory, dataDirectory, location } = domino;
  const { journal } = await Journal.open({
    id: newWorkId(),
    work: 'drill',
    dataDirectory,
    backupDirectory: '',
    deltaDirectory,
  });
  await journal.update({ temporaryFiles: [join(dataDirectory, 'mail')], ended: true });
  const report = await recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location });
  expect(report.outcome).toBe('partial');
  expect(existsSync(join(dataDirectory, 'mail', 'ada.nsf'))).toBe(true);
});

test('without a backup of this server there is nothing to drill', async () => {
  await backUp();
  const other = new FakeDomino();
  try {
    const options = { deltaDirectory: domino.deltaDirectory, domino: other.location };
    await expect(drillRestore(() => other.binding, options)).rejects.toMatchObject({ code: 'ERR_RESTORE_SOURCE' });
  } finally {
    other.destroy();
  }
});

test.each([[{}], [{ deltaDirectory: '/delta', manifest: '/manifest' }], [{ deltaDirectory: '/delta', sample: 0 }]])(
  '%j is refused',
  async (options) => {
    await expect(drillRestore(() => domino.binding, options)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  },
);

describe('verify with apply', () => {
  test('opens a copy of each database with its change information, outside of the data directory', async () => {
    const manifest = await backUp();
    const applied: string[] = [];
    const applyChangeInfo = domino.binding.applyChangeInfo.bind(domino.binding);
    Object.assign(domino.binding, {
      applyChangeInfo: async (options: Parameters<typeof applyChangeInfo>[0]) => {
        applied.push(options.copyFile);
        return applyChangeInfo(options);
      },
    });
    const report = await verifyBackup(() => domino.binding, { manifest, apply: true, domino: domino.location });
    expect(report.outcome).toBe('intact');
    expect(report.databases.map(({ applied: state }) => state)).toEqual(['opened', 'opened', 'opened', 'opened']);
    expect(applied).toHaveLength(2);
    for (const file of applied) expect(file.startsWith(join(domino.deltaDirectory, '.journal'))).toBe(true);
    expectNothingLeft();
    const plain = await verifyBackup(() => domino.binding, { manifest });
    expect(plain.databases.map(({ applied: state }) => state)).toEqual(['none', 'none', 'none', 'none']);
  });

  test('says which change information cannot be applied, and which database is another one', async () => {
    const manifest = await backUp();
    domino.onCall = (name) =>
      name === 'applyChangeInfo' &&
      fail({ domain: 'domino', status: 0x0ea7, operation: 'NSFBackupApplyNextChangeInfo' });
    const options = { manifest, apply: true, domino: domino.location };
    const refused = await verifyBackup(() => domino.binding, options);
    expect(refused.outcome).toBe('damaged');
    const damaged = refused.databases.filter(({ applied }) => applied === 'damaged').map(({ database }) => database);
    expect(damaged.sort()).toEqual(['apps/crm.nsf', 'mail/ada.nsf']);
    domino.onCall = () => undefined;
    const readIdentities = domino.binding.readIdentities.bind(domino.binding);
    Object.assign(domino.binding, {
      readIdentities: async (asked: Parameters<typeof readIdentities>[0]) => ({
        ...(await readIdentities(asked)),
        replicaId: new Uint8Array(8).fill(9),
      }),
    });
    const other = await verifyBackup(() => domino.binding, options);
    expect(other.databases[0]!.failures[0]).toMatchObject({ code: 'ERR_CONTENTS_DAMAGED' });
    expect(other.counts.damaged).toBe(4);
    expectNothingLeft();
  });
});
