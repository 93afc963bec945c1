import { createHash } from 'node:crypto';
import { lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Call } from '../call/call';
import type { BackupWork, Capture } from './capture';
import type { ManifestDatabase } from '../store/manifest-format';
import { copyExactly, hashFile, requireFreeSpace, syncFile } from '../store/copy';
import type { DatabaseChanges } from '../domino/databases';
import { missingDirectories, syncDirectory } from '../store/durable';
import { directoryRisk, realPathToBe } from '../store/safe-directory';
import { databaseFailureOf, DominoVssError, OptionError, type DatabaseFailure } from '../errors/errors';
import { forEachLimited } from '../call/event-loop';
import { abortSignal, absolutePath, checkOptions, functionValue, milliseconds } from '../call/options';
import { ProgressReporter, type ProgressListener } from '../call/progress';
import { isInside } from './provider';
import type { ProviderChoice } from '../store/manifest-format';
import { placesOf, Shadow, type BackupUse } from './shadow';
import type { Timeline } from './timeline';
import { refuseVanished } from '../vss/vanished-shadow';
import { requireVss } from '../vss/call';
import { reportOf, type VssSnapshotSet } from '../vss/session';

/** Options of {@link SnapshotSet.copyDatabases}. */
export interface CopyDatabasesOptions {
  /** Absolute directory for the copies; made if missing. Must not lie in the data directory. */
  readonly to: string;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** What {@link SnapshotSet.copyDatabases} has done. */
export interface CopyReport {
  /** Directory of the copies; each lies below it at its path relative to the data directory. */
  readonly directory: string;
  readonly databases: number;
  readonly bytes: number;
  /** Databases of which no copy could be made. */
  readonly failures: readonly DatabaseFailure[];
}

/** The shadows of one window, and what is known about the databases in them. */
export class SnapshotSet {
  /** Id of the backup and of the set. */
  readonly id: string;
  readonly provider: ProviderChoice;
  /** `partial` when databases had to be left out. */
  readonly outcome: 'complete' | 'partial';
  readonly shadows: readonly Shadow[];
  /** The measured freeze window. */
  readonly window: Timeline;
  /** Databases that are not in this set, each with its reason. */
  readonly skipped: readonly DatabaseFailure[];
  /** What happened to the databases between the begin of the backup and the window. */
  readonly changes: DatabaseChanges;
  /** Number of databases in this set. */
  readonly databases: number;
  /** Snapshot set, writers and Backup Components Document; undefined unless VSS made the shadows. */
  readonly vss: VssSnapshotSet | undefined;
  /** When the window had ended. */
  readonly created = new Date();
  readonly #work: BackupWork;
  readonly #capture: Capture;
  readonly #use: BackupUse;
  #isCopying = false;
  #copyReport: CopyReport | undefined;

  /** @internal */
  constructor(work: BackupWork, capture: Capture, vss: VssSnapshotSet | undefined, use: BackupUse) {
    this.#work = work;
    this.#capture = capture;
    this.#use = use;
    const places = placesOf(work);
    const shadowIds = work.provider.vss ? reportOf(work.session).shadowIds : [];
    this.vss = vss;
    this.id = work.id;
    this.provider = { name: work.provider.name, reason: work.provider.reason };
    this.outcome = capture.skipped.length > 0 ? 'partial' : 'complete';
    this.shadows = work.databases.volumes.map(
      ({ path }, index) => new Shadow(this.#describeShadow(path, index, shadowIds[index]), places, use),
    );
    this.window = capture.timeline;
    this.skipped = capture.skipped;
    this.changes = capture.changes;
    this.databases = capture.databases.count;
  }

  #describeShadow(volume: string, index: number, id = ''): ConstructorParameters<typeof Shadow>[0] {
    const root = this.#capture.roots[index] ?? '';
    if (!this.#work.provider.vss) return { id: `${this.id}-${index}`, volume, devicePath: root, root };
    // A transportable shadow has an id, and nothing else until it is imported.
    return { id, volume, devicePath: this.vss?.shadows[index]?.devicePath ?? '', root };
  }

  /** The databases in this set one after the other, as the manifest will describe them. */
  *describeDatabases(): Generator<ManifestDatabase, void> {
    for (const index of this.#capture.databases.indexes()) yield this.#capture.databases.describe(index);
  }

  /** @internal What {@link copyDatabases} has done so far. */
  get copyReport(): CopyReport | undefined {
    return this.#copyReport;
  }

  /**
   * Copies every database out of the shadow: exactly the bytes it had at NSFBackupStart, with its change information
   * applied, written to the disk. A copy of a logged database still needs recovery before use, which a restore does.
   * A database that cannot be copied is reported and does not stop the others.
   *
   * @throws {@link AbortError} when cancelled, or when the backup is disposed of meanwhile; `ERR_NO_SPACE` before anything is copied; `ERR_SHADOW_VANISHED` when Windows
   * has deleted the shadow meanwhile. Then the copies made so far are removed.
   */
  copyDatabases(options: CopyDatabasesOptions): Promise<CopyReport> {
    return this.#use.call(async (ending) => {
      checkOptions(options, {
        to: absolutePath,
        timeoutMs: milliseconds,
        signal: abortSignal,
        onProgress: functionValue,
      });
      absolutePath(options.to, 'to');
      const { dataDirectory } = this.#work.databases;
      if (this.#work.source === 'volumes') {
        const message = `the backup ${this.id} is one of plain volumes: read the roots of its shadows`;
        throw new DominoVssError('ERR_STATE', { message });
      }
      if (isInside(options.to, dataDirectory)) {
        throw new OptionError('to', `copies in the data directory ${dataDirectory} would be served as databases`);
      }
      this.#use.requireOpen();
      if (this.#copyReport) {
        const message = `copies were already made in ${this.#copyReport.directory}`;
        throw new DominoVssError('ERR_STATE', { message });
      }
      if (this.#isCopying) throw new DominoVssError('ERR_STATE', { message: 'copies are just being made' });
      const { signal, timeoutMs = 86_400_000 } = options;
      const call = new Call({ signal, timeoutMs, phase: 'drain' });
      const onEnding = (): void => {
        call.abort(ending.reason);
      };
      ending.addEventListener('abort', onEnding);
      this.#isCopying = true;
      try {
        this.#copyReport = await this.#copy(options.to, call, new ProgressReporter(options.onProgress, call));
        return this.#copyReport;
      } finally {
        this.#isCopying = false;
        ending.removeEventListener('abort', onEnding);
      }
    });
  }

  async #copy(to: string, call: Call, progress: ProgressReporter): Promise<CopyReport> {
    const { databases } = this.#capture;
    const indexes = [...databases.indexes()];
    const totalBytes = indexes.reduce((sum, index) => sum + (databases.results.startSizeBytes[index] ?? 0), 0);
    await this.#noteCopies(to, indexes);
    await makeTarget(to, this.#work.databases.dataDirectory);
    // Holes stay holes in a copy.
    const allocatedBytes = this.#work.databases.allocatedBytes.reduce((sum, bytes) => sum + bytes, 0);
    await requireFreeSpace(to, Math.min(totalBytes, allocatedBytes));
    const failures: DatabaseFailure[] = [];
    const directories = new Set([to]);
    let done = 0;
    let doneBytes = 0;
    const report = (last = false): void => {
      progress.report({ type: 'copy', done, total: indexes.length, doneBytes, totalBytes }, last);
    };
    const made = new Map<number, string>();
    try {
      await forEachLimited(indexes, 4, async (index) => {
        const database = databases.describe(index);
        const file = join(to, ...database.path.split('/'));
        try {
          const sha256 = await this.#copyOne(database, file, call, (bytes) => {
            doneBytes += bytes;
            report();
          });
          made.set(index, sha256);
          for (let at = dirname(file); at.startsWith(to + sep); at = dirname(at)) directories.add(at);
        } catch (error) {
          call.check();
          await this.#refuseVanished(database, call);
          failures.push(databaseFailureOf(database.path, 'drain', error));
        }
        done += 1;
        report();
        call.check();
      });
      for (const directory of directories) await syncDirectory(directory);
      call.check();
    } catch (error) {
      for (const index of made.keys())
        await rm(join(to, ...databases.describe(index).path.split('/')), { force: true });
      throw error;
    }
    for (const [index, sha256] of made) {
      databases.setCopy(index, { file: databases.describe(index).path, deltaApplied: true, sha256 });
    }
    report(true);
    return { directory: to, databases: made.size, bytes: doneBytes, failures };
  }

  /** Names the files and directories that do not exist yet: what is somebody else's is not overwritten, and never removed. */
  async #noteCopies(to: string, indexes: readonly number[]): Promise<void> {
    const files = indexes.map((index) => this.#copyFile(to, index));
    const missing: string[] = [];
    await forEachLimited(files, 4, async (file) => {
      await lstat(file).catch(() => missing.push(file));
    });
    const directories = await missingDirectories(missing.map((file) => dirname(file)));
    await this.#work.journal.noteCopies(missing, directories);
  }

  #copyFile(to: string, index: number): string {
    return join(to, ...this.#capture.databases.describe(index).path.split('/'));
  }

  /** Windows deletes volatile shadows, and the oldest ones, when the room for them is used up. */
  async #refuseVanished({ index }: ManifestDatabase, call: Call): Promise<void> {
    const shadow = this.shadows[this.#work.databases.volumeIndex[index] ?? 0];
    if (this.vss && shadow) await refuseVanished(requireVss(this.#work.binding), shadow, call);
  }

  /**
   * Answers the SHA-256 of the copy as it is delivered. It comes from the bytes as they pass, except where change information
   * was applied: which parts of the file it rewrites only Domino knows, so such a copy is read once more.
   */
  async #copyOne(
    database: ManifestDatabase,
    file: string,
    call: Call,
    onBytes: (bytes: number) => void,
  ): Promise<string> {
    const volume = this.#work.databases.volumeIndex[database.index] ?? 0;
    const from = join(this.#capture.roots[volume] ?? '', ...database.shadowPath.split('/'));
    const { startSizeBytes } = database;
    const check = (): void => {
      call.check('drain');
    };
    const hash = database.delta === '' ? createHash('sha256') : undefined;
    await copyExactly({ from, to: file, sizeBytes: startSizeBytes, check, onBytes, hash });
    if (hash) return hash.digest('hex');
    try {
      await this.#work.binding.applyChangeInfo({
        copyFile: file,
        deltaFile: join(this.#work.directory, database.delta),
        announcedBytes: database.announcedBytes,
        pieceBytes: this.#capture.databases.results.pieceBytes,
        ...(database.irregularPieces && { irregularPieces: Uint32Array.from(database.irregularPieces) }),
      });
      // Before the sync, while the pages that were just written are still in memory.
      const sha256 = await hashFile(file, check, startSizeBytes);
      await syncFile(file);
      return sha256;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }
}

/** Makes the directory of the copies. By its real path: a link may lead into the data directory, or to where others can write. */
async function makeTarget(to: string, dataDirectory: string): Promise<void> {
  if (isInside(await realPathToBe(to), await realpath(dataDirectory))) {
    throw new OptionError('to', `${to} leads into the data directory ${dataDirectory}: copies there would be served`);
  }
  await mkdir(to, { recursive: true, mode: 0o700 });
  const { refusal } = await directoryRisk(await realpath(to));
  if (refusal !== '') throw new OptionError('to', refusal);
}
