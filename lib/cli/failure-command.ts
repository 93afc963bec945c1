import { execFile } from 'node:child_process';
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
  await new Promise<void>((resolve) => {
    const options = {
      env: { ...env, ...Object.fromEntries(fields), DOMINO_VSS_MESSAGE: message },
      timeout: patienceMs,
      killSignal: 'SIGKILL' as const,
      windowsHide: true,
    };
    try {
      const child = execFile(program, [], options, (error) => {
        if (error) tell(error);
        resolve();
      });
      child.stdin?.end();
    } catch (error) {
      tell(error as Error);
      resolve();
    }
  });

  function tell({ message: why }: Error): void {
    const text = `the program to run after a failure failed: ${why.trim()}`;
    stderr.write(warningLine(warning('WARN_FAILURE_PROGRAM', text, { subjects: [program] })));
  }
}
