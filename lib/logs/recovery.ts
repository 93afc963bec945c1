import { join } from 'node:path';
import type { Call } from '../call/call';
import { toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { unidBytes } from '../domino/timedate';
import type { NativeRecoverOptions } from '../native/session';
import { logDirectory, readCatalogue, type CataloguedExtent } from './catalogue';
import { examineExtent } from './list';

/** An extent that a recovery can have from an archive. */
export interface UsableExtent extends CataloguedExtent {
  /** Absolute path of the copy. */
  readonly file: string;
}

/** What an archive has of the logs that a restore needs. */
export interface UsableArchive {
  readonly directory: string;
  /** By the id of the log; ascending by number. */
  readonly logs: ReadonlyMap<string, readonly UsableExtent[]>;
  /** Extents that are needed and cannot be used, and catalogues that cannot be read. */
  readonly problems: readonly Warning[];
}

/**
 * Reads what an archive has of some logs, from the first extent on that is needed of each (`wanted`, by the id of the log), but for
 * those whose names are in `present`. Every byte is compared with the catalogue: a recovery that breaks off for an extent that is not
 * what it should be has spoilt its file.
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
      const catalogue = await readCatalogue(archiveDirectory, logId);
      for (const extent of catalogue?.extents ?? []) {
        if (extent.number < first || present.has(extent.name)) continue;
        const file = join(logDirectory(archiveDirectory, logId), extent.name);
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

/** The form in which native code takes them. What lies in the log directory yet may be archived while the recovery runs. */
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
