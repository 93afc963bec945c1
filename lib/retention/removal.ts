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

/** A backup that is to be removed. */
interface Doomed {
  readonly id: string;
  readonly dataDirectory: string;
  readonly directory: string;
}

/**
 * Removes one backup. The journal first names everything; then the manifest is removed, and with it the backup. A process that
 * dies before this leaves a backup; one that dies later leaves the rest to `recoverAll`, which also does the removal here.
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
      message: `${own} says that a part of ${id} is left: run recover first`,
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
    const [work] = await recoverAll([journal.leftOver], tools, { dataDirectory, deltaDirectory });
    if (!work) throw new DominoVssError('ERR_INTERNAL', { message: `nothing was removed of ${id}` });
    if (work.done) await journal.remove();
    else await journal.update({ ended: true });
    return work;
  } catch (error) {
    // Either nothing has happened yet, or the next run continues from here; in both cases others must not be locked out. A
    // manifest that cannot be accessed may be gone, so the journal is kept.
    const stands = await isPresent(join(directory, 'manifest.json')).catch(() => false);
    if (stands) await journal.remove();
    else await journal.update({ ended: true }).catch(() => undefined);
    throw error;
  }
}
