import type { NativeFailure } from './failure';
import type { NativeRegisteredWriter, NativeRestoreNotice, NativeWriterNotice, NativeWriterOptions } from './writer';

/**
 * The part of the raw binding that calls the Volume Shadow Copy Service; Windows only. Nothing here is public.
 *
 * GUIDs are written `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}` in lower case; an empty string stands for GUID_NULL. Volumes are
 * `\\?\Volume{…}\` or a mount point, with the trailing backslash. COM failures have the domain `com`; their `status` is the
 * HRESULT as an unsigned number and their `operation` the method, for example `IVssBackupComponents::DoSnapshotSet`.
 */

/** A VSS_SNAPSHOT_CONTEXT in which shadows are made. */
export type VssContext =
  'backup' | 'file-share-backup' | 'app-rollback' | 'nas-rollback' | 'client-accessible' | 'client-accessible-writers';

/** A bit of VSS_VOLUME_SNAPSHOT_ATTRIBUTES. */
export type ShadowAttribute =
  | 'persistent'
  | 'no-autorecovery'
  | 'client-accessible'
  | 'no-auto-release'
  | 'no-writers'
  | 'transportable'
  | 'not-surfaced'
  | 'not-transacted'
  | 'hardware-assisted'
  | 'differential'
  | 'plex'
  | 'imported'
  | 'exposed-locally'
  | 'exposed-remotely'
  | 'autorecover'
  | 'rollback-recovery'
  | 'delayed-postsnapshot'
  | 'txf-recovery'
  | 'file-share';

/** VSS_WRITER_STATE; `unknown` also when the status was not asked for. */
export type WriterState =
  | 'unknown'
  | 'stable'
  | 'waiting-for-freeze'
  | 'waiting-for-thaw'
  | 'waiting-for-post-snapshot'
  | 'waiting-for-backup-complete'
  | 'failed-at-identify'
  | 'failed-at-prepare-backup'
  | 'failed-at-prepare-snapshot'
  | 'failed-at-freeze'
  | 'failed-at-thaw'
  | 'failed-at-post-snapshot'
  | 'failed-at-backup-complete'
  | 'failed-at-pre-restore'
  | 'failed-at-post-restore'
  | 'failed-at-backup-shutdown';

/** VSS_BACKUP_TYPE: the kind of backup that writers are told about. */
export type VssBackupType = 'full' | 'incremental' | 'differential' | 'log' | 'copy' | 'other';

/** Settings of the requester of one backup session. */
export interface NativeVssOptions {
  /** VSS_SNAPSHOT_CONTEXT with attribute bits, for SetContext. */
  readonly context: number;
  /** Provider for AddToSnapshotSet; empty: VSS chooses. */
  readonly providerId: string;
  /** VSS_BACKUP_TYPE, for SetBackupState. */
  readonly backupType: number;
  /** Components are selected one by one (SetBackupState); contexts without writers ignore it. */
  readonly componentMode: boolean;
  readonly bootableSystemState: boolean;
  /** Writers and components, by name, class id, instance id, or `Writer:\logical\path\component`. */
  readonly excludeWriters: readonly string[];
  /** The same; the step fails if one of them does not take part. */
  readonly verifyWriters: readonly string[];
  /** Domino's own writer is excluded: we put its databases into backup mode ourselves, or stop the server. */
  readonly excludeDomino: boolean;
  /** A writer of our own receives Thaw, and the databases leave backup mode then. */
  readonly stopAtThaw: boolean;
  /** No other writer takes part (EnableWriterClasses). */
  readonly onlyThawSignal: boolean;
}

/** VSS_SNAPSHOT_PROP. */
export interface NativeShadow {
  readonly id: string;
  readonly setId: string;
  /** Number of shadows in the set when it was created. */
  readonly setCount: number;
  /** Device object without a trailing backslash. */
  readonly device: string;
  /** `\\?\Volume{…}\`. */
  readonly volume: string;
  readonly originatingMachine: string;
  readonly serviceMachine: string;
  /** Drive letter, directory or share; empty when not exposed. */
  readonly exposedName: string;
  /** Exposed part of the volume; empty for all of it. */
  readonly exposedPath: string;
  readonly providerId: string;
  /** VSS_VOLUME_SNAPSHOT_ATTRIBUTES. */
  readonly attributes: number;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  /** VSS_SNAPSHOT_STATE. */
  readonly state: number;
}

/** VSS_PROVIDER_PROP. */
export interface NativeVssProvider {
  readonly id: string;
  readonly name: string;
  /** VSS_PROVIDER_TYPE. */
  readonly type: number;
  readonly version: string;
  readonly versionId: string;
  readonly classId: string;
}

export interface NativeWriterComponent {
  /** VSS_COMPONENT_TYPE. */
  readonly type: number;
  readonly logicalPath: string;
  readonly name: string;
  readonly caption: string;
  readonly selectable: boolean;
  readonly selectableForRestore: boolean;
  /** Number of its file specifications. */
  readonly files: number;
}

/** A file specification. */
export interface NativeWriterFiles {
  readonly path: string;
  readonly fileSpec: string;
  readonly recursive: boolean;
}

/** The small fields of a writer; the long lists come in blocks from {@link NativeWriters}. */
export interface NativeWriter {
  /** Class id. */
  readonly id: string;
  readonly instanceId: string;
  readonly name: string;
  /** VSS_USAGE_TYPE and VSS_SOURCE_TYPE. */
  readonly usage: number;
  readonly source: number;
  /** Number of its components. */
  readonly components: number;
  /** Number of file specifications that it excludes. */
  readonly excludedFiles: number;
  /** VSS_WRITER_STATE; 0 when the status was not asked for. */
  readonly state: number;
  /** HRESULT of the last failure; 0 for none. */
  readonly failure: number;
  readonly failureName: string;
  /** HRESULT and text that the writer's application set (GetWriterStatusEx); 0 and empty for none. */
  readonly applicationFailure: number;
  readonly applicationMessage: string;
  /** Whether the writer is excluded from this session, and why. */
  readonly excluded: '' | 'asked' | 'domino' | 'nothing to include' | 'component outside the set';
}

/** A part of a long list: `count` items of the writer with the index `writer`, beginning with the item `from`. */
export interface NativeBlock {
  readonly writer: number;
  readonly from: number;
  readonly count: number;
}

/**
 * The writers at the time of the request. A server may have tens of thousands of file specifications, and documents of megabytes,
 * so these cross the boundary only on request, and lists in blocks.
 */
export interface NativeWriters {
  readonly list: readonly NativeWriter[];
  components(block: NativeBlock): readonly NativeWriterComponent[];
  /** File specifications: those of the components in order, then the excluded ones. */
  files(block: NativeBlock): readonly NativeWriterFiles[];
  /** SaveAsXML of the metadata of the writer with this index. */
  document(writer: number): string;
}

/**
 * State of the requester of a session, without its writers and documents. It is cheap, because it is also fetched while the
 * machine is locked. Stable between steps.
 */
export interface NativeVssReport {
  /** Id of the snapshot set; known from `prepare` on, empty before. */
  readonly setId: string;
  /** Ids of the shadows, in the order of the session's volumes; known from `prepare` on. */
  readonly shadowIds: readonly string[];
  /** Known from the end of `capture` on, in the order of the session's volumes. */
  readonly shadows: readonly NativeShadow[];
  /** Problems that did not make the call fail, for example that another module had set up COM security. */
  readonly warnings: readonly NativeWarning[];
}

/** A problem that does not make a call fail. */
export interface NativeWarning {
  readonly code:
    | 'WARN_ABORT_FAILED'
    | 'WARN_COM_SECURITY'
    | 'WARN_EXPOSURE_LEFT'
    | 'WARN_SHADOW_NOT_DELETED'
    | 'WARN_SHADOW_STORAGE'
    | 'WARN_SHADOW_VANISHED'
    | 'WARN_WRITER_STATE_UNKNOWN'
    | 'WARN_WRITER_UNKNOWN'
    | 'WARN_WRITER_VANISHED';
  /** The text for people. */
  readonly message: string;
  /** What it concerns; empty if that has no name. */
  readonly subject: string;
}

/** VSS_FILE_RESTORE_STATUS. */
export type NativeRestoreOutcome = 'all' | 'none' | 'failed';

/** A restore with writers: one requester object that lives from {@link NativeVss.beginRestore} on. */
export interface NativeVssRestore {
  /** Writers in the document, and whether a writer with that class is present now. */
  readonly writers: readonly { readonly id: string; readonly name: string; readonly present: boolean }[];
  preRestore(timeoutMs: number): Promise<void>;
  /** SetFileRestoreStatus for every component, then PostRestore. `outcome`: what happened to their files. */
  postRestore(options: { readonly outcome: NativeRestoreOutcome; readonly timeoutMs: number }): Promise<void>;
  close(): Promise<void>;
}

export interface NativeVss {
  /** Query of all shadows (VSS_CTX_ALL). */
  listShadows(options: { readonly timeoutMs: number }): Promise<NativeShadow[]>;
  /** Query of all providers. */
  listProviders(options: { readonly timeoutMs: number }): Promise<NativeVssProvider[]>;
  /** GatherWriterMetadata, and GatherWriterStatus on request. */
  listWriters(options: { readonly status: boolean; readonly timeoutMs: number }): Promise<NativeWriters>;
  /** IsVolumeSupported; false also for a volume that no provider supports. */
  isVolumeSupported(options: { readonly volume: string; readonly providerId: string }): Promise<boolean>;
  /**
   * ExposeSnapshot. `as` is `X:`, an existing empty directory, or the name of a share (empty: VSS chooses one). `pathFromRoot` is
   * for shares only. Resolves to the place.
   */
  exposeShadow(options: {
    readonly id: string;
    readonly kind: 'local' | 'share';
    readonly as: string;
    readonly pathFromRoot: string;
  }): Promise<string>;
  /** UnexposeSnapshot. Rejects with VSS_E_OBJECT_NOT_FOUND if the shadow does not exist or is not exposed. */
  unexposeShadow(options: { readonly id: string }): Promise<void>;
  /** DeleteSnapshots. An id that no longer exists is no failure. */
  deleteShadows(options: {
    readonly id: string;
    readonly kind: 'shadow' | 'set';
    readonly force: boolean;
  }): Promise<{ readonly deleted: number; readonly failure: NativeFailure | null; readonly notDeletedId: string }>;
  /** BreakSnapshotSet; with flags (VSS_HARDWARE_OPTIONS) BreakSnapshotSetEx. */
  breakSnapshotSet(options: {
    readonly setId: string;
    readonly flags: number;
    readonly timeoutMs: number;
  }): Promise<void>;
  /** ImportSnapshots of a transportable set from its Backup Components Document. */
  importShadows(options: { readonly document: string; readonly timeoutMs: number }): Promise<NativeShadow[]>;
  /** ShouldBlockRevert, then RevertToSnapshot. Follow with {@link awaitRevert}. */
  revertToShadow(options: { readonly id: string; readonly forceDismount: boolean }): Promise<void>;
  /** QueryRevertStatus: waits until no revert of the volume is running any more, or the time is over. */
  awaitRevert(options: {
    readonly volume: string;
    readonly timeoutMs: number;
  }): Promise<{ readonly finished: boolean }>;
  /** InitializeForRestore with a saved document. */
  beginRestore(options: { readonly document: string; readonly timeoutMs: number }): Promise<NativeVssRestore>;
  /** Why this process may not use VSS (elevation, backup privilege, service, bitness). Empty: it may. */
  whyNot(): Promise<readonly NativeFailure[]>;
  /** QueryDiffAreasForVolume and free space: reasons why there may be no room for another shadow of the system's provider. */
  checkShadowStorage(options: { readonly volume: string }): Promise<readonly NativeWarning[]>;
  /** Makes a cabinet file with the system's own library; `files` are absolute, `name` is the name inside. */
  writeCabinet(options: {
    readonly cabinet: string;
    readonly files: readonly { readonly file: string; readonly name: string }[];
  }): Promise<void>;
  /** Extracts everything into an existing directory; resolves to the names. */
  readCabinet(options: { readonly cabinet: string; readonly directory: string }): Promise<string[]>;
  /** CreateWriterEx, IVssWriterImpl::Initialize and Subscribe. Nothing waits for the listener. */
  registerWriter(
    options: NativeWriterOptions,
    listener: (notice: NativeWriterNotice | NativeRestoreNotice) => void,
  ): Promise<NativeRegisteredWriter>;
}
