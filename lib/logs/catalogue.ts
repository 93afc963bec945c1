import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call } from '../call/call';
import { readFile, readWithoutWaiting } from '../call/files';
import { noteUnreturned } from '../call/unreturned-calls';
import { DominoVssError } from '../errors/errors';
import { syncRemovals, writeDurably } from '../store/durable';
import { FileCalls, outcomeGraceMs } from '../store/stall';

/** An extent of the transaction log in an archive. */
export interface CataloguedExtent {
  /** Its number in the log, as counted by Domino. */
  readonly number: number;
  /** File name, the same as in the log directory: `S0000012.TXN`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
  /** When its copy was complete, ISO 8601, UTC. */
  readonly archived: string;
}

/**
 * Contents of an archive for one transaction log. The file is always replaced as a whole, so a reader sees the old one or the new
 * one.
 */
export interface Catalogue {
  /** 32 hexadecimal digits, as in a manifest. A log gets a new id when it is recreated. */
  readonly logId: string;
  /** Data directory of the server that writes the log. */
  readonly dataDirectory: string;
  /** In ascending order of number. */
  readonly extents: readonly CataloguedExtent[];
  /** Names of extents that are no longer part of the archive and whose files are being removed. */
  readonly removing: readonly string[];
}

const format = 'domino-vss-log-archive';
const catalogueName = 'catalogue.json';
const logIdPattern = /^[0-9A-F]{32}$/;
const extentName = /^S[0-9A-Z]{7}\.TXN$/i;

/** Directory of one log in an archive. */
export function logDirectory(archiveDirectory: string, logId: string): string {
  return join(archiveDirectory, logId);
}

/** Whether Domino gives such names to extents. No other name may become part of a path. */
export function isExtentName(name: string): boolean {
  return extentName.test(name);
}

/** Ids of the logs in an archive, sorted; none if there is no archive yet. */
export async function archivedLogIds(archiveDirectory: string, call: Call): Promise<string[]> {
  const reading = readdir(archiveDirectory, { withFileTypes: true });
  const entries = await new FileCalls(call).wait('scandir', archiveDirectory, reading).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() && logIdPattern.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/**
 * Undefined if no extent of this log has been archived. Throws ERR_LOG_ARCHIVE if the catalogue has been changed since it was
 * written.
 */
export async function readCatalogue(
  archiveDirectory: string,
  logId: string,
  call: Call,
): Promise<Catalogue | undefined> {
  const file = join(logDirectory(archiveDirectory, logId), catalogueName);
  const text = await new FileCalls(call)
    .wait('read', file, readFile(file, 'utf8', readWithoutWaiting))
    .catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
  if (text === undefined) return undefined;
  const refused = (what: string, cause?: unknown): DominoVssError =>
    new DominoVssError('ERR_LOG_ARCHIVE', { message: `${file} cannot be used: ${what}`, phase: 'archive', cause });
  let parsed: Partial<Catalogue & { formatVersion: unknown }> | null;
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (cause) {
    throw refused('it is not JSON', cause);
  }
  if (typeof parsed?.formatVersion === 'number' && parsed.formatVersion !== 1) {
    throw refused(`its format version is ${parsed.formatVersion}, this version of domino-vss reads 1`);
  }
  const { dataDirectory = '', extents = [], removing = [] } = parsed ?? {};
  const catalogue = { logId, dataDirectory, extents, removing };
  if (!isCatalogue(catalogue)) throw refused('it was changed after it was written: a field is missing or wrong');
  if (render(catalogue) !== text) throw refused('it was changed after it was written (SHA-256), or is of another log');
  return catalogue;
}

/** The hash is no secret: whoever forges a catalogue must not choose the names of the files that are read and removed. */
function isCatalogue(value: { readonly [Name in keyof Catalogue]: unknown }): value is Catalogue {
  const { dataDirectory, extents, removing } = value;
  const isName = (name: unknown): boolean => typeof name === 'string' && isExtentName(name);
  const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0;
  return (
    typeof dataDirectory === 'string' &&
    Array.isArray(removing) &&
    removing.every(isName) &&
    Array.isArray(extents) &&
    (extents as (Partial<CataloguedExtent> | null)[]).every((extent) => {
      const { number, name, sizeBytes, sha256, archived } = extent ?? {};
      return (
        [number, sizeBytes].every(isCount) &&
        isName(name) &&
        [sha256, archived].every((text) => typeof text === 'string')
      );
    })
  );
}

/** Path of the catalogue of a log, below its directory. */
export function catalogueFile(directory: string): string {
  return join(directory, catalogueName);
}

export async function writeCatalogue(archiveDirectory: string, catalogue: Catalogue, call: Call): Promise<void> {
  const text = render(catalogue);
  const file = catalogueFile(logDirectory(archiveDirectory, catalogue.logId));
  const writing = writeDurably(file, async (handle) => {
    await handle.writeFile(text);
  });
  await changing(call, 'write', file, { file, work: writing });
}

/**
 * Waits for a change of the archive of a log. If it is given up, it may still happen: what is removed is no longer in the
 * catalogue, and what is written has been copied before, so it is right then too. Until it has returned, the lock of the log is not
 * released, so nobody archives an extent anew that it removes, or writes a catalogue that it replaces.
 */
async function changing(
  call: Call,
  operation: string,
  catalogue: string,
  { file, work }: { readonly file: string; readonly work: Promise<void> },
): Promise<void> {
  const check = (): void => {
    call.check();
  };
  try {
    await new FileCalls({ check, graceMs: outcomeGraceMs }).wait(operation, file, work);
  } catch (error) {
    noteUnreturned(catalogue, work);
    throw error;
  }
}

function render({ logId, dataDirectory, extents, removing }: Catalogue): string {
  const contents = { format, formatVersion: 1, logId, dataDirectory, extents, removing };
  const sha256 = createHash('sha256').update(JSON.stringify(contents)).digest('hex');
  return `${JSON.stringify({ ...contents, sha256 }, null, 1)}\n`;
}

/** The catalogue with one more extent, or with another copy of one. */
export function withExtent(catalogue: Catalogue, extent: CataloguedExtent): Catalogue {
  const others = catalogue.extents.filter(({ number }) => number !== extent.number);
  return { ...catalogue, extents: [...others, extent].sort((one, other) => one.number - other.number) };
}

/**
 * Removes the files of extents that a prune has taken out of the catalogue. The next process removes what a process that died has
 * left.
 */
export async function finishRemoval(archiveDirectory: string, catalogue: Catalogue, call: Call): Promise<Catalogue> {
  if (catalogue.removing.length === 0) return catalogue;
  const own = catalogueFile(logDirectory(archiveDirectory, catalogue.logId));
  const files = catalogue.removing
    .filter(isExtentName)
    .map((name) => join(logDirectory(archiveDirectory, catalogue.logId), name));
  for (const file of files) await changing(call, 'unlink', own, { file, work: rm(file, { force: true }) });
  await changing(call, 'fsync', own, { file: dirname(own), work: syncRemovals(files) });
  const finished = { ...catalogue, removing: [] };
  await writeCatalogue(archiveDirectory, finished, call);
  return finished;
}
