#!/usr/bin/env node
import { AbortError } from '../errors/errors';
import { printable } from '../errors/printable';
import { loadBinding } from '../native/binding';
import { hasAnyUnreturned } from '../call/unreturned-calls';
import { watchOutput } from './lost-output';
import { relaunch, serveLauncher, tellResult, workingDirectory } from './relaunch';
import { runCommandLine } from './program';

const controller = new AbortController();
let ownWork = true;

/** How often an interrupt has come, directly and from the process that watches this one: the same one may come on both ways. */
const interrupted = { directly: 0, passedOn: 0 };

/**
 * The first interrupt ends the command cleanly. The second ends the process at once, after the addon has taken the databases out
 * of backup mode.
 */
function interrupt(reason: string, way: keyof typeof interrupted): void {
  if (!ownWork) return;
  interrupted[way] += 1;
  if (interrupted[way] > 1) endAtOnce(130);
  if (controller.signal.aborted) return;
  process.stderr.write(`\n${reason}: stopping and rolling back what was begun (interrupt again to end at once)\n`);
  controller.abort(new Error(reason));
}

/** Node.js waits for its threads when it ends, and one of them may hang in a call on a file. */
function endAtOnce(exitCode: number): void {
  // Registered last: the addon first takes the databases out of backup mode.
  process.on('exit', () => {
    loadBinding().leave(exitCode);
  });
  process.exit(exitCode);
}

// Without a listener, Node.js would open its debugger, which would give all rights of an elevated process to anyone who connects.
if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined);

/** Ctrl-Break and a closed console arrive on Windows as SIGBREAK and SIGHUP. SIGQUIT would end the process with a core dump. */
const interrupts: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  process.platform === 'win32' ? 'SIGBREAK' : 'SIGQUIT',
];

// A umask that takes rights from the owner would make directories that nobody can use, and that stop all later backups.
process.umask(process.umask(0o077) & 0o077);

for (const signal of interrupts) {
  process.on(signal, () => {
    interrupt(signal, 'directly');
  });
}
// Node.js would print its process id, and the advice to trace the warning.
process.removeAllListeners('warning').on('warning', ({ message, code }: Error & { code?: string }) => {
  process.stderr.write(`warning ${code === undefined ? '' : `${printable(code)}: `}${printable(message)}\n`);
});
const lostOutput = watchOutput([process.stdout, process.stderr]);

serveLauncher({
  onInterrupt: (signal) => {
    interrupt(signal, 'passedOn');
  },
  onGone: () => {
    interrupt('the process that started this one is gone', 'passedOn');
  },
});

void runCommandLine(process.argv.slice(2), {
  loadBinding,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  workingDirectory: workingDirectory(),
  signal: controller.signal,
  lostOutput,
  relaunch: async (errand) => {
    // The other process would know nothing of an interrupt that came before it was started.
    if (controller.signal.aborted) throw new AbortError(controller.signal.reason);
    // While another process does the work, interrupts are passed on to it.
    ownWork = false;
    const exitCode = await relaunch(errand);
    ownWork = exitCode === undefined;
    return exitCode;
  },
}).then((exitCode) => {
  process.exitCode = exitCode;
  tellResult();
  if (!hasAnyUnreturned()) return;
  // Streams on Windows write in the background.
  process.stdout.write('', () =>
    process.stderr.write('', () => {
      endAtOnce(exitCode);
    }),
  );
});
