import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Call } from '../call/call';
import { DominoVssError } from '../errors/errors';
import type { NativeBinding, NativeLock } from '../native/session';
import { describeLiveWork, readJournals } from './journals';

/**
 * One backup or restore of a server at a time on this machine, wherever their deltas go: a second one would take the
 * databases out of the first one's backup mode. Journals tell only of the work of one delta directory.
 */
export async function lockDataDirectory(
  binding: NativeBinding,
  { dataDirectory, deltaDirectory }: { readonly dataDirectory: string; readonly deltaDirectory: string | undefined },
  call: Call,
): Promise<NativeLock | undefined> {
  // Plain volumes are nobody's, and nobody works on a directory that a restore has yet to make.
  if (dataDirectory === '' || !existsSync(dataDirectory)) return undefined;
  const taking = binding.lockDirectory(dataDirectory);
  const lock = await call.race(taking).catch((error: unknown) => {
    // Nobody waits for it any more.
    void taking.then((late) => late?.release()).catch(() => undefined);
    throw error;
  });
  if (lock) return lock;
  const { live } = await readJournals(deltaDirectory, dataDirectory);
  const holder = holderOf(dataDirectory);
  const message = live[0]
    ? describeLiveWork(live[0])
    : `${holder === undefined ? 'another process' : `process ${holder}`} is backing up or restoring ${dataDirectory}`;
  throw new DominoVssError('ERR_LOCKED', { message });
}

/** Who holds the lock, where the system tells: only for the message. */
function holderOf(directory: string): number | undefined {
  try {
    const inode = statSync(directory).ino;
    const locks = readFileSync('/proc/locks', 'utf8');
    const pid = new RegExp(`FLOCK +ADVISORY +WRITE +(\\d+) +[0-9a-f]+:[0-9a-f]+:${inode} `).exec(locks)?.[1];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}
