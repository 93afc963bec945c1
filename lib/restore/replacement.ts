import { dirname } from 'node:path';
import type { NativeRequest } from '../native/failure';
import type { RestorePhase, RestoringDatabase } from '../store/journal-format';
import type { PlannedDatabase } from './plan';

/** A database that is being restored, and how far the restore is: this determines what has to be put back. */
export class Replacement {
  offline = false;
  originalKept = false;
  placed = false;
  /** A call on it has not returned. It is not known what the call will still do, so the database is not touched any more. */
  hangs = false;
  /** How far the restore was when it was abandoned. */
  phase: RestorePhase | undefined;
  /** Its entry in the journal, once the copy is ready. */
  journaled: RestoringDatabase | undefined;

  constructor(readonly planned: PlannedDatabase) {}
}

/** By the directory of the restored file. */
export function byDirectory(replacements: readonly Replacement[]): Map<string, Replacement[]> {
  const directories = new Map<string, Replacement[]>();
  for (const replacement of replacements) {
    const directory = dirname(replacement.planned.file);
    const others = directories.get(directory);
    if (others) others.push(replacement);
    else directories.set(directory, [replacement]);
  }
  return directories;
}

/** Marks the databases as hanging if a call has not returned when the wait for it ends. */
export async function watched<T>(
  replacements: readonly Replacement[],
  request: NativeRequest<T>,
  wait: (request: NativeRequest<T>) => Promise<T>,
): Promise<T> {
  const seen = { returned: false };
  const noteReturn = (): void => {
    seen.returned = true;
  };
  // Registered first, so it runs before the waiting code continues.
  request.then(noteReturn, noteReturn);
  try {
    return await wait(request);
  } catch (error) {
    if (!seen.returned) for (const replacement of replacements) replacement.hangs = true;
    throw error;
  }
}
