import type { NativeFailure, NativeRequest, Phase } from './failure';
import type { NativeVss, NativeVssOptions, NativeVssReport, NativeWriters } from './vss';
import type { NativePreparedOptions } from './writer';

/**
 * The raw binding: what `cpp/addon` exports, typed. TypeScript validates and normalises every value before it crosses
 * this boundary; native code returns plain records and columns and never builds public errors. Nothing here is public.
 *
 * Every promise rejects with a {@link NativeFailure} (a plain object, not an Error).
 */

export interface NativeRuntimeOptions {
  /** Absolute path of the Domino program directory. */
  readonly programDirectory: string;
  /** Absolute path of notes.ini; handed to NotesInitExtended as `=<path>`. */
  readonly notesIni: string;
  /** Load the library even if ordinary users could replace it. */
  readonly trustProgramDirectory: boolean;
}

export interface NativeRuntime {
  readonly programDirectory: string;
  readonly notesIni: string;
  /** OSGetDataDirectory. */
  readonly dataDirectory: string;
  /** SECKFMGetUserName: the name in the ID in use, e.g. `CN=server/O=Acme`; empty if not available. */
  readonly serverName: string;
  /** Optional functions that this release does not export. */
  readonly missingFunctions: readonly string[];
}

/** A file system, a btrfs subvolume or a Windows volume. */
export interface NativeVolume {
  /** Top directory of the mount, or of the subvolume when {@link fileSystem} is `btrfs`. On Windows with a trailing backslash. */
  readonly path: string;
  /** Mount point that contains {@link path}. */
  readonly mountPoint: string;
  /** `xfs`, `btrfs`, `ext4`, … as in /proc/self/mountinfo; `NTFS`, `ReFS`, … as in GetVolumeInformationW. */
  readonly fileSystem: string;
  /**
   * Source device of the mount. On Windows the name of the volume, `\\?\Volume{…}\`, or {@link path} if the mount manager does not
   * know the volume.
   */
  readonly device: string;
  /** Whether {@link path} is a btrfs subvolume (can be snapshotted). */
  readonly isSubvolume: boolean;
  readonly freeBytes: number;
}

/**
 * Texts in blocks of UTF-8, separated by zero bytes. JavaScript decodes one block at a time: 100 000 strings at once would block
 * the event loop. An empty list has no block.
 */
export type NativeTexts = readonly Uint8Array[];

/** What exists in the data directory and behind its links. Arrays are parallel. */
export interface NativeCatalog {
  /**
   * Path to open the database with: relative to the data directory, with `/` as the separator. It leads through a link only if no
   * other path leads to the database.
   */
  readonly paths: NativeTexts;
  /** Resolved absolute path of the file; for a link, of its target. */
  readonly files: NativeTexts;
  readonly sizeBytes: Float64Array;
  /** Space allocated on the volume: less than the size if the file is sparse or compressed. */
  readonly allocatedBytes: Float64Array;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: Float64Array;
  /** Index into {@link volumes}. */
  readonly volumeIndex: Uint16Array;
  /** A unique name of the volume, and the number of the file on it. Entries with the same value are the same file. */
  readonly fileIds: NativeTexts;
  /** Second names of databases and, with a trailing slash, of directories; parallel to {@link aliasPaths}. */
  readonly aliases: NativeTexts;
  /** What the {@link aliases} lead to. The path of the data directory is empty. */
  readonly aliasPaths: NativeTexts;
  readonly volumes: readonly NativeVolume[];
  /** Broken links and unreadable directories, each with its reason. */
  readonly problems: readonly NativeFailure[];
}

/** How the shadow is made. */
export type NativeProvider = 'btrfs' | 'reflink' | 'rolling' | 'hook' | 'vss' | 'writer';

export interface NativeSessionVolume {
  /** What to capture: {@link NativeVolume.path}. */
  readonly source: string;
  /** Directory or subvolume to create; it must not exist. Empty for `hook` and `vss`. */
  readonly target: string;
}

export interface NativeSessionOptions {
  readonly provider: NativeProvider;
  /** `domino`: through the backup API. `offline`: Domino is stopped; files are captured as they are, without API calls. */
  readonly source: 'domino' | 'offline';
  readonly volumes: readonly NativeSessionVolume[];
  /** Number of shard threads (for `rolling`: of databases in progress). */
  readonly shards: number;
  /** Longest time for one call on a database, and longest time without progress of its copy; after that it is left out. */
  readonly databaseBudgetMs: number;
  /** Longest time from the first start until the shadow exists. */
  readonly windowTimeoutMs: number;
  /** The session aborts itself after being open for this long without a call. */
  readonly leaseMs: number;
  /** Existing directory for the `<index>.delta` files. */
  readonly deltaDirectory: string;
  /**
   * `hook` only: asks JavaScript for the shadow, which answers with {@link NativeSession.settleShadow}. The databases leave
   * backup mode after `deadlineMs`, whatever JavaScript does.
   */
  readonly createShadow?: (deadlineMs: number) => void;
  /** `vss` only. The targets of the volumes are then empty: VSS decides where a shadow is. */
  readonly vss?: NativeVssOptions;
  /** `writer` only: VSS events drive the session; its methods called from JavaScript only report the results. */
  readonly writer?: NativePreparedOptions;
}

/** One call of `add`; arrays are parallel. At most about a thousand databases per call, so that the event loop is not blocked. */
export interface NativeDatabases {
  readonly paths: readonly string[];
  readonly files: readonly string[];
  /** Absolute path of this database's copy for `reflink` and `rolling`; empty strings otherwise. */
  readonly targets: readonly string[];
  /** Expected cost of entering and leaving backup mode, in microseconds; 0 = unknown. */
  readonly costsUs: Uint32Array;
  /** Write activity, in any unit: the busiest databases start last and stop first. */
  readonly activity: Float64Array;
  /** Number of the file on its volume when it was found; 0 = unknown. A copy is made of no other file. */
  readonly fileNumbers: BigUint64Array;
  /** `writer` only, like the next two: index of the volume. */
  readonly volumes?: Uint16Array;
  /** Index of the writer's component. */
  readonly components?: Uint16Array;
  /** 1 for a database without which the backup fails. */
  readonly required?: Uint8Array;
}

export interface NativeProgress {
  readonly phase: Phase | 'idle' | 'closed';
  /** Databases finished in this phase. */
  readonly done: number;
  readonly total: number;
}

/** Values of {@link NativeResults.state}. */
export const DatabaseState = { pending: 0, open: 1, captured: 2, skipped: 3 } as const;

/** Columns, one element per database in the order of `add`. */
export interface NativeResults {
  readonly count: number;
  readonly state: Uint8Array;
  readonly shard: Uint16Array;
  /** Size at NSFBackupStart: exactly this many bytes belong to the backup. */
  readonly startSizeBytes: Float64Array;
  /** Bytes in `<index>.delta`; 0 = no file. */
  readonly deltaBytes: Float64Array;
  /** NSFBackupGetChangeInfoSize. */
  readonly announcedBytes: Float64Array;
  readonly logged: Uint8Array;
  readonly logExtent: Uint32Array;
  /** 16 bytes each, in memory order of the UNID. All zero when not logged. */
  readonly logId: Uint8Array;
  readonly dbiid: Uint8Array;
  /** 8 bytes each, in memory order of the TIMEDATE. */
  readonly replicaId: Uint8Array;
  /**
   * 16 bytes each: when documents, and when anything else, last changed (NSFDbModifiedTime, before NSFBackupStart), in memory
   * order of the TIMEDATEs. All zero if unknown.
   */
  readonly modified: Uint8Array;
  /** Milliseconds after {@link originNs}; NaN if it did not happen. */
  readonly startCalledMs: Float64Array;
  readonly startReturnedMs: Float64Array;
  readonly stopCalledMs: Float64Array;
  readonly stopReturnedMs: Float64Array;
  /** Clock of `process.hrtime.bigint()` (CLOCK_MONOTONIC). */
  readonly originNs: bigint;
  readonly phases: readonly { readonly phase: Phase; readonly beginMs: number; readonly endMs: number }[];
  /** OSCurrentTIMEDATE right after the last NSFBackupStart returned; zeros when unknown. */
  readonly afterLastStart: { readonly innards: readonly [number, number]; readonly epochMs: number };
  /** Reason of each skipped database. */
  readonly failures: readonly { readonly index: number; readonly failure: NativeFailure }[];
  /** Lengths of the change info pieces, only for deltas whose pieces were not all {@link pieceBytes} long. */
  readonly irregularPieces: readonly { readonly index: number; readonly lengths: Uint32Array }[];
  /** Buffer size used with NSFBackupGetNextChangeInfo. */
  readonly pieceBytes: number;
  /** Indexes of databases that a hung call may have left in backup mode. */
  readonly stuck: readonly number[];
}

/** One backup: databases, shard threads, provider. It has its own control thread. */
export interface NativeSession {
  add(databases: NativeDatabases): void;
  /** Opens every database on its shard thread and reads its log info. Nothing is frozen. */
  open(timeoutMs: number): Promise<void>;
  /** Makes directories, flushes volumes. */
  prepare(timeoutMs: number): Promise<void>;
  /** The freeze window, then the drain, in one call. */
  capture(timeoutMs: number): Promise<void>;
  /**
   * Closes everything: databases, contexts, threads, and the shadow unless `keepShadow`. `succeeded` tells the participating
   * writers that their data is safe (SetBackupSucceeded, BackupComplete), unless a shadow that is not one of `deletedShadows` has
   * vanished. Idempotent.
   */
  close(options: {
    readonly keepShadow: boolean;
    readonly succeeded: boolean;
    /** The backup is good, but the writers are not notified, neither of a success nor of a failure. */
    readonly untold?: boolean;
    readonly deletedShadows: readonly string[];
    readonly timeoutMs: number;
  }): Promise<void>;
  /** Restarts the lease once the steps called before have run. For work in JavaScript between two steps. */
  renewLease(): void;
  /** Asks a running call to give up; it rejects with `ERR_ABORTED` once the databases are out of backup mode. */
  cancel(): void;
  settleShadow(failure: { readonly text: string } | null): void;
  /** `writer` only: unlocks the data directory. */
  unlock(): void;
  /** Also available between and after the steps, after {@link close} and after {@link NativeBinding.shutdown}. */
  progress(): NativeProgress;
  /** Stable between steps; also after {@link close} and after {@link NativeBinding.shutdown}. */
  results(): NativeResults;
  /** Only {@link NativeResults.failures}: fetching all columns of 100 000 databases takes milliseconds. */
  failures(): NativeResults['failures'];
  /** Only {@link NativeResults.stuck}. */
  stuck(): NativeResults['stuck'];
  /** `vss` only; null otherwise. */
  vssReport(): NativeVssReport | null;
  /** `vss` only; null otherwise. Empty in contexts without writers. The states are those at the end of the last step. */
  vssWriters(): NativeWriters | null;
  /** Backup Components Document (SaveAsXML) from the end of `capture` on; empty before, and without `vss`. */
  vssComponentsDocument(): string;
}

export interface NativeApplyOptions {
  /** The copy; it must already be truncated to its start size. */
  readonly copyFile: string;
  readonly deltaFile: string;
  readonly announcedBytes: number;
  readonly pieceBytes: number;
  readonly irregularPieces?: Uint32Array;
}

export interface NativeRecoverOptions {
  /** Files to recover in one log scan. */
  readonly files: readonly string[];
  /** DBRECOVER_ZAP_ID: a new database beside the original. */
  readonly newDbiid: boolean;
  /** DBRECOVER_ZAP_REPLICAID. */
  readonly newReplicaId: boolean;
  /** DBRECOVER_POINT_IN_TIME: only what was committed before this TIMEDATE; the databases get new instance ids. */
  readonly pointInTime?: readonly [number, number] | undefined;
  /** For a log of archive style: copies of extents. Domino asks for those that are no longer in its log directory. */
  readonly extents?: readonly NativeArchivedExtent[] | undefined;
  /** Directories that receive extents, under their original names, while the recovery runs. `logId` as above. */
  readonly logArchives?: readonly { readonly logId: Uint8Array; readonly directory: string }[] | undefined;
}

/** A copy of an extent of the transaction log. */
export interface NativeArchivedExtent {
  /** 16 bytes in memory order of the UNID. */
  readonly logId: Uint8Array;
  readonly number: number;
  /** Absolute path of the copy. */
  readonly file: string;
  readonly sizeBytes: number;
}

/** An extent of the transaction log, as returned by NSFGetFirstLogToArchive and NSFGetNextLogToArchive. */
export interface NativeLogExtent {
  /** False for ERR_NO_TRANSLOGS_TO_ARCHIVE: no extent is waiting, and this is the one being written. */
  readonly waits: boolean;
  /** 16 bytes in memory order of the UNID. */
  readonly logId: Uint8Array;
  readonly number: number;
  /** Absolute path in the log directory. */
  readonly file: string;
}

/** The right to archive the transaction log, which only one program on a server can have. All calls are made on one thread. */
export interface NativeLogArchiver {
  /** NSFGetFirstLogToArchive for the first call, NSFGetNextLogToArchive afterwards. */
  next(): NativeRequest<NativeLogExtent>;
  /** NSFDoneArchivingLog: from now on Domino may overwrite the extent. */
  done(logId: Uint8Array, number: number): NativeRequest<void>;
  /**
   * NSFEndArchivingLogs. Also called when a hanging call returns after all, when the object is garbage-collected, and at the end.
   */
  end(): NativeRequest<void>;
}

/** Result of a recovery. */
export interface NativeRecovery {
  /** Time of the last transaction that was applied to any of the files, a TIMEDATE; zeros if Domino reports none. */
  readonly lastApplied: readonly [number, number];
}

/** Columns, one element per path; all zero if reading it failed. */
export interface NativeIdentities {
  /** 8 bytes each, in memory order of the TIMEDATE. */
  readonly replicaId: Uint8Array;
  readonly logged: Uint8Array;
  /** 16 bytes each, in memory order of the UNID. All zero when not logged. */
  readonly logId: Uint8Array;
  readonly dbiid: Uint8Array;
  /** 16 bytes each, as in {@link NativeResults}. */
  readonly modified: Uint8Array;
  readonly failures: readonly { readonly index: number; readonly failure: NativeFailure }[];
}

/** Values of {@link NativeAbandoned.states}. */
export const AbandonedBackup = { none: 0, ended: 1, left: 2 } as const;

/** What happened to backups that another process left behind. */
export interface NativeAbandoned {
  /** One per database. */
  readonly states: Uint8Array;
  /** Why the backups in state `left` could not be ended. */
  readonly failures: readonly { readonly index: number; readonly failure: NativeFailure }[];
}

export interface NativeCanary {
  /** Change info appeared for the write through the server. */
  readonly recorded: boolean;
  readonly changeInfoBytes: number;
  readonly database: string;
}

/** What the Domino installer wrote to the registry; texts are empty for what it did not write. */
export interface NativeRegistration {
  readonly programDirectory: string;
  readonly dataDirectory: string;
  /** Names of the services of Domino servers. */
  readonly services: readonly string[];
}

/** The fields of SERVICE_STATUS_PROCESS that are needed for waiting. */
export interface NativeServiceStatus {
  /** SERVICE_STOPPED (1) to SERVICE_PAUSED (7). */
  readonly state: number;
  readonly checkPoint: number;
  readonly waitHintMs: number;
  /** dwWin32ExitCode, and dwServiceSpecificExitCode when it is ERROR_SERVICE_SPECIFIC_ERROR (1066). */
  readonly exitCode: number;
  readonly specificExitCode: number;
}

export interface NativeServiceRegistration {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  /** Program and arguments, quoted as Windows parses them. */
  readonly command: string;
  /** An account that needs no password; empty for LocalSystem. */
  readonly account: string;
}

/** The Service Control Manager. Each request opens the service by its name, and waits for no change of state. */
export interface NativeServices {
  query(name: string): Promise<NativeServiceStatus>;
  /** ControlService with SERVICE_CONTROL_STOP, through a handle that may also start the service. */
  requestStop(name: string): Promise<void>;
  /** StartServiceW. */
  requestStart(name: string): Promise<void>;
  /** EnumDependentServicesW: names of the running ones. */
  runningDependents(name: string): Promise<string[]>;
}

/** A service of our own. */
export interface NativeOwnServices {
  /** CreateServiceW, with delayed start and recovery actions, and VssAccessControl for an account. */
  install(registration: NativeServiceRegistration): Promise<void>;
  /** DeleteService. */
  uninstall(name: string): Promise<void>;
  /**
   * StartServiceCtrlDispatcherW: from now on this process is the service, in state `starting`. `stop` is called when the service
   * is asked to stop.
   */
  host(name: string, stop: () => void): Promise<void>;
  /** SetServiceStatus. Nothing may follow `stopped`. */
  reportHosted(state: 'starting' | 'running' | 'stopped', waitHintMs: number, exitCode: number): void;
}

export interface NativeBinding {
  /** Loads and initialises the Domino runtime. The first call wins; the same options again return at once. */
  openRuntime(options: NativeRuntimeOptions): NativeRequest<NativeRuntime>;
  /** The runtime that this process holds, if any. */
  currentRuntime(): NativeRuntime | null;
  /** NSFGetTransLogStyle; `none` for ERR_SERVER_NOT_TRANSLOGGED. */
  transactionLogStyle(): NativeRequest<'circular' | 'archive' | 'linear' | 'none'>;
  /** NSFBeginArchivingLogs. */
  beginArchivingLogs(): NativeRequest<NativeLogArchiver>;
  /** OSGetEnvironmentString; empty when not set. */
  notesIniValue(name: string): NativeRequest<string>;
  /** Walks the data directory; needs no runtime. `excludeDirectories` are absolute. */
  findDatabases(options: {
    readonly dataDirectory: string;
    readonly excludeDirectories: readonly string[];
  }): NativeRequest<NativeCatalog>;
  /** The volume that contains a path. */
  inspectVolume(path: string): NativeRequest<NativeVolume>;
  /**
   * Marks a directory as in use on this machine, whatever path leads to it: flock(2) on the directory, a named mutex on Windows.
   * Resolves to null if it is already in use. The end of the process, or of the environment, releases it.
   */
  lockDirectory(path: string): NativeRequest<NativeLock | null>;
  /** Clones a small file in the directory (FICLONE), to learn whether `reflink` works there. */
  probeReflink(directory: string): NativeRequest<boolean>;
  createSession(options: NativeSessionOptions): NativeSession;
  applyChangeInfo(options: NativeApplyOptions): NativeRequest<void>;
  /** NSFTakeDatabaseOffline with OFFLINE_NODELETE. */
  takeDatabaseOffline(options: { readonly file: string; readonly waitMs: number }): NativeRequest<void>;
  bringDatabaseOnline(options: { readonly file: string }): NativeRequest<void>;
  /** NSFRecoverDatabases; rejects with the failing file as subject. */
  recoverDatabases(options: NativeRecoverOptions): NativeRequest<NativeRecovery>;
  /**
   * NSFDbOpen, NSFDbReplicaInfoGet, NSFDbGetLogInfo, NSFDbClose for each: which database is there now. Paths are relative to the
   * data directory. Must not be used for a copy before its recovery: opening it makes it useless for recovery.
   */
  readIdentities(options: { readonly paths: readonly string[] }): NativeRequest<NativeIdentities>;
  /**
   * Ends the backups of databases that a dead process has left in backup mode. NSFBackupStart shows whether a database is in
   * backup mode; NSFBackupEnd with BACKUPEND_ABORT and no context ends it, if Domino lets another process do that.
   */
  endAbandonedBackups(options: { readonly paths: readonly string[] }): NativeRequest<NativeAbandoned>;
  /**
   * Removes a file, or a directory with its contents, but never what a link leads to: every directory is entered by its handle,
   * so a link put in its place meanwhile has no effect. A missing path counts as removed.
   */
  removeTree(path: string): Promise<void>;
  /** The same, synchronously, for the end of the process. */
  removeTreeNow(path: string): void;
  /**
   * sd_journal through its socket on Linux, ReportEvent on Windows. Does not block on Linux; on Windows a service has to answer.
   */
  writeSystemLog(entry: NativeSystemLogEntry): Promise<void>;
  /** Linux only. Deletes a btrfs subvolume; refuses anything else. A missing one counts as deleted. */
  deleteSubvolume?(path: string): NativeRequest<void>;
  /** Linux only. Makes a btrfs subvolume read-only or writable; refuses anything else. */
  setSubvolumeReadOnly?(path: string, readOnly: boolean): NativeRequest<void>;
  /**
   * Creates a database through the server, puts it into backup mode here, writes to it through the server, and looks
   * for change info; removes the database again.
   */
  runCanary(options: { readonly serverName: string; readonly database: string }): NativeRequest<NativeCanary>;
  /**
   * Aborts every session of the process synchronously (with a time limit), then calls NotesTerm. For the `exit` event of the main
   * thread.
   */
  shutdown(): NativeAbortOutcome;
  /** Ends the process at once, without any handler, because a normal end would hang. */
  leave(exitCode: number): void;
  /**
   * Windows only: start time of a process, as text to compare; empty if there is no such process, `unknown` if this process may
   * not ask.
   */
  processStart?(pid: number): string;
  /** Aborts only the sessions of this environment, synchronously (with a time limit). */
  abortSessions(): NativeAbortOutcome;
  /** Windows only. Synchronous: the registry is in memory. */
  dominoRegistration?(): NativeRegistration;
  /**
   * Windows only. Makes a directory for SYSTEM and administrators, or checks that an existing one neither belongs to an ordinary
   * user nor can be written to by one.
   */
  makePrivateDirectory?(path: string): NativeRequest<void>;
  /** Windows only. Makes a directory for SYSTEM, administrators and the current user; it must not exist. */
  createPrivateDirectory?(path: string): Promise<void>;
  /**
   * Windows only. Whether an ordinary user owns a directory, and can therefore change its access list at any time; and which part
   * of its path ordinary users can change, the directory itself or one above it (empty for none).
   */
  directoryAccess?(path: string): Promise<{ readonly othersOwn: boolean; readonly othersChange: string }>;
  /** Windows only. */
  readonly services?: NativeServices & NativeOwnServices;
  /** Windows only. */
  readonly vss?: NativeVss;
}

/** An entry for the system log. */
export interface NativeSystemLogEntry {
  /** An error; a warning if false. */
  readonly isError: boolean;
  readonly message: string;
  /** Names, of capital letters and underscores, with their values. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Held until it is released. */
export interface NativeLock {
  /** Idempotent. */
  release(): void;
}

/** What the end of a process or worker did to its sessions. */
export interface NativeAbortOutcome {
  /** Sessions that were still open. */
  readonly abortedSessions: number;
  /** Those that did not answer in time; their databases may still be in backup mode. */
  readonly unansweredSessions: number;
  /** Databases of the other sessions that may still be in backup mode. */
  readonly stuckDatabases: number;
  /** A thread hangs in the start or the end of Domino, or in the loader. */
  readonly runtimeHangs: boolean;
}
