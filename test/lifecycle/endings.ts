// However a process ends, nothing stays in backup mode, no handle stays open, no shadow is left, and NotesTerm has been called.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { packageRoot } from '#lib/native/package-root';
import { SimulatedDomino } from '../integration/simulated-domino';
import type { Ending, State } from './program';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export let domino: SimulatedDomino;
let server: Server;
/** Processes that have ended without NotesTerm. */
let crashed = 0;

/** For a test that has ended a process in this way. */
export function countCrash(): number {
  return (crashed += 1);
}

/**
 * A process in which only workers have used Domino. When Windows notifies a module of the end of a process, the other threads are
 * gone, including the one that holds Domino; the JavaScript listener belongs to the main thread.
 */
const leftByWorkers = process.platform === 'win32' ? 1 : 0;
/** On Windows a process cannot send a signal to another one: the function of that name ends it at once. */
const interrupts: [Ending, number][] = process.platform === 'win32' ? [] : [['interrupt', 130]];

export interface StartOptions {
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly onReached?: (child: ChildProcess) => void;
}

/** Starts a process, brings it into a state, and lets it end in a certain way. */
export function start(state: State, ending: Ending, options: StartOptions = {}): Promise<Ended> {
  const { node = process.execPath, env = {}, onReached } = options;
  const child = spawn(node, [join(__dirname, 'program.js'), state, ending], {
    env: {
      ...process.env,
      ...domino.simulation.environment,
      TEST_PROGRAM_DIRECTORY: domino.simulation.programDirectory,
      TEST_NOTES_INI: domino.simulation.notesIni,
      TEST_DELTA_DIRECTORY: domino.deltaDirectory,
      TEST_SHADOW_DIRECTORY: domino.shadowDirectory,
      ...env,
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
  await domino.expectQuiet(crashed);
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

/** Every way to end, in every state, in each of these Node.js programs. */
export function describeEndings(programs: readonly string[]): void {
  const nodes = programs.map((program) => {
    return { program, version: execFileSync(program, ['--version'], { encoding: 'utf8' }).trim() };
  });

  beforeAll(async () => {
    domino = await SimulatedDomino.create({ databases: 30, plainNames: true });
    // So that an end during the window really is during the window.
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 20_000 });
    server = await domino.serve({ threads: 1, transactionsPerSecond: 200 });
  });

  afterAll(async () => {
    await server.stop();
    await domino[Symbol.asyncDispose]();
  });

  describe.each(nodes)('Node.js $version', ({ program: node }) => {
    describe.each<State>(['loaded', ...open, 'ended', 'disposed'])('in state %s', (state) => {
      test.each<[Ending, number]>([
        ['natural', 0],
        ['exit', 0],
        ['throw', 1],
        ...interrupts,
        ['worker-end', 0],
        ['worker-exit', 0],
        ['worker-terminate', 0],
      ])('%s leaves nothing', async (ending, exitCode) => {
        const onReached = (child: ChildProcess): unknown => ending === 'interrupt' && child.kill('SIGINT');
        const { code, signal, stderr, stdout } = await start(state, ending, { node, onReached });
        expect({ code, signal, stderr: code === exitCode ? '' : stderr }).toEqual({
          code: exitCode,
          signal: null,
          stderr: '',
        });
        if (ending.startsWith('worker-')) expect(stdout).toContain('worker ended');
        if (ending.startsWith('worker-') && state !== 'loaded') crashed += leftByWorkers;
        // A terminated worker runs no more JavaScript: there is no warning, and the journal still names the backup.
        const terminated = ending === 'worker-terminate';
        expect(stderr.includes('ended with an open backup')).toBe(open.includes(state) && !terminated);
        expect(filesBelow(join(domino.deltaDirectory, '.journal'))).toHaveLength(
          open.includes(state) && terminated ? 1 : 0,
        );
        if (terminated) rmSync(domino.deltaDirectory, { recursive: true, force: true });
        await expectNothingLeft();
      });
    });

    test('four workers share the runtime', async () => {
      const { code, signal, stdout, stderr } = await start('ended', 'four-workers', { node });
      crashed += leftByWorkers;
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
      expect(stdout.match(/backed up/g)).toHaveLength(4);
      await expectNothingLeft();
    });

    test('four workers that are terminated leave nothing in backup mode', async () => {
      const { code, signal, stdout } = await start('ended', 'four-workers-terminate', { node });
      crashed += leftByWorkers;
      expect({ code, signal }).toEqual({ code: 0, signal: null });
      expect(stdout).toContain('workers ended');
      rmSync(domino.deltaDirectory, { recursive: true, force: true }); // with the journal of the one that had begun
      await expectNothingLeft();
    });

    test.each<[State, string]>([
      ['loaded', 'begun'],
      ['disposed', 'ERR_DOMINO_RUNTIME_BUSY'],
    ])('a second copy of the package, while the first is %s: %s', async (state, answer) => {
      const copy = copyOfPackage();
      try {
        const env = { TEST_SECOND_COPY: copy, NODE_PATH: join(packageRoot, 'node_modules') };
        const { code, signal, stdout, stderr } = await start(state, 'second-copy', { node, env });
        expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
        expect(stdout).toBe(`second copy: ${answer}\nreached\n`);
        await expectNothingLeft();
      } finally {
        rmSync(copy, { recursive: true });
      }
    });
  });
}

/** The loaded parts of the package, in another directory: another library for the loader, other modules for Node.js. */
function copyOfPackage(): string {
  const copy = mkdtempSync(join(domino.home, 'copy-'));
  const addon = process.platform === 'win32' ? 'prebuilds' : join('build', 'Release', 'domino_vss.node');
  for (const part of ['package.json', 'dist', 'schema', addon])
    cpSync(join(packageRoot, part), join(copy, part), { recursive: true });
  return copy;
}
