import { realpath } from 'node:fs/promises';
import type { Call } from '../call/call';
import { OptionError, DominoVssError } from '../errors/errors';
import type { NativeBinding, NativeLock } from '../native/session';
import { directoryRisk } from '../store/safe-directory';
import { whenReturned } from '../call/unreturned-calls';
import { FileCalls } from '../store/stall';
import { catalogueFile } from './catalogue';

/**
 * The real path of an existing archive. Refused if others can change its contents, because a recovery applies them to databases.
 * `option`: the option that names it.
 */
export async function requireSafeArchive(
  directory: string,
  binding: NativeBinding,
  call: Call,
  option = 'archiveDirectory',
): Promise<string> {
  const calls = new FileCalls(call);
  const real = await calls.wait('realpath', directory, realpath(directory));
  const { refusal } = await calls.wait('stat', real, directoryRisk(real, binding));
  if (refusal !== '') throw new OptionError(option, refusal);
  return real;
}

/** Locks the archive of one log: only one process at a time may change its catalogue. */
export async function lockArchivedLog(binding: NativeBinding, directory: string, call: Call): Promise<NativeLock> {
  const taking = binding.lockDirectory(directory);
  const lock = await call.race(taking).catch((error: unknown) => {
    // Nobody waits for the lock any more.
    void taking.then((late) => late?.release()).catch(() => undefined);
    throw error;
  });
  if (lock) return releasedWhenReturned(lock, catalogueFile(directory));
  throw new DominoVssError('ERR_LOCKED', { message: `another process archives to ${directory}, or prunes it` });
}

/** A change of the archive that was given up may still happen, and nobody may work on the archive until then. */
function releasedWhenReturned(lock: NativeLock, catalogue: string): NativeLock {
  return {
    release: () => {
      void whenReturned(catalogue, () => {
        lock.release();
      });
    },
  };
}
