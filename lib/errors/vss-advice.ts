import type { ErrorCode } from './codes';

/** What an HRESULT of the Volume Shadow Copy Service means for the caller. */
export interface HresultAdvice {
  readonly code: ErrorCode;
  /** Advice; undefined if the advice of the code says it all. */
  readonly hint: string | undefined;
  /** Whether the same call may succeed later without manual changes. */
  readonly retryable: boolean;
}

const later = (code: ErrorCode, hint?: string): HresultAdvice => ({ code, hint, retryable: true });
const never = (code: ErrorCode, hint?: string): HresultAdvice => ({ code, hint, retryable: false });

const eventLog = 'the Application event log (sources VSS and the provider) and the System log (VolSnap) hold the cause';
const oldCopies = 'delete old shadows (`domino-vss shadow list`, `shadow delete`) or enlarge the shadow storage';
const accessDenied = never('ERR_VSS_ACCESS');
const serviceDown = never('ERR_VSS_SERVICE');
const badDocument = never('ERR_VSS_DOCUMENT');
const outOfMemory = later('ERR_VSS', 'Windows is short of memory; repeat at a quieter time.');

/** Any other HRESULT is an `ERR_VSS` without advice of its own. */
const byHresult: Readonly<Record<number, HresultAdvice>> = {
  0x80042301: never(
    'ERR_VSS_STATE',
    'If it happens again, please report it with the methods that were called before (the message names the last one).',
  ),
  0x80042302: later('ERR_VSS', `Something inside VSS failed: ${eventLog}.`),
  0x80042304: never('ERR_VSS_PROVIDER', 'No provider has this id: `domino-vss provider list` shows those that exist.'),
  0x80042306: later(
    'ERR_VSS_PROVIDER',
    `The provider refused (veto): ${eventLog}. Wait ten minutes and try again, three times at most. If it refuses every time, ` +
      'look for filter drivers of other file systems (fltmc filters), and leave out auto-recovery (vss.autoRecovery: false; ' +
      '`set option noautorecover` in a script).',
  ),
  0x80042307: later('ERR_VSS_PROVIDER', 'The provider is busy; try again in a few minutes.'),
  0x80042308: never(
    'ERR_VSS_NOT_FOUND',
    'The volume, shadow or set does not exist (any more): `domino-vss shadow list` shows the existing shadows.',
  ),
  0x8004230c: never(
    'ERR_VSS_VOLUME',
    'No provider can make a shadow of this volume; it must be a local NTFS or ReFS volume.',
  ),
  0x8004230d: never('ERR_VSS', 'The volume or component is in the set already: name it once.'),
  0x8004230e: never(
    'ERR_VSS_VOLUME',
    'The named provider does not support this volume; omit providerId, or name another provider.',
  ),
  0x8004230f: later(
    'ERR_VSS_PROVIDER',
    `The provider failed in an unexpected way: ${eventLog}. Wait ten minutes and try again, three times at most.`,
  ),
  0x80042310: badDocument,
  0x80042311: badDocument,
  0x80042312: never('ERR_VSS_LIMIT', 'At most 64 volumes fit into one set: back them up in several.'),
  0x80042313: later(
    'ERR_VSS_TIMEOUT',
    'The file systems could not be flushed in time: the disks are too busy. Wait ten minutes, or choose a quieter time.',
  ),
  0x80042314: later(
    'ERR_VSS_TIMEOUT',
    'Writes could not be held back for as long as the snapshot took (10 seconds): the disks are too busy. Wait ten ' +
      'minutes, choose a quieter time, or give the shadow storage a disk of its own.',
  ),
  0x80042315: later('ERR_VSS_WRITER', `A writer failed in an unexpected way: ${eventLog}.`),
  0x80042316: later(
    'ERR_VSS_IN_PROGRESS',
    'Another program is making a shadow on this machine, and only one can do so at a time. It was retried until the ' +
      'time limit: find the other backup (event 8231 names the requester), or raise the timeout.',
  ),
  0x80042317: never(
    'ERR_VSS_LIMIT',
    `The volume has the maximum number of shadows (512, of client-accessible ones 64 by default): ${oldCopies}.`,
  ),
  0x80042318: serviceDown,
  0x80042319: never('ERR_VSS_WRITER', 'The writer does not answer: restart the service it belongs to, or exclude it.'),
  0x8004231b: never(
    'ERR_VSS_CONTEXT',
    'This Windows cannot make shadows in this context or with these attributes; client editions lack several of them.',
  ),
  0x8004231d: never('ERR_VSS_REVERT', 'The volume is in use: close open files on it, or force its dismount.'),
  0x8004231e: never('ERR_VSS_STORAGE', `No further shadow storage can be set up: ${oldCopies}.`),
  0x8004231f: never('ERR_VSS_STORAGE'),
  0x80042320: never('ERR_VSS_IMPORT'),
  0x80042321: never(
    'ERR_VSS_IMPORT',
    'Some shadows were imported, others were not: `domino-vss shadow list` shows which.',
  ),
  0x00042321: never(
    'ERR_VSS_IMPORT',
    'Some shadows were imported, others were not: `domino-vss shadow list` shows which.',
  ),
  0x80042325: later('ERR_VSS_REVERT', 'Another revert of this volume is running: wait for it.'),
  0x80042326: never(
    'ERR_VSS_REVERT',
    'The volume was dismounted or went offline while it was reverted: check it before use.',
  ),
  0x80042327: never('ERR_VSS_PROVIDER', 'The provider needs a restart of Windows first.'),
  0x80042328: later(
    'ERR_VSS_TIMEOUT',
    'The transaction manager could not be frozen in time; try again, or use the attribute not-transacted.',
  ),
  0x80042329: later('ERR_VSS_TIMEOUT', 'The transaction manager could not be thawed in time; try again.'),
  0x8004232c: never('ERR_VSS_VOLUME', 'Virtual disks are nested too deep on this volume.'),
  0x8004232d: never('ERR_VSS_VOLUME', 'The volume belongs to another machine: make the shadow there.'),
  0x80042336: later('ERR_VSS_WRITER', 'Some components of the writer failed; its own message says which.'),
  0x800423f0: never(
    'ERR_VSS_WRITER',
    'The writer has files on volumes outside the set: add them, or exclude the writer.',
  ),
  0x800423f1: later('ERR_VSS_WRITER', 'The writer is short of memory or other resources; try again in ten minutes.'),
  0x800423f2: later(
    'ERR_VSS_WRITER',
    'The writer was frozen for longer than it allows (60 seconds as a rule). Try again at a quieter time, or exclude it.',
  ),
  0x800423f3: later(
    'ERR_VSS_WRITER',
    'The writer failed temporarily: try again. If it fails again, restart the service it belongs to, or exclude it.',
  ),
  0x800423f4: never(
    'ERR_VSS_WRITER',
    'The writer refuses, and will refuse again: check the event log of its application, restart its service, or exclude it.',
  ),
  0x800423f5: never(
    'ERR_VSS_WRITER',
    'The writer could not recover its data in the new shadow; autoRecovery: false avoids that.',
  ),
  0x800423f6: never('ERR_VSS_PROVIDER', 'The identity of the broken disks could not be changed.'),
  0x800423f7: never('ERR_VSS_PROVIDER', 'The provider is too old for this call.'),
  0x800423fb: never('ERR_VSS_WRITER', 'The new shadow could not be recovered; autoRecovery: false avoids that.'),
  0x80042409: later('ERR_VSS_WRITER', 'The writer has too many sessions at once to tell its status; try again later.'),
  0x80070005: accessDenied,
  0x80070522: accessDenied,
  0x80070422: serviceDown,
  0x8007041d: serviceDown,
  0x80070426: serviceDown,
  0x80080005: serviceDown,
  0x80040154: serviceDown,
  0x800706ba: later(
    'ERR_VSS_SERVICE',
    'The Volume Shadow Copy service does not answer. After a start of the system it may not be ready: try again in a ' +
      'minute; otherwise check that the services VSS and swprv are not disabled.',
  ),
  0x800706be: later('ERR_VSS_SERVICE', 'The Volume Shadow Copy service ended during the call; try again.'),
  0x80010108: later('ERR_VSS_SERVICE', 'The Volume Shadow Copy service ended during the call; try again.'),
  0x8007000e: outOfMemory,
  0x80004001: never('ERR_VSS_CONTEXT', 'This Windows, or the provider, does not have this function.'),
};

/** A provider fails in this way each time it is asked about a volume of a kind that it does not know. */
const unknownVolume = never(
  'ERR_VSS_VOLUME',
  'No shadow can be made of this volume: encrypted containers, pool drives and other volumes that a third-party driver ' +
    'presents to Windows are the usual cause. Use a local NTFS volume.',
);

/** What an HRESULT means, for the given method or, without `operation`, for any method. */
export function adviceOnHresult(hresult: number, operation = ''): HresultAdvice | undefined {
  if (hresult === 0x8004230f && operation.endsWith('::IsVolumeSupported')) return unknownVolume;
  return byHresult[hresult];
}
