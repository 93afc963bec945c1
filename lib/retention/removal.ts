import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DominoVssError } from '../errors/errors';
import { recoverAll } from '../recover/recover';
import type { RecoveredWork } from '../recover/report';
import type { RecoveryTools } from '../recover/tools';
import { syncDirectory } from '../store/durable';
import { isPresent } from '../store/file-identity';
import { Journal } from '../store/journal';
import { journalDirectory } from '../store/journals';
import type { Holdings } from './holdings';

/** A backup that goes. */
interface Doomed {
  readonly id: string;
  readonly dataDirectory: string;
  readonly directory: string;
}

/**
 * Removes one backup. First the journal names everything, then the manifest goes, and with it the backup: a process that
 * dies before that leaves a backup, and one that dies later leaves what `recoverAll` removes by the journal. It is the same
 * that removes it here.
 */
export async function removeListed(
  { id, dataDirectory, directory }: Doomed,
  { copies, copyDirectories, provider, shadows, volumes, snapshotSet, exposures }: Holdings,
  deltaDirectory: string,
  tools: RecoveryTools,
): Promise<RecoveredWork> {
  const own = join(journalDirectory(deltaDirectory), `${id}.journal`);
  if (await isPresent(own)) {
    throw new DominoVssError('ERR_STATE', {
      message: `${own} says that something of ${id} is left: run recover first`,
    });
  }
  const { journal } = await Journal.open({
    id,
    work: 'prune',
    dataDirectory,
    backupDirectory: directory,
    deltaDirectory,
  });
  try {
    await journal.update({ provider, shadows, volumes, snapshotSet, exposures });
    await journal.noteCopies(copies, copyDirectories);
    tools.call.check();
    await rm(join(directory, 'manifest.json'));
    await syncDirectory(directory);
    const [work] = await recoverAll([journal.leftOver], tools);
    if (!work) throw new DominoVssError('ERR_INTERNAL', { message: `nothing was removed of ${id}` });
    if (work.done) await journal.remove();
    else await journal.update({ ended: true });
    return work;
  } catch (error) {
    // Nothing has happened yet, or the next run goes on from here; either way it locks nobody out.
    // What cannot be looked at may be gone, and the journal says so then.
    const stands = await isPresent(join(directory, 'manifest.json')).catch(() => false);
    if (stands) await journal.remove();
    else await journal.update({ ended: true }).catch(() => undefined);
    throw error;
  }
}
