// However a process ends, nothing stays in backup mode, no handle stays open, no shadow stays, and Domino was taken leave of.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { beginBackup } from '#lib/index';
import { SimulatedDomino } from '../integration/simulated-domino';
import type { Ending, State } from './program';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 30, plainNames: true });
  // So that an end in the middle of the window really is in the middle of it.
  await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 20_000 });
  server = await domino.serve({ threads: 1, transactionsPerSecond: 200 });
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

function start(state: State, ending: Ending, onReached?: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [join(__dirname, 'program.js'), state, ending], {
    env: {
      ...process.env,
      ...domino.simulation.environment,
      TEST_PROGRAM_DIRECTORY: domino.simulation.programDirectory,
      TEST_NOTES_INI: domino.simulation.notesIni,
      TEST_DELTA_DIRECTORY: domino.deltaDirectory,
      TEST_SHADOW_DIRECTORY: domino.shadowDirectory,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let reached = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (reached || !stdout.includes('reached')) return;
    reached = true;
    onReached?.(child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
}

async function expectNothingLeft(): Promise<void> {
  await domino.expectQuiet();
  const stats = await domino.simulation.stats();
  expect(stats.openDatabases.every(({ handles }) => handles === 1)).toBe(true); // the server's own
  expect(stats.processes.filter(({ role }) => role === 'api')).toEqual([]);
  expect(filesBelow(domino.shadowDirectory)).toEqual([]);
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);
}

const open: readonly State[] = ['begun', 'creating', 'created'];

describe.each<State>(['loaded', ...open, 'ended', 'disposed'])('in state %s', (state) => {
  test.each<[Ending, number]>([
    ['natural', 0],
    ['exit', 0],
    ['throw', 1],
    ['worker-end', 0],
    ['worker-exit', 0],
    ['worker-terminate', 0],
  ])('%s leaves nothing', async (ending, exitCode) => {
    const { code, signal, stderr, stdout } = await start(state, ending);
    expect({ code, signal, stderr: code === exitCode ? '' : stderr }).toEqual({
      code: exitCode,
      signal: null,
      stderr: '',
    });
    if (ending.startsWith('worker-')) expect(stdout).toContain('worker ended');
    // A terminated worker runs no JavaScript any more: nobody warns, and the journal still names the backup.
    const terminated = ending === 'worker-terminate';
    expect(stderr.includes('ended with an open backup')).toBe(open.includes(state) && !terminated);
    expect(filesBelow(join(domino.deltaDirectory, '.journal'))).toHaveLength(
      open.includes(state) && terminated ? 1 : 0,
    );
    if (terminated) rmSync(domino.deltaDirectory, { recursive: true, force: true });
    await expectNothingLeft();
  });
});

test('a killed process is reported by the next backup', async () => {
  const { signal } = await start('begun', 'hang', (child) => child.kill('SIGKILL'));
  expect(signal).toBe('SIGKILL');
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
  });
  expect(backup.leftOvers).toHaveLength(1);
  expect(backup.warnings.join('\n')).toContain('has left something behind');
  await backup.dispose();
  const { accounting } = await domino.simulation.stats();
  expect(accounting.crashedParticipants).toBe(1);
});

test('a second process is told that the data directory is locked', async () => {
  let locked: unknown;
  let attempt: Promise<void> | undefined;
  const { signal, stderr } = await start('begun', 'hang', (child) => {
    attempt = beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory })
      .catch((error: unknown) => (locked = error))
      .then(() => {
        child.kill('SIGKILL');
      });
  });
  await attempt;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  expect(locked).toMatchObject({ code: 'ERR_LOCKED', retryable: true });
});
