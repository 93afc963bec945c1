import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { warning, warningLine } from '../errors/warnings';
import type { CommandLineContext } from './context';
import { entryOf, type CommandFailure } from './system-log';

/** The program only has to notify somebody. */
const patienceMs = 60_000;

/**
 * Runs the program of `--failure-command`, without a shell. Its environment contains what happened: the fields of the system log
 * entry, and DOMINO_VSS_MESSAGE. If it fails, the only consequence is a line on stderr.
 */
export async function runFailureCommand(
  program: string,
  failure: CommandFailure,
  { env, stderr }: CommandLineContext,
): Promise<void> {
  const { message, fields } = entryOf(failure);
  try {
    // Without pipes: what it prints is nobody's, and a program that it leaves running would hold them open.
    const child = spawn(program, [], {
      env: { ...env, ...Object.fromEntries(fields), DOMINO_VSS_MESSAGE: message },
      stdio: 'ignore',
      timeout: patienceMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (exitCode !== 0) tell(`${program} ended with ${signal ?? `exit code ${exitCode ?? 1}`}`);
  } catch (error) {
    tell((error as Error).message);
  }

  function tell(why: string): void {
    const text = `the program to run after a failure failed: ${why}`;
    stderr.write(warningLine(warning('WARN_FAILURE_PROGRAM', text, { subjects: [program] })));
  }
}
