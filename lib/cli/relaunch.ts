import { spawn, type ChildProcess } from 'node:child_process';
import { watchDeadlines } from '../call/call';
import { relaunchVariable } from '../doctor/checks';
import { hasLibraryPath } from '../domino/environment';
import { describeEnd, type WorkPlace } from '../isolation/ended-process';
import { launchSettings, type LaunchSettings } from '../domino/launch';
import { usualPatience, Watch } from '../isolation/watch';
import { exitCodes } from './context';

const onWindows = process.platform === 'win32';

/** Interrupts that must not end this process before the one that it watches. */
const interruptsHere: readonly NodeJS.Signals[] = onWindows
  ? ['SIGINT', 'SIGBREAK', 'SIGHUP']
  : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** What the process that does the work tells the one that watches it. */
type Notice =
  | { readonly type: 'deadline'; readonly timeoutMs: number }
  /** Its command has said how it ended. */
  | { readonly type: 'result' };

/**
 * Does the command in another process and watches that. The dynamic loader of Linux reads LD_LIBRARY_PATH when a process starts,
 * so one that lacks the program directory there can only start another one that has it; with it there, this process will do. Windows
 * needs no other process for Domino, but somebody who outlives it. Answers the exit code, or undefined when this process will do.
 *
 * @throws {@link ProcessError} when it has died, or hung past every deadline that it had announced.
 */
export async function relaunch(place: WorkPlace, patience = usualPatience): Promise<number | undefined> {
  const settings = isRelaunched() ? undefined : neededSettings(place);
  if (!settings) return undefined;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd: settings.cwd,
    env: { ...process.env, ...settings.env, [relaunchVariable]: process.cwd() },
    // The channel tells the child when this process is gone, however it went.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A session of its own: a Ctrl-C on the terminal reaches the child once, from here, and not twice. On Windows it would be a
    // console of its own; there both share one, and Windows itself tells both.
    detached: !onWindows,
  });
  const interrupts: NodeJS.Signals[] = [];
  const forward = (signal: NodeJS.Signals): void => {
    interrupts.push(signal);
    // On Windows it would not interrupt the child but terminate it.
    if (!onWindows) child.kill(signal);
  };
  for (const signal of interruptsHere) process.on(signal, forward);
  try {
    const { hung, told, exitCode, signal } = await watched(child, patience);
    if (told && exitCode !== undefined) return exitCode;
    const error = await describeEnd('', { pid: child.pid ?? 0, exitCode, signal, hung }, place);
    if (interrupts.length === 0 || exitCode !== exitCodes.interrupted) throw error;
    // The second interrupt ends it at once, so it could not say what is left.
    if (error.left.length > 0) process.stderr.write(`${[...error.left, error.hint].join('\n')}\n`);
    return exitCode;
  } finally {
    for (const signal of interruptsHere) process.off(signal, forward);
  }
}

/** How a process has ended that was watched. */
interface Watched {
  readonly hung: boolean;
  /** Whether it has said itself how its command ended. */
  readonly told: boolean;
  readonly exitCode: number | undefined;
  readonly signal: string;
}

async function watched(child: ChildProcess, patience: typeof usualPatience): Promise<Watched> {
  let [hung, told] = [false, false];
  const watch = new Watch(patience, () => {
    hung = true;
    child.kill('SIGKILL');
  });
  watch.begin();
  child.on('message', (notice: Notice) => {
    if (notice.type === 'deadline') {
      watch.announced(notice.timeoutMs);
    } else {
      told = true;
      // Only the end of the process is left now.
      watch.begin();
    }
  });
  try {
    return await new Promise<Watched>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve({ hung, told, exitCode: code ?? undefined, signal: signal ?? '' });
      });
    });
  } finally {
    watch.end();
  }
}

/** Undefined when this process has what Domino needs, or nobody knows where Domino is: the command will say what is missing. */
function neededSettings({ domino }: WorkPlace): LaunchSettings | undefined {
  const settings = launchSettings(domino);
  if (onWindows) return settings;
  if (process.platform !== 'linux') return undefined;
  const program = settings.env['Notes_ExecDirectory'];
  return program === undefined || hasLibraryPath(program) ? undefined : settings;
}

/** Whether a process like this one has started this one. Programs that it starts inherit the variable, but not the channel. */
function isRelaunched(): boolean {
  return process.env[relaunchVariable] !== undefined && process.channel !== undefined;
}

/** For the process that was started: tells how long its steps may take, and calls back when the one that watches it is gone. */
export function serveLauncher(onGone: () => void): void {
  if (!isRelaunched()) return;
  process.once('disconnect', onGone);
  process.channel?.unref();
  watchDeadlines((timeoutMs) => {
    tellLauncher({ type: 'deadline', timeoutMs });
  });
}

/** The command has ended in order, and has said how. */
export function tellResult(): void {
  if (isRelaunched()) tellLauncher({ type: 'result' });
}

function tellLauncher(notice: Notice): void {
  if (process.connected) process.send?.(notice, () => undefined);
}
