import { spawn, type ChildProcess } from 'node:child_process';
import { watchDeadlines } from '../call/call';
import { relaunchVariable } from '../doctor/checks';
import { hasLibraryPath } from '../domino/environment';
import { AbortError } from '../errors/errors';
import { describeEnd, type WorkPlace } from '../store/ended-process';
import { launchSettings, type LaunchSettings } from '../domino/launch';
import { usualPatience, Watch } from '../isolation/watch';
import { exitCodes } from './context';

const onWindows = process.platform === 'win32';

/** Interrupts that must not end this process before the process that it watches. */
const interruptsHere: readonly NodeJS.Signals[] = onWindows
  ? ['SIGINT', 'SIGBREAK', 'SIGHUP']
  : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** What the working process reports to the watching one. */
type Notice =
  | { readonly type: 'deadline'; readonly timeoutMs: number }
  /** Its command has reported how it ended. */
  | { readonly type: 'result' };

/**
 * Runs the command in another process and watches it. The dynamic loader of Linux reads LD_LIBRARY_PATH only when a process
 * starts: a process without the program directory in it must start another one that has it; otherwise no other process is needed.
 * On Windows, Domino does not need another process, but something that outlives it does. Returns the exit code, or undefined if
 * this process can run the command itself.
 *
 * @throws {@link ProcessError} if the process died, or hung past all deadlines that it had announced.
 * @throws {@link AbortError} if an interrupt ended the process while it was starting.
 */
export async function relaunch(place: WorkPlace, patience = usualPatience): Promise<number | undefined> {
  const settings = isRelaunched() ? undefined : neededSettings(place);
  if (!settings) return undefined;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd: settings.cwd,
    env: { ...process.env, ...settings.env, [relaunchVariable]: process.cwd() },
    // Through the channel, the child notices the end of this process, whatever its reason.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // In its own session, a Ctrl-C on the terminal reaches the child once, from here, and not twice. On Windows, this would give
    // it a console of its own; there, both share a console, and Windows notifies both.
    detached: !onWindows,
  });
  const interrupts: NodeJS.Signals[] = [];
  const forward = (signal: NodeJS.Signals): void => {
    interrupts.push(signal);
    // On Windows this would not interrupt the child but terminate it.
    if (!onWindows) child.kill(signal);
  };
  for (const signal of interruptsHere) process.on(signal, forward);
  try {
    const { hung, told, exitCode, signal } = await watched(child, patience);
    if (told && exitCode !== undefined) return exitCode;
    const error = await describeEnd('', { pid: child.pid ?? 0, exitCode, signal, hung }, place);
    // The interrupt came before the child could listen for it, so it ended the child before it had begun anything.
    const [interrupt] = interrupts.filter((each) => each === signal);
    if (interrupt !== undefined && error.left.length === 0) throw new AbortError(new Error(interrupt));
    if (interrupts.length === 0 || exitCode !== exitCodes.interrupted) throw error;
    // The second interrupt ends the child at once, so it could not report what is left.
    if (error.left.length > 0) process.stderr.write(`${[...error.left, error.hint].join('\n')}\n`);
    return exitCode;
  } finally {
    for (const signal of interruptsHere) process.off(signal, forward);
  }
}

/** The end of a watched process. */
interface Watched {
  readonly hung: boolean;
  /** Whether it had reported how its command ended. */
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
      // From here on, only the end of the process is awaited.
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

/** Undefined if this process has what Domino needs, or if Domino was not found: the command will report what is missing. */
function neededSettings({ domino }: WorkPlace): LaunchSettings | undefined {
  const settings = launchSettings(domino);
  if (onWindows) return settings;
  if (process.platform !== 'linux') return undefined;
  const program = settings.env['Notes_ExecDirectory'];
  return program === undefined || hasLibraryPath(program) ? undefined : settings;
}

/** Whether this process was started by one like it. Programs that it starts inherit the variable, but not the channel. */
function isRelaunched(): boolean {
  return process.env[relaunchVariable] !== undefined && process.channel !== undefined;
}

/** For the started process: reports how long its steps may take, and calls back when the watching process is gone. */
export function serveLauncher(onGone: () => void): void {
  if (!isRelaunched()) return;
  process.once('disconnect', onGone);
  process.channel?.unref();
  watchDeadlines((timeoutMs) => {
    tellLauncher({ type: 'deadline', timeoutMs });
  });
}

/** The command has ended normally, and has reported how. */
export function tellResult(): void {
  if (isRelaunched()) tellLauncher({ type: 'result' });
}

function tellLauncher(notice: Notice): void {
  if (process.connected) process.send?.(notice, () => undefined);
}
