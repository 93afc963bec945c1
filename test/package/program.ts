import { spawnSync } from 'node:child_process';

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output
 * @throws Error with all of its output, if it fails
 */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions = {}): string {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, { ...options, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${String(status ?? signal)}\n${stdout}${stderr}`);
  return stdout;
}
