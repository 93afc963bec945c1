import { dirname } from 'node:path';
import type { NativeRequest } from '../native/failure';
import type { RestorePhase, RestoringDatabase } from '../store/journal-format';
import { noteUnreturned } from '../call/unreturned-calls';
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

/**
 * Marks the databases as hanging if a call has not returned when the wait for it ends.
 *
 * Why a call that returns later does no harm: this restore does not touch the database any more; the journal named it, its
 * original and its copy before the first such call, and still names them and the call when this process goes on; and no restore
 * or recovery touches it until the call has returned or this process has ended, which it cannot while a thread of it is in a
 * call. Then the recovery looks at the files themselves, and each state that the call may have left is one that a kill at this
 * moment may leave: it puts the original back, if that is aside, and removes the copy.
 */
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
    if (!seen.returned) {
      for (const replacement of replacements) {
        replacement.hangs = true;
        noteUnreturned(replacement.planned.file, request);
      }
    }
    throw error;
  }
}
