import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NativeBinding } from '../native/session';

/** Where scripts without Domino keep manifests and journals, so that a later script knows whose shadows it meets. */
export function stateDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env['ProgramData'] ?? env['ALLUSERSPROFILE'] ?? 'C:\\ProgramData', 'domino-vss');
}

/**
 * Makes it, or makes sure of one that is there: anybody may make directories in %ProgramData%, and what somebody else has
 * written there would say which shadows are ours.
 */
export async function makeStateDirectory(binding: NativeBinding, directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  await binding.makePrivateDirectory?.(directory);
}

/** The same for one who only reads; undefined when there is none. */
export async function existingStateDirectory(binding: NativeBinding, directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined;
  await makeStateDirectory(binding, directory);
  return directory;
}
