import { createHash } from 'node:crypto';
import { realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Call, publicCall } from '../call/call';
import {
  abortSignal,
  absolutePath,
  checkOptions,
  dominoLocation,
  functionValue,
  isolationOption,
  milliseconds,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import { ProgressReporter, type ProgressListener } from '../call/progress';
import { NotesIni, transactionLogDirectory } from '../domino/environment';
import { openRuntime } from '../domino/runtime';
import { unidText } from '../domino/timedate';
import { DominoVssError, OptionError, toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { NativeBinding, NativeLock, NativeLogArchiver, NativeLogExtent } from '../native/session';
import { copyExactly, hashFile, requireFreeSpace } from '../store/copy';
import { syncDirectory } from '../store/durable';
import { isInside, makeOwnDirectory, realPathToBe } from '../store/safe-directory';
import { FileCalls } from '../store/stall';
import {
  finishRemoval,
  isExtentName,
  logDirectory,
  readCatalogue,
  withExtent,
  writeCatalogue,
  type Catalogue,
  type CataloguedExtent,
} from './catalogue';
import { lockArchivedLog, requireSafeArchive } from './directory';

/** Options of `archiveLogs`. */
export interface ArchiveLogsOptions {
  /** Absolute path of the archive. It is created if missing, for this user only: the transaction log is never encrypted. */
  readonly archiveDirectory: string;
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** Longest time for one call to Domino or the file system. Default: 60 000. */
  readonly callBudgetMs?: number | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /** Which process loads Domino: this one (`none`, the default), or one started for this call (`process`). */
  readonly isolation?: Isolation | undefined;
  /** Abandons the extent that is being copied; finished ones stay. The next run continues from there. */
  readonly signal?: AbortSignal | undefined;
  /** Reports `copy`, with the bytes of one extent as the total. */
  readonly onProgress?: ProgressListener | undefined;
}

/** One extent that Domino offered for archiving. */
export interface ArchivedLogExtent extends CataloguedExtent {
  /** 32 hexadecimal digits, as in a manifest. */
  readonly logId: string;
  /** Absolute path of the copy. */
  readonly file: string;
  /**
   * `copied`: copied by this call. `known`: already in the archive with the same contents; Domino was told again that it is
   * archived.
   */
  readonly result: 'copied' | 'known';
}

/** The result of `archiveLogs`. */
export interface ArchiveLogsReport {
  /** Id of the log that the server is writing, 32 hexadecimal digits. */
  readonly logId: string;
  /** Number of the extent that is being written; it is archived when it is full. */
  readonly currentExtent: number;
  readonly archiveDirectory: string;
  /** In the order in which Domino offered them; empty if none was waiting. */
  readonly extents: readonly ArchivedLogExtent[];
  /** Number of bytes copied. */
  readonly copiedBytes: number;
  readonly durationMs: number;
  readonly warnings: readonly Warning[];
}

export function archiveLogs(loadBinding: () => NativeBinding, options: ArchiveLogsOptions): Promise<ArchiveLogsReport> {
  return publicCall(async () => {
    checkOptions(options, {
      archiveDirectory: absolutePath,
      domino: dominoLocation,
      callBudgetMs: milliseconds,
      timeoutMs: milliseconds,
      isolation: isolationOption,
      signal: abortSignal,
      onProgress: functionValue,
    });
    absolutePath(options.archiveDirectory, 'archiveDirectory');
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'archive' });
    const binding = loadBinding();
    const { dataDirectory, notesIni } = await openRuntime(binding, options.domino, call);
    const archiveDirectory = await makeArchive(options.archiveDirectory, { dataDirectory, notesIni }, binding, call);
    const run = new ArchivingRun(binding, { ...options, archiveDirectory }, dataDirectory, call);
    return run.run();
  });
}

async function makeArchive(
  directory: string,
  { dataDirectory, notesIni }: { readonly dataDirectory: string; readonly notesIni: string },
  binding: NativeBinding,
  call: Call,
): Promise<string> {
  const log = transactionLogDirectory(new NotesIni(notesIni), dataDirectory);
  const calls = new FileCalls(call);
  const archiveToBe = await calls.wait('realpath', directory, realPathToBe(directory));
  const logToBe = await calls.wait('realpath', log, realPathToBe(log));
  if (isInside(archiveToBe, logToBe)) {
    throw new OptionError(
      'archiveDirectory',
      `${directory} lies in ${log}, where the server writes its transaction log`,
    );
  }
  await calls.wait('mkdir', directory, makeOwnDirectory(directory, binding));
  return requireSafeArchive(directory, binding, call);
}

/** One run: from NSFBeginArchivingLogs to NSFEndArchivingLogs. */
class ArchivingRun {
  readonly #startedAt = performance.now();
  readonly #budgetMs: number;
  readonly #progress: ProgressReporter;
  readonly #extents: ArchivedLogExtent[] = [];
  readonly #warnings: Warning[] = [];
  /** Catalogue of the log that is being archived; locked during the run. */
  #catalogue: Catalogue | undefined;
  #lock: NativeLock | undefined;

  constructor(
    private readonly binding: NativeBinding,
    private readonly options: ArchiveLogsOptions,
    private readonly dataDirectory: string,
    private readonly call: Call,
  ) {
    this.#budgetMs = options.callBudgetMs ?? 60_000;
    this.#progress = new ProgressReporter(options.onProgress, call);
  }

  async run(): Promise<ArchiveLogsReport> {
    const style = await this.#bounded('NSFGetTransLogStyle', this.binding.transactionLogStyle());
    if (style !== 'archive') {
      const what =
        style === 'none' ? 'the server has no transaction log' : `the transaction log of the server is ${style}`;
      const message = `${what}: only one of archive style is archived`;
      throw new DominoVssError('ERR_LOG_STYLE', { message, phase: 'archive' });
    }
    const beginning = this.binding.beginArchivingLogs();
    const archiver = await this.#bounded('NSFBeginArchivingLogs', beginning).catch((error: unknown) => {
      // Nobody waits for it any more, and it must not prevent others from archiving.
      void beginning.then((late) => late.end()).catch(() => undefined);
      throw error;
    });
    let current: NativeLogExtent;
    try {
      current = await this.#archiveAll(archiver);
    } catch (error) {
      await this.#end(archiver).catch(() => undefined); // the first failure says why
      throw error;
    } finally {
      this.#lock?.release();
    }
    await this.#end(archiver).catch((error: unknown) => {
      // Everything is archived and the server knows it. But the server refuses the next archiver until this process has ended.
      const known = toPublicError(error);
      this.#warnings.push(warning('WARN_ARCHIVING_NOT_ENDED', known.message, { error: known }));
    });
    return {
      logId: unidText(current.logId, 0),
      currentExtent: current.number,
      archiveDirectory: this.options.archiveDirectory,
      extents: this.#extents,
      copiedBytes: this.#extents.reduce((sum, { result, sizeBytes }) => sum + (result === 'copied' ? sizeBytes : 0), 0),
      durationMs: Math.round(performance.now() - this.#startedAt),
      warnings: this.#warnings,
    };
  }

  #bounded<T>(operation: string, request: Promise<T>, call = this.call): Promise<T> {
    return call.bounded(request, { budgetMs: this.#budgetMs, operation, subject: '' });
  }

  /** Cannot be interrupted, but has a time limit. If a Domino call hangs, this call is made when that one returns. */
  async #end(archiver: NativeLogArchiver): Promise<void> {
    const patient = new Call({ timeoutMs: 2 * this.#budgetMs, phase: 'archive' });
    await this.#bounded('NSFEndArchivingLogs', archiver.end(), patient);
  }

  /** Returns the extent that is being written. */
  async #archiveAll(archiver: NativeLogArchiver): Promise<NativeLogExtent> {
    for (;;) {
      this.call.check();
      const extent = await this.#bounded('NSFGetNextLogToArchive', archiver.next());
      if (!extent.waits) return extent;
      const archived = await this.#archiveOne(extent);
      // Only now may Domino overwrite it: the copy and the catalogue are on disk.
      await this.#bounded('NSFDoneArchivingLog', archiver.done(extent.logId, extent.number));
      this.#extents.push(archived);
    }
  }

  async #archiveOne(extent: NativeLogExtent): Promise<ArchivedLogExtent> {
    const logId = unidText(extent.logId, 0);
    const name = basename(extent.file);
    if (!isExtentName(name)) {
      const message = `Domino calls extent ${extent.number} of its log ${extent.file}, which is no name of an extent`;
      throw new DominoVssError('ERR_LOG_ARCHIVE', { message, phase: 'archive' });
    }
    const { archiveDirectory } = this.options;
    const catalogue = await this.#catalogueOf(logId);
    const file = join(logDirectory(archiveDirectory, logId), name);
    const known = catalogue.extents.find(({ number }) => number === extent.number);
    const copied =
      known && (await this.#isArchived(extent, known, file)) ? known : await this.#copy(extent, name, file);
    if (copied !== known) {
      this.#catalogue = withExtent(catalogue, copied);
      await writeCatalogue(archiveDirectory, this.#catalogue, this.call);
    }
    return { logId, file, result: copied === known ? 'known' : 'copied', ...copied };
  }

  /** The catalogue of a log, locked until the end of the run. */
  async #catalogueOf(logId: string): Promise<Catalogue> {
    if (this.#catalogue?.logId === logId) return this.#catalogue;
    this.#lock?.release();
    const { archiveDirectory } = this.options;
    const directory = logDirectory(archiveDirectory, logId);
    const calls = new FileCalls(this.call);
    await calls.wait('mkdir', directory, makeOwnDirectory(directory, this.binding));
    this.#lock = await lockArchivedLog(this.binding, directory, this.call);
    const read = await readCatalogue(archiveDirectory, logId, this.call);
    const found = read ?? {
      logId,
      dataDirectory: await calls.wait('realpath', this.dataDirectory, realpath(this.dataDirectory)),
      extents: [],
      removing: [],
    };
    this.#catalogue = await finishRemoval(archiveDirectory, found, this.call);
    return this.#catalogue;
  }

  /**
   * An extent is offered again if the server ended before reusing it. Its contents are then unchanged, and no new copy is needed.
   * Throws if they differ from those in the archive.
   */
  async #isArchived(extent: NativeLogExtent, known: CataloguedExtent, copy: string): Promise<boolean> {
    const sha256 = await hashFile(extent.file, { check: this.#check, budgetMs: this.#budgetMs });
    if (sha256 !== known.sha256) {
      const message =
        `extent ${extent.number} is in the archive with other contents than ${extent.file} has: the archive holds the log of ` +
        'another server with the same id, or was damaged';
      throw new DominoVssError('ERR_LOG_ARCHIVE', { message, phase: 'archive' });
    }
    const found = await stat(copy).catch(() => undefined);
    if (found?.size !== known.sizeBytes) return false;
    return (await hashFile(copy, { check: this.#check, budgetMs: this.#budgetMs })) === known.sha256;
  }

  readonly #check = (): void => {
    this.call.check();
  };

  /**
   * Copies under a temporary name until the copy is completely on disk, so that the remains of a dead process are not taken for
   * an extent.
   */
  async #copy(extent: NativeLogExtent, name: string, file: string): Promise<CataloguedExtent> {
    const unfinished = `${file}.unfinished`;
    await rm(unfinished, { force: true });
    const { size } = await stat(extent.file);
    await requireFreeSpace(dirname(file), size);
    const hash = createHash('sha256');
    const done = this.#extents.length;
    let doneBytes = 0;
    await copyExactly({
      from: extent.file,
      to: unfinished,
      sizeBytes: size,
      check: this.#check,
      budgetMs: this.#budgetMs,
      hash,
      onBytes: (bytes) => {
        doneBytes += bytes;
        this.#progress.report({ type: 'copy', done, total: done + 1, doneBytes, totalBytes: size });
      },
    });
    await rename(unfinished, file);
    await syncDirectory(dirname(file));
    const archived = new Date().toISOString();
    return { number: extent.number, name, sizeBytes: size, sha256: hash.digest('hex'), archived };
  }
}
