import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NativeBinding } from '../native/session';
import { makeDirectory } from './durable';

/**
 * Directory for journals without a writable delta directory: those of restores from read-only media and, together with their
 * manifests, of scripts without Domino, so that later scripts recognise these shadows.
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
 * Creates the directory, or checks an existing one: anyone may create directories in %ProgramData%, and the contents determine
 * which shadows are ours.
 */
export async function makeStateDirectory(binding: NativeBinding, directory: string): Promise<void> {
  await makeDirectory(dirname(directory));
  if (binding.makePrivateDirectory) await binding.makePrivateDirectory(directory);
  else await makeDirectory(directory, 0o700);
}

/** Checks it for reading; undefined if there is none. */
export async function existingStateDirectory(binding: NativeBinding, directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined;
  await makeStateDirectory(binding, directory);
  return directory;
}
