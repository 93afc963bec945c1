import { join } from 'node:path';
import type { Call } from '../call/call';
import { forEachIndex, forEachLimited } from '../call/event-loop';
import type { ProgressReporter } from '../call/progress';
import { decidedFailure, toPublicError, type DatabaseFailure } from '../errors/errors';
import { hashInBackground } from '../store/background-hash';
import { hashFront } from '../store/contents';
import type { ManifestContents } from '../store/manifest-format';
import type { BackupWork, Capture } from './capture';

/** What is known about the contents of a shadow that is kept. */
export interface KeptContents {
  readonly hashed: ManifestContents['shadows'];
  /** Databases that cannot be read in it. */
  readonly failures: readonly DatabaseFailure[];
}

/** Hashes the databases of a shadow that is kept: their headers, and on request all of them. */
export async function hashKept(
  work: BackupWork,
  { databases, roots }: Capture,
  everything: boolean,
  call: Call,
  progress: ProgressReporter,
): Promise<KeptContents> {
  const failures: DatabaseFailure[] = [];
  const files: { readonly index: number; readonly file: string; readonly sizeBytes: number }[] = [];
  await forEachIndex(databases.results.count, (index) => {
    const root = roots[work.databases.volumeIndex[index] ?? 0] ?? '';
    // A transportable shadow of VSS has no root here.
    if (root === '' || !databases.isCaptured(index)) return;
    const { shadowPath, startSizeBytes } = databases.describe(index);
    files.push({ index, file: join(root, ...shadowPath.split('/')), sizeBytes: startSizeBytes });
  });
  const fail = (index: number, file: string, why: string): void => {
    // What a hook calls the root of its shadow need not be the shadow itself.
    if (work.provider.hook) return;
    const text = `${file} cannot be read in the shadow: ${why}`;
    failures.push(decidedFailure(databases.describe(index).path, 'ERR_COPY', 'end', text));
  };
  await forEachLimited(files, 4, async ({ index, file, sizeBytes }) => {
    call.check();
    try {
      databases.setContents(index, { headerSha256: await hashFront(file, sizeBytes) });
    } catch (error) {
      fail(index, file, toPublicError(error).message);
    }
  });
  if (files.length === 0) return { hashed: 'none', failures };
  // What rolling has kept are copies. They are hashed here and not as they are made, for then the database is in backup mode.
  if (!everything && work.provider.native !== 'rolling') return { hashed: 'header', failures };
  const failed = new Set(failures.map(({ database }) => database));
  const readable = files.filter(({ index }) => !failed.has(databases.describe(index).path));
  let done = 0;
  await hashInBackground(readable, call, (position, result) => {
    const { index, file } = readable[position] ?? { index: -1, file: '' };
    if ('sha256' in result) databases.setContents(index, { sha256: result.sha256 });
    else fail(index, file, result.error);
    done += 1;
    progress.report({ type: 'hash', done, total: readable.length }, done === readable.length);
  });
  return { hashed: 'sha256', failures };
}
