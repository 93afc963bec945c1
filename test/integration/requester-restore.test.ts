// A restore in which a VSS requester puts the files back: what the writer does before and after it, without VSS.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Server, Verdict } from 'domino-vss-simulator';
import {
  beginBackup,
  readManifest,
  type BackupReport,
  type CopyReport,
  recoverInterrupted,
  restoreDatabases,
  type ManifestDatabase,
} from '#lib/index';
import { loadBinding } from '#lib/native/binding';
import { RequesterRestore, type FilesRestored, type RequesterRestoreReport } from '#lib/restore/requester-restore';
import { journalDirectory } from '#lib/store/journals';
import { repository } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;
let backupId: string;
/** Databases that the server does not hold open, in a directory of their own. */
let mail: ManifestDatabase[];
let atBackup: Map<string, Verdict>;
/** The files of the requester, as they were in the shadow. */
let kept: string;

const verdictOf = async (file: string): Promise<Verdict> => (await domino.simulation.verify([file]))[0]!;
const keptFile = ({ path }: ManifestDatabase): string => join(kept, path.replaceAll('/', '_'));
const journals = (): string[] =>
  readdirSync(journalDirectory(domino.deltaDirectory)).filter((name) => name.endsWith('.journal'));

/** A backup with change information of one of {@link mail}, which the requester needs. */
async function backUp(attempts = 10): Promise<{ readonly report: BackupReport; readonly copies: CopyReport }> {
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    ...(process.platform === 'win32' && { provider: 'rolling' as const }),
  });
  const set = await backup.createShadow();
  const copies = await set.copyDatabases({ to: join(domino.home, `copies-${attempts}`) });
  const roots = new Map(set.shadows.map(({ volume, root }) => [volume, root]));
  const databases = [...set.describeDatabases()];
  for (const one of databases) copyFileSync(join(roots.get(one.volume) ?? '', one.shadowPath), keptFile(one));
  const report = await backup.endBackup();
  const hasChanged = databases.some(({ path, deltaBytes }) => path.startsWith('mail/') && deltaBytes > 0);
  return hasChanged || attempts === 0 ? { report, copies } : backUp(attempts - 1);
}

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 30, unloggedShare: 0.5 });
  server = await domino.serve({ threads: 2, transactionsPerSecond: 2000 });
  kept = join(domino.home, 'kept');
  mkdirSync(kept);
  const { report, copies } = await backUp();
  await server.pause();
  backupId = report.id;
  mail = [];
  for await (const one of (await readManifest(report.manifest)).databases()) {
    if (one.path.startsWith('mail/')) mail.push(one);
  }
  const verdicts = await domino.simulation.verify(mail.map(({ path }) => join(copies.directory, path)));
  atBackup = new Map(verdicts.map((verdict, index) => [mail[index]?.path ?? '', verdict]));
}, 120_000);

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

afterEach(async () => {
  await domino.expectQuiet();
});

function begin(directory = 'mail', id = backupId): Promise<RequesterRestore> {
  const tree = join(domino.simulation.dataDirectory, directory);
  return RequesterRestore.begin(
    loadBinding(),
    {
      deltaDirectory: domino.deltaDirectory,
      domino: domino.location,
      waitMs: 200,
      databaseBudgetMs: 20_000,
      timeoutMs: 60_000,
    },
    [{ number: 0, name: 'mail', metadata: `domino-vss 1 ${id} ${tree}` }],
  );
}

const all = (): FilesRestored => 'all';

function putBack(databases: readonly ManifestDatabase[]): void {
  for (const one of databases) copyFileSync(keptFile(one), one.file);
}

async function expectAtBackup(databases: readonly ManifestDatabase[]): Promise<void> {
  for (const { path, file } of databases) {
    const sequence = atBackup.get(path)?.sequence ?? NaN;
    // A logged database may contain what was committed between its own start and the last start of all.
    const verdict = await verdictOf(file);
    expect({ path, ...verdict }).toMatchObject({ path, verdict: 'consistent' });
    expect(verdict.sequence).toBeGreaterThanOrEqual(sequence);
  }
}

test('destroyed databases come back as they were at the backup, and the server uses them', async () => {
  await server.run(mail[0]!.path, 5);
  const later = await verdictOf(mail[0]!.file);
  for (const { file } of mail) writeFileSync(file, 'destroyed');
  const restore = await begin();
  putBack(mail);
  // The requester does not have a finished backup of all of them.
  expect(mail.some(({ delta }) => delta !== '')).toBe(true);
  const report = await restore.finish(all);
  expect(report).toMatchObject({ backupId, untouched: [], failures: [] });
  expect(report.restored).toEqual(mail.map(({ path }) => path).sort());
  await expectAtBackup(mail);
  expect((await verdictOf(mail[0]!.file)).sequence).toBeLessThan(later.sequence ?? NaN);
  for (const { path } of mail) await server.run(path, 2);
  expect(journals()).toEqual([]);
}, 60_000);

test('files that the requester leaves alone stay as they are', async () => {
  const [one, ...others] = mail;
  for (const { path } of mail) await server.run(path, 2);
  const before = await domino.simulation.verify(others.map(({ file }) => file));
  const restore = await begin();
  putBack([one!]);
  const report = await restore.finish(all);
  expect(report).toMatchObject({ restored: [one!.path], untouched: others.map(({ path }) => path).sort() });
  expect(await domino.simulation.verify(others.map(({ file }) => file))).toEqual(before);
  for (const { path } of mail) await server.run(path, 1);
}, 60_000);

test('a database in use refuses the restore, and those that were offline already go online', async () => {
  // The server keeps working: databases that are not offline yet are written to.
  await server.resume();
  await expect(begin('.')).rejects.toMatchObject({ status: 0x13ea });
  await server.pause();
  for (const { path } of mail) await server.run(path, 1);
  expect(journals()).toEqual([]);
}, 60_000);

test('a document that names no backup, or none of ours, touches nothing', async () => {
  await expect(begin('mail', 'nonsense')).rejects.toMatchObject({ code: 'ERR_RESTORE_SOURCE' });
  await expect(begin('mail', '20260101T000000Z-000000')).rejects.toMatchObject({ code: expect.any(String) as string });
  await expect(begin('elsewhere')).rejects.toMatchObject({ code: 'ERR_RESTORE_SOURCE' });
  for (const { path } of mail) await server.run(path, 1);
});

async function expectStuck(report: RequesterRestoreReport, { path, file }: ManifestDatabase): Promise<void> {
  expect(report.failures).toMatchObject([{ database: path, component: 0 }]);
  await expect(server.run(path, 1)).rejects.toThrow();
  // Nothing brings it online by accident.
  const recovery = await recoverInterrupted({ deltaDirectory: domino.deltaDirectory, domino: domino.location });
  expect(recovery.works).toMatchObject([{ done: false, items: [{ subject: file, result: 'left' }] }]);
  await expect(server.run(path, 1)).rejects.toThrow();
}

test('what a requester has not finished stays offline and is named, until the requester restores it once more', async () => {
  const [one, ...others] = mail;
  const first = await begin();
  writeFileSync(one!.file, 'half of it');
  const report = await first.finish(() => 'failed');
  expect(report.untouched).toEqual(others.map(({ path }) => path).sort());
  await expectStuck(report, one!);
  for (const { path } of others) await server.run(path, 1);

  // A requester that touches nothing does not bring it online either.
  await expectStuck(await (await begin()).finish(all), one!);
  await expect(begin('.')).rejects.toMatchObject({ status: 0x13ea });
  await expect(server.run(one!.path, 1)).rejects.toThrow();

  const again = await begin();
  putBack([one!]);
  expect(await again.finish(all)).toMatchObject({ restored: [one!.path], failures: [] });
  await server.run(one!.path, 1);
  expect(journals()).toEqual([]);
}, 60_000);

test('one that was given up can be restored by ourselves', async () => {
  const [one] = mail;
  const restore = await begin();
  rmSync(one!.file);
  copyFileSync(keptFile(one!), one!.file);
  await expectStuck(await restore.giveUp(), one!);
  const manifest = join(domino.deltaDirectory, backupId);
  const report = await restoreDatabases({ domino: domino.location, manifest, databases: [one!.path] });
  expect(report).toMatchObject({ outcome: 'complete', leftOvers: [] });
  await server.run(one!.path, 1);
  expect(journals()).toEqual([]);
}, 60_000);

describe('the program that native code starts', () => {
  /** Writes lines to its input and ends it; returns its output. */
  async function told(lines: readonly string[], whenHeld: (input: Writable) => void): Promise<string[][]> {
    const options = {
      deltaDirectory: domino.deltaDirectory,
      domino: domino.location,
      waitMs: 200,
      databaseBudgetMs: 20_000,
      timeoutMs: 60_000,
      totalMs: 60_000,
    };
    const program = spawn(
      process.execPath,
      [join(repository, 'dist/restore/requester-program.js'), JSON.stringify(options)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    program.stdin.write(lines.map((line) => `${line}\n`).join(''));
    let said = '';
    let isHeld = false;
    program.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (isHeld || !said.includes('\n')) return;
      isHeld = true;
      whenHeld(program.stdin);
    });
    await once(program, 'close');
    return said
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
  }

  const component = (name = 'mail'): string =>
    ['component', '0', name, `domino-vss 1 ${backupId} ${join(domino.simulation.dataDirectory, 'mail')}`].join('\t');

  test('says how it has given up when its input ends', async () => {
    const [held, failed] = await told([component(), 'begin'], (input) => {
      input.end();
    });
    expect(held?.[0]).toBe('held');
    expect(failed?.slice(0, 2)).toEqual(['failed', '0']);
    expect(failed?.[2]).toContain('no database was replaced');
    expect(JSON.parse(failed?.[3] ?? '')).toMatchObject({ restored: [], failures: [] });
    for (const { path } of mail) await server.run(path, 1);
    expect(journals()).toEqual([]);
  }, 60_000);

  test('takes no other character than a line feed for the end of a line', async () => {
    const said = await told([component('mail\u2028begin\u2028finish'), 'begin'], (input) => {
      input.end();
    });
    expect(said.map(([word]) => word)).toEqual(['held', 'failed']);
  }, 60_000);

  test('takes a component of which nobody has said that it is whole for one that is not', async () => {
    const [one] = mail;
    const [, about, failed] = await told([component(), 'begin'], (input) => {
      putBack([one!]);
      input.end('finish\n');
    });
    expect(about?.slice(0, 2)).toEqual(['component', '0']);
    expect(failed?.[0]).toBe('failed');
    await expectStuck(JSON.parse(failed?.[3] ?? '') as RequesterRestoreReport, one!);
    const manifest = join(domino.deltaDirectory, backupId);
    await restoreDatabases({ domino: domino.location, manifest, databases: [one!.path] });
    await server.run(one!.path, 1);
    expect(journals()).toEqual([]);
  }, 60_000);
});

test('a file that is no copy of this backup is not made one', async () => {
  const [one] = mail;
  const restore = await begin();
  writeFileSync(one!.file, Buffer.alloc(statSync(keptFile(one!)).size / 2));
  const report = await restore.finish(all);
  expect(report.failures).toMatchObject([{ database: one!.path, code: 'ERR_RESTORE_SOURCE' }]);
  const again = await begin();
  putBack([one!]);
  expect(await again.finish(all)).toMatchObject({ restored: [one!.path], failures: [] });
  expect(existsSync(one!.file)).toBe(true);
}, 60_000);
