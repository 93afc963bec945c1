// Which methods of VSS fail with which codes, and what must result.

import type { VssSettings } from './machine';
import type { Order } from './requester-program';

export const code = {
  E_NOTIMPL: 0x80004001,
  E_ACCESSDENIED: 0x80070005,
  E_INVALIDARG: 0x80070057,
  E_OUTOFMEMORY: 0x8007000e,
  VSS_E_BAD_STATE: 0x80042301,
  VSS_E_UNEXPECTED: 0x80042302,
  VSS_E_PROVIDER_NOT_REGISTERED: 0x80042304,
  VSS_E_PROVIDER_VETO: 0x80042306,
  VSS_E_OBJECT_NOT_FOUND: 0x80042308,
  VSS_E_VOLUME_NOT_SUPPORTED: 0x8004230c,
  VSS_E_OBJECT_ALREADY_EXISTS: 0x8004230d,
  VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER: 0x8004230e,
  VSS_E_UNEXPECTED_PROVIDER_ERROR: 0x8004230f,
  VSS_E_INVALID_XML_DOCUMENT: 0x80042311,
  VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED: 0x80042312,
  VSS_E_FLUSH_WRITES_TIMEOUT: 0x80042313,
  VSS_E_HOLD_WRITES_TIMEOUT: 0x80042314,
  VSS_E_UNEXPECTED_WRITER_ERROR: 0x80042315,
  VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED: 0x80042317,
  VSS_E_WRITER_INFRASTRUCTURE: 0x80042318,
  VSS_E_UNSUPPORTED_CONTEXT: 0x8004231b,
  VSS_E_VOLUME_IN_USE: 0x8004231d,
  VSS_E_INSUFFICIENT_STORAGE: 0x8004231f,
  VSS_E_NO_SNAPSHOTS_IMPORTED: 0x80042320,
  VSS_E_SOME_SNAPSHOTS_NOT_IMPORTED: 0x80042321,
  VSS_E_REVERT_IN_PROGRESS: 0x80042325,
  VSS_E_REVERT_VOLUME_LOST: 0x80042326,
  VSS_E_REBOOT_REQUIRED: 0x80042327,
  VSS_E_TRANSACTION_FREEZE_TIMEOUT: 0x80042328,
  VSS_E_TRANSACTION_THAW_TIMEOUT: 0x80042329,
  VSS_E_NESTED_VOLUME_LIMIT: 0x8004232c,
  VSS_E_BREAK_REVERT_ID_FAILED: 0x800423f6,
} as const;

export type Code = keyof typeof code;

/** Writers take part, selected one component at a time. */
export const components: Order = { task: 'backup', options: { writers: 'all', vss: { componentMode: true } } };
const persistent: Order = { task: 'backup', options: { lifetime: 'persistent' } };
/** One writer is excluded, which has to be looked up first. */
const excluding: Order = { task: 'backup', options: { writers: { exclude: ['Registry Writer'] } } };

export interface Row {
  /** Name without interface; with `.async` for the operation of an IVssAsync. */
  readonly method: string;
  readonly order: Order;
  /** The machine. Default: a usual one. */
  readonly settings?: VssSettings;
  /** Which of its calls fails. Default: the first. */
  readonly nth?: number | 'every';
  /** Each code has a separate process. Default: the codes of a row share one. */
  readonly alone?: boolean;
  /** How often a task that fails like this calls it in total. Default: `nth`. */
  readonly passes?: number;
  readonly codes: readonly Code[];
  /**
   * Whether AbortBackup must be called: required from PrepareForBackup on, and forbidden before anything has begun. In between it does
   * no harm.
   */
  readonly abort: 'due' | 'harmless' | 'none';
  /** Whether the running operation is cancelled before the abort. Default: either. */
  readonly cancels?: boolean;
  /** What the caller gets: an error, a warning in the report of a good backup, or nothing. Default: an error. */
  readonly effect?: 'error' | 'warning' | 'none';
  /** The operation that the error names. Default: the method. */
  readonly operation?: string;
  /** Code of the error, if it is not a VSS code. */
  readonly instead?: string;
}

/** Any method may return these. */
const always = ['E_OUTOFMEMORY', 'VSS_E_UNEXPECTED'] as const satisfies readonly Code[];
const ofMetadata = ['E_INVALIDARG', 'VSS_E_BAD_STATE', ...always] as const satisfies readonly Code[];
const ofGathering = ['E_ACCESSDENIED', 'VSS_E_BAD_STATE', 'VSS_E_WRITER_INFRASTRUCTURE', ...always] as const;
const ofSet = [
  'E_ACCESSDENIED',
  'E_INVALIDARG',
  'VSS_E_BAD_STATE',
  'VSS_E_FLUSH_WRITES_TIMEOUT',
  'VSS_E_HOLD_WRITES_TIMEOUT',
  'VSS_E_NESTED_VOLUME_LIMIT',
  'VSS_E_REBOOT_REQUIRED',
  'VSS_E_TRANSACTION_FREEZE_TIMEOUT',
  'VSS_E_TRANSACTION_THAW_TIMEOUT',
  ...always,
] as const satisfies readonly Code[];
const ofShadows = [
  'E_ACCESSDENIED',
  'VSS_E_BAD_STATE',
  'VSS_E_OBJECT_NOT_FOUND',
  'VSS_E_PROVIDER_VETO',
  'VSS_E_UNEXPECTED_PROVIDER_ERROR',
  ...always,
] as const satisfies readonly Code[];

/** A backup from its begin to its end. */
export const backupRows: readonly Row[] = [
  { method: 'CreateVssBackupComponents', order: persistent, codes: ['E_ACCESSDENIED', ...always], abort: 'none' },
  {
    method: 'CreateVssBackupComponents',
    order: persistent,
    nth: 2,
    codes: ['E_ACCESSDENIED', ...always],
    abort: 'none',
  },
  { method: 'InitializeForBackup', order: persistent, codes: ['E_ACCESSDENIED', ...always], abort: 'none' },
  { method: 'InitializeForBackup', order: persistent, nth: 2, codes: ['E_ACCESSDENIED', ...always], abort: 'none' },
  {
    method: 'SetContext',
    order: persistent,
    codes: ['E_INVALIDARG', 'VSS_E_BAD_STATE', 'VSS_E_UNSUPPORTED_CONTEXT', ...always],
    abort: 'none',
  },
  {
    method: 'IsVolumeSupported',
    order: persistent,
    codes: ['E_ACCESSDENIED', 'VSS_E_BAD_STATE', 'VSS_E_OBJECT_NOT_FOUND', 'VSS_E_NESTED_VOLUME_LIMIT', ...always],
    abort: 'none',
  },
  { method: 'SetBackupState', order: components, codes: ['VSS_E_INVALID_XML_DOCUMENT', ...ofMetadata], abort: 'none' },
  {
    method: 'DisableWriterClasses',
    order: excluding,
    codes: ['E_ACCESSDENIED', 'VSS_E_BAD_STATE', ...always],
    abort: 'none',
  },
  { method: 'GatherWriterMetadata', order: components, codes: ofGathering, abort: 'none' },
  { method: 'GatherWriterMetadata.async', order: components, codes: ofGathering, abort: 'none' },
  { method: 'GatherWriterMetadata', order: excluding, nth: 2, codes: ofGathering, abort: 'none' },
  {
    method: 'AddComponent',
    order: components,
    codes: ['VSS_E_INVALID_XML_DOCUMENT', 'VSS_E_OBJECT_ALREADY_EXISTS', ...ofMetadata],
    abort: 'none',
  },
  { method: 'StartSnapshotSet', order: persistent, codes: ofMetadata, abort: 'none' },
  {
    method: 'AddToSnapshotSet',
    order: persistent,
    codes: [
      'VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED',
      'VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED',
      'VSS_E_NESTED_VOLUME_LIMIT',
      'VSS_E_PROVIDER_NOT_REGISTERED',
      'VSS_E_VOLUME_NOT_SUPPORTED',
      'VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER',
      'VSS_E_OBJECT_ALREADY_EXISTS',
      ...ofShadows,
    ],
    abort: 'harmless',
  },
  { method: 'PrepareForBackup', order: components, codes: ofMetadata, abort: 'due' },
  { method: 'PrepareForBackup.async', order: components, codes: always, abort: 'due' },
  // After PrepareForBackup, after DoSnapshotSet.
  ...[1, 2].flatMap((nth): Row[] => [
    { method: 'GatherWriterStatus', order: components, nth, codes: ofGathering, abort: 'due' },
    { method: 'GatherWriterStatus.async', order: components, nth, codes: ofGathering, abort: 'due' },
    { method: 'GetWriterStatusCount', order: components, nth, codes: ofMetadata, abort: 'due' },
  ]),
  { method: 'DoSnapshotSet', order: components, codes: ofSet, abort: 'due' },
  { method: 'DoSnapshotSet', order: persistent, codes: ofSet, abort: 'due' },
  ...[components, persistent].map((order): Row => ({
    method: 'DoSnapshotSet.async',
    order,
    codes: ['VSS_E_INSUFFICIENT_STORAGE', 'VSS_E_PROVIDER_VETO', 'VSS_E_UNEXPECTED_PROVIDER_ERROR', ...ofSet],
    abort: 'due',
  })),
  { method: 'GetSnapshotProperties', order: persistent, codes: ofShadows, abort: 'harmless' },
  { method: 'GetSnapshotProperties', order: components, codes: ofShadows, abort: 'due' },
  // A set without writers can be restored without its document.
  { method: 'SaveAsXML', order: persistent, codes: ofMetadata, abort: 'none', effect: 'none' },
  // From here on the backup is good; later failures are in its report.
  { method: 'GetSnapshotProperties', order: persistent, nth: 2, codes: ofShadows, abort: 'none', effect: 'warning' },
  { method: 'SetBackupSucceeded', order: components, codes: ofMetadata, abort: 'due', effect: 'warning' },
  {
    method: 'BackupComplete',
    order: components,
    codes: ['VSS_E_UNEXPECTED_WRITER_ERROR', ...ofMetadata],
    abort: 'due',
    effect: 'warning',
  },
  {
    method: 'BackupComplete.async',
    order: components,
    codes: ['VSS_E_UNEXPECTED_WRITER_ERROR', ...always],
    abort: 'due',
    effect: 'warning',
  },
  // Another object can delete what this one cannot.
  {
    method: 'DeleteSnapshots',
    order: persistent,
    passes: 2,
    codes: ['E_ACCESSDENIED', 'VSS_E_PROVIDER_VETO', 'VSS_E_UNEXPECTED_PROVIDER_ERROR', ...always],
    abort: 'none',
    effect: 'none',
  },
];

/** Reading the metadata of writers. */
export const metadataRows: readonly Row[] = [
  { method: 'GetWriterMetadataCount', order: components, codes: ofMetadata, abort: 'none' },
  {
    method: 'GetWriterMetadata',
    order: components,
    codes: ['VSS_E_INVALID_XML_DOCUMENT', 'VSS_E_OBJECT_NOT_FOUND', ...ofMetadata],
    abort: 'none',
  },
  ...['GetIdentity', 'GetFileCounts', 'GetExcludeFile', 'GetComponent', 'GetPath', 'GetFilespec', 'GetRecursive'].map(
    (method): Row => ({ method, order: components, codes: ofMetadata, abort: 'none' }),
  ),
  ...['GetComponentInfo', 'GetFile', 'GetDatabaseFile', 'GetDatabaseLogFile'].map((method): Row => ({
    method,
    order: components,
    codes: ofMetadata,
    abort: 'none',
  })),
];

/** Shadows, writers and providers, without a backup. */
export const administrationRows: readonly Row[] = [
  { method: 'Query', order: { task: 'list' }, codes: ofShadows, abort: 'none' },
  { method: 'Query', order: { task: 'providers' }, codes: ofShadows, abort: 'none' },
  { method: 'Next', order: { task: 'providers' }, codes: always, abort: 'none' },
  { method: 'IsVolumeSupported', order: { task: 'supported' }, codes: ['E_ACCESSDENIED', ...always], abort: 'none' },
  { method: 'GatherWriterStatus.async', order: { task: 'writers' }, codes: ofGathering, abort: 'none' },
  { method: 'ExposeSnapshot', order: { task: 'shadow' }, codes: ['E_INVALIDARG', ...ofShadows], abort: 'none' },
  {
    method: 'UnexposeSnapshot',
    order: { task: 'shadow' },
    passes: 2,
    codes: ['E_INVALIDARG', ...ofShadows],
    abort: 'none',
  },
  {
    method: 'DeleteSnapshots',
    order: { task: 'shadow' },
    passes: 2,
    codes: ['E_ACCESSDENIED', 'VSS_E_PROVIDER_VETO', 'VSS_E_UNEXPECTED_PROVIDER_ERROR', ...always],
    abort: 'none',
  },
];

/** With hardware, which break and import need. */
const hardware: VssSettings = { hardware_provider: 1 };
const breaking: Order = { task: 'break' };
const breakingWritable: Order = { task: 'break', options: { writable: true } };
const ofBreaking = ['VSS_E_OBJECT_NOT_FOUND', 'VSS_E_PROVIDER_VETO', ...always] as const satisfies readonly Code[];

/** Sets of hardware providers. */
export const hardwareRows: readonly Row[] = [
  {
    method: 'BreakSnapshotSet',
    order: breaking,
    settings: hardware,
    codes: ['E_ACCESSDENIED', 'E_INVALIDARG', ...ofBreaking],
    abort: 'none',
  },
  {
    method: 'BreakSnapshotSetEx',
    order: breakingWritable,
    settings: hardware,
    codes: ['E_ACCESSDENIED', 'E_INVALIDARG', 'VSS_E_BREAK_REVERT_ID_FAILED', ...ofBreaking],
    abort: 'none',
  },
  {
    method: 'BreakSnapshotSetEx.async',
    order: breakingWritable,
    settings: hardware,
    codes: ['VSS_E_BREAK_REVERT_ID_FAILED', ...ofBreaking],
    abort: 'none',
  },
  // A set whose import failed is imported again, so that it can be deleted.
  {
    method: 'ImportSnapshots',
    order: { task: 'import' },
    settings: hardware,
    passes: 2,
    codes: ['E_ACCESSDENIED', 'E_INVALIDARG', 'VSS_E_BAD_STATE', ...always],
    abort: 'none',
  },
  {
    method: 'ImportSnapshots.async',
    order: { task: 'import' },
    settings: hardware,
    passes: 2,
    codes: ['VSS_E_NO_SNAPSHOTS_IMPORTED', 'VSS_E_SOME_SNAPSHOTS_NOT_IMPORTED', ...always],
    abort: 'none',
  },
];

const reverting: Order = { task: 'revert' };
/** So that a revert is still running when its state is queried. */
const slowRevert: VssSettings = { 'latency.RevertToSnapshot.async': 200 };

/** Reverting a volume. */
export const revertRows: readonly Row[] = [
  // Those of the backup come first.
  { method: 'GetSnapshotProperties', order: reverting, nth: 3, codes: ofShadows, abort: 'none' },
  {
    method: 'ShouldBlockRevert',
    order: reverting,
    codes: ['E_INVALIDARG', 'VSS_E_OBJECT_NOT_FOUND', ...always],
    abort: 'none',
  },
  {
    method: 'RevertToSnapshot',
    order: reverting,
    codes: [
      'E_NOTIMPL',
      'VSS_E_OBJECT_NOT_FOUND',
      'VSS_E_PROVIDER_NOT_REGISTERED',
      'VSS_E_REVERT_IN_PROGRESS',
      'VSS_E_UNSUPPORTED_CONTEXT',
      'VSS_E_VOLUME_IN_USE',
      'VSS_E_VOLUME_NOT_SUPPORTED',
      ...always,
    ],
    abort: 'none',
  },
  // The name of the failed operation shows what continues.
  {
    method: 'QueryRevertStatus',
    order: reverting,
    codes: ['E_ACCESSDENIED', 'E_INVALIDARG', 'VSS_E_BAD_STATE', ...always],
    abort: 'none',
  },
  { method: 'QueryRevertStatus', order: reverting, codes: ['VSS_E_OBJECT_NOT_FOUND'], abort: 'none', effect: 'none' },
  {
    method: 'RevertToSnapshot.async',
    order: reverting,
    settings: slowRevert,
    codes: ['VSS_E_REVERT_VOLUME_LOST', 'VSS_E_PROVIDER_VETO', 'VSS_E_UNEXPECTED_PROVIDER_ERROR', ...always],
    abort: 'none',
    operation: 'QueryRevertStatus',
  },
];

const restoring: Order = { task: 'restore' };
/** One writer with four components, so that the calls for each of them can be counted. */
const oneWriter: VssSettings = { writers: 'sql' };
const ofComponents = ['E_INVALIDARG', 'VSS_E_INVALID_XML_DOCUMENT', 'VSS_E_OBJECT_NOT_FOUND', ...always] as const;

/** A restore with writers. Nothing of it can be aborted. */
export const restoreRows: readonly Row[] = [
  {
    method: 'InitializeForRestore',
    codes: ['E_ACCESSDENIED', 'E_INVALIDARG', 'VSS_E_BAD_STATE', 'VSS_E_INVALID_XML_DOCUMENT', ...always] as const,
  },
  { method: 'GatherWriterMetadata', codes: ofGathering },
  { method: 'GatherWriterMetadata.async', codes: ofGathering },
  { method: 'GetWriterComponentsCount', codes: ofMetadata },
  { method: 'GetWriterComponents', codes: ofComponents },
  { method: 'GetWriterInfo', codes: ofMetadata },
  { method: 'GetComponentCount', codes: ofMetadata },
  // The writer's metadata have a method with this name, too.
  { method: 'GetComponent', nth: 5, codes: ofComponents },
  { method: 'GetLogicalPath', codes: ofMetadata },
  { method: 'GetComponentType', codes: ofMetadata },
  { method: 'GetComponentName', codes: ofMetadata },
  { method: 'SetSelectedForRestore', codes: ofComponents },
  { method: 'SetFileRestoreStatus', codes: ofComponents },
  ...[1, 2].flatMap((nth) => [
    { method: 'GatherWriterStatus', nth, codes: ofGathering },
    { method: 'GatherWriterStatus.async', nth, codes: ofGathering },
    { method: 'GetWriterStatusCount', nth, codes: ofMetadata },
    { method: 'GetWriterStatusEx', nth, codes: ofComponents },
  ]),
  ...['PreRestore', 'PostRestore'].flatMap((method) => [
    { method, codes: ['E_ACCESSDENIED', ...ofMetadata] as const },
    { method: `${method}.async`, codes: ['VSS_E_UNEXPECTED_WRITER_ERROR', ...always] as const },
  ]),
].map((row): Row => ({ order: restoring, settings: oneWriter, abort: 'none', ...row }));

/** DoSnapshotSet is the first operation of a backup without writers, and long enough to be observed. */
const slowSet: VssSettings = { 'latency.DoSnapshotSet.async': 300 };
const ofAsync = ['E_ACCESSDENIED', 'E_INVALIDARG', ...always] as const satisfies readonly Code[];

/** IVssAsync itself: what it returns is not the result of the operation. How often it is called depends on the time. */
export const asyncRows: readonly Row[] = [
  // Once, at the beginning and later; and always. An operation that is still running is cancelled.
  ...([1, 3, 'every'] as const).map((nth): Row => ({
    method: 'QueryStatus',
    order: persistent,
    settings: slowSet,
    nth,
    alone: true,
    codes: ofAsync,
    abort: 'due',
    cancels: true,
  })),
  { method: 'QueryStatus', order: components, alone: true, codes: ofAsync, abort: 'none', cancels: true },
  // Then we wait ourselves.
  {
    method: 'Wait',
    order: persistent,
    settings: slowSet,
    nth: 'every',
    alone: true,
    codes: ofAsync,
    abort: 'none',
    effect: 'none',
  },
  // The set is still created although it is no longer wanted.
  {
    method: 'Cancel',
    order: { task: 'cancelled', options: { lifetime: 'persistent', afterMs: 2000 } },
    settings: { 'latency.DoSnapshotSet.async': 4000 },
    nth: 'every',
    alone: true,
    codes: ofAsync,
    abort: 'due',
    instead: 'ERR_ABORTED',
  },
];
