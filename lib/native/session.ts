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
  /** Load the library even where ordinary users could replace it. */
  readonly trustProgramDirectory: boolean;
}

export interface NativeRuntime {
  readonly programDirectory: string;
  readonly notesIni: string;
  /** OSGetDataDirectory. */
  readonly dataDirectory: string;
  /** SECKFMGetUserName: the name of the ID in use, e.g. `CN=server/O=Acme`; empty when not available. */
  readonly serverName: string;
  /** Optional functions that this release does not export. */
  readonly missingFunctions: readonly string[];
}

/** A file system (or btrfs subvolume) that holds databases. */
export interface NativeVolume {
  /** Top directory of the mount, or of the subvolume when {@link fileSystem} is `btrfs`. */
  readonly path: string;
  /** Mount point that contains {@link path}. */
  readonly mountPoint: string;
  /** `xfs`, `btrfs`, `ext4`, … as in /proc/self/mountinfo. */
  readonly fileSystem: string;
  /** Source device of the mount. */
  readonly device: string;
  /** Whether {@link path} is a btrfs subvolume (can be snapshotted). */
  readonly isSubvolume: boolean;
  readonly freeBytes: number;
}

/**
 * Texts in blocks of UTF-8, a zero byte between two texts. JavaScript takes one block at a time: 100 000 strings at once
 * would block the event loop. An empty list has no block.
 */
export type NativeTexts = readonly Uint8Array[];

/** What stands under the data directory and behind its links. Arrays are parallel. */
export interface NativeCatalog {
  /**
   * Path to open the database by: relative to the data directory, `/` as separator; through a link only for databases
   * that nothing else leads to.
   */
  readonly paths: NativeTexts;
  /** Resolved absolute path of the file (a link's target). */
  readonly files: NativeTexts;
  readonly sizeBytes: Float64Array;
  /** What the file takes on its volume: less than its size where it is sparse or compressed. */
  readonly allocatedBytes: Float64Array;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: Float64Array;
  /** Index into {@link volumes}. */
  readonly volumeIndex: Uint16Array;
  /** The one name of the volume, and the number of the file on it; two entries with the same one are the same file. */
  readonly fileIds: NativeTexts;
  /** Second names of databases and, with a slash at their ends, of directories; parallel to {@link aliasPaths}. */
  readonly aliases: NativeTexts;
  /** What the {@link aliases} lead to. The path of the data directory is empty. */
  readonly aliasPaths: NativeTexts;
  readonly volumes: readonly NativeVolume[];
  /** Links that lead nowhere, directories that cannot be read: each with its reason. */
  readonly problems: readonly NativeFailure[];
}

/** How a provider captures. */
export type NativeProvider = 'btrfs' | 'reflink' | 'rolling' | 'hook' | 'vss' | 'writer';

export interface NativeSessionVolume {
  /** What to capture: {@link NativeVolume.path}. */
  readonly source: string;
  /** Directory or subvolume to create; it must not exist. Empty for `hook`. */
  readonly target: string;
}

export interface NativeSessionOptions {
  readonly provider: NativeProvider;
  /** `domino`: through the backup API. `offline`: Domino is stopped; files are captured as they lie, no API call is made. */
  readonly source: 'domino' | 'offline';
  readonly volumes: readonly NativeSessionVolume[];
  /** Number of shard threads (for `rolling`: databases in flight). */
  readonly shards: number;
  /** Longest time for one call on a database, and for its copy to make no progress, before it is left out. */
  readonly databaseBudgetMs: number;
  /** From the first start until the shadow is made. */
  readonly windowTimeoutMs: number;
  /** The session aborts by itself when it stays open this long without a call. */
  readonly leaseMs: number;
  /** Existing directory for `<index>.delta` files. */
  readonly deltaDirectory: string;
  /**
   * `hook` only: asks JavaScript for the shadow. Answer with {@link NativeSession.settleShadow}. Databases leave backup
   * mode when `deadlineMs` has passed, whatever JavaScript does.
   */
  readonly createShadow?: (deadlineMs: number) => void;
  /** `vss` only. The targets of the volumes are empty then: VSS decides where a shadow lies. */
  readonly vss?: NativeVssOptions;
  /** `writer` only: the steps of the session are made by the events of VSS; those of JavaScript only answer how they went. */
  readonly writer?: NativePreparedOptions;
}

/** What one `add` hands over; arrays are parallel. At most about a thousand a call, to keep the event loop free. */
export interface NativeDatabases {
  readonly paths: readonly string[];
  readonly files: readonly string[];
  /** Where `reflink` and `rolling` put this database's copy (absolute); empty strings otherwise. */
  readonly targets: readonly string[];
  /** What entering and leaving backup mode is expected to cost, in microseconds; 0 = unknown. */
  readonly costsUs: Uint32Array;
  /** How much is written to each, in any unit: what is written to most starts last and stops first. */
  readonly activity: Float64Array;
  /** `writer` only, as are the next two: number of the volume. */
  readonly volumes?: Uint16Array;
  /** Number of the component of the writer. */
  readonly components?: Uint16Array;
  /** 1 for a database without which there is no backup. */
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
   * 16 bytes each: when documents and when anything else was changed last (NSFDbModifiedTime, before NSFBackupStart), in memory order
   * of the TIMEDATEs. All zero when that is not known.
   */
  readonly modified: Uint8Array;
  /** Milliseconds after {@link originNs}; NaN where it did not happen. */
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

/** One backup: databases, shard threads, provider. Lives on its own control thread. */
export interface NativeSession {
  add(databases: NativeDatabases): void;
  /** Opens every database on its shard thread and reads its log info. Nothing is frozen. */
  open(timeoutMs: number): Promise<void>;
  /** Makes directories, flushes volumes. */
  prepare(timeoutMs: number): Promise<void>;
  /** The freeze window, then the drain: in this order and in one call. */
  capture(timeoutMs: number): Promise<void>;
  /**
   * Everything out: databases, contexts, threads, and the shadow unless `keepShadow`. `succeeded` tells writers that took
   * part that their data is safe (SetBackupSucceeded, BackupComplete), unless a shadow has vanished that is not one of
   * `deletedShadows`. Idempotent.
   */
  close(options: {
    readonly keepShadow: boolean;
    readonly succeeded: boolean;
    /** The backup is good and the writers are told nothing: they learn neither of a success nor of a failure. */
    readonly untold?: boolean;
    readonly deletedShadows: readonly string[];
    readonly timeoutMs: number;
  }): Promise<void>;
  /** Counts the lease anew, after the steps that were called before. For work in JavaScript between two steps. */
  renewLease(): void;
  /** Asks a running call to give up; it settles with `ERR_ABORTED` after the databases are out. */
  cancel(): void;
  settleShadow(failure: { readonly text: string } | null): void;
  /** `writer` only: lets go of the data directory. */
  unlock(): void;
  /** Also between and after the steps, after {@link close} and after {@link NativeBinding.shutdown}. */
  progress(): NativeProgress;
  /** Stable between steps; also after {@link close} and after {@link NativeBinding.shutdown}. */
  results(): NativeResults;
  /** {@link NativeResults.failures} alone: all columns of 100 000 databases take milliseconds. */
  failures(): NativeResults['failures'];
  /** {@link NativeResults.stuck} alone. */
  stuck(): NativeResults['stuck'];
  /** `vss` only; null otherwise. */
  vssReport(): NativeVssReport | null;
  /** `vss` only; null otherwise. Empty in contexts without writers. Their states are those at the end of the last step. */
  vssWriters(): NativeWriters | null;
  /** Backup Components Document (SaveAsXML) from the end of `capture` on; empty before, and without `vss`. */
  vssComponentsDocument(): string;
}

export interface NativeApplyOptions {
  /** The copy; must have been truncated to its start size. */
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
  /** For a log of archive style: copies of extents, of which Domino asks for those that its log directory does not hold any more. */
  readonly extents?: readonly NativeArchivedExtent[] | undefined;
  /** Where extents lie, under the names that they had, that are archived while the recovery runs. `logId` as in the others. */
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

/** An extent of the transaction log, as NSFGetFirstLogToArchive and NSFGetNextLogToArchive answer it. */
export interface NativeLogExtent {
  /** False for ERR_NO_TRANSLOGS_TO_ARCHIVE: it is the extent that is being written, and none waits. */
  readonly waits: boolean;
  /** 16 bytes in memory order of the UNID. */
  readonly logId: Uint8Array;
  readonly number: number;
  /** Absolute path in the log directory. */
  readonly file: string;
}

/** The right to archive the transaction log, which one program on a server has. All calls are made on one thread. */
export interface NativeLogArchiver {
  /** NSFGetFirstLogToArchive the first time, NSFGetNextLogToArchive after that. */
  next(): NativeRequest<NativeLogExtent>;
  /** NSFDoneArchivingLog: Domino may write over the extent from now on. */
  done(logId: Uint8Array, number: number): NativeRequest<void>;
  /** NSFEndArchivingLogs. Also made when a call that hangs returns after all, when nobody holds the object any more, and at the end. */
  end(): NativeRequest<void>;
}

/** What a recovery has done. */
export interface NativeRecovery {
  /** Time of the last transaction that was applied to any of the files, a TIMEDATE; zeros when Domino tells none. */
  readonly lastApplied: readonly [number, number];
}

/** Columns, one element a path; all zero where it failed. */
export interface NativeIdentities {
  /** 8 bytes each, in memory order of the TIMEDATE. */
  readonly replicaId: Uint8Array;
  readonly logged: Uint8Array;
  /** 16 bytes each, in memory order of the UNID. All zero when not logged. */
  readonly logId: Uint8Array;
  readonly dbiid: Uint8Array;
  /** 16 bytes each, as those of {@link NativeResults}. */
  readonly modified: Uint8Array;
  readonly failures: readonly { readonly index: number; readonly failure: NativeFailure }[];
}

/** Values of {@link NativeAbandoned.states}. */
export const AbandonedBackup = { none: 0, ended: 1, left: 2 } as const;

/** What became of backups that another process has left. */
export interface NativeAbandoned {
  /** One a database. */
  readonly states: Uint8Array;
  /** Reasons of those that are left. */
  readonly failures: readonly { readonly index: number; readonly failure: NativeFailure }[];
}

export interface NativeCanary {
  /** Change info appeared for the write made through the server. */
  readonly recorded: boolean;
  readonly changeInfoBytes: number;
  readonly database: string;
}

/** What the installer of Domino has written to the registry; texts are empty where it has not. */
export interface NativeRegistration {
  readonly programDirectory: string;
  readonly dataDirectory: string;
  /** Names of the services of Domino servers. */
  readonly services: readonly string[];
}

/** SERVICE_STATUS_PROCESS, as far as somebody waits by it. */
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
  /** One that needs no password; empty for LocalSystem. */
  readonly account: string;
}

/** The Service Control Manager. Each request stands for itself, by the name of a service, and waits for no change. */
export interface NativeServices {
  query(name: string): Promise<NativeServiceStatus>;
  /** ControlService with SERVICE_CONTROL_STOP, by a handle that may also start the service. */
  requestStop(name: string): Promise<void>;
  /** StartServiceW. */
  requestStart(name: string): Promise<void>;
  /** EnumDependentServicesW: names of those that run. */
  runningDependents(name: string): Promise<string[]>;
}

/** A service of our own. */
export interface NativeOwnServices {
  /** CreateServiceW, with delayed start and recovery actions, and VssAccessControl for an account. */
  install(registration: NativeServiceRegistration): Promise<void>;
  /** DeleteService. */
  uninstall(name: string): Promise<void>;
  /** StartServiceCtrlDispatcherW: this process is the service from now on, and is starting. `stop` is called when it is to stop. */
  host(name: string, stop: () => void): Promise<void>;
  /** SetServiceStatus. Nothing after `stopped`. */
  reportHosted(state: 'starting' | 'running' | 'stopped', waitHintMs: number, exitCode: number): void;
}

export interface NativeBinding {
  /** Loads and initialises the Domino runtime; first call wins, the same options again answer at once. */
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
  /** The volume a path lies on. */
  inspectVolume(path: string): NativeRequest<NativeVolume>;
  /**
   * Marks a directory as being worked on, on this machine, whatever name it is reached by: flock(2) on the directory, a
   * named mutex on Windows. Null when somebody else has it. The process's end, and the environment's, let go of it.
   */
  lockDirectory(path: string): NativeRequest<NativeLock | null>;
  /** Really clones (FICLONE) a small file inside the directory, to learn whether `reflink` works there. */
  probeReflink(directory: string): NativeRequest<boolean>;
  createSession(options: NativeSessionOptions): NativeSession;
  applyChangeInfo(options: NativeApplyOptions): NativeRequest<void>;
  /** NSFTakeDatabaseOffline with OFFLINE_NODELETE. */
  takeDatabaseOffline(options: { readonly file: string; readonly waitMs: number }): NativeRequest<void>;
  bringDatabaseOnline(options: { readonly file: string }): NativeRequest<void>;
  /** NSFRecoverDatabases; rejects with the failing file as subject. */
  recoverDatabases(options: NativeRecoverOptions): NativeRequest<NativeRecovery>;
  /**
   * NSFDbOpen, NSFDbReplicaInfoGet, NSFDbGetLogInfo, NSFDbClose for each: which database stands there now. Paths are relative
   * to the data directory. Never for a copy before its recovery, which this would spoil.
   */
  readIdentities(options: { readonly paths: readonly string[] }): NativeRequest<NativeIdentities>;
  /**
   * Ends the backups of databases that a dead process has left in backup mode: NSFBackupStart tells whether one is, and
   * NSFBackupEnd with BACKUPEND_ABORT and no context of its own ends it, where Domino lets another process do that.
   */
  endAbandonedBackups(options: { readonly paths: readonly string[] }): NativeRequest<NativeAbandoned>;
  /**
   * Removes a file, or a directory with all that is in it, and never what a link leads to: every directory is entered by
   * its handle, so that a link put in its place meanwhile leads nowhere. What is not there counts as removed.
   */
  removeTree(path: string): Promise<void>;
  /** The same at once, for the end of the process. */
  removeTreeNow(path: string): void;
  /** sd_journal over its socket on Linux, ReportEvent on Windows. Does not wait on Linux; on Windows a service answers. */
  writeSystemLog(entry: NativeSystemLogEntry): Promise<void>;
  /** Linux only. Deletes a btrfs subvolume; refuses what is none. One that is gone counts as deleted. */
  deleteSubvolume?(path: string): NativeRequest<void>;
  /** Linux only. Whether a btrfs subvolume can be written to; refuses what is none. */
  setSubvolumeReadOnly?(path: string, readOnly: boolean): NativeRequest<void>;
  /**
   * Creates a database through the server, puts it into backup mode here, writes to it through the server, and looks
   * for change info; removes the database again.
   */
  runCanary(options: { readonly serverName: string; readonly database: string }): NativeRequest<NativeCanary>;
  /** Aborts every session of the process synchronously (bounded), then NotesTerm. For the `exit` event of the main thread. */
  shutdown(): NativeAbortOutcome;
  /** Ends the process at once, without any handler: for an end that would hang. */
  leave(exitCode: number): void;
  /** Windows only: when a process was started, as text to compare; empty when there is none, `unknown` when it is not ours to see. */
  processStart?(pid: number): string;
  /** Aborts the sessions of this environment only, synchronously (bounded). */
  abortSessions(): NativeAbortOutcome;
  /** Windows only. At once: the registry is in memory. */
  dominoRegistration?(): NativeRegistration;
  /**
   * Windows only. Makes a directory for the system and administrators, or makes sure that an existing one is no ordinary
   * user's and cannot be written to by one.
   */
  makePrivateDirectory?(path: string): NativeRequest<void>;
  /** Windows only. Makes a directory for the system, administrators and the present user; there must be none. */
  createPrivateDirectory?(path: string): Promise<void>;
  /**
   * Windows only. Whether an ordinary user owns a directory, and could so change its access list at any time; and what of
   * its path ordinary users can change, the directory itself or one above it, empty for nothing.
   */
  directoryAccess?(path: string): Promise<{ readonly othersOwn: boolean; readonly othersChange: string }>;
  /** Windows only. */
  readonly services?: NativeServices & NativeOwnServices;
  /** Windows only. */
  readonly vss?: NativeVss;
}

/** What the log of the system is told. */
export interface NativeSystemLogEntry {
  /** Otherwise a warning. */
  readonly isError: boolean;
  readonly message: string;
  /** Names of capital letters and underscores with their values. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Held until it is released. */
export interface NativeLock {
  /** Idempotent. */
  release(): void;
}

/** What the end of a process or worker meant for its sessions. */
export interface NativeAbortOutcome {
  /** Sessions that were still open. */
  readonly abortedSessions: number;
  /** Of these: did not answer in time; their databases may still be in backup mode. */
  readonly unansweredSessions: number;
  /** Databases of the others that may still be in backup mode. */
  readonly stuckDatabases: number;
  /** A thread hangs in the start or the end of Domino, or in the loader. */
  readonly runtimeHangs: boolean;
}
