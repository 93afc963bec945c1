import { accessSync, constants } from 'node:fs';
import type { DominoLocation } from '../call/options';
import { findInstallation, requiredEnvironment } from './environment';

/** Settings for starting a process that will hold Domino. */
export interface LaunchSettings {
  readonly cwd: string | undefined;
  /** Variables to add to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The dynamic loader of Linux reads LD_LIBRARY_PATH only when a process starts. If no Domino is found, nothing is set: the new
 * process will report what is missing. Windows needs no settings.
 */
export function launchSettings(location: DominoLocation | undefined): LaunchSettings {
  if (process.platform !== 'linux') return { cwd: undefined, env: {} };
  try {
    const env = requiredEnvironment(findInstallation(location));
    return { cwd: usable(env['Directory']), env };
  } catch {
    return { cwd: undefined, env: {} };
  }
}

/** The data directory, if this user may work in it. Otherwise the new process will report what is wrong with it. */
function usable(directory: string | undefined): string | undefined {
  try {
    accessSync(directory ?? '', constants.X_OK);
    return directory;
  } catch {
    return undefined;
  }
}
