import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SimulatedDomino } from './simulated-domino';

/** The repository, relative to the compiled tests. */
export const repository = join(__dirname, '../../..');
export const mainScript = join(repository, 'dist/cli/main.js');

/** How a process ended, and its output. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Whether it begins a group of processes, as a shell lets a command. Default: false. */
  readonly ownGroup?: boolean;
  readonly cwd?: string;
  /** Added to {@link plainEnvironment}. */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly uid?: number;
  /** For a command that uses its terminal. */
  readonly withInput?: boolean;
  /**
   * The started process does the work itself: it takes this one for the process that watches it. For tests that kill it, or that
   * count what it does.
   */
  readonly isWatchedHere?: boolean;
}

/** The shell environment of someone who knows nothing about Domino's environment. */
export const plainEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  SIM_QUIET: '1',
  // In a checkout that was built for Linux and runs under Wine, build/Release contains the addon for Linux.
  ...(process.platform === 'win32' && { PREBUILDS_ONLY: '1' }),
};

/** A running process. */
export class RunningProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(
    command: string,
    args: readonly string[],
    { cwd, env, uid, withInput = false, isWatchedHere = false, ownGroup = false }: ProcessOptions = {},
  ) {
    const child = spawn(command, args, {
      cwd,
      env: {
        ...plainEnvironment,
        ...env,
        ...(isWatchedHere && { DOMINO_VSS_WORKING_DIRECTORY: cwd ?? process.cwd() }),
      },
      ...(uid !== undefined && { uid, gid: uid }),
      detached: ownGroup,
      stdio: [withInput ? 'pipe' : 'ignore', 'pipe', 'pipe', ...(isWatchedHere ? (['ipc'] as const) : [])],
    });
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject).on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  interrupt(signal: NodeJS.Signals = 'SIGINT'): void {
    this.child.kill(signal);
  }
}

/** Starts `domino-vss` as a process. */
export function start(args: readonly string[], options?: ProcessOptions): RunningProcess {
  return new RunningProcess(process.execPath, [mainScript, ...args], options);
}

/** Runs `domino-vss` to its end. */
export function run(args: readonly string[], options?: ProcessOptions): Promise<Ended> {
  return start(args, options).ended;
}

/** The options that locate a simulated Domino. */
export function locationFlags({ simulation }: SimulatedDomino): string[] {
  return ['--ini', simulation.notesIni, '--program', simulation.programDirectory];
}

/** Whether no process has this number, except for a zombie whose parent has not yet asked how it ended. */
export function hasEnded(pid: number): boolean {
  if (process.platform === 'linux') return !existsSync(`/proc/${pid}/exe`);
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** Waits until a condition holds, and fails if it never does. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, timeoutMs = 25_000): Promise<void> {
  const endsAt = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`not so after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
