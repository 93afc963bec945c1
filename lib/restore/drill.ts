import { randomInt, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { Call, publicCall } from '../call/call';
import {
  abortSignal,
  absolutePath,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  integer,
  isolationOption,
  milliseconds,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import type { ProgressListener } from '../call/progress';
import { unreturnedBelow } from '../call/unreturned-calls';
import { identityAt } from '../domino/identities';
import { openRuntime } from '../domino/runtime';
import {
  BackupError,
  databaseFailureOf,
  decidedFailure,
  OptionError,
  RestoreError,
  type DatabaseFailure,
} from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { NativeBinding } from '../native/session';
import { recoverAll } from '../recover/recover';
import { drillDirectory } from '../recover/restores';
import { warnOfUnrecovered } from '../recover/report';
import { readingCallsOf, recoveryBudgetMs } from '../recover/tools';
import { lockDataDirectory } from '../store/data-directory-lock';
import { Journal, newWorkId } from '../store/journal';
import { loadLinks } from '../store/chain';
import { isOfServer, readBackups, secondOf, type ServerOfBackup } from '../store/backups';
import { databasesOf, loadManifest, type Manifest } from '../store/manifest';
import { untiring, type FileCalls } from '../store/stall';
import type { ManifestDatabase } from '../store/manifest-format';
import { readVerifyingKey } from '../store/signature';
import { chooseDatabases, type KnownInput } from './plan';
import type { RestoredDatabase } from './report';
import { planSources, restoreWithin } from './restore';
import {
  boundedRemoval,
  isUnknownReplicaId,
  openScratchCopy,
  unreadReplicaId,
  withScratchDirectory,
  type ScratchTools,
} from './scratch-copy';
import { until } from './until';

/** Options of `drillRestore`. */
export interface DrillOptions {
  /**
   * Absolute path of a delta directory, for a drill with its last backup of this server. Either this or {@link
   * manifest}.
   */
  readonly deltaDirectory?: string | undefined;
  /** Absolute path of a manifest, or of the directory of its backup. */
  readonly manifest?: string | undefined;
  /** Number of databases, chosen at random. Default: 10. */
  readonly sample?: number | undefined;
  /** Paths or globs of the databases to choose from, relative to the data directory. Default: all of the backup. */
  readonly databases?: readonly string[] | undefined;
  /** How far logged databases are recovered, as in `restoreDatabases`. Default: `now`. */
  readonly until?: string | undefined;
  /** Absolute path of the directory of the copies, if they are not where the manifest says. */
  readonly copiesDirectory?: string | undefined;
  /** Absolute path of an archive of the transaction log, as in `restoreDatabases`. */
  readonly logArchive?: string | undefined;
  /** Absolute path of an Ed25519 public key (PEM): the backup must be signed with its private key. */
  readonly requireSignature?: string | undefined;
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** Longest time for one call on a database or file. Default: 60 000. */
  readonly databaseBudgetMs?: number | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /** Which process loads Domino: this one (`none`, the default), or one started for this call (`process`). */
  readonly isolation?: Isolation | undefined;
  /** Stops the drill. Everything made for it is removed. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** The result for one database. */
export interface DrilledDatabase {
  /** Path relative to the data directory. */
  readonly database: string;
  readonly sizeBytes: number;
  /**
   * `recovered`: restored, recovered from the transaction log with a new replica id, and opened. `opened`: unlogged; its
   * change information was applied to a copy, which was then opened. `failed`: `failure` says why.
   */
  readonly result: 'recovered' | 'opened' | 'failed';
  readonly failure?: DatabaseFailure;
}

/** The result of `drillRestore`. */
export interface DrillReport {
  readonly backupId: string;
  /** When the backup was made, ISO 8601, UTC. */
  readonly created: string;
  /** `passed` if every database in the sample could be restored. */
  readonly outcome: 'passed' | 'failed';
  /** Number of databases to choose from. */
  readonly of: number;
  readonly databases: readonly DrilledDatabase[];
  /** Time of the last applied transaction; null if there was none. */
  readonly recoveredTo: string | null;
  readonly durationMs: number;
  readonly warnings: readonly Warning[];
}

export function drillRestore(loadBinding: () => NativeBinding, options: DrillOptions): Promise<DrillReport> {
  return publicCall(async () => {
    const startedAt = performance.now();
    checkDrillOptions(options);
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'restore' });
    const binding = loadBinding();
    const { dataDirectory, serverName } = await openRuntime(binding, options.domino, call);
    const calls = readingCallsOf({ call, budgetMs: budgetOf(options) });
    const { head, unread } = await findBackup(options, { dataDirectory, serverName }, calls);
    const databases: ManifestDatabase[] = [];
    for await (const database of databasesOf(head, calls)) databases.push(database);
    const { databases: wanted, copiesDirectory } = options;
    const input = {
      head,
      links: await calls.wait('read', head.directory, loadLinks(head, await verifyingKey(options, calls))),
      databases,
      wanted,
      mode: { type: 'new-database', as: 'drill' } as const,
      pointInTime: undefined,
      otherServer: false,
      adopts: false,
      copiesDirectory,
      dataDirectory,
    };
    const { chosen } = chooseDatabases(input);
    const sample = sampleOf(chosen, options.sample ?? 10);
    const drill = new Drill(loadBinding, binding, options, { head, dataDirectory, input }, call);
    const { drilled, recoveredTo, warnings: ofDrill } = await drill.run(sample);
    const warnings = [...unread, ...ofDrill];
    return {
      backupId: head.id,
      created: head.created,
      outcome: drilled.some(({ result }) => result === 'failed') ? 'failed' : 'passed',
      of: chosen.length,
      databases: drilled,
      recoveredTo,
      durationMs: Math.round(performance.now() - startedAt),
      warnings,
    };
  });
}

function checkDrillOptions(options: DrillOptions): void {
  checkOptions(options, {
    deltaDirectory: absolutePath,
    manifest: absolutePath,
    sample: integer(1, 1_000_000),
    databases: globs,
    until,
    copiesDirectory: absolutePath,
    logArchive: absolutePath,
    requireSignature: absolutePath,
    domino: dominoLocation,
    databaseBudgetMs: milliseconds,
    timeoutMs: milliseconds,
    isolation: isolationOption,
    signal: abortSignal,
    onProgress: functionValue,
  });
  if ((options.deltaDirectory === undefined) === (options.manifest === undefined)) {
    throw new OptionError('deltaDirectory', 'name either deltaDirectory or manifest, but not both');
  }
}

/** Longest time for one call on a database or file. */
function budgetOf({ databaseBudgetMs = 60_000 }: DrillOptions): number {
  return databaseBudgetMs;
}

async function verifyingKey({ requireSignature }: DrillOptions, calls: FileCalls): Promise<KeyObject | undefined> {
  if (requireSignature === undefined) return undefined;
  return calls.wait('read', requireSignature, readVerifyingKey(requireSignature, 'requireSignature'));
}

/** The backup to drill, and warnings about later ones that cannot be read, whosever they are. */
async function findBackup(
  options: DrillOptions,
  server: ServerOfBackup,
  calls: FileCalls,
): Promise<{ readonly head: Manifest; readonly unread: readonly Warning[] }> {
  const { deltaDirectory = '', manifest } = options;
  const key = await verifyingKey(options, calls);
  if (manifest !== undefined)
    return { head: await calls.wait('read', manifest, loadManifest(manifest, key)), unread: [] };
  const listed = await readBackups(deltaDirectory, calls);
  const own = listed.flatMap((one) => ('manifest' in one && isOfServer(one.manifest, server) ? [one] : []));
  own.sort((a, b) => (a.manifest.created < b.manifest.created ? -1 : 1));
  const last = own.at(-1);
  const unread = listed.flatMap((one) => {
    if (one.state !== 'damaged' || (last && secondOf(one.id) < secondOf(last.id))) return [];
    return [warning('WARN_BACKUP_UNREADABLE', `no drill of backup ${one.id}: ${one.reason}`, { subjects: [one.id] })];
  });
  if (!last) {
    const [one] = unread;
    const why = one ? `; ${one.message}` : '';
    const message = `${deltaDirectory} contains no backup of ${server.dataDirectory}${why}`;
    throw new RestoreError('ERR_RESTORE_SOURCE', { message, phase: 'restore' });
  }
  return { head: await calls.wait('read', last.directory, loadManifest(last.directory, key)), unread };
}

/** A random sample of this size, in the original order. */
function sampleOf(databases: readonly ManifestDatabase[], count: number): ManifestDatabase[] {
  const left = [...databases.keys()];
  const chosen = new Set<number>();
  while (chosen.size < count && left.length > 0) {
    const [index = 0] = left.splice(randomInt(left.length), 1);
    chosen.add(index);
  }
  return databases.filter((_database, index) => chosen.has(index));
}

interface Drilled {
  readonly drilled: readonly DrilledDatabase[];
  readonly recoveredTo: string | null;
  readonly warnings: readonly Warning[];
}

/** One drill. It holds the lock of the data directory from start to finish. */
class Drill {
  readonly #results = new Map<string, DrilledDatabase>();
  readonly #id = newWorkId();
  readonly #scratch: string;
  #recoveredTo: string | null = null;
  #warnings: readonly Warning[] = [];

  constructor(
    private readonly loadBinding: () => NativeBinding,
    private readonly binding: NativeBinding,
    private readonly options: DrillOptions,
    private readonly server: { readonly head: Manifest; readonly dataDirectory: string; readonly input: KnownInput },
    private readonly call: Call,
  ) {
    this.#scratch = join(server.dataDirectory, drillDirectory(this.#id));
  }

  async run(sample: readonly ManifestDatabase[]): Promise<Drilled> {
    const { head, dataDirectory } = this.server;
    const deltaDirectory = join(head.directory, '..');
    const lock = await lockDataDirectory(this.binding, { dataDirectory, deltaDirectory }, this.call);
    const { journal, leftOvers } = await Journal.open({
      id: this.#id,
      work: 'drill',
      dataDirectory,
      backupDirectory: '',
      deltaDirectory,
      lock,
      // What is made must be removed after an abort, too.
      patience: { ...untiring, budgetMs: budgetOf(this.options) },
    });
    const work = { binding: this.binding, call: this.call, budgetMs: recoveryBudgetMs, dryRun: false };
    const tools = { ...work, service: undefined, hook: undefined, openRuntime: () => Promise.resolve() };
    try {
      await journal.update({ temporaryFiles: [this.#scratch] });
      const recovered = await recoverAll(leftOvers, tools, { dataDirectory, deltaDirectory });
      this.#warnings = recovered.filter(({ done }) => !done).map(warnOfUnrecovered);
      await this.#drillLogged(sample.filter(({ logged }) => logged));
      await this.#drillUnlogged(sample.filter(({ logged }) => !logged));
    } catch (error) {
      throw this.#withFailures(error);
    } finally {
      // The journal names what is left: the next work on this server removes it.
      const removed = await boundedRemoval(this.binding, this.#scratch).then(
        () => true,
        () => false,
      );
      // A call that was given up may make it again.
      const hanging = unreturnedBelow([this.#scratch]);
      if (removed && hanging.length === 0) await journal.remove();
      else await journal.update({ ended: true, hanging });
    }
    const drilled = sample.flatMap(({ path }) => this.#results.get(path) ?? []);
    return { drilled, recoveredTo: this.#recoveredTo, warnings: this.#warnings };
  }

  /** The end at the deadline names what failed before: that is where the time went. */
  #withFailures(error: unknown): unknown {
    const failures = [...this.#results.values()].flatMap(({ failure }) => failure ?? []);
    if (!(error instanceof BackupError) || error.code !== 'ERR_DEADLINE' || failures.length === 0) return error;
    const { message, phase, hint } = error;
    return new BackupError('ERR_DEADLINE', { message, phase, hint, cause: error }, failures);
  }

  #set({ path, startSizeBytes }: ManifestDatabase, result: DrilledDatabase['result'], failure?: DatabaseFailure): void {
    this.#results.set(path, { database: path, sizeBytes: startSizeBytes, result, ...(failure && { failure }) });
  }

  /** Restores them as new databases that cannot replicate with the originals, and opens these. */
  async #drillLogged(databases: readonly ManifestDatabase[]): Promise<void> {
    if (databases.length === 0) return;
    const { head } = this.server;
    const { until: target, copiesDirectory, logArchive, domino, databaseBudgetMs, signal, onProgress } = this.options;
    const as = drillDirectory(this.#id);
    const restoring = {
      manifest: head.directory,
      databases: databases.map(({ path }) => path),
      mode: { type: 'new-database', as: `${as}/`, newReplicaId: true } as const,
      until: target,
      copiesDirectory,
      logArchive,
      domino,
      databaseBudgetMs,
      timeoutMs: this.call.remainingMs(),
      signal,
      onProgress,
    };
    const restored = await restoreWithin(this.loadBinding, restoring, this.#id).catch((error: unknown) => {
      const told = error instanceof RestoreError ? error.failures : [];
      for (const database of databases) {
        const own = told.find((failure) => failure.database === database.path);
        this.#set(database, 'failed', own ?? databaseFailureOf(database.path, 'restore', error));
      }
      this.call.check();
      return undefined;
    });
    if (!restored) return;
    this.#recoveredTo = restored.recoveredTo;
    this.#warnings = [...this.#warnings, ...restored.warnings.filter(({ code }) => code !== 'WARN_BACKUP_DUE')];
    const reached = new Map<string, RestoredDatabase>(restored.databases.map((one) => [one.database, one]));
    for (const database of databases) {
      const one = reached.get(database.path);
      if (!one || !('reach' in one)) this.#set(database, 'failed', one?.failure);
      else await this.#openRestored(database, `${as}/${database.path}`);
    }
  }

  async #openRestored(database: ManifestDatabase, path: string): Promise<void> {
    const fail = (text: string): void => {
      this.#set(database, 'failed', decidedFailure(database.path, 'ERR_CONTENTS_DAMAGED', 'restore', text));
    };
    try {
      const bound = { budgetMs: budgetOf(this.options), operation: 'NSFDbOpen', subject: path };
      const found = await this.call.bounded(this.binding.readIdentities({ paths: [path] }), bound);
      const [failed] = found.failures;
      const { replicaId, dbiid } = identityAt(found, 0);
      if (failed) this.#set(database, 'failed', databaseFailureOf(database.path, 'restore', failed.failure));
      else if (isUnknownReplicaId(replicaId)) throw unreadReplicaId(path);
      else if (replicaId === database.replicaId) fail('it was recovered but has no new replica id');
      else if (dbiid === database.dbiid) fail('it was recovered but has no new instance id');
      else this.#set(database, 'recovered');
    } catch (error) {
      this.call.check();
      this.#set(database, 'failed', databaseFailureOf(database.path, 'restore', error));
    }
  }

  /**
   * Only recovery assigns new replica ids, so unlogged databases keep theirs: they are opened outside the data directory, where
   * nothing replicates.
   */
  async #drillUnlogged(databases: readonly ManifestDatabase[]): Promise<void> {
    if (databases.length === 0) return;
    const { head, input } = this.server;
    const { sources, leftOut } = await planSources(this.loadBinding, input, databases, this.call);
    for (const failure of leftOut) {
      const database = databases.find(({ path }) => path === failure.database);
      if (database) this.#set(database, 'failed', failure);
    }
    const tools: ScratchTools = { binding: this.binding, call: this.call, budgetMs: budgetOf(this.options) };
    await withScratchDirectory(head.directory, this.#id, tools, async (directory) => {
      for (const [index, source] of sources.entries()) {
        try {
          await openScratchCopy(source, join(directory, `${index}.nsf`), tools);
          this.#set(source.database, 'opened');
        } catch (error) {
          this.call.check();
          this.#set(source.database, 'failed', databaseFailureOf(source.database.path, 'restore', error));
        }
      }
    });
  }
}
