import { execFile } from 'node:child_process';
import { warning, warningLine } from '../errors/warnings';
import type { CommandLineContext } from './context';
import { entryOf, type CommandFailure } from './system-log';

/** Somebody is to be told, and no more than that. */
const patienceMs = 60_000;

/**
 * Runs the program of `--failure-command`, without a shell, and tells it by its environment what has happened: the same fields as the
 * entry in the log of the system has, and DOMINO_VSS_MESSAGE. That it fails changes nothing but a line on stderr.
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
    const text = `the program that is to be told of a failure has failed: ${why.trim()}`;
    stderr.write(warningLine(warning('WARN_FAILURE_PROGRAM', text, { subjects: [program] })));
  }
}
