import { Call, publicCall } from '../call/call';
import { absolutePath, abortSignal, boolean, checkOptions, functionValue, milliseconds, oneOf } from '../call/options';
import { DominoVssError, OptionError, RestoreError } from '../errors/errors';
import type { NativeBinding, NativeLock } from '../native/session';
import { lockDataDirectory } from '../store/data-directory-lock';
import { describeLiveWork, liveWork, readJournals } from '../store/journals';
import { readBackups } from '../store/backups';
import { databasesOf, type Manifest } from '../store/manifest';
import { FileCalls } from '../store/stall';
import {
  archivedLogIds,
  finishRemoval,
  logDirectory,
  readCatalogue,
  writeCatalogue,
  type Catalogue,
} from './catalogue';
import { lockArchivedLog, requireSafeArchive } from './directory';

/** Options of `pruneLogs`. */
export interface PruneLogsOptions {
  /** Absolute path of the archive. */
  readonly archiveDirectory: string;
  /**
   * Absolute paths of the delta directories of all backups that rely on this archive. Extents that none of these backups needs
   * are removed.
   */
  readonly deltaDirectories: readonly string[];
  /** What to do with a log that no backup belongs to. `keep`: keep and report it. `remove`: remove it. Default: `keep`. */
  readonly unknownLogs?: 'keep' | 'remove' | undefined;
  /** Only report what would be removed. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Called with every extent, and what will happen to it, before anything is removed. */
  readonly onPlan?: ((extents: readonly ProvenExtent[]) => void) | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /** Takes effect between two logs. */
  readonly signal?: AbortSignal | undefined;
}

/** One extent of the archive, and why it is needed or not needed. */
export interface ProvenExtent {
  /** 32 hexadecimal digits, as in a manifest. */
  readonly logId: string;
  readonly number: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly result: 'kept' | 'planned' | 'removed';
  /** In words: the backup that needs it, or the first extent that any backup needs. */
  readonly proof: string;
}

/** The result of `pruneLogs`. */
export interface PruneLogsReport {
  /** `nothing`: every extent is kept. `planned`: a dry run that would remove something. */
  readonly outcome: 'nothing' | 'pruned' | 'planned';
  /** How many backups were examined. */
  readonly backups: number;
  /** Sorted by log and by number. */
  readonly extents: readonly ProvenExtent[];
  /** Bytes removed, or to be removed after a dry run. */
  readonly removedBytes: number;
}

export function pruneLogs(loadBinding: () => NativeBinding, options: PruneLogsOptions): Promise<PruneLogsReport> {
  return publicCall(async () => {
    checkOptions(options, {
      archiveDirectory: absolutePath,
      deltaDirectories: absolutePaths,
      unknownLogs: oneOf('keep', 'remove'),
      dryRun: boolean,
      onPlan: functionValue,
      timeoutMs: milliseconds,
      signal: abortSignal,
    });
    absolutePath(options.archiveDirectory, 'archiveDirectory');
    absolutePaths(options.deltaDirectories, 'deltaDirectories');
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'archive' });
    const binding = loadBinding();
    const archiveDirectory = await requireSafeArchive(options.archiveDirectory, binding, call);
    const pruning = new LogPruning(binding, { ...options, archiveDirectory }, call);
    return options.dryRun === true ? pruning.plan() : pruning.run();
  });
}

function absolutePaths(value: unknown, name: string): void {
  if (!Array.isArray(value) || value.length === 0)
    throw new OptionError(name, `${name} must name at least one directory`);
  for (const path of value) absolutePath(path, name);
}

/** The first extent of a log that a backup needs. */
interface Need {
  readonly extent: number;
  readonly backupId: string;
  readonly database: string;
}

/** What all backups together need. */
interface Needs {
  readonly backups: readonly Manifest[];
  /** By log id: the need of the backup that reaches back furthest. */
  readonly byLog: ReadonlyMap<string, Need>;
}

interface Plan {
  readonly extents: readonly ProvenExtent[];
  readonly backups: number;
  readonly catalogues: readonly Catalogue[];
}

class LogPruning {
  readonly #locks: NativeLock[] = [];

  constructor(
    private readonly binding: NativeBinding,
    private readonly options: PruneLogsOptions,
    private readonly call: Call,
  ) {}

  async plan(): Promise<PruneLogsReport> {
    const { extents, backups } = await this.#decide(await this.#readAll());
    this.options.onPlan?.(extents);
    return reportOf(extents, backups);
  }

  async run(): Promise<PruneLogsReport> {
    try {
      // A backup that begins later needs only extents that are archived later. A running backup has no manifest yet, so none may
      // be running.
      await this.#lockServers(await this.#readAll());
      const plan = await this.#decide(await this.#readAll());
      this.options.onPlan?.(plan.extents);
      for (const catalogue of plan.catalogues) await this.#remove(catalogue, plan.extents);
      const removed = plan.extents.map((one) =>
        one.result === 'planned' ? { ...one, result: 'removed' as const } : one,
      );
      return reportOf(removed, plan.backups);
    } finally {
      for (const lock of this.#locks) lock.release();
    }
  }

  async #readAll(): Promise<readonly Catalogue[]> {
    const { archiveDirectory } = this.options;
    const catalogues: Catalogue[] = [];
    for (const logId of await archivedLogIds(archiveDirectory, this.call)) {
      this.call.check();
      const catalogue = await readCatalogue(archiveDirectory, logId, this.call);
      if (catalogue) catalogues.push(catalogue);
    }
    return catalogues;
  }

  /** From here on, no backup, restore or archiving of these servers can run. */
  async #lockServers(catalogues: readonly Catalogue[]): Promise<void> {
    const { archiveDirectory, deltaDirectories } = this.options;
    const { backups } = await this.#readNeeds();
    const servers = new Set([...backups, ...catalogues].map(({ dataDirectory }) => dataDirectory));
    for (const dataDirectory of [...servers].sort()) {
      const lock = await lockDataDirectory(
        this.binding,
        { dataDirectory, deltaDirectory: deltaDirectories[0] },
        this.call,
      );
      if (lock) this.#locks.push(lock);
      for (const deltaDirectory of deltaDirectories) await refuseForWork(deltaDirectory, dataDirectory);
    }
    for (const { logId } of catalogues) {
      this.#locks.push(await lockArchivedLog(this.binding, logDirectory(archiveDirectory, logId), this.call));
    }
  }

  /** Reads every manifest completely. One that cannot be read may need any extent. */
  async #readNeeds(): Promise<Needs> {
    const backups: Manifest[] = [];
    const byLog = new Map<string, Need>();
    const calls = new FileCalls(this.call);
    for (const deltaDirectory of this.options.deltaDirectories) {
      for (const listed of await readBackups(deltaDirectory, calls)) {
        this.call.check();
        if (!('manifest' in listed)) {
          await refuseForBackup(deltaDirectory, listed.directory);
          const why =
            listed.state === 'damaged' ? listed.reason : 'it has no manifest: run recover if it is no longer running';
          const message = `nothing is removed, because it is not known what the backup ${listed.directory} needs: ${why}`;
          throw new RestoreError('ERR_MANIFEST', { message, phase: 'archive' });
        }
        backups.push(listed.manifest);
        for await (const { logged, logId, logExtent, path } of databasesOf(listed.manifest, calls)) {
          if (!logged || (byLog.get(logId)?.extent ?? Infinity) <= logExtent) continue;
          byLog.set(logId, { extent: logExtent, backupId: listed.id, database: path });
        }
      }
    }
    return { backups, byLog };
  }

  async #decide(catalogues: readonly Catalogue[]): Promise<Plan> {
    const { backups, byLog } = await this.#readNeeds();
    const { unknownLogs = 'keep', deltaDirectories } = this.options;
    if (backups.length === 0 && unknownLogs === 'remove') {
      throw new OptionError(
        'deltaDirectories',
        `no backup is in ${deltaDirectories.join(', ')}: so it is not known which extents are needed`,
      );
    }
    const extents = catalogues.flatMap(({ logId, extents: catalogued }) =>
      catalogued.map(({ number, name, sizeBytes }): ProvenExtent => {
        const need = byLog.get(logId);
        const goes = need ? number < need.extent : unknownLogs === 'remove';
        return { logId, number, name, sizeBytes, result: goes ? 'planned' : 'kept', proof: proofOf(number, need) };
      }),
    );
    return { extents, backups: backups.length, catalogues };
  }

  /**
   * First marks the extents as removed in the catalogue. If the process dies after that, the next run or the next archiving
   * removes the rest.
   */
  async #remove(catalogue: Catalogue, extents: readonly ProvenExtent[]): Promise<void> {
    this.call.check();
    const going = extents.filter(({ logId, result }) => logId === catalogue.logId && result === 'planned');
    const numbers = new Set(going.map(({ number }) => number));
    const removing = [...catalogue.removing, ...going.map(({ name }) => name)];
    if (removing.length === 0) return;
    const left = { ...catalogue, extents: catalogue.extents.filter(({ number }) => !numbers.has(number)), removing };
    await writeCatalogue(this.options.archiveDirectory, left, this.call);
    await finishRemoval(this.options.archiveDirectory, left, this.call);
  }
}

function proofOf(number: number, need: Need | undefined): string {
  if (!need) return 'no backup belongs to this log';
  const from = `backup ${need.backupId} needs the log from extent ${need.extent} on (${need.database})`;
  return number < need.extent ? `${from}, and no backup needs it from further back` : from;
}

/** The locks of this host do not cover work on another host, and a journal that cannot be read may belong to running work. */
async function refuseForWork(deltaDirectory: string, dataDirectory: string): Promise<void> {
  const { live, unusable } = await readJournals(deltaDirectory, dataDirectory, { work: 'prune' });
  const [other] = live;
  const doubtful = unusable.find(({ mayBeLive }) => mayBeLive);
  if (!other && !doubtful) return;
  const message = other
    ? `${other.work} ${other.id} of ${other.dataDirectory} is running (process ${other.pid}) and may need extents of the log`
    : `the journal ${doubtful?.journal ?? ''} cannot be used: ${doubtful?.reason ?? ''}; its work may need extents of the log`;
  throw new DominoVssError('ERR_LOCKED', { message });
}

/** A running backup has no manifest yet. Its server may be one that no backup and no archived log is of so far. */
async function refuseForBackup(deltaDirectory: string, directory: string): Promise<void> {
  const other = (await liveWork(deltaDirectory)).find(({ backupDirectory }) => backupDirectory === directory);
  if (!other) return;
  throw new DominoVssError('ERR_LOCKED', { message: `${describeLiveWork(other)} and may need extents of the log` });
}

function reportOf(extents: readonly ProvenExtent[], backups: number): PruneLogsReport {
  const going = extents.filter(({ result }) => result !== 'kept');
  const outcome =
    going.length === 0 ? 'nothing' : going.some(({ result }) => result === 'planned') ? 'planned' : 'pruned';
  return { outcome, backups, extents, removedBytes: going.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}
