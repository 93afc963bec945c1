import { accessSync, constants } from 'node:fs';
import type { DominoLocation } from '../call/options';
import { findInstallation, requiredEnvironment } from './environment';

/** What a process that will hold Domino is started with. */
export interface LaunchSettings {
  readonly cwd: string | undefined;
  /** To be added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The dynamic loader of Linux reads LD_LIBRARY_PATH when a process starts. Where no Domino is found nothing is set: the
 * process itself will say what is missing. Windows needs nothing.
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

/** The data directory, if this user may work in it; what is wrong with it otherwise, the process itself will say. */
function usable(directory: string | undefined): string | undefined {
  try {
    accessSync(directory ?? '', constants.X_OK);
    return directory;
  } catch {
    return undefined;
  }
}
