/** Which error class carries a code. */
export type ErrorClass =
  | 'DominoVssError'
  | 'DominoError'
  | 'BackupError'
  | 'ShadowError'
  | 'VssError'
  | 'FileSystemError'
  | 'ServiceError'
  | 'AbortError'
  | 'OptionError'
  | 'RestoreError'
  | 'ProcessError';

/** Exit codes of the command line that stand for an error. */
export type ErrorExitCode = 1 | 2 | 4 | 5 | 130;

/** What is known about one error code. */
export interface ErrorCodeEntry {
  /** What happened. */
  readonly meaning: string;
  /** What the reader can do about it. */
  readonly action: string;
  readonly errorClass: ErrorClass;
  /** Whether the same call may succeed later without anything being changed by hand. */
  readonly retryable: boolean;
  /** Exit code of the command line when this error ends a command. */
  readonly exitCode: ErrorExitCode;
}

const failure = { retryable: false, exitCode: 1 } as const;
const failureForNow = { retryable: true, exitCode: 1 } as const;
const precondition = { retryable: false, exitCode: 4 } as const;

/** Every error code of the package. Codes are stable: a code is changed or removed in a new major version only. */
export const errorCodes = {
  ERR_OPTION: {
    meaning: 'An option is unknown, has the wrong type, or contradicts another one.',
    action: 'Correct the option that the message names.',
    errorClass: 'OptionError',
    retryable: false,
    exitCode: 2,
  },
  ERR_STATE: {
    meaning:
      'A call was made in the wrong order, for example createShadow twice, or a call on a backup that has ended.',
    action: 'Begin a new backup; the order is beginBackup, createShadow, endBackup.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_ABORTED: {
    meaning:
      'The call was cancelled by its AbortSignal. Everything has been rolled back, except for what the error lists in `leftBehind`.',
    action: 'Nothing; the cause of the error is the reason that was given to the signal.',
    errorClass: 'AbortError',
    retryable: true,
    exitCode: 130,
  },
  ERR_DEADLINE: {
    meaning: 'A call did not finish within its time. All databases are out of backup mode.',
    action: 'Raise timeoutMs, or look in the timeline for the phase that took the time.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_LEASE_EXPIRED: {
    meaning: 'The backup was idle, with its databases open, for longer than its lease, and ended itself.',
    action: 'Call createShadow soon after beginBackup, or raise leaseMs.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_LOCKED: {
    meaning:
      'Another backup or restore of the same data directory is running on this machine, with this or another delta directory; or another process is changing the same log archive.',
    action: 'Wait until it has ended, then try again.',
    errorClass: 'DominoVssError',
    retryable: true,
    exitCode: 5,
  },
  ERR_PROCESS_ENDED: {
    meaning:
      'The process that used Domino for this call has died, or was killed because it exceeded its time limits. Its journal says what is left.',
    action:
      'Run the `domino-vss recover` command of the message; the next backup to the same delta directory also does this first.',
    errorClass: 'ProcessError',
    ...failureForNow,
  },
  ERR_NATIVE_LOAD: {
    meaning: 'The native addon could not be loaded.',
    action:
      'The message says for which systems there are binaries. With a bundler, keep domino-vss outside the bundle, or name the file of the addon in `DOMINO_VSS_ADDON`. For another system, build the addon in a clone of the repository (`npm run build`) and name that file.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_UNSUPPORTED: {
    meaning: 'This platform, file system or Domino release cannot do what was asked for.',
    action: 'Choose another provider or mode; getCapabilities() reports what is possible, and why the rest is not.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_INTERNAL: {
    meaning: 'A defect in domino-vss itself.',
    action: 'Please report it, with the message and the cause.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_FILE_SYSTEM: {
    meaning: 'An operation on a file failed; the cause holds the error of the operating system.',
    action:
      'See the path and the system error in the message: check permissions, missing directories, read-only volumes.',
    errorClass: 'FileSystemError',
    ...failure,
  },
  ERR_OPEN_FILES: {
    meaning: 'This process may not open as many files as it needs: one for each database, and some more.',
    action:
      'Raise the limit to the number that the message or the hint names: ulimit -n, or LimitNOFILE in the systemd unit.',
    errorClass: 'FileSystemError',
    retryable: false,
    exitCode: 4,
  },
  ERR_NO_SPACE: {
    meaning: 'There is not enough free space for copies, deltas or the restored databases.',
    action: 'Free the space that the message names, or choose another directory.',
    errorClass: 'FileSystemError',
    ...precondition,
  },

  ERR_DOMINO_LIBRARY: {
    meaning: 'The Domino runtime library was not found or could not be loaded.',
    action: 'Name the Domino program directory (option domino.programDirectory, --program, or Notes_ExecDirectory).',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_LIBRARY_UNSAFE: {
    meaning: 'The Domino runtime library, or a directory above it, can be changed by ordinary users.',
    action:
      'Run the command of the message as an administrator. Where others shall keep that right, option domino.trustProgramDirectory (--trust-program) lifts this check alone.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_ENVIRONMENT: {
    meaning: 'A library that the Domino runtime depends on was not found.',
    action:
      'Start the process with the program directory in LD_LIBRARY_PATH; the command line does this automatically.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_BITNESS: {
    meaning: 'The Domino runtime library is for another architecture than this process.',
    action: 'Use Node.js of the same architecture as the Domino server.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_NOTES_INI: {
    meaning: 'notes.ini was not found, cannot be read, or names no data directory.',
    action: 'Name it (option domino.notesIni or --ini); the server normally keeps it in its data directory.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_SEVERAL: {
    meaning: 'Several Domino servers are registered on this machine, and none was selected.',
    action: 'Name the notes.ini of the right one (option domino.notesIni, --ini, or NOTES_INI in the environment).',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_USER: {
    meaning: 'Domino refuses to run under this user, usually because it is root.',
    action: 'Run as the user that the Domino server runs as (the owner of the data directory).',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_INIT: {
    meaning: 'The Domino runtime could not be initialised.',
    action: 'See the status in the message; `domino-vss doctor` tests every precondition.',
    errorClass: 'DominoError',
    ...precondition,
  },
  ERR_DOMINO_RUNTIME_BUSY: {
    meaning:
      'This process already uses a Domino runtime: for another program directory or notes.ini, or in another copy of this package.',
    action:
      'Use a separate process for each Domino partition, and only one copy of the package in each process: the runtime can be started only once.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DOMINO_NOT_OPEN: {
    meaning: 'A call needs the Domino runtime, which this process has not opened yet or has already closed.',
    action: 'Begin a backup or a restore first, and do not make calls while the process exits.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DOMINO_CALL: {
    meaning: 'A function of the Domino C API failed.',
    action: 'See the name, number and text of the status.',
    errorClass: 'DominoError',
    ...failure,
  },

  ERR_FIND: {
    meaning: 'The databases in the data directory could not be listed, or a link or directory link there is broken.',
    action: 'See the path in the message: check permissions, broken links, directories that are not mounted.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_NO_DATABASES: {
    meaning: 'No database was left to back up: nothing matches the selection, or none could be opened.',
    action: 'Check the include and exclude globs against `findDatabases`, and the failures of this error.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_REQUIRED_DATABASE: {
    meaning: 'A database named by the option `required` is missing or was skipped.',
    action: 'See the failures of this error for the reason.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_TOO_MANY_SKIPPED: {
    meaning: 'More databases were skipped than `maxSkipped` allows.',
    action: 'See the failures of this error for the reasons.',
    errorClass: 'BackupError',
    ...failure,
  },
  ERR_DATABASE_VANISHED: {
    meaning: 'A database disappeared: between the start of the backup and the window, or since the last backup.',
    action: 'Nothing, if it was deleted on purpose.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_DATABASE_UNREADABLE: {
    meaning:
      'An earlier backup contains this database, but its file no longer starts like a database: it is empty or was overwritten.',
    action: 'Check the file, and restore the database from that backup if it is damaged.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DATABASE_REPLACED: {
    meaning: 'A database was replaced by another file (for example by a copy-style compact) during the backup.',
    action: 'Repeat the backup; a logged database also has a new instance id and needs a new full backup.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_WINDOW_TIMEOUT: {
    meaning: 'The freeze window was longer than windowTimeoutMs; the databases were taken out of backup mode.',
    action: 'Raise windowTimeoutMs, or find out which databases or which storage make it long (rehearse, bench).',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_DATABASE_BUDGET: {
    meaning:
      'A call on a database did not return within databaseBudgetMs, or its copy made no progress for that long. The database was skipped.',
    action: 'Raise databaseBudgetMs, or check whether maintenance is running on the database.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_DATABASE_STUCK: {
    meaning:
      'A call to the Domino C API did not return, on this database or on another one of the same thread. The database may still be in backup mode.',
    action: 'Check the database on the server; restarting the server certainly ends its backup mode.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_ORIGINAL_ASIDE: {
    meaning:
      'It is not certain what an interrupted restore did to this database: its original is beside its place, or missing.',
    action: 'Do what the text says, then run `domino-vss recover`, and back up again.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DATABASE_NOT_REACHED: {
    meaning: 'The deadline passed, or the backup was cancelled, before this database was reached.',
    action: 'Raise timeoutMs, or use more shards.',
    errorClass: 'DominoVssError',
    ...failureForNow,
  },
  ERR_BACKUP_ENDED_BY_DOMINO: {
    meaning:
      'Domino itself ended the backup mode of a database: it lasted too long (0x3810), or there were too many changes (0x2DD8).',
    action: 'Repeat the backup at a quieter time; BACKUP_TIMEOUT in notes.ini sets the time limit in minutes.',
    errorClass: 'DominoError',
    ...failureForNow,
  },

  ERR_DELTA_DIRECTORY: {
    meaning:
      'The delta directory cannot be created or written to, lies in the data directory, or others can tamper with it.',
    action: 'Choose a directory that only this user can write to, on a volume without databases.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DELTA_WRITE: {
    meaning: 'The change information of a database could not be written; without it the copy is worthless.',
    action: 'Check the free space and the health of the volume with the delta directory.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_SHADOW: {
    meaning: 'A call that creates or deletes the shadow failed.',
    action: 'See the system call and its error in the message.',
    errorClass: 'ShadowError',
    ...failure,
  },
  ERR_FILE_HANGS: {
    meaning:
      'A call to the file system did not return, for example on a mount whose server is gone. The call was abandoned.',
    action: 'Check the mount of the file in the message. When it responds again, or the process has ended, try again.',
    errorClass: 'FileSystemError',
    ...failureForNow,
  },
  ERR_SHADOW_HANGS: {
    meaning:
      'A call to VSS, the file system or the hook that creates or deletes the shadow did not return. The databases are out of backup mode; the call was abandoned.',
    action:
      'Check the storage that the message names, on Windows also the Application event log (VSS and its provider). End this process, restart the service that hangs, then run domino-vss recover: the journal names what may be left.',
    errorClass: 'ShadowError',
    ...failure,
  },
  ERR_SHADOW_DIRECTORY: {
    meaning:
      'The directory for shadows cannot be used: it is not writable, is writable by others, is on another file system, or is inside the data directory.',
    action: 'Name another one with shadowDirectory (--shadow-dir), on the same file system as the databases.',
    errorClass: 'ShadowError',
    ...precondition,
  },
  ERR_CLONE_REFUSED: {
    meaning: 'The file system refused to clone a file. domino-vss never makes a slow copy instead without telling you.',
    action: 'Use the provider `rolling`, or a file system with reflinks (XFS with reflink=1, btrfs).',
    errorClass: 'ShadowError',
    ...precondition,
  },
  ERR_HOOK: {
    meaning: 'The snapshot function of a hook provider failed or returned no usable shadow.',
    action: 'See the message: it contains the error of that function.',
    errorClass: 'ShadowError',
    ...failure,
  },
  ERR_HOOK_TIMEOUT: {
    meaning:
      'The snapshot function of a hook provider did not return in time. The databases were taken out of backup mode.',
    action: 'Make the snapshot faster, or raise timeoutMs.',
    errorClass: 'ShadowError',
    ...failureForNow,
  },
  ERR_HOLD_EXPIRED: {
    meaning:
      'The time of the hold was over and the databases left backup mode before the release. The snapshot cannot be used as a backup.',
    action: 'Take the snapshot again, with a longer hold (maxHoldMs, --max-hold) or a quicker snapshot.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_NOT_HELD: {
    meaning:
      'Nothing is held: the hold was cancelled, or the process that held the databases has ended. A snapshot taken since then cannot be used as a backup.',
    action: 'Take the snapshot again, between hold and release; "domino-vss hold --status" shows what is held.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_WRITER_SNAPSHOT: {
    meaning:
      'A snapshot of another program, in which the VSS writer of domino-vss took part, failed. All databases are out of backup mode.',
    action: 'See the message, and the log of the program that took the snapshot; take the snapshot again.',
    errorClass: 'BackupError',
    ...failureForNow,
  },
  ERR_WRITER_CONFLICT: {
    meaning: 'Another VSS writer already backs up the databases of this server.',
    action:
      'Remove backupvss from ServerTasks in notes.ini and end that task, or do not use "domino-vss writer serve".',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_VSS: {
    meaning: 'A call to the Volume Shadow Copy Service failed.',
    action: 'See the method and the code in the message; the Application and System event logs have details.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_ACCESS: {
    meaning:
      'This process may not use the Volume Shadow Copy Service: it is not elevated, or does not have the backup privilege.',
    action: 'Run as administrator (elevated), as a member of Backup Operators, or as LocalSystem.',
    errorClass: 'VssError',
    ...precondition,
  },
  ERR_VSS_LIBRARY: {
    meaning: 'vssapi.dll could not be loaded from the system directory, or this process has the wrong bitness for it.',
    action: 'Use 64-bit Node.js on 64-bit Windows; VSS does not work under WOW64.',
    errorClass: 'VssError',
    ...precondition,
  },
  ERR_VSS_SERVICE: {
    meaning: 'The Volume Shadow Copy service, or the COM+ Event System that it needs, cannot be reached.',
    action:
      'Set both services to start on demand, not disabled, and check the Application event log. Event 8194 ' +
      'there means that writers were not allowed to call back into this process.',
    errorClass: 'VssError',
    ...precondition,
  },
  ERR_VSS_STATE: {
    meaning: 'The Volume Shadow Copy Service rejected a call that was made in the wrong order.',
    action: 'This is a defect in domino-vss, or another program uses the same set; please report it.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_CONTEXT: {
    meaning: 'This edition of Windows or this provider does not support the requested context, attribute or function.',
    action: 'Use another context or fewer attributes; server editions support more of them than client editions.',
    errorClass: 'VssError',
    ...precondition,
  },
  ERR_VSS_PLACE: {
    meaning:
      'A shadow cannot be exposed there: the place is in use, the directory is missing, is not empty or is a file, or the shadow is already exposed.',
    action: 'The message gives the reason. Choose another place, or free this one.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_VOLUME: {
    meaning: 'This volume cannot be shadowed.',
    action: 'Use a local NTFS volume; `domino-vss provider list --supports <volume>` shows whether it can be shadowed.',
    errorClass: 'VssError',
    ...precondition,
  },
  ERR_VSS_IN_PROGRESS: {
    meaning: 'Another program kept creating a shadow; only one can be created at a time on a machine.',
    action: 'Wait for the other backup to end, or raise the timeout.',
    errorClass: 'VssError',
    retryable: true,
    exitCode: 5,
  },
  ERR_VSS_PROVIDER: {
    meaning: 'The provider that creates shadows refused or failed.',
    action: 'Check the Application and System event logs for the reason; wait ten minutes before you try again.',
    errorClass: 'VssError',
    ...failureForNow,
  },
  ERR_VSS_STORAGE: {
    meaning: 'There is not enough space for a shadow.',
    action:
      'Enlarge the shadow storage of the volume (`vssadmin resize shadowstorage`), free space on it (320 MB at least), or ' +
      'delete old shadows.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_LIMIT: {
    meaning: 'The maximum number of shadows of a volume, or of volumes in a set, has been reached.',
    action: 'Delete old shadows, or use fewer volumes at once.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_TIMEOUT: {
    meaning: 'Windows abandoned the shadow because writes could not be flushed or held in time.',
    action: 'Try again at a quieter time.',
    errorClass: 'VssError',
    ...failureForNow,
  },
  ERR_VSS_WRITER: {
    meaning: 'A writer that takes part in the snapshot failed or refused.',
    action: 'See the failed writers of this error; restart the service of the writer, or exclude it.',
    errorClass: 'VssError',
    ...failureForNow,
  },
  ERR_VSS_WRITER_MISSING: {
    meaning: 'A writer or component that was to be verified does not take part.',
    action: 'Start its application, and add every volume with files of that application; see `domino-vss writer list`.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_NOT_FOUND: {
    meaning: 'A volume, shadow, snapshot set or provider does not exist.',
    action: 'See `domino-vss shadow list` and `domino-vss provider list`.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_DOCUMENT: {
    meaning: 'A Backup Components Document or writer metadata document cannot be read.',
    action: 'Use the document exactly as it was saved with its backup.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_IMPORT: {
    meaning: 'A transportable set could not be imported, or not completely.',
    action: 'Make its disks visible to this machine first, and use the document of this set.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_VSS_REVERT: {
    meaning: 'A volume cannot be reverted to a shadow.',
    action:
      'See the message; system volumes, volumes in use and volumes that a running Domino needs are never reverted.',
    errorClass: 'VssError',
    ...failure,
  },
  ERR_SHADOW_FOREIGN: {
    meaning: 'The selection includes shadows that were not made by this package. Nothing was deleted.',
    action: 'Keep them (foreign: "keep", --own-only), or delete them too (foreign: "delete", --foreign).',
    errorClass: 'ShadowError',
    ...precondition,
  },
  ERR_SHADOW_VANISHED: {
    meaning:
      'The shadow was deleted while databases were being copied from it, or before the backup that was to keep it had ended.',
    action:
      'Enlarge the shadow storage: when it is full, Windows deletes the oldest shadow (System event log, VolSnap). Then ' +
      'repeat the backup.',
    errorClass: 'ShadowError',
    ...failureForNow,
  },
  ERR_COPY: {
    meaning: 'A database could not be copied: a file is shorter than at the start of the backup, or the target exists.',
    action: 'Copy into an empty directory; the message names the file.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_EXEC: {
    meaning:
      'A program that was run by a script or a backup could not be started, or ended with an exit code other than 0.',
    action: 'See its output; a Windows script file that succeeds should end with "exit /b 0".',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_STATE_DIRECTORY: {
    meaning:
      'Ordinary users can change the directory where scripts without Domino keep their journals, or it cannot be created.',
    action:
      'Check its contents, which may come from somebody else, then delete it. It is created again, with access for SYSTEM and administrators only.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_SERVICE: {
    meaning: 'A Windows service could not be stopped, started, installed or removed.',
    action: 'Check the state of the service immediately: it may be stopped.',
    errorClass: 'ServiceError',
    ...failure,
  },

  ERR_MANIFEST: {
    meaning: 'A manifest is missing, was changed, does not match its schema, or is of a later version.',
    action: 'Use the manifest exactly as the backup wrote it, with its databases.ndjson beside it.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_BACKUP_CHAIN: {
    meaning:
      'An incremental backup builds on an earlier one that is missing, damaged, or another one than it was. What the earlier one holds cannot be restored; the rest can.',
    action:
      'Bring the earlier backup back to its place beside the incremental one, or restore from another backup. Make a full backup soon.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_SIGNATURE: {
    meaning: 'A signature was required, but the manifest has none, or one that does not match this public key.',
    action: 'Use a signed backup, and the public key that belongs to its private key. Do not trust this backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_CORRUPT_CHANGE_INFO: {
    meaning: 'Domino refused the change information: it is damaged or does not belong to this copy.',
    action: 'Use the delta of the same backup; otherwise restore from another backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_DELTA_DAMAGED: {
    meaning: 'A delta file is missing, or differs in size or SHA-256 from the manifest.',
    action: 'Put the delta file of this backup back, or restore from another backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_CONTENTS_DAMAGED: {
    meaning:
      'A copy, or a database in a kept shadow, has changed since the backup: its SHA-256, size, signature or header differs.',
    action: 'Restore from another copy or another backup, and find out why; the damaged file is not touched.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_SOURCE: {
    meaning:
      'The backup has no data for a database: there is no copy, and its shadow was not kept or no longer exists.',
    action: 'Name the directory with the copies, or use another backup.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_TARGET: {
    meaning:
      'A database cannot be restored to the place asked for: something else is there, or it lies outside the data directory.',
    action:
      'Choose another place (--as, --to-directory). Of another server or data directory: say so (--other-server).',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_LOG_STYLE: {
    meaning: 'The server has no transaction log of archive style, so there is nothing to archive.',
    action:
      'A circular or linear log is written over: take backups often enough. For an archive set TRANSLOG_Style=1 in notes.ini, and restart the server.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_LOG_ARCHIVE: {
    meaning:
      'The archive of the transaction log contradicts itself or the log: a catalogue was changed, or an extent has other contents than the log. Nothing was removed.',
    action:
      'Look at the file in the message; archive to another, empty directory until it is clear, for the log grows meanwhile.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_RESTORE_LOG: {
    meaning:
      'The recovery of a logged database needs a transaction log that is another one than the server writes, or extents that are not there any more. Nothing was touched.',
    action:
      'Use a later backup. Extents that were archived: name the archive (logArchive, --log-archive). On another server, or after the log was made anew, restore the state of the backup (--other-server, --until backup).',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_TIME: {
    meaning:
      'The time to restore to is before the backup or in the future, or the backup does not contain its own time.',
    action: 'The transaction log can only roll forward: use an earlier backup, or a later time.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_IN_USE: {
    meaning: 'The restore is offline, but another process has the database open.',
    action: 'Stop the Domino server first, or restore online.',
    errorClass: 'RestoreError',
    ...failureForNow,
  },
  ERR_RESTORE_SYSTEM_DATABASE: {
    meaning: 'A database that the server always holds open is skipped when everything is restored.',
    action: 'Name it explicitly, with the server stopped, or restore it under another name.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_NOT_PUT_BACK: {
    meaning: 'A restore failed and the original database could not be put back; it is still beside its place.',
    action: 'Rename the file that the message names to its original name and bring the database online.',
    errorClass: 'RestoreError',
    ...failure,
  },
  ERR_RESTORE_FAILED: {
    meaning: 'No database could be restored.',
    action: 'See the failures of this error for the reasons.',
    errorClass: 'RestoreError',
    ...failure,
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** A stable error code, `ERR_…`. */
export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
