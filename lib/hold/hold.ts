import { stat } from 'node:fs/promises';
import type { Backup } from '../backup/backup';
import { beginBackup, type BeginBackupOptions } from '../backup/begin-backup';
import { checkShadows, type HookShadow } from '../backup/provider';
import type { BackupReport } from '../backup/report';
import type { SnapshotSet } from '../backup/snapshot-set';
import { publicCall } from '../call/call';
import { abortSignal, boolean, checkOptions, integer, milliseconds } from '../call/options';
import { BackupError, DominoVssError, OptionError, toPublicError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type { HookContext } from '../store/hook-record';
import { OutsideSnapshot, type HeldDatabases } from './outside-snapshot';

/** Domino itself ends backup mode after a longer time: BACKUP_TIMEOUT is 15 minutes. */
const longestHoldMs = 14 * 60_000;

/** Time for entering backup mode, in addition to the hold. */
export const enteringMs = 120_000;

/** Options of `holdDatabases`. */
export interface HoldOptions extends Omit<BeginBackupOptions, (typeof notForHolds)[number]> {
  /**
   * Milliseconds after which the databases leave backup mode and the hold is lost. At most 840 000, because Domino
   * ends backups after 15 minutes. Default: 60 000.
   */
  readonly maxHoldMs?: number | undefined;
  /**
   * Whether the program that takes the snapshot flushes file system data from memory to disk, as fsfreeze and VSS do. Default:
   * false; the volumes are then flushed while the databases are held. On Windows only administrators can do that.
   */
  readonly flushesVolumes?: boolean | undefined;
}

/** Options of {@link Hold.release}. */
export interface ReleaseOptions {
  /**
   * Where the snapshot can be read now, for each volume for which this is possible; name the volume as in {@link Hold.volumes}.
   * Default: nowhere on this machine. A restore then needs the location in its `shadowRoots`.
   */
  readonly shadows?: readonly HookShadow[] | undefined;
  /** Whether to hash every database in a readable snapshot. Default: false. */
  readonly hash?: boolean | undefined;
  /** Default: 600 000; 24 hours with `hash`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Databases in backup mode for a snapshot by another program. Ends with {@link release} or {@link giveUp}, or when its time is
 * over; call {@link dispose} in a `finally`.
 */
export class Hold {
  /** Id of the backup. */
  readonly id: string;
  /** Directory of the backup, in the delta directory. */
  readonly directory: string;
  /** Number of databases that were found and selected. */
  readonly databases: number;
  /** The volumes that the snapshot must contain. */
  readonly volumes: HookContext['volumes'];
  /** Time at which all databases were in backup mode. */
  readonly heldAt = new Date();
  /** Time at which they leave it if no method is called. */
  readonly deadline: Date;
  /** Resolves to the reason if the hold ended without a release, after the databases have left backup mode. */
  readonly lost: Promise<DominoVssError>;
  readonly #backup: Backup;
  readonly #snapshot: OutsideSnapshot;
  readonly #created: Promise<SnapshotSet>;
  readonly #controller: AbortController;
  readonly #timer: NodeJS.Timeout;
  #state: 'held' | 'released' | 'lost' = 'held';
  #reason: DominoVssError | undefined;
  #release: Promise<BackupReport> | undefined;

  /** @internal */
  constructor(
    parts: {
      readonly backup: Backup;
      readonly snapshot: OutsideSnapshot;
      readonly created: Promise<SnapshotSet>;
      readonly controller: AbortController;
    },
    { volumes, deadlineMs }: HeldDatabases,
    maxHoldMs: number,
  ) {
    this.#backup = parts.backup;
    this.#snapshot = parts.snapshot;
    this.#created = parts.created;
    this.#controller = parts.controller;
    this.id = parts.backup.id;
    this.directory = parts.backup.directory;
    this.databases = parts.backup.databases;
    this.volumes = volumes;
    const holdMs = Math.min(maxHoldMs, deadlineMs);
    this.deadline = new Date(this.heldAt.getTime() + holdMs);
    this.#timer = setTimeout(() => {
      this.#lose(new BackupError('ERR_HOLD_EXPIRED', { message: `not released within ${holdMs} ms`, phase: 'shadow' }));
    }, holdMs);
    this.lost = this.#awaitLoss();
  }

  /**
   * The snapshot exists: takes the databases out of backup mode, fetches their change information and writes the manifest.
   *
   * @throws `ERR_HOLD_EXPIRED` if the databases had already left backup mode: the snapshot is then useless. Wrong options are
   * rejected before anything is released.
   */
  release(options: ReleaseOptions = {}): Promise<BackupReport> {
    return publicCall(async () => {
      checkOptions(options, {
        shadows: checkShadows,
        hash: boolean,
        timeoutMs: milliseconds,
        signal: abortSignal,
      });
      const shadows = await this.#everyVolume(options.shadows ?? []);
      if (this.#state === 'lost') throw await this.lost;
      if (this.#state === 'released') throw new DominoVssError('ERR_STATE', { message: `${this.id} was released` });
      this.#state = 'released';
      clearTimeout(this.#timer);
      this.#release = this.#complete(shadows, options);
      return this.#release;
    });
  }

  async #complete(shadows: readonly HookShadow[], options: ReleaseOptions): Promise<BackupReport> {
    try {
      this.#snapshot.taken(shadows);
      await this.#created;
      const { hash, timeoutMs, signal } = options;
      return await this.#backup.endBackup({ keep: true, hash, timeoutMs, signal });
    } finally {
      await this.#backup.dispose();
    }
  }

  /**
   * There is no snapshot: takes the databases out of backup mode and removes everything the backup has created. Idempotent.
   *
   * @throws `ERR_STATE` after a release, because a release says that the snapshot exists.
   */
  giveUp(): Promise<void> {
    return publicCall(async () => {
      if (this.#release) throw new DominoVssError('ERR_STATE', { message: `${this.id} was released` });
      await this.#end();
    });
  }

  /** Like {@link giveUp}, but after a release it only waits for the release. */
  dispose(): Promise<void> {
    return publicCall(() => this.#end());
  }

  async #end(): Promise<void> {
    // The caller of `release` gets its error.
    if (this.#release) await this.#release.catch(() => undefined);
    this.#lose(new BackupError('ERR_NOT_HELD', { message: `the hold ${this.id} was given up`, phase: 'shadow' }));
    if (this.#state === 'lost') await this.lost;
    await this.#backup.dispose();
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #lose(reason: DominoVssError): void {
    if (this.#state !== 'held') return;
    this.#state = 'lost';
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#controller.abort(reason);
  }

  /** Never settles for a released hold. */
  #awaitLoss(): Promise<DominoVssError> {
    return new Promise((resolve) => {
      this.#created.catch((thrown: unknown) => {
        const error = toPublicError(thrown);
        // The engine has its own deadline, and a server may shut down.
        this.#lose(error);
        if (this.#state !== 'lost') return;
        const reason = this.#reason ?? error;
        resolve(Object.assign(reason, { leftBehind: error.leftBehind }));
      });
    });
  }

  async #everyVolume(given: readonly HookShadow[]): Promise<HookShadow[]> {
    for (const { volume, root } of given) {
      if (!this.volumes.some(({ path }) => path === volume)) {
        const known = this.volumes.map(({ path }) => path).join(', ');
        throw new OptionError('shadows', `${volume} is not a volume of this hold: ${known}`);
      }
      const found = await stat(root).catch(() => undefined);
      if (!found?.isDirectory())
        throw new OptionError('shadows', `the shadow root ${root} of ${volume} is not a directory`);
    }
    return this.volumes.map(({ path }) => given.find(({ volume }) => volume === path) ?? { volume: path, root: '' });
  }
}

/** Options that a hold sets itself or that do not make sense for it. */
const notForHolds = [
  'source',
  'volumes',
  'lifetime',
  'provider',
  'writers',
  'vss',
  'mode',
  'leaseMs',
  'shadowDirectory',
  'copiesTo',
  'windowTimeoutMs',
  // All databases are held: the external snapshot contains each of them.
  'incremental',
  'logArchive',
  // `startHold` holds in a process of its own.
  'isolation',
] as const satisfies readonly (keyof BeginBackupOptions)[];

export function holdDatabases(loadBinding: () => NativeBinding, options: HoldOptions): Promise<Hold> {
  return publicCall(async () => {
    const { maxHoldMs = 60_000, flushesVolumes = false, signal, ...begin } = options;
    integer(1, longestHoldMs)(maxHoldMs, 'maxHoldMs');
    boolean(flushesVolumes, 'flushesVolumes');
    const wrong = notForHolds.find((name) => (begin as BeginBackupOptions)[name] !== undefined);
    if (wrong !== undefined) throw new OptionError(wrong, `${wrong} has no meaning for a hold`);
    const snapshot = new OutsideSnapshot({ flushesVolumes });
    const backup = await beginBackup(loadBinding, {
      ...begin,
      windowTimeoutMs: enteringMs + maxHoldMs,
      provider: snapshot,
      signal,
    });
    // The caller's signal applies until the databases are held; after that, only the methods of the hold end it.
    const controller = new AbortController();
    const onAbort = (): void => {
      controller.abort(signal?.reason);
    };
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    try {
      const created = backup.createShadow({
        timeoutMs: enteringMs + maxHoldMs,
        signal: controller.signal,
        onProgress: options.onProgress,
      });
      const held = await Promise.race([snapshot.held, created.then(notHeld)]);
      return new Hold({ backup, snapshot, created, controller }, held, maxHoldMs);
    } catch (error) {
      await backup.dispose().catch(() => undefined);
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  });
}

/** `createShadow` waits for the hook, so this is reached only if it did not call the hook. */
function notHeld(): never {
  throw new DominoVssError('ERR_INTERNAL', { message: 'the shadow was made before the databases were held' });
}
