import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Call, publicCall } from '../call/call';
import { abortSignal, absolutePath, boolean, checkOptions, milliseconds } from '../call/options';
import { toPublicError } from '../errors/errors';
import { printable } from '../errors/printable';
import { warning, type Warning } from '../errors/warnings';
import { hashFile } from '../store/copy';
import { FileCalls } from '../store/stall';
import { archivedLogIds, logDirectory, readCatalogue, type CataloguedExtent } from './catalogue';

export type { CataloguedExtent };

/** Options of `listArchivedLogs`. */
export interface ListArchivedLogsOptions {
  /** Absolute path of the archive. */
  readonly archiveDirectory: string;
  /** Reads every extent and compares its SHA-256 with the catalogue. Default: false; only presence and size are checked. */
  readonly verify?: boolean | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An extent in an archive, and whether its copy is usable. */
export interface ListedLogExtent extends CataloguedExtent {
  /** Absolute path of the copy. */
  readonly file: string;
  /**
   * `present`: the size matches the catalogue. `intact`: the SHA-256 matches too. `damaged`: the size or SHA-256 differs.
   */
  readonly state: 'present' | 'intact' | 'damaged' | 'missing';
}

/** What an archive holds for one log. */
export interface ArchivedLog {
  /** 32 hexadecimal digits, as in a manifest. */
  readonly logId: string;
  readonly directory: string;
  /** Data directory of the server whose log it is. */
  readonly dataDirectory: string;
  /** In ascending order of number. */
  readonly extents: readonly ListedLogExtent[];
  /** Missing extents between the first and the last one in the archive: first and last number of each gap. */
  readonly gaps: readonly (readonly [number, number])[];
  readonly sizeBytes: number;
  /** Why its catalogue is unusable; empty if it is usable. */
  readonly problem: string;
  /** One for each gap. */
  readonly warnings: readonly Warning[];
}

export function listArchivedLogs(options: ListArchivedLogsOptions): Promise<ArchivedLog[]> {
  return publicCall(async () => {
    checkOptions(options, {
      archiveDirectory: absolutePath,
      verify: boolean,
      timeoutMs: milliseconds,
      signal: abortSignal,
    });
    absolutePath(options.archiveDirectory, 'archiveDirectory');
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'archive' });
    const logs: ArchivedLog[] = [];
    for (const logId of await archivedLogIds(options.archiveDirectory, call)) {
      logs.push(await listLog(options.archiveDirectory, logId, options.verify ?? false, call));
    }
    return logs;
  });
}

async function listLog(archiveDirectory: string, logId: string, verify: boolean, call: Call): Promise<ArchivedLog> {
  const directory = logDirectory(archiveDirectory, logId);
  const nothing = { logId, directory, dataDirectory: '', extents: [], gaps: [], sizeBytes: 0, warnings: [] };
  let catalogue;
  try {
    catalogue = await readCatalogue(archiveDirectory, logId, call);
  } catch (error) {
    call.check();
    return { ...nothing, problem: printable(toPublicError(error).message) };
  }
  // The process that archived it died before the first extent was complete.
  if (!catalogue) return { ...nothing, problem: '' };
  const extents: ListedLogExtent[] = [];
  for (const extent of catalogue.extents) {
    const file = join(directory, extent.name);
    extents.push({ ...extent, file, state: await examineExtent(file, extent, verify, call) });
  }
  const gaps = gapsOf(extents.map(({ number }) => number));
  return {
    logId,
    directory,
    dataDirectory: catalogue.dataDirectory,
    extents,
    gaps,
    sizeBytes: extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    problem: '',
    warnings: gaps.map(([first, last]) =>
      warning('WARN_LOG_GAP', `extents ${first} to ${last} are not in the archive`, { subjects: [logId] }),
    ),
  };
}

/** Whether the copy of an extent matches the catalogue; `verify` reads it completely. */
export async function examineExtent(
  file: string,
  { sizeBytes, sha256 }: CataloguedExtent,
  verify: boolean,
  call: Call,
): Promise<ListedLogExtent['state']> {
  call.check();
  const found = await new FileCalls(call).wait('stat', file, stat(file)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return 'missing';
  if (!found.isFile() || found.size !== sizeBytes) return 'damaged';
  if (!verify) return 'present';
  const check = (): void => {
    call.check();
  };
  return (await hashFile(file, { check })) === sha256 ? 'intact' : 'damaged';
}

/** `numbers` are in ascending order. */
function gapsOf(numbers: readonly number[]): [number, number][] {
  const gaps: [number, number][] = [];
  for (const [index, number] of numbers.entries()) {
    const previous = numbers[index - 1];
    if (previous !== undefined && number > previous + 1) gaps.push([previous + 1, number - 1]);
  }
  return gaps;
}
