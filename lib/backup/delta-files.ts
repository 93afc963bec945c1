import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachLimited } from '../call/event-loop';
import { undefinedWhereMissing } from '../call/files';
import { BackupError } from '../errors/errors';
import type { WaitingForFiles } from '../store/durable';
import type { ManifestDatabase } from '../store/manifest-format';

/**
 * Makes sure that the change information that a manifest names is still there: making copies can take hours, in which whoever tidies up
 * may have removed it.
 */
export async function requireDeltas(
  directory: string,
  databases: Iterable<ManifestDatabase>,
  calls: WaitingForFiles,
): Promise<void> {
  const needed: Pick<ManifestDatabase, 'path' | 'delta' | 'deltaBytes'>[] = [];
  for (const { path, delta, deltaBytes, from, appliedInShadow } of databases) {
    // What an earlier backup holds is in its directory.
    if (delta !== '' && from === undefined && !appliedInShadow) needed.push({ path, delta, deltaBytes });
  }
  await forEachLimited(needed, 4, async ({ path, delta, deltaBytes }) => {
    const file = join(directory, delta);
    const found = await calls.wait('stat', file, stat(file).catch(undefinedWhereMissing));
    if (found?.size === deltaBytes) return;
    const state = found ? `has ${found.size} bytes instead of ${deltaBytes}` : 'was removed';
    const message = `${file} ${state}: without the change information of ${path} the backup is worthless`;
    throw new BackupError('ERR_DELTA_WRITE', { message, phase: 'end' });
  });
}
