#!/usr/bin/env node
import { loadBinding } from '../native/binding';
import { relaunchVariable } from '../doctor/checks';
import { onLauncherGone, relaunch } from './relaunch';
import { runCommandLine } from './program';

const controller = new AbortController();
let ownWork = true;

/** The first interrupt ends cleanly; the second ends at once, after the addon has taken the databases out. */
function interrupt(reason: string): void {
  if (!ownWork) return;
  if (controller.signal.aborted) process.exit(130);
  process.stderr.write(`\n${reason}: stopping, and taking back what was begun (again to end at once)\n`);
  controller.abort(new Error(reason));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupt(signal);
  });
}
// Node would name its process and advise to trace the warning.
process.removeAllListeners('warning').on('warning', ({ message }) => {
  process.stderr.write(`warning ${message}\n`);
});
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has gone, as `head` does, or the terminal: that is no reason to do less, or to leave anything behind.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}
onLauncherGone(() => {
  interrupt('the process that started this one is gone');
});

void runCommandLine(process.argv.slice(2), {
  loadBinding,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  workingDirectory: process.env[relaunchVariable] ?? process.cwd(),
  signal: controller.signal,
  relaunch: async (location) => {
    // While another process does the work, interrupts are passed on to it instead.
    ownWork = false;
    const exitCode = await relaunch(location);
    ownWork = exitCode === undefined;
    return exitCode;
  },
}).then((exitCode) => {
  process.exitCode = exitCode;
});
