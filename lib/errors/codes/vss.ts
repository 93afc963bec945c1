import { failure, failureForNow, precondition, type ErrorCodeEntry } from './entry';

/** The Volume Shadow Copy Service. */
export const vssCodes = {
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
} as const satisfies Record<string, ErrorCodeEntry>;
