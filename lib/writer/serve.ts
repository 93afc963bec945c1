import { openPreparedPlace, PreparedBackup, type PreparedPlace, type TakenDatabases } from '../backup/prepared-backup';
import type { BackupReport } from '../backup/report';
import { Call, publicCall } from '../call/call';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  integer,
  milliseconds,
  oneOf,
  type DominoLocation,
} from '../call/options';
import { NotesIni } from '../domino/environment';
import type { SelectionOptions } from '../domino/selection';
import { AbortError, DominoVssError, runOnWindows, toPublicError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type {
  NativeRegisteredWriter,
  NativeRestoreNotice,
  NativeWriterNotice,
  NativeWriterOptions,
} from '../native/writer';
import { restoreCommand, restoreEvent, restoreGraceMs, restoreTimeout } from './restores';
import { recoverInterrupted } from '../recover/recover';
import { requireVss } from '../vss/call';
import { describeComponents, findSurroundings, findTrees, treeNumbers } from './components';
import type { UntimedEvent, WriterEvent } from './events';

/** Class id of the writer. It is the same for every server, because requesters select writers by it. */
export const writerClassId = '{5f0c4b6e-8d1b-4a39-9f57-0e2c7d6a41b8}';

/** Domino itself ends backup mode after a longer time: BACKUP_TIMEOUT is 15 minutes. */
const longestHoldMs = 14 * 60_000;

/** A list of databases younger than this is fresh enough for the snapshot that a requester seems to prepare. */
const freshMs = 5_000;

/** Options of `serveWriter`. */
export interface ServeWriterOptions extends SelectionOptions {
  /** Absolute directory for backups, as in `beginBackup`. */
  readonly deltaDirectory: string;
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** A snapshot fails if more databases than this are left out. Default: no limit; the outcome is then `partial`. */
  readonly maxSkipped?: number | undefined;
  /** Number of threads that put databases into backup mode. Default: 4 per processor, at least 2, at most 16. */
  readonly shards?: number | undefined;
  /** Longest time for one call on a database. Default: 10 000. */
  readonly databaseBudgetMs?: number | undefined;
  /** Absolute path of an Ed25519 private key (PEM) that signs manifests. Default: not signed. */
  readonly signKey?: string | undefined;
  /** Longest time until all databases are in backup mode, within the event PrepareSnapshot. Default: 120 000. */
  readonly prepareTimeoutMs?: number | undefined;
  /**
   * Milliseconds after which the databases leave backup mode if no snapshot has been taken, counted from the first one that
   * entered it. At most 840 000. Default: 300 000.
   */
  readonly holdTimeoutMs?: number | undefined;
  /**
   * Longest time to fetch the change information after the snapshot and to apply it in the shadow, within the event PostSnapshot.
   * Default: 300 000.
   */
  readonly drainTimeoutMs?: number | undefined;
  /**
   * What happens to another program's snapshot if the backup fails. `veto`: it fails too, so that nobody takes it for a backup.
   * `pass`: it continues without a backup, and VSS shows the failure as the writer's state. Default: `veto`.
   */
  readonly onFailure?: 'veto' | 'pass' | undefined;
  /**
   * Whether the databases in the shadow are completed before the requester gets it: in PostSnapshot, their change information is
   * applied there, where VSS permits that, and none of them needs its delta file any more. VSS permits it for requesters that select
   * components and do not forbid it. Default: true; false: change information is only kept in delta files.
   */
  readonly autoRecovery?: boolean | undefined;
  /**
   * Experimental: whether requesters can restore what they have backed up. The writer then takes the databases offline in
   * PreRestore, and applies their change information in PostRestore. Default: false; the writer refuses such a restore, and
   * `restoreDatabases` has to be used.
   */
  readonly restores?: boolean | undefined;
  /**
   * Longest time for a restore by a requester, from PreRestore, which takes the databases offline, to PostRestore. After this
   * time, databases whose files have not been replaced go online again. Default: 14 400 000 (4 hours).
   */
  readonly restoreTimeoutMs?: number | undefined;
  /** How often the databases are listed again while no snapshot is taken. Default: 300 000. */
  readonly refreshMs?: number | undefined;
  /** Called for every event. Exceptions it throws are ignored. */
  readonly onEvent?: ((event: WriterEvent) => void) | undefined;
  /** Longest time for the start, until the writer is registered. Default: 600 000. */
  readonly timeoutMs?: number | undefined;
  /** Ends the writer. */
  readonly signal?: AbortSignal | undefined;
}

export function checkServeOptions(options: ServeWriterOptions): void {
  checkOptions(options, {
    deltaDirectory: absolutePath,
    domino: dominoLocation,
    include: globs,
    exclude: globs,
    required: globs,
    maxSkipped: integer(0, Number.MAX_SAFE_INTEGER),
    shards: integer(1, 64),
    databaseBudgetMs: milliseconds,
    signKey: absolutePath,
    prepareTimeoutMs: milliseconds,
    holdTimeoutMs: integer(1, longestHoldMs),
    drainTimeoutMs: milliseconds,
    onFailure: oneOf('veto', 'pass'),
    autoRecovery: boolean,
    restores: boolean,
    restoreTimeoutMs: milliseconds,
    refreshMs: integer(1_000, 86_400_000),
    onEvent: functionValue,
    timeoutMs: milliseconds,
    signal: abortSignal,
  });
}

/**
 * A writer that is registered with VSS until {@link dispose}. It belongs to this process and leaves nothing in the system. Native
 * code puts the databases into backup mode and takes them out of it, without waiting for JavaScript.
 */
export class ServedWriter {
  /** Settles when the writer has ended. */
  readonly ended: Promise<void>;
  readonly #binding: NativeBinding;
  readonly #options: ServeWriterOptions;
  readonly #place: PreparedPlace;
  readonly #trees: readonly string[];
  readonly #active = new Map<string, PreparedBackup>();
  readonly #backups: BackupReport[] = [];
  readonly #work = new Set<Promise<void>>();
  #armed: PreparedBackup | undefined;
  #writer: NativeRegisteredWriter | undefined;
  #timer: NodeJS.Timeout | undefined;
  #preparing: Promise<void> | undefined;
  #end: Promise<void> | undefined;
  #hasEnded: () => void = () => undefined;
  readonly #onAbort = (): void => {
    void this.dispose().catch(() => undefined);
  };

  private constructor(
    binding: NativeBinding,
    options: ServeWriterOptions,
    place: PreparedPlace,
    trees: readonly string[],
  ) {
    this.#binding = binding;
    this.#options = options;
    this.#place = place;
    this.#trees = trees;
    this.ended = new Promise((resolve) => {
      this.#hasEnded = resolve;
    });
  }

  /** Number of databases in the next snapshot. */
  get databases(): number {
    return this.#armed?.databases.paths.length ?? 0;
  }

  /** The backups made since the start, oldest first; at most the last hundred. */
  get backups(): readonly BackupReport[] {
    return this.#backups;
  }

  /** @internal */
  static async start(binding: NativeBinding, options: ServeWriterOptions): Promise<ServedWriter> {
    const vss = requireVss(binding);
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 600_000, phase: 'prepare' });
    const place = await openPreparedPlace(binding, prepareOptions(options), call);
    await refuseOtherWriter(binding, call);
    // Cleans up after a writer that died while it held the databases.
    const { deltaDirectory, domino, signal } = options;
    await recoverInterrupted(() => binding, { deltaDirectory, domino, timeoutMs: call.remainingMs(), signal });
    const { dataDirectory, notesIni } = place.server;
    let trees: readonly string[] = [];
    const first = await PreparedBackup.make(
      binding,
      place,
      prepareOptions(options),
      (databases) => {
        trees = findTrees(dataDirectory, databases.files);
        return treeNumbers(trees, databases);
      },
      call,
    );
    const components = describeComponents(trees, findSurroundings(new NotesIni(notesIni), dataDirectory));
    const served = new ServedWriter(binding, options, place, trees);
    try {
      const registered = vss.registerWriter(
        {
          classId: writerClassId,
          name: 'Domino (domino-vss)',
          instanceName: dataDirectory,
          freezeTimeoutMs: 60_000,
          autoRecovery: options.autoRecovery ?? true,
          veto: (options.onFailure ?? 'veto') === 'veto',
          components,
          restoreCommand: options.restores === true ? restoreCommand(options) : '',
          restorePatienceMs: restoreTimeout(options) + restoreGraceMs,
        },
        (notice) => {
          if ('backupId' in notice) served.#notice(notice);
          else served.#restoreNotice(notice);
        },
      );
      served.#writer = await call.race(registered).catch((error: unknown) => {
        void registered.then((late) => late.end()).catch(() => undefined);
        throw error;
      });
    } catch (error) {
      await first.discard();
      throw error;
    }
    served.#serve(first, components);
    return served;
  }

  /** Rolls back a backup that has begun, unregisters the writer, and waits for manifests that are being written. Idempotent. */
  dispose(): Promise<void> {
    return (this.#end ??= publicCall(async () => {
      clearInterval(this.#timer);
      // The signal may live as long as the process; this writer must not.
      this.#options.signal?.removeEventListener('abort', this.#onAbort);
      try {
        await this.#writer?.end();
        await this.#preparing?.catch(() => undefined);
        while (this.#work.size > 0) await Promise.all(this.#work);
        await this.#armed?.discard();
        this.#armed = undefined;
      } finally {
        this.#hasEnded();
      }
    }));
  }

  /** {@link dispose}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #serve(first: PreparedBackup, components: NativeWriterOptions['components']): void {
    this.#armed = first;
    this.#writer?.arm(first.session);
    const { refreshMs = 300_000, signal } = this.#options;
    this.#timer = setInterval(() => {
      this.#refresh();
    }, refreshMs);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#tell({ type: 'serving', databases: this.databases, components: components.map(({ name }) => name) });
    if (signal?.aborted) this.#onAbort();
  }

  /** Native code has already acted; this is the work that follows. */
  #notice({ moment, setId, backupId, failure, included, outside, inShadows }: NativeWriterNotice): void {
    switch (moment) {
      case 'identified':
        if (Date.now() - (this.#armed?.preparedAt.getTime() ?? 0) > freshMs) this.#refresh();
        return;
      case 'uninvolved':
        this.#tell({ type: moment, setId });
        return;
      case 'refused':
        this.#tell({ type: moment, setId, error: toPublicError(failure) });
        return;
      case 'begun':
        this.#take(backupId);
        this.#tell({ type: moment, setId, backupId });
        return;
      case 'held':
        this.#tell({ type: moment, setId, backupId });
        return;
      case 'thawed':
        this.#tell({ type: moment, setId, backupId });
        // The window is over. The next requester must not wait for the manifest of this one.
        this.#refresh();
        return;
      case 'completed':
        this.#run(() => this.#complete(setId, backupId, { included: [...included], outside: [...outside], inShadows }));
        return;
      case 'failed':
        this.#run(() => this.#takeBack(setId, backupId, toPublicError(failure)));
    }
  }

  #restoreNotice(notice: NativeRestoreNotice): void {
    this.#tell(restoreEvent(notice));
    if (notice.moment !== 'restore-ended' && notice.moment !== 'restore-failed') return;
    // Databases that the restore has brought back must be in the next backup. One that is being prepared may lack them.
    void (this.#preparing ?? Promise.resolve()).then(() => {
      this.#refresh();
    });
  }

  #take(backupId: string): void {
    const backup = this.#armed;
    if (backup?.id !== backupId) return;
    this.#active.set(backupId, backup);
    this.#armed = undefined;
  }

  async #complete(setId: string, backupId: string, taken: TakenDatabases): Promise<void> {
    const backup = this.#active.get(backupId);
    this.#active.delete(backupId);
    if (!backup) return;
    try {
      const report = await backup.complete(taken, setId);
      this.#backups.push(report);
      if (this.#backups.length > 100) this.#backups.shift();
      this.#tell({ type: 'completed', setId, backupId, report });
    } catch (thrown) {
      this.#tell({ type: 'failed', setId, backupId, error: toPublicError(thrown) });
    }
  }

  async #takeBack(setId: string, backupId: string, error: DominoVssError): Promise<void> {
    const backup = this.#active.get(backupId);
    this.#active.delete(backupId);
    try {
      await backup?.takeBack();
    } catch (thrown) {
      Object.assign(error, { leftBehind: toPublicError(thrown) });
    }
    this.#tell({ type: 'failed', setId, backupId, error });
    if (!this.#armed) this.#refresh();
  }

  /** Prepares a backup with the current databases for the next requester. One at a time. */
  #refresh(): void {
    if (this.#end || this.#preparing) return;
    this.#preparing = this.#prepare()
      .catch((thrown: unknown) => {
        this.#tell({ type: 'warning', error: toPublicError(thrown) });
      })
      .finally(() => {
        this.#preparing = undefined;
      });
  }

  async #prepare(): Promise<void> {
    const call = new Call({ timeoutMs: 600_000, phase: 'find' });
    const options = prepareOptions(this.#options);
    const numbers = (databases: PreparedBackup['databases']): Uint16Array => treeNumbers(this.#trees, databases);
    const next = await PreparedBackup.make(this.#binding, this.#place, options, numbers, call);
    if (this.#end) {
      await next.discard();
      return;
    }
    const former = this.#armed;
    this.#armed = next;
    // If it has begun in the meantime, it continues, and its notice will follow.
    const hasBegun = this.#writer?.arm(next.session) === false;
    if (former && hasBegun) this.#active.set(former.id, former);
    else await former?.discard();
  }

  #run(work: () => Promise<void>): void {
    const running = work().finally(() => {
      this.#work.delete(running);
    });
    this.#work.add(running);
  }

  #tell(event: UntimedEvent): void {
    try {
      this.#options.onEvent?.({ ...event, time: new Date().toISOString() });
    } catch {
      // An exception in a listener must not end the writer.
    }
  }
}

function prepareOptions(options: ServeWriterOptions): Parameters<typeof PreparedBackup.make>[2] {
  const { deltaDirectory, domino, include, exclude, required, maxSkipped, shards, databaseBudgetMs, signKey } = options;
  return {
    deltaDirectory,
    domino,
    include,
    exclude,
    required,
    maxSkipped,
    shards,
    databaseBudgetMs,
    signKey,
    holdTimeoutMs: options.holdTimeoutMs ?? 300_000,
    prepareTimeoutMs: options.prepareTimeoutMs ?? 120_000,
    drainTimeoutMs: options.drainTimeoutMs ?? 300_000,
  };
}

/** HCL's writer would put the same databases into backup mode, and one of the two would make each snapshot fail. */
async function refuseOtherWriter(binding: NativeBinding, call: Call): Promise<void> {
  const tasks = await call.bounded(binding.notesIniValue('ServerTasks'), {
    budgetMs: 10_000,
    operation: 'OSGetEnvironmentString',
    subject: 'ServerTasks',
  });
  if (!/(?:^|,)\s*backupvss\b/i.test(tasks)) return;
  const message = 'the server runs the VSS writer of HCL (backupvss in ServerTasks), which backs up the same databases';
  throw new DominoVssError('ERR_WRITER_CONFLICT', { message });
}

export function serveWriter(loadBinding: () => NativeBinding, options: ServeWriterOptions): Promise<ServedWriter> {
  return publicCall(async () => {
    checkServeOptions(options);
    const binding = loadBinding();
    if (binding.vss === undefined) {
      const message = 'a VSS writer needs Windows';
      const hint = `${runOnWindows} Here "domino-vss hold" and "domino-vss release" turn snapshots of other programs into backups.`;
      throw new DominoVssError('ERR_UNSUPPORTED', { message, hint });
    }
    if (options.signal?.aborted) throw new AbortError(options.signal.reason, 'prepare');
    return ServedWriter.start(binding, options);
  });
}
