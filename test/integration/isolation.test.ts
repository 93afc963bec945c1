// Domino in a separate process: calls, results and errors are the same as in this process. Its death costs one call, and the
// error says what is left; the death of the caller leaves nothing.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AbortError,
  beginBackup,
  DominoError,
  ProcessError,
  recoverInterrupted,
  restoreDatabases,
  type Backup,
  type BeginBackupOptions,
  type Progress,
} from '#lib/index';
import { beginIsolatedBackup } from '#lib/isolation/isolated-backup';
import { hasEnded, RunningProcess, until } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { linuxTest } from '../platform';

let domino: SimulatedDomino;
/** Ended after each test, so that a failing test leaves nothing for the next one. */
const open: Backup[] = [];

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true });
});

afterEach(async () => {
  await domino.simulation.clearFaults();
  for (const backup of open.splice(0)) await backup.dispose().catch(() => undefined);
  await recoverInterrupted(place());
  // Databases that a dead process had in backup mode leave it only when the server restarts.
  await domino.simulation.restartServerState();
  const { accounting } = await domino.simulation.stats();
  await domino.expectQuiet(accounting.crashedParticipants);
  expect(existsSync(domino.shadowDirectory) ? readdirSync(domino.shadowDirectory) : []).toEqual([]);
  const backup = await beginBackup(isolated({ isolation: 'none' }));
  expect(await backup.createShadow()).toMatchObject({ outcome: 'complete', databases: 12 });
  await backup.endBackup();
  expect(journals()).toEqual([]);
});

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

function place(): Pick<BeginBackupOptions, 'domino' | 'deltaDirectory'> {
  return { domino: domino.location, deltaDirectory: domino.deltaDirectory };
}

function isolated(options: Partial<BeginBackupOptions> = {}): BeginBackupOptions {
  return { ...place(), shadowDirectory: domino.shadowDirectory, provider: 'rolling', isolation: 'process', ...options };
}

function journals(): string[] {
  const directory = join(domino.deltaDirectory, '.journal');
  return existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.journal')) : [];
}

/** The process that has Domino loaded, according to the journal of its work. */
function holder(): number {
  const text = readFileSync(join(domino.deltaDirectory, '.journal', journals()[0] ?? ''), 'utf8');
  return (JSON.parse(text.split('\n')[0] ?? '') as { pid: number }).pid;
}

async function begin(options?: Partial<BeginBackupOptions>): Promise<Backup> {
  const backup = await beginBackup(isolated(options));
  open.push(backup);
  return backup;
}

async function failed(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'has not failed',
    (error: unknown) => error,
  );
}

test('the calls answer what they answer in this process', async () => {
  const backup = await begin({ lifetime: 'persistent' });
  const set = await backup.createShadow();
  expect(set).toMatchObject({ outcome: 'complete', databases: 12, skipped: [] });
  expect([...set.describeDatabases()].map(({ path }) => path).sort()).toEqual(domino.simulation.databases().sort());
  expect(set.window.databases.startCalledMs).toHaveLength(12);
  expect(set.window.windowMs).toBeGreaterThan(0);
  expect(set.created.getTime()).toBeGreaterThan(0);
  const shadow = set.shadows[0];
  // Wine cannot make symbolic links.
  if (process.platform === 'linux') {
    const link = join(domino.home, 'exposed');
    expect(await shadow?.expose({ as: link })).toBe(link);
    expect(shadow?.exposedAs).toBe(link);
    await shadow?.unexpose();
    expect(existsSync(link)).toBe(false);
  }
  const seen: Progress[] = [];
  const to = join(domino.home, 'copies');
  const copies = await set.copyDatabases({ to, onProgress: (progress) => seen.push(progress) });
  expect(copies).toMatchObject({ databases: 12, failures: [] });
  expect(seen.at(-1)).toMatchObject({ type: 'copy', done: 12, total: 12 });
  expect([...set.describeDatabases()].every(({ copy }) => copy?.sha256?.length === 64)).toBe(true);
  const report = await backup.endBackup({ keep: false });
  expect(report).toMatchObject({ id: backup.id, outcome: 'complete' });
  await backup.dispose();
  await expect(backup.createShadow()).rejects.toMatchObject({ code: 'ERR_STATE' });

  const database = 'mail/db000003.nsf';
  const restored = await restoreDatabases({
    domino: domino.location,
    manifest: report.manifest,
    databases: [database],
    isolation: 'process',
  });
  expect(restored).toMatchObject({ outcome: 'complete', databases: [{ database, result: 'restored' }] });
});

test('errors arrive with their class and all fields', async () => {
  await domino.simulation.fault('NSFBackupStart:1+@mail/db000003.nsf=0x13aa');
  const backup = await begin({ required: ['mail/db000003.nsf'] });
  const error = await failed(backup.createShadow());
  expect(error).toMatchObject({
    name: 'BackupError',
    code: 'ERR_REQUIRED_DATABASE',
    failures: [{ operation: 'NSFBackupStart', status: 0x13aa, statusName: 'ERR_CANT_BACKUP_DURING_COMPACT' }],
  });
  expect((error as Error).stack).toContain('isolation.test');
  await domino.simulation.clearFaults();
  await domino.simulation.fault('NotesInitExtended:1+=0x0103');
  const init = await failed(beginBackup(isolated()));
  expect(init).toBeInstanceOf(DominoError);
  expect(init).toMatchObject({ code: 'ERR_DOMINO_INIT', operation: 'NotesInitExtended', status: 0x0103 });
});

test('a wrong option is refused before a process is started', async () => {
  await expect(beginBackup(isolated({ shards: 0 }))).rejects.toMatchObject({ code: 'ERR_OPTION', option: 'shards' });
  await expect(beginBackup(isolated({ isolation: 'proces' as never }))).rejects.toMatchObject({ option: 'isolation' });
});

test('an abort arrives, and its reason comes back', async () => {
  const controller = new AbortController();
  const reason = { because: 'the user said so', by: () => 'a function, which is not copied' };
  await domino.simulation.fault('NSFBackupStart:1+=hang:60000');
  const backup = await begin();
  const creating = failed(backup.createShadow({ signal: controller.signal }));
  await until('a call hangs', async () => ((await domino.simulation.stats()).faults[0]?.seen ?? 0) > 0);
  controller.abort(reason);
  await domino.simulation.clearFaults();
  const error = await creating;
  expect(error).toBeInstanceOf(AbortError);
  expect((error as AbortError).cause).toBe(reason);
  await backup.dispose();
});

test('an exception of the listener of progress ends the call', async () => {
  const backup = await begin();
  const set = await backup.createShadow();
  const reason = new Error('the listener has failed');
  const onProgress = (): never => {
    throw reason;
  };
  const error = await failed(set.copyDatabases({ to: join(domino.home, 'never'), onProgress }));
  expect(error).toBeInstanceOf(AbortError);
  expect((error as AbortError).cause).toBe(reason);
  await backup.dispose();
});

/** As administrators write them, with inherited members. */
class StorageArray {
  readonly #root = domino.home;
  readonly name = 'array';
  readonly flushesVolumes = true;
  readonly removed: unknown[] = [];

  create({ volumes }: { readonly volumes: readonly { readonly path: string }[] }) {
    return Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: this.#root })) });
  }

  remove(result: unknown): Promise<void> {
    this.removed.push(result);
    return Promise.resolve();
  }
}

test('a hook stays in this process', async () => {
  const provider = new StorageArray();
  const backup = await begin({ provider, shadowDirectory: undefined });
  const set = await backup.createShadow();
  expect(set.shadows[0]?.root).toBe(domino.home);
  await backup.endBackup();
  expect(provider.removed).toHaveLength(1);
});

test('two backups one after the other, of two Domino servers', async () => {
  // In the same process the second call would be refused: a process has one Domino runtime.
  await using other = await SimulatedDomino.create({ databases: 3, plainNames: true });
  for (const { location, home, databases } of [
    { location: domino.location, home: domino.home, databases: 12 },
    { location: other.location, home: other.home, databases: 3 },
  ]) {
    const options = { domino: location, deltaDirectory: join(home, 'backup'), shadowDirectory: join(home, 'shadow') };
    const backup = await begin(options);
    expect(await backup.createShadow()).toMatchObject({ databases });
    await backup.endBackup();
  }
});

describe('the process that holds Domino', () => {
  test.each([
    ['NSFDbOpen', 'beginBackup'],
    ['NSFBackupStart', 'createShadow'],
    ['NSFBackupStop', 'createShadow'],
  ])('dies in %s: %s fails, and says what is left', async (inside, call) => {
    await domino.simulation.fault(`${inside}:3=die`);
    let backup: Backup | undefined;
    const error = await failed(
      beginBackup(isolated()).then((begun) => {
        backup = begun;
        return begun.createShadow();
      }),
    );
    expect(error).toBeInstanceOf(ProcessError);
    expect(error).toMatchObject({ code: 'ERR_PROCESS_ENDED', call, hung: false, retryable: true });
    const { message, hint, left } = error as ProcessError;
    expect(left).toHaveLength(1);
    expect(message).toContain(journals()[0]);
    expect(message).toContain('an unfinished backup may be left');
    if (call === 'createShadow') expect(message).toContain('up to 12 databases may still be in backup mode');
    expect(hint).toContain(`domino-vss recover --delta-dir ${domino.deltaDirectory} --ini ${domino.location.notesIni}`);
    // The caller already knows.
    await backup?.dispose();
    if (backup) await expect(backup.createShadow()).rejects.toBe(error);
  });

  test('is killed between two calls: the next one says so', async () => {
    const backup = await begin();
    process.kill(holder(), 'SIGKILL');
    await expect(backup.createShadow()).rejects.toMatchObject({ code: 'ERR_PROCESS_ENDED', hung: false });
    await backup.dispose();
  });

  test('is killed, and only dispose comes after it: it says what is left', async () => {
    const backup = await begin();
    const pid = holder();
    process.kill(pid, 'SIGKILL');
    await until('it has ended', () => hasEnded(pid));
    await expect(backup.dispose()).rejects.toMatchObject({ code: 'ERR_PROCESS_ENDED' });
  });

  linuxTest('answers nothing any more: it is ended when every deadline has passed', async () => {
    const backup = await beginIsolatedBackup(isolated(), { startMs: 3_000, graceMs: 500 });
    const pid = holder();
    process.kill(pid, 'SIGSTOP');
    const error = await failed(backup.createShadow({ timeoutMs: 60_000 }));
    expect(error).toMatchObject({
      code: 'ERR_PROCESS_ENDED',
      call: 'createShadow',
      hung: true,
      pid,
      signal: 'SIGKILL',
    });
    expect((error as ProcessError).left).toHaveLength(1);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  linuxTest('is waited for as long as it has said', async () => {
    await domino.simulation.fault('NSFBackupStart:1=hang:4500');
    const backup = await beginIsolatedBackup(isolated(), { startMs: 3_000, graceMs: 500 });
    expect(await backup.createShadow({ timeoutMs: 60_000 })).toMatchObject({ outcome: 'complete' });
    await backup.dispose();
  });
});

describe('the process that has called', () => {
  function program(...args: string[]): RunningProcess {
    const env = { TEST_OPTIONS: JSON.stringify(isolated()) };
    return new RunningProcess(process.execPath, [join(__dirname, 'isolation-program.js'), ...args], { env });
  }

  async function gone(pid: number): Promise<void> {
    await until('the other process has ended', () => hasEnded(pid));
    expect(journals()).toEqual([]);
  }

  test('is killed with a shadow: the other process takes it back', async () => {
    const running = program();
    await until('the shadow is made', () => running.stdout.includes('holding 12'));
    const pid = holder();
    running.interrupt('SIGKILL');
    await running.ended;
    await gone(pid);
    expect(running.stderr).toContain('the process that began the backup');
  });

  test('is killed while databases are in backup mode: they come out', async () => {
    await domino.simulation.fault('NSFBackupStop:1+=hang:1500');
    const running = program();
    await until('databases are in backup mode', async () => (await domino.simulation.stats()).inBackup.length > 0);
    const pid = holder();
    running.interrupt('SIGKILL');
    await running.ended;
    await gone(pid);
    expect((await domino.simulation.stats()).inBackup).toEqual([]);
  });

  linuxTest('is interrupted on its terminal: the other process hears of it only from the first', async () => {
    const running = program();
    await until('the shadow is made', () => running.stdout.includes('holding 12'));
    const pid = holder();
    const group = (of: number): string =>
      readFileSync(`/proc/${of}/stat`, 'latin1').split(') ')[1]?.split(' ')[2] ?? '';
    expect(group(pid)).not.toBe(group(running.child.pid ?? 0));
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGINT');
    running.interrupt('SIGINT');
    await running.ended;
    await gone(pid);
  });

  test('is a worker that is terminated: the other process takes it back', async () => {
    const running = program('worker');
    await until('the worker is terminated', () => running.stdout.includes('terminated'));
    await until('nothing is left', () => journals().length === 0);
    expect(await running.ended).toMatchObject({ code: 0 });
  });
});
