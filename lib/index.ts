import type { Backup } from './backup';
import { beginBackup as begin, type BeginBackupOptions } from './begin-backup';
import { loadBinding } from './binding';
import { getCapabilities as capabilities, type Capabilities, type CapabilitiesOptions } from './capabilities';
import { findDatabases as find, type FindDatabasesOptions, type FindDatabasesResult } from './databases';
import { runDoctor as examine, type DoctorOptions, type DoctorReport } from './doctor';
import { publicCall } from './call';
import { loadManifest, readBackups, type ListedBackup, type Manifest } from './manifest';
import { absolutePath } from './options';
import { rehearse as rehearseBackup, type RehearsalReport, type RehearseOptions } from './rehearse';
import { restoreDatabases as restore, type RestoreOptions, type RestoreReport } from './restore';

export type { Backup, CreateShadowOptions, EndBackupOptions } from './backup';
export type { BackupReport } from './backup-report';
export type { BeginBackupOptions } from './begin-backup';
export type { Capabilities, CapabilitiesOptions, ProviderCapability } from './capabilities';
export type { DatabaseCopy, ManifestDatabase } from './captured';
export type { DatabaseChanges, FindDatabasesOptions, FindDatabasesResult, FoundDatabase } from './databases';
export type { CheckStatus, DoctorCheck, DoctorOptions, DoctorReport } from './doctor';
export { errorCodes, type ErrorClass, type ErrorCode, type ErrorCodeEntry, type ErrorExitCode } from './error-codes';
export {
  AbortError,
  BackupError,
  DominoError,
  DominoVssError,
  isDominoVssError,
  OptionError,
  RestoreError,
  ShadowError,
  type DatabaseFailure,
} from './errors';
export type { LeftOver } from './journal';
export type { ListedBackup, Manifest, ManifestHead, ManifestVolume } from './manifest';
export type { Phase } from './native';
export type { DominoLocation } from './options';
export type { Progress, ProgressListener } from './progress';
export type {
  HookContext,
  HookLimits,
  HookProvider,
  HookShadow,
  ProviderChoice,
  ProviderName,
  ProviderOption,
} from './provider';
export type { RehearsalReport, RehearseOptions, SlowDatabase } from './rehearse';
export type { RestoredDatabase, RestoreOptions, RestoreReport } from './restore';
export type { RestoreMode, RestoreStep } from './restore-plan';
export type { LeftOutReason, SelectionOptions } from './selection';
export { systemdService, type BackupMode, type DominoService } from './service';
export type { CopyDatabasesOptions, CopyReport, Shadow, SnapshotSet } from './snapshot-set';
export type { Spread } from './spread';
export type { PhaseTiming, Timeline, WindowFigures, WindowMessage } from './timeline';

/**
 * Finds and opens the databases and prepares the snapshot. This is the slow part; nothing is frozen. The databases stay
 * open until {@link Backup.endBackup} or {@link Backup.dispose}, and at most for the lease.
 *
 * @throws {@link OptionError} for a wrong option; `ERR_LOCKED` while another process backs up or restores the same data
 * directory; `ERR_DOMINO_…` when the Domino runtime cannot be used; {@link BackupError} when databases that are required
 * are missing, too many are left out, or time is over; {@link AbortError} when cancelled. Nothing is left in any case.
 */
export function beginBackup(options: BeginBackupOptions): Promise<Backup> {
  return begin(loadBinding, options);
}

/**
 * Puts every selected database into backup mode and takes it out again, as a backup would, without a shadow: finds those
 * that refuse, warms the caches, and predicts the freeze window. Nothing is left.
 *
 * @throws what {@link beginBackup} and `createShadow` throw; {@link BackupError} `ERR_NO_DATABASES`, with each reason,
 * when every database refuses.
 */
export function rehearse(options: RehearseOptions): Promise<RehearsalReport> {
  return rehearseBackup(loadBinding, options);
}

/**
 * Restores databases of a backup: one, several, or all but those that a server always holds open. The originals are kept
 * until success; whatever fails, a database is afterwards either restored or as it was before.
 *
 * @throws {@link RestoreError} when nothing could be restored, the manifest is not intact, or a database could not be
 * put back; `ERR_LOCKED`, `ERR_NO_SPACE`, `ERR_DOMINO_…`; {@link AbortError} when cancelled, with everything put back.
 */
export function restoreDatabases(options: RestoreOptions): Promise<RestoreReport> {
  return restore(loadBinding, options);
}

/**
 * Reads a manifest and checks that it is intact; `path` is the absolute path of the file or of the backup's directory.
 *
 * @throws {@link RestoreError} `ERR_MANIFEST`.
 */
export function readManifest(path: string): Promise<Manifest> {
  return publicCall(async () => {
    absolutePath(path, 'path');
    return loadManifest(path);
  });
}

/** The backups of a delta directory (absolute), oldest first, with unfinished and damaged ones. */
export function listBackups(deltaDirectory: string): Promise<ListedBackup[]> {
  return publicCall(async () => {
    absolutePath(deltaDirectory, 'deltaDirectory');
    return readBackups(deltaDirectory);
  });
}

/**
 * Lists the databases under the data directory and behind its links, and which of them a backup would take. Needs
 * notes.ini, not the Domino runtime.
 *
 * @throws {@link OptionError}, `ERR_DOMINO_NOTES_INI`, {@link BackupError} `ERR_FIND`, {@link AbortError}.
 */
export function findDatabases(options: FindDatabasesOptions = {}): Promise<FindDatabasesResult> {
  return find(loadBinding, options);
}

/**
 * Tests every precondition of a backup and says what to do about those that are not met. An unmet precondition is a
 * result; only wrong options and an abort are errors.
 */
export function runDoctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  return examine(loadBinding, options);
}

/** Tells which providers can be used, in general or on the file system of a directory. Works on every system. */
export function getCapabilities(options: CapabilitiesOptions = {}): Promise<Capabilities> {
  return capabilities(loadBinding, options);
}
