// The process that starts the one with Domino watches it: however that ends, the user is told what is left.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  expect(stderr).toContain(`the process ${worker}, which did the work, ${how}`);
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
  const env = {
    TEST_PLACE: JSON.stringify({
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      loadsDomino: true,
      changes: true,
    }),
  };
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

describe('every command that changes something is watched', () => {
  linuxTest('with the environment that Domino needs already set', async () => {
    const { environment } = domino.simulation;
    const { running, worker } = await hangingBackup(() => start(backupRun(), { env: { ...environment } }));
    process.kill(worker, 'SIGKILL');
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`the process ${worker}, which did the work, was ended by SIGKILL`);
    expect(stderr).toContain('up to 8 databases may still be in backup mode');
    expect(stderr).toContain(recoverCommand());
  });

  /** A stand-in for systemctl that is run with these lines. */
  function systemctl(...lines: readonly string[]): Record<string, string> {
    const bin = join(domino.home, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'systemctl'), ['#!/bin/sh', ...lines, ''].join('\n'));
    chmodSync(join(bin, 'systemctl'), 0o755);
    return { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  }
  const stopMode = ['--stop-service', 'domino.service'];

  linuxTest('in stop mode: it says that the service is stopped, and recover starts it', async () => {
    const env = systemctl('[ "$1" = stop ] && kill -9 $PPID', 'true');
    const { code, stderr } = await run(backupRun(...stopMode), { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/the process \d+, which did the work, was ended by SIGKILL/);
    expect(stderr).toContain('the service domino.service may still be stopped');
    expect(stderr).toContain(recoverCommand());
    const log = join(domino.home, 'systemctl.log');
    const recover = ['recover', '--delta-dir', domino.deltaDirectory, ...locationFlags(domino)];
    const recovered = await run(recover, { env: systemctl(`echo "$@" >> '${log}'`, '[ "$1" = start ]') });
    expect(recovered).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(log, 'utf8')).toBe('is-active -- domino.service\nstart -- domino.service\n');
  });

  linuxTest.each(['the first process', 'the group of the first process', 'both processes'])(
    'in stop mode, an interrupt of %s starts the service again',
    async (whom) => {
      const log = join(domino.home, 'interrupt.log');
      writeFileSync(log, '');
      // The start takes its time, so that a second interrupt comes during it.
      const takes = '[ "$1" = start ] && sleep 0.5';
      const env = systemctl(takes, `echo "$1" >> '${log}'`, '[ "$1" = stop ] && exec sleep 60', 'true');
      const command = [mainScript, ...backupRun(...stopMode)];
      const running = new RunningProcess(process.execPath, command, { env, ownGroup: true });
      await until('the service is being stopped', () => readFileSync(log, 'utf8').includes('stop\n'));
      const { pid = 0 } = running.child;
      const [worker = 0] = workers();
      // As systemd does, which stops all processes of a service.
      if (whom === 'both processes') process.kill(worker, 'SIGINT');
      process.kill(whom === 'the group of the first process' ? -pid : pid, 'SIGINT');
      const { code, stderr } = await running.ended;
      expect([code, stderr]).toEqual([
        130,
        expect.stringContaining('interrupted: what was begun has been rolled back'),
      ]);
      expect(readFileSync(log, 'utf8')).toBe('is-active\nstop\nstart\n');
    },
  );

  test('a removal of backups', async () => {
    expect(await run(backupRun())).toMatchObject({ code: 0 });
    expect(await run(backupRun())).toMatchObject({ code: 0 });
    const dying = ['--require', join(__dirname, 'death', 'dying.js')];
    const prune = ['backup', 'prune', '--delta-dir', domino.deltaDirectory, '--keep-last', '1'];
    // The journal is written by the first operations.
    const env = { DEATH_AT: '12' };
    const { code, stderr } = await new RunningProcess(process.execPath, [...dying, mainScript, ...prune], { env })
      .ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/the process \d+, which did the work, /);
    expect(stderr).toMatch(/prune \S+ of process \d+ has left something behind/);
    expect(stderr).toContain(`domino-vss recover --delta-dir ${domino.deltaDirectory}`);
  });

  test('archiving of the log, which leaves nothing to clean up', async () => {
    await domino.simulation.fault('NSFGetTransLogStyle:1=die');
    const archive = ['logs', 'archive', '--log-archive', join(domino.home, 'archive'), ...locationFlags(domino)];
    const { code, stderr } = await run(archive);
    expect(code).toBe(1);
    expect(stderr).toMatch(/the process \d+, which did the work, /);
    expect(stderr).toContain('There is nothing to clean up.');
  });
});

linuxTest('a command that only reads has no second process', async () => {
  const { environment, notesIni, programDirectory } = domino.simulation;
  const log = join(domino.home, 'processes.log');
  const counts = join(domino.home, 'counts.cjs');
  writeFileSync(counts, `require('node:fs').appendFileSync(${JSON.stringify(log)}, process.pid + '\\n');`);
  const places = ['--ini', notesIni, '--program', programDirectory];
  const count = async (...args: readonly string[]): Promise<number> => {
    writeFileSync(log, '');
    const env = { ...environment };
    await new RunningProcess(process.execPath, ['--require', counts, mainScript, ...args], { env }).ended;
    return readFileSync(log, 'utf8').trim().split('\n').length;
  };
  expect(await count('doctor', ...places)).toBe(1);
  expect(await count(...backupRun('--dry-run'))).toBe(1);
  expect(await count('recover', '--dry-run', '--delta-dir', domino.deltaDirectory, ...places)).toBe(1);
  expect(await count('backup', 'list', '--delta-dir', domino.deltaDirectory)).toBe(1);
  expect(await count('recover', '--delta-dir', domino.deltaDirectory, ...places)).toBe(2);
});

linuxTest('a program that the second process starts is not mistaken for one', async () => {
  const [program, says] = [join(domino.home, 'says.sh'), join(domino.home, 'says.txt')];
  writeFileSync(program, `#!/bin/sh\necho "[$DOMINO_VSS_WORKING_DIRECTORY]" > '${says}'\n`);
  chmodSync(program, 0o700);
  const { code } = await run(backupRun('--exclude', '**', '--failure-command', program));
  expect([code, readFileSync(says, 'utf8')]).toEqual([1, '[]\n']);
});

test('what ends in order is not commented', async () => {
  await domino.simulation.fault('NSFDbOpen:1+=0x02cc');
  const { code, stderr } = await run(backupRun());
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_NO_DATABASES');
  expect(stderr).not.toContain('which did the work');
});
