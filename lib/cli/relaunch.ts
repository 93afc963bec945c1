import { spawn, type ChildProcess } from 'node:child_process';
import { watchDeadlines, watchPlaces } from '../call/call';
import { environmentSetVariable } from '../doctor/checks';
import { hasLibraryPath } from '../domino/environment';
import { AbortError } from '../errors/errors';
import { describeEnd, type WorkPlace } from '../store/ended-process';
import { launchSettings, type LaunchSettings } from '../domino/launch';
import { usualPatience, Watch } from '../isolation/watch';
import { exitCodes, type Errand } from './context';

const onWindows = process.platform === 'win32';

/** Interrupts that must not end this process before the process that it watches. */
const interruptsHere: readonly NodeJS.Signals[] = onWindows
  ? ['SIGINT', 'SIGBREAK', 'SIGHUP']
  : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** For the working process: the directory in which the user has started the command. */
const relaunchVariable = 'DOMINO_VSS_WORKING_DIRECTORY';

/**
 * That directory, if this process was started by one like it; otherwise undefined. The variable is taken out of the environment,
 * so that a domino-vss that this process starts, directly or through a program, is not mistaken for a watched one.
 */
const relaunchedFrom = takeWorkingDirectory();

function takeWorkingDirectory(): string | undefined {
  const directory = process.env[relaunchVariable];
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the name is a constant
  delete process.env[relaunchVariable];
  return process.channel === undefined ? undefined : directory;
}

/** The directory in which the user has started the command: relative paths begin there. */
export function workingDirectory(): string {
  return relaunchedFrom ?? process.cwd();
}

/** An interrupt, on its way from the watching process to the working one. */
interface PassedOn {
  readonly type: 'interrupt';
  readonly signal: NodeJS.Signals;
}

/** What the working process reports to the watching one. */
type Notice =
  /** From now on, interrupts reach it as messages. */
  | { readonly type: 'listening' }
  | { readonly type: 'deadline'; readonly timeoutMs: number }
  /** From now on, a journal in this delta directory may name what it has made. */
  | { readonly type: 'place'; readonly deltaDirectory: string }
  /** Its command has reported how it ended. */
  | { readonly type: 'result' };

/**
 * Runs the command in another process and watches it. Two reasons require another process: if the command changes something,
 * this one must outlive the one that does it; and the dynamic loader of Linux reads LD_LIBRARY_PATH only when a process starts,
 * so that a process without the program directory in it must start another one that has it. Returns the exit code, or undefined
 * if this process can run the command itself.
 *
 * @throws {@link ProcessError} if the process died, or hung past all deadlines that it had announced.
 * @throws {@link AbortError} if an interrupt ended the process while it was starting.
 */
export async function relaunch(errand: Errand, patience = usualPatience): Promise<number | undefined> {
  const settings = relaunchedFrom === undefined ? neededSettings(errand) : undefined;
  if (!settings) return undefined;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd: settings.cwd,
    env: { ...process.env, ...settings.env, [relaunchVariable]: process.cwd() },
    // Through the channel, the child notices the end of this process, whatever its reason.
    stdio: [errand.readsInput ? 'inherit' : 'ignore', 'inherit', 'inherit', 'ipc'],
    // In its own session, a Ctrl-C on the terminal reaches the child once, from here, and not twice. On Windows, this would give
    // it a console of its own; there, both share a console, and Windows notifies both.
    detached: !onWindows,
  });
  const interrupts: NodeJS.Signals[] = [];
  let listens = false;
  child.on('message', ({ type }: Notice) => {
    listens ||= type === 'listening';
  });
  const forward = (signal: NodeJS.Signals): void => {
    interrupts.push(signal);
    // On Windows this would not interrupt the child but terminate it.
    if (onWindows) return;
    // As a message, so that it is not counted twice: whoever stops a service sends the signal to both processes.
    if (listens && child.connected) child.send({ type: 'interrupt', signal } satisfies PassedOn, () => undefined);
    else child.kill(signal);
  };
  for (const signal of interruptsHere) process.on(signal, forward);
  try {
    const { hung, told, exitCode, signal, deltaDirectories } = await watched(child, patience);
    if (told && exitCode !== undefined) return exitCode;
    const { domino, deltaDirectory } = errand;
    const error = await describeEnd(
      '',
      { pid: child.pid ?? 0, exitCode, signal, hung },
      { domino, deltaDirectory, alsoDeltaDirectories: deltaDirectories },
    );
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
  /** Delta directories that it has reported. */
  readonly deltaDirectories: readonly string[];
}

async function watched(child: ChildProcess, patience: typeof usualPatience): Promise<Watched> {
  let [hung, told] = [false, false];
  const places = new Set<string>();
  const watch = new Watch(patience, () => {
    hung = true;
    child.kill('SIGKILL');
  });
  watch.begin();
  child.on('message', (notice: Notice) => {
    if (notice.type === 'deadline') {
      watch.announced(notice.timeoutMs);
    } else if (notice.type === 'place') {
      places.add(notice.deltaDirectory);
    } else if (notice.type === 'result') {
      told = true;
      // From here on, only the end of the process is awaited.
      watch.begin();
    }
  });
  try {
    return await new Promise<Watched>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve({ hung, told, exitCode: code ?? undefined, signal: signal ?? '', deltaDirectories: [...places] });
      });
    });
  } finally {
    watch.end();
  }
}

/** Undefined if this process can do it itself. */
function neededSettings({ domino, loadsDomino, changes }: Errand): LaunchSettings | undefined {
  // Elsewhere there is no Domino, and the command will say so.
  if (!onWindows && process.platform !== 'linux') return undefined;
  return (loadsDomino ? missingSettings(domino) : undefined) ?? (changes ? { cwd: undefined, env: {} } : undefined);
}

/** Undefined if this process has what Domino needs, or if Domino was not found: the command will report what is missing. */
function missingSettings(domino: WorkPlace['domino']): LaunchSettings | undefined {
  const { cwd, env } = launchSettings(domino);
  const program = env['Notes_ExecDirectory'];
  if (program === undefined || hasLibraryPath(program)) return undefined;
  return { cwd, env: { ...env, [environmentSetVariable]: '1' } };
}

/**
 * For the started process: reports how long its steps may take, and calls back when the watching process passes an interrupt on, or is
 * gone.
 */
export function serveLauncher({
  onInterrupt,
  onGone,
}: {
  readonly onInterrupt: (signal: NodeJS.Signals) => void;
  readonly onGone: () => void;
}): void {
  if (relaunchedFrom === undefined) return;
  process.once('disconnect', onGone);
  process.on('message', ({ signal }: PassedOn) => {
    onInterrupt(signal);
  });
  process.channel?.unref();
  tellLauncher({ type: 'listening' });
  watchDeadlines((timeoutMs) => {
    tellLauncher({ type: 'deadline', timeoutMs });
  });
  watchPlaces((deltaDirectory) => {
    tellLauncher({ type: 'place', deltaDirectory });
  });
}

/** The command has ended normally, and has reported how. */
export function tellResult(): void {
  if (relaunchedFrom !== undefined) tellLauncher({ type: 'result' });
}

function tellLauncher(notice: Notice): void {
  if (process.connected) process.send?.(notice, () => undefined);
}
