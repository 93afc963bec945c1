import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Call } from '../call/call';
import { DominoVssError } from '../errors/errors';
import type { NativeBinding, NativeLock } from '../native/session';
import { describeLiveWork, readJournals } from './journals';

/**
 * Only one backup or restore of a server may run at a time on this machine, whatever its delta directory: a second one would take
 * the databases out of the first one's backup mode. Journals only show the work of one delta directory.
 */
export async function lockDataDirectory(
  binding: NativeBinding,
  { dataDirectory, deltaDirectory }: { readonly dataDirectory: string; readonly deltaDirectory: string | undefined },
  call: Call,
): Promise<NativeLock | undefined> {
  // Plain volumes conflict with nothing, and nothing else can use a directory that a restore has yet to create.
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

/** The process that holds the lock, if the system reports it; only for the message. */
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
