import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, promises, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { restoreDatabases } from '#lib/restore/restore';
import {
  extractServerFiles,
  type ExtractServerFilesOptions,
  type ExtractServerFilesReport,
} from '#lib/restore/server-files';
import { verifyBackup, type VerifyReport } from '#lib/restore/verify';
import { linuxTest } from '../../platform';
import { run } from '../cli/run';
import { FakeDomino } from '../fake-binding';

let domino: FakeDomino;
let copies: string;
let to: string;
let manifest: string;
let notesIni: string;

const key = 'the key of the server';

beforeEach(async () => {
  domino = new FakeDomino();
  copies = join(domino.root, 'copies');
  to = join(domino.root, 'taken', 'out');
  notesIni = ['[Notes]', `Directory=${domino.dataDirectory}`, 'KeyFilename=server.id', ''].join('\n');
  writeFileSync(domino.notesIni, notesIni);
  writeFileSync(join(domino.dataDirectory, 'server.id'), key);
  manifest = await backUp({ to: copies, serverFiles: true });
});

afterEach(() => {
  jest.restoreAllMocks();
  domino.destroy();
});

async function backUp(copying: { to: string; serverFiles: boolean }, signKey?: string): Promise<string> {
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory, signKey });
  const set = await backup.createShadow();
  await set.copyDatabases(copying);
  await backup.endBackup();
  return backup.directory;
}

const extract = (options: Partial<ExtractServerFilesOptions> = {}): Promise<ExtractServerFilesReport> =>
  extractServerFiles(() => domino.binding, { manifest, to, ...options });
const verify = (): Promise<VerifyReport> => verifyBackup(() => domino.binding, { manifest });
const copyOf = (name: string): string => join(copies, 'server-files', name);

test('verify compares them with the manifest', async () => {
  const report = await verify();
  expect(report.outcome).toBe('intact');
  expect(report.serverFiles).toEqual([
    { what: 'notes.ini', path: domino.notesIni, result: 'verified', failures: [] },
    { what: 'ID file', path: join(domino.dataDirectory, 'server.id'), result: 'verified', failures: [] },
  ]);
});

test.each([
  [
    'one that was changed',
    () => {
      writeFileSync(copyOf('server.id'), key.toUpperCase());
    },
    'ERR_CONTENTS_DAMAGED',
  ],
  [
    'one that is shorter',
    () => {
      truncateSync(copyOf('server.id'), 4);
    },
    'ERR_CONTENTS_DAMAGED',
  ],
  [
    'one that is gone',
    () => {
      rmSync(copyOf('server.id'));
    },
    'ERR_RESTORE_SOURCE',
  ],
])('verify finds %s, and it is not handed out; the others are', async (_what, damage, code) => {
  damage();
  const report = await verify();
  expect(report.outcome).toBe('damaged');
  expect(report.counts.damaged).toBe(0);
  expect(report.serverFiles.map(({ result }) => result)).toEqual(['verified', 'damaged']);
  expect(report.serverFiles[1]?.failures).toMatchObject([{ code, database: join(domino.dataDirectory, 'server.id') }]);
  const extracted = await extract();
  expect(extracted).toMatchObject({
    outcome: 'partial',
    failures: [{ database: join(domino.dataDirectory, 'server.id') }],
  });
  expect(readdirSync(to)).toEqual(['notes.ini']);
});

test('they are handed out to a directory that is made for them, where nobody else can read them', async () => {
  const report = await extract();
  expect(report).toMatchObject({ outcome: 'complete', directory: to, backupId: basename(manifest), failures: [] });
  expect(report.files).toEqual([
    { what: 'notes.ini', file: join(to, 'notes.ini'), path: domino.notesIni },
    { what: 'ID file', file: join(to, 'server.id'), path: join(domino.dataDirectory, 'server.id') },
  ]);
  expect(readFileSync(join(to, 'server.id'), 'utf8')).toBe(key);
  expect(readFileSync(join(to, 'notes.ini'), 'utf8')).toBe(notesIni);
  expect(readdirSync(to).sort()).toEqual(['notes.ini', 'server.id']);
});

linuxTest('what is handed out is for its owner only', async () => {
  await extract();
  expect(statSync(to).mode & 0o777).toBe(0o700);
  expect(statSync(join(to, 'server.id')).mode & 0o777).toBe(0o600);
});

test('copies that were moved are found where they are said to be', async () => {
  const moved = join(domino.root, 'moved');
  renameSync(copies, moved);
  expect((await verify()).serverFiles.map(({ result }) => result)).toEqual(['damaged', 'damaged']);
  const { serverFiles } = await verifyBackup(() => domino.binding, { manifest, copiesDirectory: moved });
  expect(serverFiles.map(({ result }) => result)).toEqual(['verified', 'verified']);
  expect(await extract({ copiesDirectory: moved })).toMatchObject({ outcome: 'complete' });
});

test('nothing is overwritten: the directory has to be empty', async () => {
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, 'mine'), '');
  await expect(extract()).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'to' });
  expect(readdirSync(to)).toEqual(['mine']);
});

test('no data directory is a place for them', async () => {
  const place = join(domino.dataDirectory, 'restored');
  await expect(extract({ to: place })).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'to' });
  expect(existsSync(place)).toBe(false);
});

linuxTest('a link that leads into the data directory is none either', async () => {
  symlinkSync(domino.dataDirectory, join(domino.root, 'link'));
  await expect(extract({ to: join(domino.root, 'link', 'restored') })).rejects.toMatchObject({ option: 'to' });
  expect(existsSync(join(domino.dataDirectory, 'restored'))).toBe(false);
});

linuxTest('nor is a directory that everybody may write to', async () => {
  mkdirSync(to, { recursive: true });
  await promises.chmod(to, 0o777);
  await expect(extract()).rejects.toMatchObject({ option: 'to' });
  expect(readdirSync(to)).toEqual([]);
});

test('a backup without them says so', async () => {
  manifest = await backUp({ to: join(domino.root, 'other'), serverFiles: false });
  await expect(extract()).rejects.toMatchObject({ code: 'ERR_RESTORE_SOURCE' });
  expect(existsSync(to)).toBe(false);
  expect((await verify()).serverFiles).toEqual([]);
});

test('a signature can be asked for', async () => {
  const pair = generateKeyPairSync('ed25519');
  const [secret, open] = [join(domino.root, 'secret.pem'), join(domino.root, 'open.pem')];
  writeFileSync(secret, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(open, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  await expect(extract({ requireSignature: open })).rejects.toMatchObject({ code: 'ERR_SIGNATURE' });
  expect(existsSync(to)).toBe(false);
  manifest = await backUp({ to: join(domino.root, 'other'), serverFiles: true }, secret);
  expect(await extract({ requireSignature: open })).toMatchObject({ outcome: 'complete' });
});

test('a full disk leaves no unfinished file', async () => {
  const original = promises.open.bind(promises);
  jest.spyOn(promises, 'open').mockImplementation(async (file, ...rest) => {
    const handle = await original(file, ...rest);
    if (String(file).startsWith(join(to, 'server.id'))) {
      handle.write = () =>
        Promise.reject(
          Object.assign(new Error('ENOSPC: full, write'), { code: 'ENOSPC', errno: -28, syscall: 'write' }),
        );
    }
    return handle;
  });
  expect(await extract()).toMatchObject({ outcome: 'partial', failures: [{ code: 'ERR_NO_SPACE' }] });
  expect(readdirSync(to)).toEqual(['notes.ini']);
});

type FileCall = (file: unknown, ...rest: unknown[]) => Promise<unknown>;

test.each<['readFile' | 'stat' | 'realpath' | 'readdir' | 'mkdir' | 'rename', () => string]>([
  ['readFile', () => join(manifest, 'manifest.json')],
  ['realpath', () => to],
  ['readdir', () => to],
  ['mkdir', () => to],
  ['stat', () => copyOf('server.id')],
  ['rename', () => join(to, 'server.id.unfinished')],
])('a mount that does not respond (%s) does not block the call', async (name, fileOf) => {
  const abort = new AbortController();
  const calls = promises as unknown as Record<typeof name, FileCall>;
  const original = calls[name].bind(promises);
  // Aborted during the call, so that the result does not depend on the time.
  jest.spyOn(calls, name).mockImplementation((file, ...rest) => {
    if (file !== fileOf()) return original(file, ...rest);
    abort.abort();
    return new Promise(() => undefined);
  });
  await expect(extract({ signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('verify does not wait for a copy on such a mount either', async () => {
  const abort = new AbortController();
  const original = promises.stat.bind(promises) as FileCall;
  jest.spyOn(promises as unknown as Record<'stat', FileCall>, 'stat').mockImplementation((file, ...rest) => {
    if (file !== copyOf('server.id')) return original(file, ...rest);
    abort.abort();
    return new Promise(() => undefined);
  });
  const verifying = verifyBackup(() => domino.binding, { manifest, signal: abort.signal });
  await expect(verifying).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('a restore of everything does not touch those of the server', async () => {
  writeFileSync(domino.notesIni, `${notesIni}OfToday=1\n`);
  writeFileSync(join(domino.dataDirectory, 'server.id'), 'the key of today');
  const { location } = domino;
  const report = await restoreDatabases(() => domino.binding, { manifest, domino: location });
  expect(report.databases.map(({ database }) => database)).not.toContain('notes.ini');
  expect(readFileSync(domino.notesIni, 'utf8')).toContain('OfToday');
  expect(readFileSync(join(domino.dataDirectory, 'server.id'), 'utf8')).toBe('the key of today');
  for (const name of ['notes.ini', 'server.id', 'server-files/notes.ini']) {
    const named = restoreDatabases(() => domino.binding, { manifest, domino: location, databases: [name] });
    await expect(named).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'databases' });
  }
});

describe('on the command line', () => {
  const common = ['--delta-dir', 'delta'] as const;
  const location = ['--ini', 'data/notes.ini', '--program', 'program'] as const;

  test('they are copied, shown, listed, verified and handed out', async () => {
    const made = await run(domino, ['backup', 'run', ...common, ...location, '--to', 'nightly', '--server-files']);
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.stdout).toMatch(/server files {2,}2 in .*server-files: .*notes\.ini, .*server\.id/);
    const id = readdirSync(join(domino.root, 'nightly'))[0] ?? '';
    const shown = await run(domino, ['backup', 'show', id, ...common]);
    expect(shown.stdout).toMatch(/server files {2,}2 in /);
    const listed = await run(domino, ['backup', 'list', ...common]);
    expect(listed.stdout).toContain('copies, server files');
    const verified = await run(domino, ['backup', 'verify', id, ...common]);
    expect(verified.stdout).toContain('2 server files');
    const extracted = await run(domino, ['backup', 'extract', id, 'here', ...common]);
    expect(extracted).toMatchObject({ exitCode: 0, stderr: '' });
    expect(extracted.stdout).toContain(join(domino.root, 'here', 'server.id'));
    expect(readFileSync(join(domino.root, 'here', 'server.id'), 'utf8')).toBe(key);
    writeFileSync(join(domino.root, 'nightly', id, 'server-files', 'server.id'), 'x');
    expect(await run(domino, ['backup', 'verify', id, ...common])).toMatchObject({ exitCode: 1 });
    const partial = await run(domino, ['backup', 'extract', id, 'there', ...common, '--json']);
    expect(partial).toMatchObject({ exitCode: 3 });
    expect(JSON.parse(partial.stdout)).toMatchObject({ outcome: 'partial' });
  });

  test('what is not there is named, and is no error', async () => {
    rmSync(join(domino.dataDirectory, 'server.id'));
    writeFileSync(join(domino.dataDirectory, 'daos.cfg'), '');
    const made = await run(domino, ['backup', 'run', ...common, ...location, '--to', 'nightly', '--server-files']);
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.stdout).toMatch(/not there {2,}.*server\.id/);
    expect(made.stdout).toMatch(/left out {2,}.*daos\.cfg \(rebuilt/);
  });

  test('without --to they are refused', async () => {
    const refused = await run(domino, ['backup', 'run', ...common, ...location, '--keep', '--server-files']);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain('--server-files needs --to <dir>');
    expect(readdirSync(join(domino.root, 'delta')).filter((name) => !name.startsWith('.'))).toEqual([
      basename(manifest),
    ]);
  });

  test('a directory that is missing is asked for', async () => {
    expect(await run(domino, ['backup', 'extract', basename(manifest), ...common])).toMatchObject({ exitCode: 2 });
  });
});
