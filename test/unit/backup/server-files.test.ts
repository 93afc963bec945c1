import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import type { BackupReport } from '#lib/backup/report';
import type { ServerFilesReport } from '#lib/backup/server-files';
import { recoverInterrupted } from '#lib/recover/recover';
import { pruneBackups } from '#lib/retention/prune';
import { loadManifest, writeManifest } from '#lib/store/manifest';
import type { ManifestHead } from '#lib/store/manifest-format';
import { journalDirectory } from '#lib/store/journals';
import { linuxTest } from '../../platform';
import { changeJournal } from '../../journal-text';
import { FakeDomino } from '../fake-binding';

let domino: FakeDomino;
let copies: string;

beforeEach(() => {
  domino = new FakeDomino();
  copies = join(domino.root, 'copies');
  settings('KeyFilename=server.id');
  write('server.id', 'the key of the server');
});

afterEach(() => {
  jest.restoreAllMocks();
  domino.destroy();
});

const inData = (name: string): string => join(domino.dataDirectory, name);
const write = (name: string, text: string): void => {
  writeFileSync(inData(name), text);
};
const settings = (...lines: string[]): void => {
  writeFileSync(domino.notesIni, ['[Notes]', `Directory=${domino.dataDirectory}`, ...lines, ''].join('\n'));
};
const kept = (): string[] => readdirSync(join(copies, 'server-files')).sort();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function backUp(
  options: { serverFiles?: boolean; to?: string; meanwhile?: () => void } = {},
): Promise<BackupReport> {
  const { serverFiles = true, to = copies, meanwhile } = options;
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory });
  try {
    const set = await backup.createShadow();
    meanwhile?.();
    await set.copyDatabases({ to, serverFiles });
    return await backup.endBackup();
  } finally {
    await backup.dispose();
  }
}

const filesOf = ({ copies: made }: BackupReport): Partial<ServerFilesReport> => made?.serverFiles ?? {};
const pathsOf = (report: BackupReport): string[] => filesOf(report).files?.map(({ path }) => path) ?? [];

test('notes.ini and the ID files are copied beside the databases, with size and SHA-256', async () => {
  write('cert.ID', 'the key of the certifier');
  const report = await backUp();
  expect(report.outcome).toBe('complete');
  expect(filesOf(report)).toMatchObject({
    directory: join(copies, 'server-files'),
    failures: [],
    notCopied: [],
    files: [
      { what: 'notes.ini', path: domino.notesIni, file: 'server-files/notes.ini' },
      { what: 'ID file', path: inData('server.id'), file: 'server-files/server.id', sizeBytes: 21 },
      { what: 'ID file', path: inData('cert.ID'), sha256: sha256('the key of the certifier') },
    ],
  });
  expect(kept()).toEqual(['cert.ID', 'notes.ini', 'server.id']);
  const { serverFiles } = await loadManifest(report.directory);
  expect(serverFiles).toEqual({ files: filesOf(report).files, notCopied: [] });
  // Server files that are in the backup need not be saved beside it.
  expect(report.alsoSave.map(({ what }) => what)).not.toContain('ID file');
});

test('nothing of them is copied, and all of it is named, where they were not asked for', async () => {
  const report = await backUp({ serverFiles: false });
  expect(report.copies).not.toHaveProperty('serverFiles');
  expect(existsSync(join(copies, 'server-files'))).toBe(false);
  const { serverFiles } = await loadManifest(report.directory);
  expect(serverFiles).toBeUndefined();
  expect(report.alsoSave.map(({ path }) => path)).toEqual(
    expect.arrayContaining([domino.notesIni, inData('server.id')]),
  );
});

linuxTest('nobody but their owner can read them or look into their directory', async () => {
  mkdirSync(copies, { mode: 0o755 });
  await backUp();
  expect(statSync(join(copies, 'server-files')).mode & 0o777).toBe(0o700);
  for (const name of kept())
    expect([name, statSync(join(copies, 'server-files', name)).mode & 0o777]).toEqual([name, 0o600]);
});

test('settings name ID files anywhere, by relative and by absolute paths; two of one name are kept apart', async () => {
  const elsewhere = join(domino.root, 'keys');
  mkdirSync(elsewhere);
  mkdirSync(inData('ids'));
  writeFileSync(join(elsewhere, 'server.id'), 'the key that counts');
  write('ids/cert.id', 'in a directory');
  settings(`ServerKeyFileName=${join(elsewhere, 'server.id')}`, 'CertifierIDFile=ids/cert.id', 'KeyFilename=user.id');
  const report = await backUp();
  expect(pathsOf(report)).toEqual([
    domino.notesIni,
    join(elsewhere, 'server.id'),
    inData(join('ids', 'cert.id')),
    inData('server.id'),
  ]);
  expect(kept()).toEqual(['2-server.id', 'cert.id', 'notes.ini', 'server.id']);
  expect(readFileSync(join(copies, 'server-files', 'server.id'), 'utf8')).toBe('the key that counts');
  expect(filesOf(report).notCopied).toEqual([{ what: 'ID file', path: inData('user.id'), reason: 'missing' }]);
  expect(report.outcome).toBe('complete');
});

test('the catalogue and the index of DAOS are left to the server, and named', async () => {
  for (const name of ['daos.cfg', 'daos.cf2', 'daoscat.nsf']) write(name, 'old');
  const report = await backUp();
  expect(
    filesOf(report)
      .notCopied?.map(({ path, reason }) => [basename(path), reason])
      .sort(),
  ).toEqual([
    ['daos.cf2', 'rebuilt'],
    ['daos.cfg', 'rebuilt'],
    ['daoscat.nsf', 'rebuilt'],
  ]);
  expect(kept()).toEqual(['notes.ini', 'server.id']);
});

linuxTest('a link out of the directory is followed where a setting names it, and that is said', async () => {
  const secret = join(domino.root, 'real.id');
  writeFileSync(secret, 'the real key');
  rmSync(inData('server.id'));
  symlinkSync(secret, inData('server.id'));
  const report = await backUp();
  expect(readFileSync(join(copies, 'server-files', 'server.id'), 'utf8')).toBe('the real key');
  expect(filesOf(report).files).toContainEqual(
    expect.objectContaining({ path: inData('server.id'), linkedTo: secret }),
  );
  expect(report.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_LINK_FOLLOWED',
      message: expect.stringContaining(`its target was copied: ${secret}`),
    }),
  );
});

linuxTest('a link out of the directory that only has the name of an ID file is not followed', async () => {
  const secret = join(domino.root, 'shadow');
  writeFileSync(secret, 'of somebody else');
  symlinkSync(secret, inData('evil.id'));
  symlinkSync('server.id', inData('same.id'));
  symlinkSync('nowhere', inData('dangling.id'));
  const report = await backUp();
  expect(report.outcome).toBe('complete');
  expect(kept()).toEqual(['notes.ini', 'same.id', 'server.id']);
  expect(filesOf(report).notCopied).toEqual([
    { what: 'ID file', path: inData('dangling.id'), reason: 'missing' },
    { what: 'ID file', path: inData('evil.id'), reason: 'link', linkedTo: secret },
  ]);
  expect(report.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_LINK_NOT_FOLLOWED',
      message: expect.stringContaining(`evil.id was not copied: it is a link`),
    }),
  );
});

test('one that exists and cannot be copied makes the backup partial, without a failure of a database', async () => {
  mkdirSync(inData('keys'));
  settings('KeyFilename=keys', 'ServerKeyFileName=server.id');
  const report = await backUp();
  expect(report.outcome).toBe('partial');
  expect(filesOf(report)).toMatchObject({ failures: [{ database: inData('keys') }] });
  expect(report.copies?.failures).toEqual([]);
  expect(report.continuity?.neverCaptured).toEqual([]);
  const { failures } = await loadManifest(report.directory);
  expect(failures).toMatchObject([{ database: inData('keys') }]);
});

describe('a file that changes while it is copied', () => {
  /** Calls a function whenever the copy of server.id is opened. */
  function whenCopied(change: (time: number) => void): void {
    const original = promises.open.bind(promises);
    let times = 0;
    jest.spyOn(promises, 'open').mockImplementation(async (file, ...rest) => {
      const handle = await original(file, ...rest);
      if (String(file) === join(copies, 'server-files', 'server.id')) change((times += 1));
      return handle;
    });
  }

  test('is copied again', async () => {
    whenCopied((time) => {
      if (time === 1) write('server.id', 'the key of the server, renewed');
    });
    const report = await backUp();
    expect(report.outcome).toBe('complete');
    const text = 'the key of the server, renewed';
    expect(readFileSync(join(copies, 'server-files', 'server.id'), 'utf8')).toBe(text);
    expect(filesOf(report).files?.[1]).toMatchObject({ sizeBytes: text.length, sha256: sha256(text) });
  });

  test('is copied again when it is shorter for a moment', async () => {
    whenCopied((time) => {
      if (time <= 2) write('server.id', time === 1 ? '' : 'renewed');
    });
    const report = await backUp();
    expect(filesOf(report).failures).toEqual([]);
    expect(readFileSync(join(copies, 'server-files', 'server.id'), 'utf8')).toBe('renewed');
  });

  test('is a failure if it keeps changing', async () => {
    whenCopied((time) => {
      write('server.id', 'x'.repeat(30 + time));
    });
    const report = await backUp();
    expect(filesOf(report).failures).toMatchObject([
      { code: 'ERR_COPY', text: expect.stringContaining('during every attempt') as string },
    ]);
    expect(kept()).toEqual(['notes.ini']);
  });

  linuxTest('is a failure when another takes its place', async () => {
    const other = join(domino.root, 'other');
    writeFileSync(other, 'the key of the server'.replace('t', 'T'));
    whenCopied(() => {
      unlinkSync(inData('server.id'));
      writeFileSync(`${inData('server.id')}.new`, 'the key of the server');
      linkSync(`${inData('server.id')}.new`, inData('server.id'));
      unlinkSync(`${inData('server.id')}.new`);
    });
    const report = await backUp();
    expect(filesOf(report).failures).toHaveLength(1);
  });
});

test('a full disk is reported for each file, and no unfinished copy stays', async () => {
  const original = promises.open.bind(promises);
  jest.spyOn(promises, 'open').mockImplementation(async (file, ...rest) => {
    const handle = await original(file, ...rest);
    if (String(file).startsWith(join(copies, 'server-files'))) {
      const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
        code: 'ENOSPC',
        errno: -28,
        syscall: 'write',
      });
      handle.write = () => Promise.reject(full);
    }
    return handle;
  });
  const report = await backUp();
  expect(report.outcome).toBe('partial');
  expect(filesOf(report).failures).toMatchObject([
    { database: domino.notesIni, code: 'ERR_NO_SPACE' },
    { database: inData('server.id'), code: 'ERR_NO_SPACE' },
  ]);
  expect(kept()).toEqual([]);
});

test('a backup that fails takes them away', async () => {
  await expect(
    backUp({
      meanwhile: () => {
        jest.spyOn(promises, 'statfs').mockResolvedValue({ bavail: 0, bsize: 1 } as never);
      },
    }),
  ).rejects.toMatchObject({ code: 'ERR_NO_SPACE' });
  const { location, deltaDirectory } = domino;
  jest.restoreAllMocks();
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: copies, serverFiles: true });
  expect(kept()).toEqual(['notes.ini', 'server.id']);
  await backup.dispose();
  expect(existsSync(copies)).toBe(false);
});

test('the journal names them before they are made, and recover removes what a death has left', async () => {
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory });
  const set = await backup.createShadow();
  const [journal = ''] = readdirSync(journalDirectory(deltaDirectory));
  const file = join(journalDirectory(deltaDirectory), journal);
  await set.copyDatabases({ to: copies, serverFiles: true });
  // As a dead process leaves it.
  changeJournal(file, (lines) => lines.replace(`"pid":${process.pid}`, '"pid":4194303'));
  const left = readFileSync(file, 'utf8');
  expect(left).toContain(JSON.stringify(join(copies, 'server-files', 'server.id')));
  expect(kept()).toEqual(['notes.ini', 'server.id']);
  const contents = new Map(kept().map((name) => [name, readFileSync(join(copies, 'server-files', name))]));
  await backup.dispose();
  writeFileSync(file, left);
  mkdirSync(join(copies, 'server-files'), { recursive: true });
  for (const [name, bytes] of contents) writeFileSync(join(copies, 'server-files', name), bytes);
  const report = await recoverInterrupted(() => domino.binding, { deltaDirectory, domino: location });
  expect(report.outcome).toBe('recovered');
  expect(existsSync(copies)).toBe(false);
});

test('prune removes them with their backup, and nothing beside them', async () => {
  const { directory } = await backUp();
  writeFileSync(join(copies, 'server-files', 'a note of mine'), '');
  const second = await backUp({ to: join(domino.root, 'second') });
  const pruning = { deltaDirectory: domino.deltaDirectory, keep: { last: 1 } };
  const planned = await pruneBackups(() => domino.binding, { ...pruning, dryRun: true });
  expect(planned.backups[0]?.holds).toContain('2 server files');
  expect(kept()).toHaveLength(3);
  await pruneBackups(() => domino.binding, pruning);
  expect(existsSync(directory)).toBe(false);
  expect(kept()).toEqual(['a note of mine']);
  expect(readdirSync(join(domino.root, 'second', 'server-files')).sort()).toEqual(['notes.ini', 'server.id']);
  expect(existsSync(second.directory)).toBe(true);
});

test('their directory must not contain anything else', async () => {
  mkdirSync(join(copies, 'server-files'), { recursive: true });
  await expect(backUp()).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'serverFiles' });
  expect(readdirSync(copies)).toEqual(['server-files']);
  mkdirSync(inData('Server-Files'));
  write('Server-Files/x.nsf', domino.read('names.nsf'));
  await expect(backUp({ to: join(domino.root, 'other') })).rejects.toMatchObject({ option: 'serverFiles' });
});

test.each([
  ['another directory', 'mail/notes.ini'],
  ['the data directory', 'server-files/../../data/notes.ini'],
  ['a directory below', 'server-files/x/notes.ini'],
  ['the directory above', 'server-files/..'],
])('a manifest that says that they lie in %s is refused', async (_where, file) => {
  const { directory } = await backUp();
  const head: ManifestHead = { ...(await loadManifest(directory)) };
  for (const name of ['directory', 'databases']) Reflect.deleteProperty(head, name);
  const [entry] = head.serverFiles?.files ?? [];
  const databases = [];
  for await (const database of (await loadManifest(directory)).databases()) databases.push(database);
  const forged = { ...head, serverFiles: { files: [{ ...entry!, file }], notCopied: [] } };
  const complete = (databasesSha256: string): ManifestHead => ({ ...forged, databasesSha256 });
  await writeManifest(directory, databases, complete);
  await expect(loadManifest(directory)).rejects.toMatchObject({ code: 'ERR_MANIFEST' });
});
