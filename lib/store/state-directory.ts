import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NativeBinding } from '../native/session';
import { makeDirectory } from './durable';

/**
 * Where journals go for which there is no delta directory to write to: those of restores from read-only media and, with
 * their manifests, of scripts without Domino, so that a later script knows whose shadows it meets.
 */
export function stateDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env['ProgramData'] ?? env['ALLUSERSPROFILE'] ?? usualPlace(env), 'domino-vss');
}

function usualPlace(env: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'win32') return 'C:\\ProgramData';
  if (env['XDG_STATE_HOME'] !== undefined && env['XDG_STATE_HOME'] !== '') return env['XDG_STATE_HOME'];
  return process.getuid?.() === 0 ? '/var/lib' : join(homedir(), '.local', 'state');
}

/**
 * Makes it, or makes sure of one that is there: anybody may make directories in %ProgramData%, and what somebody else has
 * written there would say which shadows are ours.
 */
export async function makeStateDirectory(binding: NativeBinding, directory: string): Promise<void> {
  await makeDirectory(dirname(directory));
  if (binding.makePrivateDirectory) await binding.makePrivateDirectory(directory);
  else await makeDirectory(directory, 0o700);
}

/** The same for one who only reads; undefined when there is none. */
export async function existingStateDirectory(binding: NativeBinding, directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined;
  await makeStateDirectory(binding, directory);
  return directory;
}
