import type { DatabaseCopy, ManifestDatabase } from '../store/manifest-format';
import type { BackupDatabases } from '../domino/databases';
import { toDatabaseFailure, decidedFailure, type DatabaseFailure } from '../errors/errors';
import { modifiedText } from '../domino/identities';
import { timedateText, unidText } from '../domino/timedate';
import { forEachIndex } from '../call/event-loop';
import { DatabaseState, type NativeResults } from '../native/session';
import { shadowPath } from './shadow-plan';

/** Names that a further window and its contents have in the backup. */
export interface PlaceInBackup {
  /** Directory of the window relative to that of the backup, with a trailing `/`. */
  readonly directory: string;
  /** Indexes of its databases in the backup. */
  readonly numbers: readonly number[];
  /** Ids of the shadows, in the order of the volumes. */
  readonly shadowIds: readonly string[];
}

/** Result of one window: the columns of the engine, and what was found out later. */
export class CapturedDatabases {
  readonly skipped: readonly DatabaseFailure[];
  /** Databases that may still be in backup mode because a call of the C API hangs. */
  readonly stuck: readonly string[];
  readonly #hashes = new Map<number, string>();
  readonly #contents = new Map<number, Pick<ManifestDatabase, 'sha256' | 'headerSha256'>>();
  readonly #copies = new Map<number, DatabaseCopy>();
  #place: PlaceInBackup = { directory: '', numbers: [], shadowIds: [] };
  readonly #irregular: ReadonlyMap<number, Uint32Array>;
  readonly #skippedIndexes: ReadonlySet<number>;

  private constructor(
    readonly databases: BackupDatabases,
    readonly results: NativeResults,
    failures: ReadonlyMap<number, DatabaseFailure>,
  ) {
    this.skipped = [...failures.values()];
    this.#skippedIndexes = new Set(failures.keys());
    this.stuck = results.stuck.map((index) => databases.paths[index] ?? '');
    this.#irregular = new Map(results.irregularPieces.map(({ index, lengths }) => [index, lengths]));
  }

  /** `decided`: databases that this package leaves out, whatever the result of the engine. */
  static async create(
    databases: BackupDatabases,
    results: NativeResults,
    decided: ReadonlyMap<number, DatabaseFailure>,
  ): Promise<CapturedDatabases> {
    const failures = new Map(
      results.failures.map(({ index, failure }) => [index, toDatabaseFailure(databases.paths[index] ?? '', failure)]),
    );
    for (const [index, failure] of decided) failures.set(index, failure);
    await forEachIndex(results.count, (index) => {
      if (results.state[index] === DatabaseState.captured || failures.has(index)) return;
      const path = databases.paths[index] ?? '';
      failures.set(index, decidedFailure(path, 'ERR_DATABASE_NOT_REACHED', 'start', 'not captured, without a reason'));
    });
    return new CapturedDatabases(databases, results, failures);
  }

  get count(): number {
    return this.results.count - this.#skippedIndexes.size;
  }

  isCaptured(index: number): boolean {
    return !this.#skippedIndexes.has(index);
  }

  /** Required databases that are missing from the backup. */
  missingRequired(): DatabaseFailure[] {
    const missing = new Set([...this.databases.required].map((index) => this.databases.paths[index]));
    return this.skipped.filter(({ database }) => missing.has(database));
  }

  /** Name of the delta file, relative to the backup's directory. */
  static deltaFile(index: number): string {
    return `deltas/${index}.delta`;
  }

  setDeltaHash(index: number, sha256: string): void {
    this.#hashes.set(index, sha256);
  }

  /** Sets what is known about its file in the kept shadow. */
  setContents(index: number, contents: Pick<ManifestDatabase, 'sha256' | 'headerSha256' | 'appliedInShadow'>): void {
    this.#contents.set(index, { ...this.#contents.get(index), ...contents });
  }

  /** For a further window: its databases, deltas and shadows have other names in the backup than in their session. */
  placeInBackup(place: PlaceInBackup): void {
    this.#place = place;
  }

  setCopy(index: number, copy: DatabaseCopy): void {
    this.#copies.set(index, copy);
  }

  get copies(): number {
    return this.#copies.size;
  }

  /** Indexes of the captured databases. */
  *indexes(): Generator<number> {
    for (let index = 0; index < this.results.count; ++index) if (this.isCaptured(index)) yield index;
  }

  describe(index: number): ManifestDatabase {
    const { databases, results } = this;
    const { directory, numbers, shadowIds } = this.#place;
    const shadow = shadowIds[databases.volumeIndex[index] ?? 0];
    const logged = results.logged[index] === 1;
    const modified = modifiedText(results.modified, index);
    const deltaBytes = results.deltaBytes[index] ?? 0;
    const irregular = this.#irregular.get(index);
    const copy = this.#copies.get(index);
    return {
      index: numbers[index] ?? index,
      path: databases.paths[index] ?? '',
      file: databases.files[index] ?? '',
      fileId: databases.fileIds[index] ?? '',
      volume: databases.volumes[databases.volumeIndex[index] ?? 0]?.path ?? '',
      ...(shadow !== undefined && { shadow }),
      shadowPath: shadowPath(databases, index),
      replicaId: timedateText(results.replicaId, index * 8),
      logged,
      dbiid: logged ? unidText(results.dbiid, index * 16) : '',
      logId: logged ? unidText(results.logId, index * 16) : '',
      logExtent: logged ? (results.logExtent[index] ?? 0) : 0,
      ...(modified !== '' && { modified }),
      startSizeBytes: results.startSizeBytes[index] ?? 0,
      deltaBytes,
      announcedBytes: results.announcedBytes[index] ?? 0,
      delta: deltaBytes > 0 ? directory + CapturedDatabases.deltaFile(index) : '',
      deltaSha256: this.#hashes.get(index) ?? '',
      ...(irregular && { irregularPieces: [...irregular] }),
      ...this.#contents.get(index),
      ...(copy && { copy }),
    };
  }
}
