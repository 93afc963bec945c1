import { OptionError } from '../errors/errors';
import { volumeNames } from '../vss/named-volumes';
import type { NativeBinding, NativeProvider } from '../native/session';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  integer,
  isolationOption,
  milliseconds,
  oneOf,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import type { ProgressListener } from '../call/progress';
import { checkProvider, usesVss, type ProviderOption } from './provider';
import type { SelectionOptions } from '../domino/selection';
import { checkMode, type BackupMode } from '../domino/service';
import { otherProvider, requireVss } from '../vss/call';
import {
  checkVss,
  checkWriters,
  resolveVss,
  type ResolvedVss,
  type VssOptions,
  type WritersOption,
} from '../vss/context';

/** Options of `beginBackup`. */
export interface BeginBackupOptions extends SelectionOptions {
  /**
   * What to back up: the databases of a Domino server (`domino`, the default), or plain volumes without looking for
   * Domino at all (`volumes`).
   */
  readonly source?: 'domino' | 'volumes' | undefined;
  /**
   * Volumes to include in addition to those of the databases; with `source: 'volumes'` the only ones. On Windows
   * `D:`, a mount point, `\\?\Volume{…}\`, or any file on the volume; elsewhere any path on it. Not for `reflink` and
   * `rolling`, which take databases one by one. Default: none.
   */
  readonly volumes?: readonly string[] | undefined;
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /**
   * Absolute path of the directory for backups, created if missing. Each backup is a directory in it, with its manifest
   * and the change information of its databases. Preferably not on a volume that is part of the snapshot.
   */
  readonly deltaDirectory: string;
  /**
   * What happens to the shadow at the end: with `backup` it is deleted unless `endBackup` is told to keep it; with
   * `persistent` it is kept unless `endBackup` is told not to. With VSS, only the shadow of a `persistent` backup can be
   * kept or exposed. Default: `backup`, or what `vss.context` demands.
   */
  readonly lifetime?: 'backup' | 'persistent' | undefined;
  /** How the shadow is made. Default: `auto`: VSS on Windows; elsewhere the file systems of the databases decide. */
  readonly provider?: ProviderOption | undefined;
  /** VSS only: which writers take part. Default: `none`, or what `vss.context` demands. */
  readonly writers?: WritersOption | undefined;
  /** VSS only: settings of the requester. */
  readonly vss?: VssOptions | undefined;
  /**
   * Captures only what no earlier backup contains. The reference is the last backup of this server in {@link deltaDirectory} that
   * keeps copies or a shadow. Databases are captured if they are new, replaced or have another instance id (DBIID) since then;
   * unlogged ones if they have changed (NSFDbModifiedTime); logged ones unless {@link logArchive} covers them. All others are
   * carried over: the manifest names the backup that contains them, and a restore takes them from there. At least one database is
   * always captured. Needs Domino. Default: false.
   */
  readonly incremental?: boolean | undefined;
  /**
   * For `incremental`: absolute path of an archive of the transaction log, made by `archiveLogs`. Without it, every logged
   * database is captured. Default: none.
   */
  readonly logArchive?: string | undefined;
  /** How the databases are made consistent. Default: through the backup API. */
  readonly mode?: BackupMode | undefined;
  /** The backup fails if more databases have to be left out. Default: no limit; the outcome is then `partial`. */
  readonly maxSkipped?: number | undefined;
  /** Number of threads that put databases into backup mode. Default: 4 per processor, at least 2, at most 16. */
  readonly shards?: number | undefined;
  /**
   * Longest time for one call on a database, from opening it to ending its backup, and for its copy to make no
   * progress. A database that exceeds it is left out. Also the longest time for one call on a file of the backup; if it is
   * exceeded, the step fails with `ERR_FILE_HANGS`. Default: 10 000; 60 000 for files before the shadow exists.
   */
  readonly databaseBudgetMs?: number | undefined;
  /**
   * Longest time from the first NSFBackupStart until the shadow is made: the time in which this backup freezes databases.
   * When it is exceeded, the databases leave backup mode and the shadow fails with `ERR_WINDOW_TIMEOUT`. The wait for VSS
   * before it and the drain after it do not count; the `timeoutMs` of `createShadow` limits everything. `rolling` has no
   * such window. Default: 60 000.
   */
  readonly windowTimeoutMs?: number | undefined;
  /**
   * The backup ends itself if `createShadow` is not called within this time. Default: 60 000; an hour in stop mode and
   * for plain volumes.
   */
  readonly leaseMs?: number | undefined;
  /** Longest time for `beginBackup` itself. Default: 600 000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Absolute path of the directory for shadows, on the file system of the databases. Default: `.domino-vss` at the mount point;
   * required if that would be inside the data directory. The copies of `rolling` may be anywhere; their default is `.domino-vss`
   * in the delta directory. Not for VSS and hooks, which keep shadows in their own places.
   */
  readonly shadowDirectory?: string | undefined;
  /**
   * Absolute path to which `copyDatabases` will copy the databases: too little free space there is `ERR_NO_SPACE` before
   * any database is opened, not only after the window. Default: none.
   */
  readonly copiesTo?: string | undefined;
  /**
   * Absolute path of an Ed25519 private key (PEM, without a passphrase), that signs the manifest: a restore can demand
   * the signature. An incremental backup then builds only on backups signed with the same key. Default: not signed.
   */
  readonly signKey?: string | undefined;
  /**
   * Which process loads Domino: this one (`none`, the default), or one started for the backup (`process`). A crash there is a
   * {@link ProcessError} of the call in progress. Hooks and services still run in this process.
   */
  readonly isolation?: Isolation | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Options that concern databases or their server. */
const dominoOptions = [
  'domino',
  'mode',
  'include',
  'exclude',
  'required',
  'incremental',
  'maxSkipped',
  'shards',
  'databaseBudgetMs',
  'copiesTo',
] as const;

export function checkBeginOptions(options: BeginBackupOptions): void {
  checkOptions(options, {
    source: oneOf('domino', 'volumes'),
    volumes: volumeNames,
    domino: dominoLocation,
    deltaDirectory: absolutePath,
    lifetime: oneOf('backup', 'persistent'),
    provider: checkProvider,
    writers: checkWriters,
    vss: checkVss,
    incremental: boolean,
    logArchive: absolutePath,
    mode: checkMode,
    include: globs,
    exclude: globs,
    required: globs,
    maxSkipped: integer(0, Number.MAX_SAFE_INTEGER),
    shards: integer(1, 64),
    databaseBudgetMs: milliseconds,
    windowTimeoutMs: milliseconds,
    leaseMs: milliseconds,
    timeoutMs: milliseconds,
    shadowDirectory: absolutePath,
    copiesTo: absolutePath,
    signKey: absolutePath,
    signal: abortSignal,
    isolation: isolationOption,
    onProgress: functionValue,
  });
  absolutePath(options.deltaDirectory, 'deltaDirectory');
  const { incremental = false, mode, logArchive } = options;
  if (incremental && mode?.type === 'stop-service') {
    throw new OptionError(
      'incremental',
      'an incremental backup asks Domino about each database, but stop mode does not use Domino',
    );
  }
  if (logArchive !== undefined && !incremental) {
    throw new OptionError('logArchive', 'logArchive is only for incremental backups');
  }
  if (options.source !== 'volumes') return;
  if ((options.volumes ?? []).length === 0) {
    throw new OptionError('volumes', 'volumes must name at least one volume when the source is "volumes"');
  }
  const given = dominoOptions.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new OptionError(given, `${given} has no meaning when the source is "volumes"`);
}

/** Settings of the requester; undefined if another provider makes the shadow. Rejects invalid combinations. */
export function resolveRequester(binding: NativeBinding, options: BeginBackupOptions): ResolvedVss | undefined {
  const { provider = 'auto', writers, vss } = options;
  if (usesVss(binding, provider)) {
    requireVss(binding, otherProvider);
    return resolveVss(options);
  }
  const name = typeof provider === 'object' ? provider.name : provider;
  const reason =
    provider === 'auto' ? 'the Volume Shadow Copy Service exists on Windows only' : `the provider is ${name}, not vss`;
  if (vss !== undefined) throw new OptionError('vss', `vss has no meaning here: ${reason}`);
  if (writers !== undefined && writers !== 'none') {
    throw new OptionError('writers', `writers must be "none" here: ${reason}`);
  }
  return undefined;
}

/** A provider that captures single files cannot capture a volume. */
export function refuseFileProvider(
  provider: ProviderOption | NativeProvider | undefined,
  names: readonly string[],
): void {
  if (names.length === 0 || (provider !== 'reflink' && provider !== 'rolling')) return;
  const message = `the provider ${provider} captures databases, not whole volumes; use vss, btrfs, or a hook`;
  throw new OptionError('volumes', message);
}
