// The process that starts the one with Domino watches it: however that ends, the user is told what is left.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locationFlags, mainScript, RunningProcess, run, start, until } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { linuxTest } from '../platform';

let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 8, plainNames: true });
});

afterEach(async () => {
  await domino.simulation.clearFaults();
  await domino.simulation.restartServerState();
  const { code, stdout } = await run(['recover', '--delta-dir', domino.deltaDirectory, ...locationFlags(domino)]);
  expect([code, stdout]).toEqual([0, expect.any(String)]);
  expect(workers()).toEqual([]);
});

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

function backupRun(...more: string[]): string[] {
  const { deltaDirectory, shadowDirectory } = domino;
  const places = ['--delta-dir', deltaDirectory, '--shadow-dir', shadowDirectory, '--to', join(domino.home, 'copies')];
  return ['backup', 'run', '--provider', 'rolling', ...places, ...locationFlags(domino), ...more];
}

/** The processes that do the work, according to their journals. */
function workers(): number[] {
  const directory = join(domino.deltaDirectory, '.journal');
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.journal')) : [];
  return names.map((name) => {
    const head = readFileSync(join(directory, name), 'utf8').split('\n')[0] ?? '';
    return (JSON.parse(head) as { pid: number }).pid;
  });
}

/** A backup whose databases stay in backup mode, and the process that holds them there. */
async function hangingBackup(begin: () => RunningProcess): Promise<{ running: RunningProcess; worker: number }> {
  await domino.simulation.fault('NSFBackupStop:1+=hang:60000');
  const running = begin();
  await until('databases are in backup mode', async () => (await domino.simulation.stats()).inBackup.length > 0);
  const [worker = 0] = workers();
  expect(worker).not.toBe(running.child.pid);
  return { running, worker };
}

const recoverCommand = (): string => `domino-vss recover --delta-dir ${domino.deltaDirectory} --ini`;

test('a backup that is killed: the other process says what is left', async () => {
  const { running, worker } = await hangingBackup(() => start(backupRun()));
  process.kill(worker, 'SIGKILL');
  const { code, stderr } = await running.ended;
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_PROCESS_ENDED');
  // Windows has no signals: whoever terminates a process chooses its exit code.
  const how = process.platform === 'win32' ? 'has ended, or was terminated, with exit code 1' : 'was ended by SIGKILL';
  expect(stderr).toContain(`the process ${worker}, which held Domino, ${how}`);
  expect(stderr).toContain('up to 8 databases may still be in backup mode');
  expect(stderr).toContain(recoverCommand());
});

test('a backup that dies inside Domino: with --json in a document', async () => {
  await domino.simulation.fault('NSFBackupStart:3=die');
  const { code, stdout } = await run(backupRun('--json'));
  expect(code).toBe(1);
  const { error } = JSON.parse(stdout) as { error: Record<string, unknown> };
  expect(error).toMatchObject({ name: 'ProcessError', code: 'ERR_PROCESS_ENDED', hung: false });
  expect(error['left']).toHaveLength(1);
  expect(error['hint']).toContain(recoverCommand());
});

linuxTest('a process that answers nothing is ended when its time is over', async () => {
  const env = { TEST_PLACE: JSON.stringify({ domino: domino.location, deltaDirectory: domino.deltaDirectory }) };
  const script = join(__dirname, 'launcher-program.js');
  // It stops itself before it announces how long its work may take: from then on that time counts, and it is minutes.
  const stops = join(domino.home, 'stops.cjs');
  writeFileSync(stops, "if (!process.argv[1].endsWith('launcher-program.js')) process.kill(process.pid, 'SIGSTOP');");
  const running = new RunningProcess(process.execPath, ['--require', stops, script, ...backupRun()], { env });
  const { stdout } = await running.ended;
  expect(JSON.parse(stdout)).toMatchObject({ code: 'ERR_PROCESS_ENDED', hung: true, signal: 'SIGKILL' });
});

describe('an interrupt that comes early is an interrupt all the same', () => {
  /** Runs a backup as JSON in processes that first run a script. */
  async function interrupted(name: string, script: string): Promise<{ code: number | null; error: unknown }> {
    const first = join(domino.home, name);
    writeFileSync(first, script);
    const earlier = backups();
    const running = new RunningProcess(process.execPath, ['--require', first, mainScript, ...backupRun('--json')]);
    const { code, stdout } = await running.ended;
    expect(backups()).toEqual(earlier);
    return { code, error: (JSON.parse(stdout) as { error?: unknown }).error };
  }

  function backups(): string[] {
    const names = existsSync(domino.deltaDirectory) ? readdirSync(domino.deltaDirectory) : [];
    return names.filter((name) => name !== '.journal');
  }

  test('before the other process is started', async () => {
    const script = `if (!process.channel) process.on('newListener', function listens(name) {
      if (name !== 'SIGINT') return;
      process.off('newListener', listens);
      process.nextTick(() => process.emit('SIGINT', 'SIGINT'));
    });`;
    expect(await interrupted('before.cjs', script)).toMatchObject({ code: 130, error: { code: 'ERR_ABORTED' } });
  });

  linuxTest('before the other process listens for it', async () => {
    const script = `if (process.channel) {
      process.kill(process.ppid, 'SIGINT');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000);
    }`;
    expect(await interrupted('while.cjs', script)).toMatchObject({ code: 130, error: { code: 'ERR_ABORTED' } });
  });
});

test('what ends in order is not commented', async () => {
  await domino.simulation.fault('NSFDbOpen:1+=0x02cc');
  const { code, stderr } = await run(backupRun());
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_NO_DATABASES');
  expect(stderr).not.toContain('which held Domino');
});
