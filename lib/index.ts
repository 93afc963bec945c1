import './not-in-an-es-module';
import type { Backup } from './backup/backup';
import type { BeginBackupOptions } from './backup/begin-backup';
import type { BackgroundHold, HoldSelector } from './hold/background';
import type { Hold, HoldOptions, ReleaseOptions } from './hold/hold';
import { loadBinding, nameAddon } from './native/binding';
import type { Capabilities, CapabilitiesOptions } from './doctor/capabilities';
import type { FindDatabasesOptions, FindDatabasesResult } from './domino/databases';
import type { DoctorOptions, DoctorReport } from './doctor/check';
import type { ExposeShadowOptions, UnexposeShadowOptions } from './vss/exposure';
import type { BreakSnapshotSetOptions, ImportShadowsOptions } from './vss/hardware-sets';
import type { ListedShadow } from './vss/listed-shadow';
import type { ListedBackup } from './store/backups';
import type { ReadBackupsOptions } from './store/listing';
import type { Manifest } from './store/manifest';
import type { Isolation } from './call/options';
import type { BackupReport } from './backup/report';
import type { RehearsalReport, RehearseOptions } from './backup/rehearse';
import type { RestoreReport } from './restore/report';
import type { PlanRestoreOptions, RestoreOptions } from './restore/restore';
import type { DrillOptions, DrillReport } from './restore/drill';
import type { ArchiveLogsOptions, ArchiveLogsReport } from './logs/archive';
import type { ArchivedLog, ListArchivedLogsOptions } from './logs/list';
import type { PruneLogsOptions, PruneLogsReport } from './logs/prune';
import type { PruneOptions, PruneReport } from './retention/prune';
import type { ExtractServerFilesOptions, ExtractServerFilesReport } from './restore/server-files';
import type { PrepareRecoveryDirectoryOptions, RecoveryDirectory } from './restore/recovery-directory';
import type { VerifyBackupOptions, VerifyReport } from './restore/verify';
import type { QueryRevertStatusOptions, RevertReport, RevertStatus, RevertToShadowOptions } from './vss/revert';
import type { RecoverOptions } from './recover/recover';
import type { RecoveryReport } from './recover/report';
import type { RunScriptOptions } from './script/run-script';
import type { ScriptReport } from './script/run-statements';
import type { DeleteShadowsOptions, DeleteShadowsReport, ListShadowsOptions } from './vss/shadows';
import type { DominoService } from './domino/service';
import type { VssCallOptions } from './vss/call';
import type { IsVolumeSupportedOptions, VssProvider } from './vss/providers';
import type { ListWritersOptions, Writer } from './vss/writers';
import type { ServedWriter, ServeWriterOptions } from './writer/serve';
import { DominoVssError } from './errors/errors';
import { onDemand } from './on-demand';

export type { Backup, CreateShadowOptions, EndBackupOptions, RetryOptions } from './backup/backup';
export type { BackupReport } from './backup/report';
export type { ServerFilesReport } from './backup/server-files';
export type { BeginBackupOptions } from './backup/begin-backup';
export type { Capabilities, CapabilitiesOptions, ProviderCapability } from './doctor/capabilities';
export type { Alias } from './domino/aliases';
export { noticeCodes, type Notice, type NoticeCode } from './domino/notice';
export type { DatabaseCopy, ManifestDatabase, ManifestServerFiles } from './store/manifest-format';
export type { DatabaseChanges, FindDatabasesOptions, FindDatabasesResult, FoundDatabase } from './domino/databases';
export type { CheckStatus, DoctorCheck, DoctorOptions, DoctorReport } from './doctor/check';
export { errorCodes, type ErrorClass, type ErrorCode, type ErrorCodeEntry, type ErrorExitCode } from './errors/codes';
export {
  AbortError,
  BackupError,
  DominoError,
  DominoVssError,
  FileSystemError,
  isDominoVssError,
  OptionError,
  ProcessError,
  RestoreError,
  ServiceError,
  ShadowError,
  VssError,
  type CutOffDeletion,
  type DatabaseFailure,
  type FailedWriter,
  type CauseRecord,
} from './errors/errors';
export {
  warningCodes,
  type Warning,
  type WarningCode,
  type WarningCodeEntry,
  type WarningSubjects,
} from './errors/warnings';
export type { ExposeShadowOptions, UnexposeShadowOptions } from './vss/exposure';
export type { ShadowShare } from './vss/place';
export type { BreakSnapshotSetOptions, ImportShadowsOptions } from './vss/hardware-sets';
export type { BackgroundHold, HoldSelector, HoldState } from './hold/background';
export type { Hold, HoldOptions, ReleaseOptions } from './hold/hold';
export type { HookRemover } from './recover/tools';
export type { RecoverOptions } from './recover/recover';
export type { RecoveredThing, RecoveredWork, RecoveryItem, RecoveryReport } from './recover/report';
export type { HookContext, HookRecord, HookVolume } from './store/hook-record';
export type { JournalWork, RestorePhase, RestoringDatabase } from './store/journal-format';
export type { UnusableJournal } from './store/journals';
export type { LeftOver } from './store/left-over';
export type { ListedShadow } from './vss/listed-shadow';
export type { ListedBackup } from './store/backups';
export type { ReadBackupsOptions } from './store/listing';
export type { Manifest } from './store/manifest';
export type {
  ManifestContents,
  ManifestContinuity,
  ManifestHead,
  ManifestIncremental,
  ManifestLink,
  ManifestVolume,
  ManifestWindow,
  ManifestVss,
  TakenReason,
} from './store/manifest-format';
export type { Phase } from './native/failure';
export type { DominoLocation, Isolation } from './call/options';
export type { Progress, ProgressListener } from './call/progress';
export type {
  HookDelivery,
  HookLimits,
  HookProvider,
  HookShadow,
  ProviderName,
  ProviderOption,
} from './backup/provider';
export type { ProviderChoice } from './store/manifest-format';
export type { RehearsalReport, RehearseOptions, SlowDatabase } from './backup/rehearse';
export type { LogReach } from './restore/reach';
export type { RestoreDaos, RestoredDatabase, RestoreLog, RestoreReport } from './restore/report';
export type { PlanRestoreOptions, RestoreOptions } from './restore/restore';
export type { RestoreMode } from './restore/mode';
export type { RestoreStep } from './restore/steps';
export type { DrilledDatabase, DrillOptions, DrillReport } from './restore/drill';
export type { ArchivedLogExtent, ArchiveLogsOptions, ArchiveLogsReport } from './logs/archive';
export type { ArchivedLog, CataloguedExtent, ListArchivedLogsOptions, ListedLogExtent } from './logs/list';
export type { ProvenExtent, PruneLogsOptions, PruneLogsReport } from './logs/prune';
export type { PrunedBackup, PruneOptions, PruneReport } from './retention/prune';
export type { RetentionRules } from './retention/rules';
export type { OneBackupOptions } from './restore/one-backup';
export type { PrepareRecoveryDirectoryOptions, RecoveryDirectory } from './restore/recovery-directory';
export type { ExtractServerFilesOptions, ExtractServerFilesReport, VerifiedServerFile } from './restore/server-files';
export type { VerifiedDatabase, VerifiedState, VerifyBackupOptions, VerifyReport } from './restore/verify';
export type { QueryRevertStatusOptions, RevertReport, RevertStatus, RevertToShadowOptions } from './vss/revert';
export type { ScriptContext, ScriptOption, WriterDetail } from './script/commands';
export type { LeftShadow, ListedAs, ScriptEvent, ScriptEventListener } from './script/events';
export type { ScriptPlace, ScriptProblem } from './script/problem';
export type { RunScriptOptions } from './script/run-script';
export type { ScriptReport } from './script/run-statements';
export type { ScriptShadow } from './script/target';
export type { LeftOutReason, SelectionOptions } from './domino/selection';
export { systemdService, type BackupMode, type DominoService } from './domino/service';
export type { DeleteShadowsOptions, DeleteShadowsReport, ListShadowsOptions, ShadowSelector } from './vss/shadows';
export type { Shadow } from './backup/shadow';
export type { CopyDatabasesOptions, CopyReport, SnapshotSet, SnapshotWindow } from './backup/snapshot-set';
export type { Spread } from './backup/spread';
export type { Timeline, WindowMessage } from './backup/timeline';
export type { PhaseTiming, WindowFigures } from './store/manifest-format';
export type { VssCallOptions } from './vss/call';
export type { RequestedAttribute, VssOptions, WritersOption } from './vss/context';
export type { IsVolumeSupportedOptions, VssProvider } from './vss/providers';
export type { SetWriter, VssSnapshotSet } from './vss/session';
export type { ShadowState, VssProviderType, WriterComponentType, WriterSource, WriterUsage } from './vss/words';
export type { ShadowAttribute, VssBackupType, VssContext, WriterState } from './native/vss';
export type { ListWritersOptions, Writer, WriterComponent, WriterFailure, WriterFiles } from './vss/writers';
export type { RequesterRestored, WriterEvent } from './writer/events';
export type { ServedWriter, ServeWriterOptions } from './writer/serve';

/** Options may be anything here: the call itself rejects wrong ones. */
function isIsolated(options: { readonly isolation?: Isolation | undefined } | undefined): boolean {
  return options?.isolation === 'process';
}

/**
 * Finds and opens the databases and prepares the snapshot. This is the slow part; nothing is frozen. The databases stay
 * open until {@link Backup.endBackup} or {@link Backup.dispose}, but no longer than the lease.
 *
 * @throws {@link OptionError} for a wrong option; `ERR_LOCKED` while another process backs up or restores the same data
 * directory; `ERR_DOMINO_…` when the Domino runtime cannot be used; {@link BackupError} when required databases are
 * missing, too many are left out, or time runs out; {@link AbortError} when cancelled. Nothing is left behind in any
 * case.
 */
export function beginBackup(options: BeginBackupOptions): Promise<Backup> {
  return isIsolated(options)
    ? onDemand.isolatedBackup.beginIsolatedBackup(options)
    : onDemand.beginBackup.beginBackup(loadBinding, options);
}

/**
 * Puts every selected database into backup mode and takes it out again, as a backup would, but without a shadow: finds
 * those that refuse, warms the caches, and predicts the freeze window. Nothing is left behind.
 *
 * @throws what {@link beginBackup} and `createShadow` throw; {@link BackupError} `ERR_NO_DATABASES`, with all reasons,
 * when every database refuses.
 */
export function rehearse(options: RehearseOptions): Promise<RehearsalReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('rehearse', options)
    : onDemand.rehearse.rehearse(loadBinding, options);
}

/**
 * Puts every selected database into backup mode and keeps it there, for a snapshot that another system takes: a hypervisor, a
 * storage array, a backup server. {@link Hold.release} completes the backup; without it, the databases leave backup mode
 * after `maxHoldMs`. This process must stay alive until then; {@link startHold} starts a separate one.
 *
 * @throws what {@link beginBackup} and `createShadow` throw. Nothing is held then.
 */
export function holdDatabases(options: HoldOptions): Promise<Hold> {
  return onDemand.hold.holdDatabases(loadBinding, options);
}

/**
 * The same as {@link holdDatabases}, but in a separate process that outlives the caller and sets up the environment of Domino
 * itself. If that process dies, the databases may stay in backup mode: the next backup or {@link recoverInterrupted} cleans up.
 *
 * @throws what {@link holdDatabases} throws, without its cause.
 */
export function startHold(options: Omit<HoldOptions, 'onProgress'>): Promise<BackgroundHold> {
  return onDemand.background.startHold(loadBinding, options);
}

/**
 * Completes the backup of a hold begun by {@link startHold}, once the snapshot exists.
 *
 * @throws {@link BackupError} `ERR_HOLD_EXPIRED` when the hold had already timed out, `ERR_NOT_HELD` when there is none
 * or its process is gone: the snapshot is then useless; {@link OptionError}, after which the hold continues.
 */
export function releaseHold(selector: HoldSelector = {}, options: ReleaseOptions = {}): Promise<BackupReport> {
  return onDemand.background.releaseHold(loadBinding, selector, options);
}

/**
 * Ends a hold begun by {@link startHold} without a backup, because there is no snapshot. Returns whether there was a
 * hold.
 *
 * @throws `ERR_STATE` when it had already been released; {@link OptionError} when the selector matches several holds.
 */
export function giveUpHold(selector: HoldSelector = {}): Promise<boolean> {
  return onDemand.background.giveUpHold(loadBinding, selector);
}

/** The holds on this machine that {@link startHold} has begun and that nobody has ended yet. */
export function listHolds(): Promise<BackgroundHold[]> {
  return onDemand.background.listHolds(loadBinding);
}

/**
 * Registers a VSS writer for the databases of a server: until {@link ServedWriter.dispose}, each snapshot that another
 * program takes of their volumes is a backup with change information and a manifest. This process must stay alive until then.
 * Windows only; elsewhere, {@link holdDatabases} does the same for programs that call a command before and after their
 * snapshot.
 *
 * @throws `ERR_UNSUPPORTED` on other systems; `ERR_WRITER_CONFLICT` if HCL's writer is running; {@link VssError} when
 * VSS refuses the writer (IVssWriterImpl::Initialize, Subscribe); `ERR_LOCKED`, `ERR_DOMINO_…`, {@link OptionError},
 * {@link AbortError}. No writer is left in these cases.
 */
export function serveWriter(options: ServeWriterOptions): Promise<ServedWriter> {
  return onDemand.serve.serveWriter(loadBinding, options);
}

/**
 * Restores databases of a backup: one, several, or all except those that a server always keeps open. The originals are
 * kept until success. If anything fails, each database is then either restored or as it was before.
 *
 * @throws {@link RestoreError} when nothing could be restored, the manifest is not intact, or an original could not be
 * put back; `ERR_LOCKED`, `ERR_NO_SPACE`, `ERR_DOMINO_…`; {@link AbortError} when cancelled, with everything put back.
 */
export function restoreDatabases(options: RestoreOptions): Promise<RestoreReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('restoreDatabases', options)
    : onDemand.restore.restoreDatabases(loadBinding, options);
}

/**
 * Says for every database what {@link restoreDatabases} would do with it, and why it would fail, without touching anything:
 * reads everything that a restore checks, the later backups in the same delta directory, and which database the server has at
 * each path now (NSFDbOpen, NSFDbGetLogInfo; not for `{ type: 'offline' }`). A database that would fail is `failed` in the
 * report. If Domino cannot be loaded, a warning says so and the rest is still reported.
 *
 * @throws {@link RestoreError} when the manifest is not intact or belongs to another data directory;
 * `ERR_NO_SPACE`; {@link OptionError}; {@link AbortError} when cancelled.
 */
export function planRestore(options: PlanRestoreOptions): Promise<RestoreReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('planRestore', options)
    : onDemand.restore.planRestore(loadBinding, options);
}

/**
 * Compares a backup with its manifest: change information, copies, and kept shadows. Damage to a database is a result
 * (`outcome`, `failures`), not an error. With `apply` it also applies change information to copies
 * (`NSFBackupApplyNextChangeInfo`) and opens them (`NSFDbOpen`).
 *
 * @throws {@link RestoreError} `ERR_MANIFEST` when the manifest itself is not intact, `ERR_SIGNATURE`; {@link OptionError};
 * {@link VssError} when a kept VSS shadow cannot be looked up; {@link AbortError} when cancelled.
 */
export function verifyBackup(options: VerifyBackupOptions): Promise<VerifyReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('verifyBackup', options)
    : onDemand.verify.verifyBackup(loadBinding, options);
}

/**
 * Experimental: it has not been run with a real Domino server yet. Prepares a directory in which logged databases of another transaction
 * log can be recovered: with a notes.ini of its own (`TRANSLOG_MEDIAONLY=1`) and the archived extents. A restore with this notes.ini
 * as `domino.notesIni`, `mode: { type: 'offline' }` and `otherServer: true` does the rest; no server starts there.
 *
 * @throws `ERR_RESTORE_LOG` when an extent is missing from the archive, `ERR_MANIFEST` or `ERR_SIGNATURE` when the manifest cannot be used.
 */
export function prepareRecoveryDirectory(options: PrepareRecoveryDirectoryOptions): Promise<RecoveryDirectory> {
  return onDemand.recoveryDirectory.prepareRecoveryDirectory(loadBinding, options);
}

/**
 * Copies the notes.ini and ID files of a backup (`serverFiles`) to a directory that is new or empty and not inside a data directory. Each
 * file is compared with its SHA-256; nothing is ever overwritten.
 *
 * @throws `ERR_RESTORE_SOURCE` when the backup has none, `ERR_MANIFEST` or `ERR_SIGNATURE` when its manifest cannot be used.
 */
export function extractServerFiles(options: ExtractServerFilesOptions): Promise<ExtractServerFilesReport> {
  return onDemand.serverFiles.extractServerFiles(loadBinding, options);
}

/**
 * Tests whether databases of a backup can be restored: restores a sample of them as new databases, recovers the logged ones
 * (`NSFRecoverDatabases` with `DBRECOVER_ZAP_ID` and `DBRECOVER_ZAP_REPLICAID`), opens each (`NSFDbOpen`), compares its ids, and
 * removes it again. No original is touched. A database that could not be restored is a result (`outcome`), not an error.
 *
 * @throws {@link OptionError}; {@link RestoreError} `ERR_MANIFEST`, `ERR_SIGNATURE`, `ERR_RESTORE_SOURCE` when there is no backup
 * of this server; `ERR_LOCKED` while a backup or restore of it runs; `ERR_DOMINO_…` when Domino cannot be used;
 * {@link AbortError} when cancelled. Even then, everything made for the drill is removed.
 */
export function drillRestore(options: DrillOptions): Promise<DrillReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('drillRestore', options)
    : onDemand.drill.drillRestore(loadBinding, options);
}

/**
 * Removes the backups of a delta directory that no rule keeps, with their change information, copies and kept shadows, but
 * nothing that their manifests do not name. The newest complete backup of each server always stays. If the process dies
 * during a removal, the next call or `recoverInterrupted` finishes it.
 *
 * @throws {@link OptionError}; `ERR_LOCKED` while a backup or restore that may need one of them is running;
 * `ERR_DELTA_DIRECTORY` when the directory cannot be read, or others could change its contents; {@link AbortError} when
 * cancelled. The report lists what could not be removed, with the reason.
 */
export function pruneBackups(options: PruneOptions): Promise<PruneReport> {
  return onDemand.prune.pruneBackups(loadBinding, options);
}

/**
 * Archives the transaction log of a server with archive-style logging: copies every waiting extent into the archive, with its
 * SHA-256, and only then tells Domino that it may be overwritten (`NSFBeginArchivingLogs`, `NSFGetFirstLogToArchive`,
 * `NSFGetNextLogToArchive`, `NSFDoneArchivingLog`, `NSFEndArchivingLogs`). The archive's catalogue and the copy are on disk
 * before that. Backups and restores may run at the same time. The log is never encrypted, so neither is the archive.
 *
 * @throws {@link OptionError}; `ERR_LOG_STYLE` when the log is circular, linear, or off; {@link DominoError}, which names the
 * call, for example with `ERR_TRANSLOG_ARCHIVE_IN_PROGRESS` while another program archives; `ERR_LOCKED` while the archive is
 * pruned; `ERR_LOG_ARCHIVE` when the archive contradicts the log; {@link FileSystemError} `ERR_NO_SPACE`; `ERR_DOMINO_…` when
 * Domino cannot be used; {@link AbortError} when cancelled. What has been archived by then stays; the next call continues
 * from there.
 */
export function archiveLogs(options: ArchiveLogsOptions): Promise<ArchiveLogsReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('archiveLogs', options)
    : onDemand.archiveLogs.archiveLogs(loadBinding, options);
}

/**
 * Lists the contents of an archive of transaction logs, log by log: extents with their state, gaps, and catalogues that cannot be used
 * (`problem`). Does not need Domino. An archive that does not exist yet is empty.
 *
 * @throws {@link OptionError}; {@link FileSystemError} when it cannot be read; {@link AbortError} when cancelled.
 */
export function listArchivedLogs(options: ListArchivedLogsOptions): Promise<readonly ArchivedLog[]> {
  return onDemand.listLogs.listArchivedLogs(options);
}

/**
 * Removes the extents of an archive that provably no backup needs: reads the manifests of all backups in the delta directories
 * completely, and keeps every extent of a log from the first one that any backup needs. The report has the proof for each extent. If a
 * backup's manifest cannot be read, nothing is removed. A log without any backup stays unless `unknownLogs` says otherwise. Does not need
 * Domino. Nothing is removed while these servers are being backed up, restored, or having their logs archived.
 *
 * @throws {@link OptionError}; {@link RestoreError} `ERR_MANIFEST` for a backup that is damaged or unfinished; `ERR_LOG_ARCHIVE` for
 * a catalogue that was changed; `ERR_LOCKED`; {@link AbortError} when cancelled. The call can be repeated after any of these.
 */
export function pruneLogs(options: PruneLogsOptions): Promise<PruneLogsReport> {
  return onDemand.pruneLogs.pruneLogs(loadBinding, options);
}

/**
 * Cleans up after backups and restores whose process has died: moves databases back and brings them online, ends their
 * backups (`NSFBackupEnd` with `BACKUPEND_ABORT`), starts the server again, and removes shadows, their exposures, and
 * copies. Each database is then either restored or as it was before; a backup whose manifest was written stays. What
 * cannot be cleaned up is named in the report and stays in its journal. `beginBackup` and `restoreDatabases` do the same
 * first.
 *
 * @throws {@link OptionError}; `ERR_LOCKED` while a backup or restore of the same data directory runs; `ERR_DOMINO_…` when
 * the given Domino cannot be used; {@link AbortError} when cancelled. The call can be repeated after any of these.
 */
export function recoverInterrupted(options: RecoverOptions = {}): Promise<RecoveryReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('recoverInterrupted', options)
    : onDemand.recover.recoverInterrupted(loadBinding, options);
}

/**
 * Reads a manifest and checks that it is intact; `path` is the absolute path of the file or of the backup's directory.
 *
 * @throws {@link RestoreError} `ERR_MANIFEST`; {@link OptionError}; `ERR_FILE_HANGS` if the file system does not answer, then also
 * from `databases()`; {@link AbortError} when cancelled.
 */
export function readManifest(path: string, options: ReadBackupsOptions = {}): Promise<Manifest> {
  return onDemand.listing.readManifest(path, options);
}

/**
 * Lists the backups in a delta directory (absolute), oldest first, including unfinished and damaged ones. One whose files do not
 * answer counts as damaged.
 *
 * @throws {@link OptionError}; `ERR_FILE_SYSTEM` if the directory cannot be read, and `ERR_FILE_HANGS` if it does not answer;
 * {@link AbortError} when cancelled.
 */
export function listBackups(deltaDirectory: string, options: ReadBackupsOptions = {}): Promise<ListedBackup[]> {
  return onDemand.listing.listBackups(deltaDirectory, options);
}

/**
 * Lists the databases in the data directory and behind its links, and says which of them a backup would include.
 * Needs notes.ini, not the Domino runtime.
 *
 * @throws {@link OptionError}, `ERR_DOMINO_NOTES_INI`, {@link BackupError} `ERR_FIND`, {@link AbortError}.
 */
export function findDatabases(options: FindDatabasesOptions = {}): Promise<FindDatabasesResult> {
  return onDemand.databases.findDatabases(loadBinding, options);
}

/**
 * Checks every precondition of a backup and says what to do about unmet ones. An unmet precondition is a result;
 * only wrong options and an abort are errors.
 */
export function runDoctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  return isIsolated(options)
    ? onDemand.isolatedCall.isolatedCall('runDoctor', options)
    : onDemand.doctor.runDoctor(loadBinding, options);
}

/** Says which providers can be used, in general or on the file system of a directory. Works on every system. */
export function getCapabilities(options: CapabilitiesOptions = {}): Promise<Capabilities> {
  return onDemand.capabilities.getCapabilities(loadBinding, options);
}

/**
 * Lists the shadow copies on this machine, including those of other programs, oldest first. Windows only; does not need Domino.
 *
 * @throws {@link VssError} when VSS refuses; `ERR_UNSUPPORTED` on other systems; {@link AbortError} when cancelled.
 */
export function listShadows(options: ListShadowsOptions = {}): Promise<readonly ListedShadow[]> {
  return onDemand.shadows.listShadows(loadBinding, options);
}

/**
 * Deletes shadow copies, one after the other; one that no longer exists is ignored. If the selection includes shadows made by
 * other programs, nothing is deleted, unless `foreign` says otherwise. Windows only; does not need Domino.
 *
 * @throws {@link ShadowError} `ERR_SHADOW_FOREIGN`, which names them, when shadows of others were selected and nothing was
 * deleted; {@link VssError} when nothing could be deleted; {@link AbortError} when cancelled, {@link BackupError} `ERR_DEADLINE`
 * when time runs out: their `deletion` says which shadows have been deleted and which are left.
 */
export function deleteShadows(options: DeleteShadowsOptions): Promise<DeleteShadowsReport> {
  return onDemand.shadows.deleteShadows(loadBinding, options);
}

/**
 * Exposes a persistent shadow copy at a drive letter, a directory, or a share, and returns that place. It stays exposed
 * until {@link unexposeShadow} or until the shadow is deleted. A cancelled call may still take effect. Windows only.
 *
 * @throws {@link VssError} `ERR_VSS_PLACE` when something else is there, `ERR_VSS_CONTEXT` when the shadow is of a kind that
 * cannot be exposed, other codes when VSS refuses; {@link OptionError}; {@link AbortError}.
 */
export function exposeShadow(options: ExposeShadowOptions): Promise<string> {
  return onDemand.exposure.exposeShadow(loadBinding, options);
}

/**
 * Undoes {@link exposeShadow}. The shadow stays. Windows only.
 *
 * @throws {@link VssError} `ERR_VSS_NOT_FOUND` when the shadow with this id is not exposed; {@link OptionError} when nothing is
 * exposed at the given place; {@link AbortError}.
 */
export function unexposeShadow(options: UnexposeShadowOptions): Promise<void> {
  return onDemand.exposure.unexposeShadow(loadBinding, options);
}

/**
 * Turns the shadows of a set into ordinary disks, which VSS no longer manages. For sets of hardware providers only.
 * Windows only.
 *
 * @throws {@link VssError}, for example of the provider that made the set; {@link AbortError}.
 */
export function breakSnapshotSet(options: BreakSnapshotSetOptions): Promise<void> {
  return onDemand.hardwareSets.breakSnapshotSet(loadBinding, options);
}

/**
 * Imports a transportable set on this machine. For sets of hardware providers, on server editions of Windows. The
 * shadows of a volatile set vanish again when the call ends, so make the set persistent.
 *
 * @throws {@link VssError} `ERR_VSS_IMPORT`, `ERR_VSS_DOCUMENT`; {@link AbortError}.
 */
export function importShadows(options: ImportShadowsOptions): Promise<readonly ListedShadow[]> {
  return onDemand.hardwareSets.importShadows(loadBinding, options);
}

/**
 * Reverts a whole volume to its state when a shadow copy was made, and waits until that is done (`finished`) or
 * `timeoutMs` (default: an hour) has passed. Everything written since is lost. A revert cannot be stopped: cancelling
 * only ends the wait. Server editions of Windows only.
 *
 * @throws {@link VssError} `ERR_VSS_REVERT` for a volume with databases, transaction logs or DAOS objects of a Domino that
 * may run, with the delta directory, or with the journals of scripts; other codes when VSS refuses; {@link AbortError}.
 */
export function revertToShadow(options: RevertToShadowOptions): Promise<RevertReport> {
  return onDemand.revert.revertToShadow(loadBinding, options);
}

/**
 * Says whether a revert of a volume is still running. Windows only.
 *
 * @throws {@link VssError}; {@link AbortError}.
 */
export function queryRevertStatus(options: QueryRevertStatusOptions): Promise<RevertStatus> {
  return onDemand.revert.queryRevertStatus(loadBinding, options);
}

/**
 * Lists the VSS writers on this machine with their components and, on request, their states. Windows only.
 *
 * @throws {@link VssError}; {@link AbortError}.
 */
export function listWriters(options: ListWritersOptions = {}): Promise<readonly Writer[]> {
  return onDemand.writers.listWriters(loadBinding, options);
}

/**
 * Lists the providers that can make shadow copies on this machine. Windows only.
 *
 * @throws {@link VssError}; {@link AbortError}.
 */
export function listProviders(options: VssCallOptions = {}): Promise<readonly VssProvider[]> {
  return onDemand.providers.listProviders(loadBinding, options);
}

/**
 * Says whether a shadow copy of a volume can be made, by any provider or by a specific one. Windows only.
 *
 * @throws {@link BackupError} `ERR_FIND` when there is no such drive or path, {@link VssError} `ERR_VSS_NOT_FOUND` when there is no
 * volume of that name; {@link AbortError}.
 */
export function isVolumeSupported(options: IsVolumeSupportedOptions): Promise<boolean> {
  return onDemand.providers.isVolumeSupported(loadBinding, options);
}

/**
 * Runs a diskshadow script in this process, or with `check` only says what it would do. A script that is wrong or fails
 * is a result (`outcome`, `problems`), not an error. Persistent shadow copies that it has made are then deleted if nothing can have
 * used them, unless `keepGoing` is set; the others stay, and the event `left` names them. Windows only, except with `check`.
 *
 * @throws {@link OptionError}; `ERR_FILE_SYSTEM` when the script cannot be read; `ERR_UNSUPPORTED` or {@link VssError} when
 * VSS cannot be used; {@link AbortError} when cancelled.
 */
export function runScript(options: RunScriptOptions): Promise<ScriptReport> {
  return onDemand.runScript.runScript(loadBinding, options);
}

/**
 * A Domino server that runs as a Windows service, by its service name, for example `HCL Domino Server (CDominodata)`.
 * Queried, stopped and started through the Service Control Manager (`QueryServiceStatusEx`, `ControlService`,
 * `StartService`); no program is run. The calls wait for a service that is starting or stopping: as long as its check point
 * grows or its wait hint lasts, at least 5 minutes; `stop` at most until the signal fires, `start` and `isRunning` without a
 * signal at most 15 minutes. `start` settles when the service runs.
 *
 * @throws {@link OptionError} for an empty name. The functions of the service throw {@link ServiceError} with the Windows
 * error: the service does not exist, this user may not stop **and** start it, other running services depend on it (they are
 * named and nothing is stopped), it ended while it was starting, or it makes no progress; `ERR_UNSUPPORTED` on other
 * systems.
 */
export function windowsService(name: string): DominoService {
  return onDemand.windowsService.windowsService(loadBinding, name);
}

/**
 * Sets the path of the native addon (absolute), for programs that keep it elsewhere: a bundle, a single executable. Call it before the
 * first call that needs the addon. It sets `DOMINO_VSS_ADDON` in the environment of this process, so that its child processes find the
 * file too.
 *
 * @throws {@link OptionError}; `ERR_STATE` when the addon is loaded already.
 */
export function useAddon(file: string): void {
  onDemand.options.absolutePath(file, 'file');
  if (nameAddon(file)) return;
  throw new DominoVssError('ERR_STATE', { message: 'the native addon is loaded already' });
}
