import { join } from 'node:path';
import type { Call } from '../call/call';
import { toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { unidBytes } from '../domino/timedate';
import type { NativeRecoverOptions } from '../native/session';
import { logDirectory, readCatalogue, type CataloguedExtent } from './catalogue';
import { examineExtent } from './list';

/** An extent in an archive that a recovery can use. */
export interface UsableExtent extends CataloguedExtent {
  /** Absolute path of the copy. */
  readonly file: string;
}

/** The extents in an archive that a restore can use. */
export interface UsableArchive {
  readonly directory: string;
  /** By log id; the extents in ascending order of number. */
  readonly logs: ReadonlyMap<string, readonly UsableExtent[]>;
  /** Needed extents that cannot be used, and catalogues that cannot be read. */
  readonly problems: readonly Warning[];
}

/**
 * Reads the extents of some logs from an archive: of each log in `wanted` (by log id), those from the first needed extent on,
 * except those with a name in `present`. Every byte is compared with the catalogue: a recovery that stops at a damaged extent has
 * already made its file useless.
 */
export async function readUsableArchive(
  archiveDirectory: string,
  wanted: ReadonlyMap<string, number>,
  present: ReadonlySet<string>,
  call: Call,
): Promise<UsableArchive> {
  const logs = new Map<string, readonly UsableExtent[]>();
  const problems: Warning[] = [];
  for (const [logId, first] of wanted) {
    const usable: UsableExtent[] = [];
    try {
      const directory = logDirectory(archiveDirectory, logId);
      const catalogue = await readCatalogue(archiveDirectory, logId, call);
      for (const extent of catalogue?.extents ?? []) {
        if (extent.number < first || present.has(extent.name)) continue;
        const file = join(directory, extent.name);
        const state = await examineExtent(file, extent, true, call);
        if (state === 'intact') usable.push({ ...extent, file });
        else {
          const message = `extent ${extent.number} of the transaction log is ${state} in the archive: ${file}`;
          problems.push(warning('WARN_LOG_EXTENT_UNUSABLE', message, { subjects: [file] }));
        }
      }
    } catch (error) {
      call.check();
      const known = toPublicError(error);
      const subjects = [logDirectory(archiveDirectory, logId)];
      problems.push(warning('WARN_LOG_EXTENT_UNUSABLE', known.message, { subjects, error: known }));
    }
    logs.set(logId, usable);
  }
  return { directory: archiveDirectory, logs, problems };
}

/**
 * The form that native code takes. It includes the archive directories, because extents that are still in the log directory may
 * be archived while the recovery runs.
 */
export function nativeArchive({
  directory,
  logs,
}: UsableArchive): Pick<NativeRecoverOptions, 'extents' | 'logArchives'> {
  return {
    extents: [...logs].flatMap(([logId, extents]) =>
      extents.map(({ number, file, sizeBytes }) => ({ logId: unidBytes(logId), number, file, sizeBytes })),
    ),
    logArchives: [...logs.keys()].map((logId) => ({
      logId: unidBytes(logId),
      directory: logDirectory(directory, logId),
    })),
  };
}
