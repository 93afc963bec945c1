import { Call } from '../call/call';
import { abortSignal, absolutePath, boolean, checkOptions, functionValue, milliseconds } from '../call/options';
import { ProgressReporter } from '../call/progress';
import type { DatabaseChanges } from '../domino/databases';
import { DominoVssError, OptionError, type DatabaseFailure } from '../errors/errors';
import type { ManifestDatabase, ProviderChoice } from '../store/manifest-format';
import { isInside } from '../store/safe-directory';
import { reportOf, type VssSnapshotSet } from '../vss/session';
import type { BackupWork, Capture } from './capture';
import { DatabaseCopies, type CopyDatabasesOptions, type CopyReport, type Part } from './database-copies';
import { skippedAfterAll, type FurtherWindow } from './further-windows';
import { placesOf, Shadow, type BackupUse } from './shadow';
import type { Timeline } from './timeline';

export type { CopyDatabasesOptions, CopyReport } from './database-copies';

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
  readonly #copies: DatabaseCopies;
  #isCopying = false;
  #copyReport: CopyReport | undefined;

  /** @internal */
  constructor(
    { work, capture, vss }: FirstWindow,
    further: readonly (FurtherWindow & { readonly vss: VssSnapshotSet | undefined })[],
    use: BackupUse,
    notesIni: string,
  ) {
    this.#work = work;
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
    this.#copies = new DatabaseCopies(work, this.#parts, notesIni);
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
        this.#copyReport = await this.#copies.make(options, call, progress);
        return this.#copyReport;
      } finally {
        this.#isCopying = false;
        ending.removeEventListener('abort', onEnding);
      }
    });
  }

  /** @internal Removes what {@link copyDatabases} has made, and its directories if they contain nothing else. */
  removeCopies(): Promise<void> {
    return this.#copies.remove();
  }
}
