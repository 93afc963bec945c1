import { checkShadows, type HookShadow } from '../backup/provider';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  insideDataDirectory,
  isolationOption,
  milliseconds,
  oneOf,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import type { ProgressListener } from '../call/progress';
import { OptionError } from '../errors/errors';
import type { RestoreMode } from './mode';
import { until } from './until';

/** Options of `restoreDatabases`. */
export interface RestoreOptions {
  /** Absolute path of a manifest, or of the directory of its backup. */
  readonly manifest: string;
  /**
   * Paths or globs of databases, relative to the data directory, with `/` or `\`; also aliases. `mail` and `mail/` mean
   * everything in that directory. Default: all except those that a server always keeps open.
   */
  readonly databases?: readonly string[] | undefined;
  /** Default: `{ type: 'online' }`. */
  readonly mode?: RestoreMode | undefined;
  /**
   * How far logged databases are recovered from the transaction log: to their last transaction (`now`), to the time of the backup
   * (`backup`), or to a time (ISO 8601 with zone), which applies everything committed before it. Unless it is `now`, they get new
   * instance ids, so a new backup is due. Unlogged databases are always restored to their state at the backup. Default: `now`.
   */
  readonly until?: string | undefined;
  /**
   * Absolute path of an archive of the transaction log, made by `archiveLogs`. Extents that the recovery needs and the log directory
   * no longer holds are fetched from it, after every byte has been checked against its catalogue. Default: none.
   */
  readonly logArchive?: string | undefined;
  /** Absolute directory of the copies, if they are not where the manifest says. */
  readonly copiesDirectory?: string | undefined;
  /**
   * Where shadows can be read now, if they were taken outside this package, between hold and release, or were moved.
   * Default: where the manifest says.
   */
  readonly shadowRoots?: readonly HookShadow[] | undefined;
  /**
   * Absolute path of an Ed25519 public key (PEM): the backup must be signed with its private key. Default: no signature is
   * required.
   */
  readonly requireSignature?: string | undefined;
  /**
   * The backup may be of another server or data directory: its databases are restored to their own paths in this data directory,
   * or where `mode` says. A database is refused if a different one is at its place. Logged databases of another transaction log
   * are restored to their state at the backup (`until` must be omitted or `backup`), because no log of this server can roll them
   * forward. They are opened once (NSFDbOpen) before they are moved into place, so that the server adds them to its log under new
   * instance ids. They keep their replica ids. Default: false.
   */
  readonly otherServer?: boolean | undefined;
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** Only plan: nothing is changed, and the Domino runtime is not needed. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Which process loads Domino: this one (`none`, the default), or one started for the restore (`process`). */
  readonly isolation?: Isolation | undefined;
  /**
   * Longest time for one call on a database. A database that exceeds it is left as it is, and reported with the call; the others
   * continue. A recovery may take as long as `timeoutMs`. Default: 60 000.
   */
  readonly databaseBudgetMs?: number | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /**
   * Rolls back what was begun. A recovery that has begun is finished, unless it takes longer than `databaseBudgetMs` from then
   * on.
   */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Options of `planRestore`: those of `restoreDatabases` except `dryRun` and `onProgress`. */
export type PlanRestoreOptions = Omit<RestoreOptions, 'dryRun' | 'onProgress'>;

/** Throws an OptionError for the first wrong option. */
export function checkRestoreOptions(options: RestoreOptions): void {
  checkOptions(options, {
    manifest: absolutePath,
    databases: globs,
    mode: checkRestoreMode,
    until,
    copiesDirectory: absolutePath,
    logArchive: absolutePath,
    shadowRoots: checkShadows,
    requireSignature: absolutePath,
    otherServer: boolean,
    domino: dominoLocation,
    dryRun: boolean,
    databaseBudgetMs: milliseconds,
    timeoutMs: milliseconds,
    signal: abortSignal,
    isolation: isolationOption,
    onProgress: functionValue,
  });
  absolutePath(options.manifest, 'manifest');
  if (options.databases?.length === 0) {
    throw new OptionError('databases', 'databases must name at least one database; omit it for all');
  }
}

const restoreType = oneOf('online', 'offline', 'new-database', 'directory');

function checkRestoreMode(value: unknown, name: string): void {
  const { type, as, directory } = (value ?? {}) as { type?: unknown; as?: unknown; directory?: unknown };
  checkOptions(
    value,
    {
      type: restoreType,
      ...(type === 'online' && { waitMs: milliseconds }),
      ...(type === 'new-database' && { as: insideDataDirectory, newReplicaId: boolean }),
      ...(type === 'directory' && { directory: absolutePath }),
    },
    `${name}.`,
  );
  restoreType(type, `${name}.type`);
  if (type === 'new-database') insideDataDirectory(as, `${name}.as`);
  if (type === 'directory') absolutePath(directory, `${name}.directory`);
}
