import { spawn } from 'node:child_process';
import { accessSync, constants as access } from 'node:fs';
import { constants } from 'node:os';
import { relaunchVariable } from '../doctor/checks';
import { findInstallation, hasLibraryPath, requiredEnvironment, type Installation } from '../domino/environment';
import type { DominoLocation } from '../call/options';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * The dynamic loader reads LD_LIBRARY_PATH when a process starts, so a process that lacks the program directory there
 * can only start another one that has it. Answers its exit code, or undefined when this process will do.
 */
export async function relaunch(location: DominoLocation): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  let installation: Installation;
  let environment: Record<string, string>;
  try {
    installation = findInstallation(location);
    environment = requiredEnvironment(installation);
  } catch {
    // The command itself will say what is missing.
    return undefined;
  }
  if (hasLibraryPath(installation.programDirectory)) return undefined;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd: usable(environment['Directory']),
    env: { ...process.env, ...environment, [relaunchVariable]: process.cwd() },
    // The channel tells the child when this process is gone, however it went.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A session of its own: a Ctrl-C on the terminal reaches the child once, from here, and not twice.
    detached: true,
  });
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}

/** The data directory, if this user may work in it; what is wrong with it otherwise, the command itself will say. */
function usable(directory: string | undefined): string | undefined {
  try {
    accessSync(directory ?? '', access.X_OK);
    return directory;
  } catch {
    return undefined;
  }
}

/** Calls back when the process that started this one for its environment is gone. */
export function onLauncherGone(callback: () => void): void {
  if (process.env[relaunchVariable] === undefined || !process.channel) return;
  process.once('disconnect', callback);
  process.channel.unref();
}
