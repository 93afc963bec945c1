import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '#lib/native/package-root';
import type { Machine, VssSettings } from './machine';

/** How a process of the command line ended. */
export interface CommandEnded {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** `domino-vss` on a machine with these settings. */
export function commandOn(
  machine: Machine,
  settings: VssSettings = {},
  environment: Readonly<Record<string, string>> = {},
): (...args: readonly string[]) => Promise<CommandEnded> {
  const main = join(packageRoot, 'dist', 'cli', 'main.js');
  return (...args) => {
    const vss = machine.environment(settings);
    const env = { ...process.env, ProgramData: machine.programData, ...environment, ...vss };
    return new Promise((resolve) => {
      // Files that a script writes without a path, such as its metadata, are removed with the machine.
      execFile(process.execPath, [main, ...args], { env, cwd: machine.homes[0] }, (error, stdout, stderr) => {
        resolve({ code: error ? error.code : 0, stdout, stderr });
      });
    });
  };
}
