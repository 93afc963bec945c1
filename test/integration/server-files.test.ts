import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beginBackup, extractServerFiles, pruneBackups, restoreDatabases, verifyBackup } from '#lib/index';
import { linuxTest } from '../platform';
import { locationFlags, mainScript, RunningProcess, type Ended } from './command-line';
import { SimulatedDomino } from './simulated-domino';

// notes.ini and ID files, from the backup of a server to the directory of an administrator who sets up a new one.

let domino: SimulatedDomino;
let notesIni: string;
const key = 'the key of the server';
const windowsProvider = process.platform === 'win32' ? { provider: 'rolling' as const } : {};

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 6, pages: [4, 16], plainNames: true });
  // Its place on Windows and on single servers.
  notesIni = join(domino.simulation.programDirectory, 'notes.ini');
  copyFileSync(domino.simulation.notesIni, notesIni);
  writeFileSync(join(domino.simulation.dataDirectory, 'server.id'), key);
}, 240_000);

afterAll(() => domino[Symbol.asyncDispose]());

test('they are copied, verified, left alone by a restore, handed out and removed', async () => {
  const { deltaDirectory, home, simulation } = domino;
  const location = { ...domino.location, notesIni };
  const shadowDirectory = domino.shadowDirectory;
  const backup = await beginBackup({ domino: location, deltaDirectory, shadowDirectory, ...windowsProvider });
  const set = await backup.createShadow();
  const copies = join(home, 'copies', backup.id);
  await set.copyDatabases({ to: copies, serverFiles: true });
  const report = await backup.endBackup();
  expect(report.outcome).toBe('complete');
  expect(report.copies?.serverFiles).toMatchObject({
    files: [
      { what: 'notes.ini', path: notesIni },
      { what: 'ID file', path: join(simulation.dataDirectory, 'server.id') },
    ],
    failures: [],
  });
  const manifest = report.directory;
  expect(await verifyBackup({ manifest })).toMatchObject({
    outcome: 'intact',
    serverFiles: [{ result: 'verified' }, { result: 'verified' }],
  });

  writeFileSync(join(simulation.dataDirectory, 'server.id'), 'the key of today');
  const before = [notesIni, domino.simulation.notesIni].map((file) => readFileSync(file, 'utf8'));
  await restoreDatabases({ domino: location, manifest });
  expect(readFileSync(join(simulation.dataDirectory, 'server.id'), 'utf8')).toBe('the key of today');
  expect([notesIni, domino.simulation.notesIni].map((file) => readFileSync(file, 'utf8'))).toEqual(before);

  const to = join(home, 'handed out');
  expect(await extractServerFiles({ manifest, to })).toMatchObject({ outcome: 'complete' });
  expect(readFileSync(join(to, 'server.id'), 'utf8')).toBe(key);
  expect(readFileSync(join(to, 'notes.ini'), 'utf8')).toBe(before[0]);

  const next = await beginBackup({ domino: location, deltaDirectory, shadowDirectory, ...windowsProvider });
  await next.createShadow();
  await next.endBackup({ keep: true });
  expect(await pruneBackups({ deltaDirectory, keep: { last: 1 } })).toMatchObject({ outcome: 'pruned' });
  expect(existsSync(copies)).toBe(false);
  writeFileSync(join(simulation.dataDirectory, 'server.id'), key);
}, 240_000);

/** Runs a command, and kills it at an operation on the server's files if one is given. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const preload = ['--require', join(__dirname, 'death', 'dying.js')];
  return new RunningProcess(process.execPath, [...preload, mainScript, ...args], {
    env: { ...domino.simulation.environment, SIM_ALLOW_ROOT: '1', DEATH_IN: 'server-files', ...env },
    isWatchedHere: true,
  }).ended;
}

const common = (): string[] => [...locationFlags(domino), '--delta-dir', domino.deltaDirectory, '--json'];
const backingUp = (to: string): string[] => {
  const shadows = ['--shadow-dir', domino.shadowDirectory];
  const provider = process.platform === 'win32' ? ['--provider', 'rolling'] : [];
  return ['backup', 'run', ...common(), ...shadows, ...provider, '--to', to, '--server-files'];
};

linuxTest(
  'whenever the process dies over them, recover leaves none, and the next backup has them',
  async () => {
    const to = join(domino.home, 'dying');
    const count = join(domino.home, 'operations');
    const whole = await run(backingUp(to), { DEATH_COUNT: count });
    expect(whole.code).toBe(0);
    rmSync(to, { recursive: true });
    const operations = Number(readFileSync(count, 'utf8'));
    // The directory, and two files that are opened and written.
    expect(operations).toBe(5);
    for (let operation = 1; operation <= operations; operation += 1) {
      for (const after of [false, true]) {
        const env = { DEATH_AT: String(operation), ...(after && { DEATH_AFTER: '1' }) };
        const died = await run(backingUp(to), env);
        expect([operation, after, died.signal]).toEqual([operation, after, 'SIGKILL']);
        const [id = ''] = readdirSync(to);
        if (operation > 1 || after) expect(readdirSync(join(to, id))).toContain('server-files');
        const recovered = await run(['recover', ...common()]);
        expect([operation, after, recovered.code]).toEqual([operation, after, 0]);
        expect(existsSync(to)).toBe(false);
      }
    }
    const next = await run(backingUp(to));
    expect(next.code).toBe(0);
    const [id = ''] = readdirSync(to);
    const directory = join(to, id, 'server-files');
    expect(readdirSync(directory).sort()).toEqual(['notes.ini', 'server.id']);
    expect(statSync(join(directory, 'server.id')).mode & 0o777).toBe(0o600);
  },
  120_000,
);

linuxTest('a directory that nothing can be written to is told before anything is copied', async () => {
  // A place where even root cannot create anything.
  const ended = await run(backingUp('/proc/self/copies'));
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'ERR_FILE_SYSTEM' } });
  expect(await run(['recover', ...common(), '--dry-run'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"nothing"') as string,
  });
});

test('a place in the data directory is refused on the command line, too', async () => {
  const { dataDirectory } = domino.simulation;
  mkdirSync(join(dataDirectory, 'restored'));
  const made = await run(backingUp(join(domino.home, 'refused')));
  const { manifest } = JSON.parse(made.stdout) as { manifest: string };
  const ended = await run(['backup', 'extract', manifest, join(dataDirectory, 'restored')]);
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('lies in the data directory')]);
  expect(readdirSync(join(dataDirectory, 'restored'))).toEqual([]);
});
