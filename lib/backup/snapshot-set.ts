import { createHash } from 'node:crypto';
import { realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Call } from '../call/call';
import type { BackupWork, Capture } from './capture';
import { skippedAfterAll, type FurtherWindow } from './further-windows';
import type { ManifestDatabase } from '../store/manifest-format';
import { copyExactly, hashFile, requireFreeSpace, syncFile } from '../store/copy';
import { FileCalls, untiring } from '../store/stall';
import { isPresent } from '../store/file-identity';
import type { DatabaseChanges } from '../domino/databases';
import { missingDirectories, syncDirectory, syncRemovals } from '../store/durable';
import { directoryRisk, isInside, makeOwnDirectory, realPathToBe } from '../store/safe-directory';
import { databaseFailureOf, DominoVssError, OptionError, type DatabaseFailure } from '../errors/errors';
import { forEachLimited } from '../call/event-loop';
import { abortSignal, absolutePath, boolean, checkOptions, functionValue, milliseconds } from '../call/options';
import { ProgressReporter, type ProgressListener } from '../call/progress';
import type { ProviderChoice } from '../store/manifest-format';
import { ServerFileCopies, type ServerFilesReport } from './server-files';
import { placesOf, Shadow, type BackupUse } from './shadow';
import type { Timeline } from './timeline';
import { refuseVanished } from '../vss/vanished-shadow';
import { requireVss } from '../vss/call';
import { reportOf, type VssSnapshotSet } from '../vss/session';

/** Options of {@link SnapshotSet.copyDatabases}. */
export interface CopyDatabasesOptions {
  /** Absolute path of the directory for the copies; created if missing. Must not be inside the data directory. */
  readonly to: string;
  /**
   * Also copies notes.ini and the server's ID files, to the directory `server-files` below {@link to}, which only its owner can read.
   * Default: false.
   */
  readonly serverFiles?: boolean | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** The result of {@link SnapshotSet.copyDatabases}. */
export interface CopyReport {
  /** Directory of the copies, which have the same relative paths as in the data directory. */
  readonly directory: string;
  readonly databases: number;
  readonly bytes: number;
  /** Databases that could not be copied. */
  readonly failures: readonly DatabaseFailure[];
  /** The server's files; absent if not requested. */
  readonly serverFiles?: ServerFilesReport;
}

/** A window after the first one, for databases that were busy in the first. */
export interface SnapshotWindow {
  /** The first window of a backup has the number 1. */
  readonly number: number;
  /** When it ended. */
  readonly created: Date;
  /** Number of databases that it captured. */
  readonly databases: number;
  readonly window: Timeline;
  /** As in {@link SnapshotSet.vss}. */
  readonly vss: VssSnapshotSet | undefined;
}

/** What a snapshot set is created from. */
interface FirstWindow {
  readonly work: BackupWork;
  readonly capture: Capture;
  readonly vss: VssSnapshotSet | undefined;
}

/** One window, the first or a later one, with its shadows. */
interface Part {
  readonly work: BackupWork;
  readonly capture: Capture;
  readonly shadows: readonly Shadow[];
}

interface CopiedDatabase {
  readonly part: Part;
  /** Index in its window. */
  readonly index: number;
  readonly describe: () => ManifestDatabase;
}

/** The shadows of one window, in the order of its volumes. */
function describeShadows(
  { work, capture, vss }: FirstWindow,
  prefix: string,
): ConstructorParameters<typeof Shadow>[0][] {
  const shadowIds = work.provider.vss ? reportOf(work.session).shadowIds : [];
  return work.databases.volumes.map(({ path: volume }, index) => {
    const root = capture.roots[index] ?? '';
    if (!work.provider.vss) return { id: `${prefix}-${index}`, volume, devicePath: root, root };
    // A transportable shadow has only an id until it is imported.
    return { id: shadowIds[index] ?? '', volume, devicePath: vss?.shadows[index]?.devicePath ?? '', root };
  });
}

/** The shadows of one backup, and what is known about the databases in them. */
export class SnapshotSet {
  /** Id of the backup and of the set. */
  readonly id: string;
  readonly provider: ProviderChoice;
  /** `partial` if databases had to be left out. */
  readonly outcome: 'complete' | 'partial';
  /** The shadows of the first window, then those of {@link furtherWindows}. */
  readonly shadows: readonly Shadow[];
  /** The measured freeze window; with further windows, the first one. */
  readonly window: Timeline;
  /** Databases that are not in this set, each with its reason. */
  readonly skipped: readonly DatabaseFailure[];
  /** Changes to the databases between the start of the backup and the window. */
  readonly changes: DatabaseChanges;
  /** Number of databases in this set. */
  readonly databases: number;
  /** Snapshot set, writers and Backup Components Document; undefined unless VSS made the shadows. */
  readonly vss: VssSnapshotSet | undefined;
  /** Time at which the window ended. */
  readonly created = new Date();
  /** Windows after the first, for databases that were busy in it; see `retries.busyDatabases`. */
  readonly furtherWindows: readonly SnapshotWindow[];
  readonly #work: BackupWork;
  readonly #parts: readonly Part[];
  readonly #use: BackupUse;
  readonly #notesIni: string;
  #isCopying = false;
  #copyReport: CopyReport | undefined;
  /** The new copies, and the directories that did not exist before: they are removed if the backup fails. */
  #newCopies: { readonly files: string[]; readonly directories: readonly string[] } | undefined;

  /** @internal */
  constructor(
    { work, capture, vss }: FirstWindow,
    further: readonly (FurtherWindow & { readonly vss: VssSnapshotSet | undefined })[],
    use: BackupUse,
    notesIni: string,
  ) {
    this.#work = work;
    this.#notesIni = notesIni;
    this.#use = use;
    this.vss = vss;
    this.id = work.id;
    this.provider = { name: work.provider.name, reason: work.provider.reason };
    const places = placesOf(work);
    const shadowsOf = (window: FirstWindow, prefix: string): Shadow[] =>
      describeShadows(window, prefix).map((described) => new Shadow(described, places, use));
    this.#parts = [
      { work, capture, shadows: shadowsOf({ work, capture, vss }, work.id) },
      ...further.map((window) => ({
        work: window.work,
        capture: window.capture,
        shadows: shadowsOf(window, `${work.id}-${window.number}`),
      })),
    ];
    const numberOf = new Map(work.databases.paths.map((path, index) => [path, index]));
    for (const [index, window] of further.entries()) {
      window.capture.databases.placeInBackup({
        directory: `window-${window.number}/`,
        numbers: window.work.databases.paths.map((path) => numberOf.get(path) ?? -1),
        shadowIds: this.#parts[index + 1]?.shadows.map(({ id }) => id) ?? [],
      });
    }
    this.furtherWindows = further.map(({ number, created, capture: own, vss: set }) => {
      const { timeline, databases } = own;
      return { number, created, databases: databases.count, window: timeline, vss: set };
    });
    this.shadows = this.#parts.flatMap(({ shadows }) => shadows);
    this.window = capture.timeline;
    this.skipped = skippedAfterAll(capture, further);
    this.outcome = this.skipped.length > 0 ? 'partial' : 'complete';
    this.changes = capture.changes;
    this.databases = this.#parts.reduce((sum, part) => sum + part.capture.databases.count, 0);
  }

  /** The databases in this set, one by one, as the manifest will describe them. */
  *describeDatabases(): Generator<ManifestDatabase, void> {
    for (const { capture } of this.#parts) {
      for (const index of capture.databases.indexes()) yield capture.databases.describe(index);
    }
  }

  /** @internal The result of {@link copyDatabases} so far. */
  get copyReport(): CopyReport | undefined {
    return this.#copyReport;
  }

  /**
   * Copies every database from the shadow: exactly the bytes it had at NSFBackupStart, with its change information applied,
   * synced to disk. The copy of a logged database still needs recovery before use, which a restore does. A database that cannot
   * be copied is reported and does not stop the others. A backup that fails, or is disposed of before `endBackup`, removes its
   * copies.
   *
   * @throws {@link OptionError}; `ERR_STATE` after the end of the backup, if copies were already made, if a shadow cannot be read on
   * this machine, or for plain volumes; {@link AbortError} if cancelled, or if the backup is disposed of in the meantime;
   * `ERR_NO_SPACE` before anything is copied; `ERR_SHADOW_VANISHED` if Windows has deleted the shadow in the meantime. In each case
   * the copies that this call has made so far are removed.
   */
  copyDatabases(options: CopyDatabasesOptions): Promise<CopyReport> {
    return this.#use.call(async (ending) => {
      checkOptions(options, {
        to: absolutePath,
        serverFiles: boolean,
        timeoutMs: milliseconds,
        signal: abortSignal,
        onProgress: functionValue,
      });
      absolutePath(options.to, 'to');
      const { dataDirectory } = this.#work.databases;
      if (this.#work.source === 'volumes') {
        const message = `the backup ${this.id} is of plain volumes: read the roots of its shadows`;
        throw new DominoVssError('ERR_STATE', { message });
      }
      if (isInside(options.to, dataDirectory)) {
        throw new OptionError('to', `copies in the data directory ${dataDirectory} would be served as databases`);
      }
      this.#use.requireOpen();
      const unreadable = this.shadows.find(({ root }) => root === '');
      if (unreadable) {
        // A transportable VSS shadow before its import, or a snapshot that a hook made elsewhere.
        const message = `the shadow of ${unreadable.volume} cannot be read on this machine, so nothing can be copied from it`;
        throw new DominoVssError('ERR_STATE', { message });
      }
      if (this.#copyReport) {
        const message = `copies were already made in ${this.#copyReport.directory}`;
        throw new DominoVssError('ERR_STATE', { message });
      }
      if (this.#isCopying) throw new DominoVssError('ERR_STATE', { message: 'copies are being made' });
      const { signal, timeoutMs = 86_400_000 } = options;
      const call = new Call({ signal, timeoutMs, phase: 'drain' });
      const onEnding = (): void => {
        call.abort(ending.reason);
      };
      ending.addEventListener('abort', onEnding);
      this.#isCopying = true;
      try {
        const progress = new ProgressReporter(options.onProgress, call);
        this.#copyReport = await this.#copy(options, call, progress);
        return this.#copyReport;
      } finally {
        this.#isCopying = false;
        ending.removeEventListener('abort', onEnding);
      }
    });
  }

  /** Longest time for one call on a file, and for a copy to make no progress. */
  get #budgetMs(): number {
    return this.#work.setup.options.databaseBudgetMs;
  }

  async #copy(
    { to, serverFiles: wantsServerFiles = false }: CopyDatabasesOptions,
    call: Call,
    progress: ProgressReporter,
  ): Promise<CopyReport> {
    const all = this.#parts.flatMap((part) => {
      const { databases } = part.capture;
      return [...databases.indexes()].map((index) => ({ part, index, describe: () => databases.describe(index) }));
    });
    const totalBytes = all.reduce(
      (sum, { part, index }) => sum + (part.capture.databases.results.startSizeBytes[index] ?? 0),
      0,
    );
    const paths = all.map(({ describe }) => describe().path);
    const { dataDirectory } = this.#work.databases;
    const server = { notesIni: this.#notesIni, dataDirectory };
    const check = (): void => {
      call.check('drain');
    };
    const calls = new FileCalls({ check, budgetMs: this.#budgetMs });
    const serverFiles = wantsServerFiles
      ? await calls.wait('lstat', dataDirectory, ServerFileCopies.plan(to, server, paths))
      : undefined;
    const files = paths.map((path) => join(to, ...path.split('/')));
    await this.#noteCopies([...(serverFiles?.files ?? []), ...files], calls);
    await calls.wait('mkdir', to, makeTarget(to, this.#work));
    // Holes in a file remain holes in its copy.
    const allocatedBytes = this.#work.databases.allocatedBytes.reduce((sum, bytes) => sum + bytes, 0);
    const neededBytes = Math.min(totalBytes, allocatedBytes) + (serverFiles?.sizeBytes ?? 0);
    await calls.wait('statfs', to, requireFreeSpace(to, neededBytes));
    const failures: DatabaseFailure[] = [];
    const directories = new Set([to]);
    let done = 0;
    let doneBytes = 0;
    const report = (last = false): void => {
      progress.report({ type: 'copy', done, total: all.length, doneBytes, totalBytes }, last);
    };
    const made = new Map<CopiedDatabase, string>();
    let madeServerFiles: ServerFilesReport | undefined;
    try {
      madeServerFiles = await serverFiles?.copy(this.#work.binding, { check, budgetMs: this.#budgetMs }, (file) => {
        this.#newCopies?.files.push(file);
      });
      if (madeServerFiles) directories.add(madeServerFiles.directory);
      await forEachLimited(all, 4, async (one) => {
        const database = one.describe();
        const file = join(to, ...database.path.split('/'));
        try {
          const sha256 = await this.#copyOne(one, database, file, call, (bytes) => {
            doneBytes += bytes;
            report();
          });
          made.set(one, sha256);
          this.#newCopies?.files.push(file);
          for (let at = dirname(file); at.startsWith(to + sep); at = dirname(at)) directories.add(at);
        } catch (error) {
          call.check();
          await this.#refuseVanished(one, call);
          failures.push(databaseFailureOf(database.path, 'drain', error));
        }
        done += 1;
        report();
        call.check();
      });
      for (const directory of directories) await calls.wait('fsync', directory, syncDirectory(directory));
      call.check();
    } catch (error) {
      await this.removeCopies();
      throw error;
    }
    for (const [{ part, index, describe }, sha256] of made) {
      part.capture.databases.setCopy(index, { file: describe().path, deltaApplied: true, sha256 });
    }
    report(true);
    return {
      directory: to,
      databases: made.size,
      bytes: doneBytes,
      failures,
      ...(madeServerFiles && { serverFiles: madeServerFiles }),
    };
  }

  /** Records files and directories that do not exist yet. Existing ones are neither overwritten nor removed. */
  async #noteCopies(files: readonly string[], calls: FileCalls): Promise<void> {
    const missing: string[] = [];
    await forEachLimited(files, 4, async (file) => {
      if (!(await calls.wait('lstat', file, isPresent(file)))) missing.push(file);
    });
    const parents = missing.map((file) => dirname(file));
    const directories = await calls.wait('lstat', parents[0] ?? '', missingDirectories(parents));
    await this.#work.journal.noteCopies(missing, directories);
    this.#newCopies = { files: [], directories };
  }

  /** @internal Removes what {@link copyDatabases} has made, and its directories if they contain nothing else. */
  async removeCopies(): Promise<void> {
    if (!this.#newCopies) return;
    const { files, directories } = this.#newCopies;
    // Also after an abort. What remains is named in the journal.
    const calls = new FileCalls({ ...untiring, budgetMs: this.#budgetMs });
    for (const file of files) await calls.wait('unlink', file, rm(file, { force: true }));
    for (const directory of [...directories].reverse()) {
      await calls.wait(
        'rmdir',
        directory,
        rmdir(directory).catch(() => undefined),
      );
    }
    await calls.wait('fsync', dirname(files[0] ?? ''), syncRemovals(files));
    this.#newCopies = undefined;
  }

  /** When the space for shadows is used up, Windows deletes volatile shadows and the oldest ones. */
  async #refuseVanished({ part, index }: CopiedDatabase, call: Call): Promise<void> {
    const shadow = part.shadows[part.work.databases.volumeIndex[index] ?? 0];
    if (this.vss && shadow) await refuseVanished(requireVss(this.#work.binding), shadow, call);
  }

  /**
   * Returns the SHA-256 of the finished copy. It is computed while copying, unless change information was applied: only Domino
   * knows which parts of the file that rewrites, so such a copy is read once more.
   */
  async #copyOne(
    { part: { work, capture }, index }: CopiedDatabase,
    database: ManifestDatabase,
    file: string,
    call: Call,
    onBytes: (bytes: number) => void,
  ): Promise<string> {
    const volume = work.databases.volumeIndex[index] ?? 0;
    const from = join(capture.roots[volume] ?? '', ...database.shadowPath.split('/'));
    const { startSizeBytes } = database;
    const check = (): void => {
      call.check('drain');
    };
    const hash = database.delta === '' ? createHash('sha256') : undefined;
    await copyExactly({ from, to: file, sizeBytes: startSizeBytes, check, onBytes, hash, budgetMs: this.#budgetMs });
    if (hash) return hash.digest('hex');
    try {
      const applying = this.#work.binding.applyChangeInfo({
        copyFile: file,
        deltaFile: join(this.#work.directory, database.delta),
        announcedBytes: database.announcedBytes,
        pieceBytes: capture.databases.results.pieceBytes,
        ...(database.irregularPieces && { irregularPieces: Uint32Array.from(database.irregularPieces) }),
      });
      const budgetMs = this.#budgetMs;
      await call.bounded(applying, { budgetMs, operation: 'NSFBackupApplyNextChangeInfo', subject: file });
      // Before the sync, while the pages just written are still in memory.
      const sha256 = await hashFile(file, check, startSizeBytes, budgetMs);
      await syncFile(file, { check, budgetMs });
      return sha256;
    } catch (error) {
      const removal = new FileCalls({ ...untiring, budgetMs: this.#budgetMs });
      await removal.wait('unlink', file, rm(file, { force: true }));
      throw error;
    }
  }
}

/**
 * Creates the directory of the copies. Uses its real path: a link may lead into the data directory, or to a place where others
 * can write.
 */
async function makeTarget(
  to: string,
  { binding, databases: { dataDirectory } }: Pick<BackupWork, 'binding' | 'databases'>,
): Promise<void> {
  if (isInside(await realPathToBe(to), await realpath(dataDirectory))) {
    throw new OptionError('to', `${to} leads into the data directory ${dataDirectory}: copies there would be served`);
  }
  await makeOwnDirectory(to, binding);
  const { refusal } = await directoryRisk(await realpath(to), binding);
  if (refusal !== '') throw new OptionError('to', refusal);
}
