import type { Hash } from 'node:crypto';
import { isHookRecord, type HookRecord } from './hook-record';
import type { Phase } from '../native/failure';

/**
 * The first line of a journal, as JSON. The following lines are JSON strings: first the paths of the databases in backup mode,
 * then the files that are being copied from the shadow. The last line is that of {@link checkLine}: what a journal names is removed
 * and renamed, so a damaged one is not believed.
 */
export interface JournalHead {
  readonly format: 1;
  readonly id: string;
  readonly work: JournalWork;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot, to recognise a reused pid; empty if unknown. */
  readonly processStart: string;
  /**
   * The boot id of the system that the process belongs to. Empty if {@link processStart} is unique without it (Windows), or if
   * unknown.
   */
  readonly boot: string;
  /** Name of the machine. */
  readonly host: string;
  /**
   * What the machine keeps when it gets another name: see `machineIdentity`. Empty if that cannot be told; absent in journals of
   * earlier versions.
   */
  readonly machine?: readonly string[] | undefined;
  readonly created: string;
  readonly dataDirectory: string;
  /** Directory of the backup that is being made; empty for other work. */
  readonly backupDirectory: string;
  readonly provider: string;
  /** Shadows that exist or are about to be made: directories, or ids with the provider `vss`. */
  readonly shadows: readonly string[];
  /** Volumes of a hook's shadows, in the order of {@link shadows}; a hook needs both to remove them. */
  readonly volumes: readonly string[];
  /** Id of the snapshot set of VSS; empty for none. */
  readonly snapshotSet: string;
  /** Hook that has been asked for a shadow, or is about to be, and has not answered; empty for none. */
  readonly pendingHook: string;
  /** A hook that can remove what it makes; recorded before it is called. Null for none. */
  readonly hook: HookRecord | null;
  /** Where shadows are exposed: symbolic links; with the provider `vss` drives, directories or shares. */
  readonly exposures: readonly string[];
  /** Service that was stopped and must be started again; empty for none. */
  readonly stoppedService: string;
  /** How many databases are in backup mode, or about to enter it; their paths follow, one per line. */
  readonly databasesInBackupMode: number;
  /** How many files are being copied from the shadow; their paths follow those of the databases. None of them existed before. */
  readonly copiedFiles: number;
  /** Databases that a restore moves from their places. */
  readonly restoring: readonly RestoringDatabase[];
  /** Progress of a restore for all of {@link restoring}. */
  readonly restorePhase: RestorePhase;
  /**
   * Files beside the databases of a restore that are not needed after it: copies being prepared, and originals that could not be
   * removed.
   */
  readonly temporaryFiles: readonly string[];
  /**
   * Places of databases of a restore on which a call of the process has not returned, and may still take effect while the process
   * lives. Absent in journals of earlier versions.
   */
  readonly hanging?: readonly string[] | undefined;
  /** Directories that did not exist before; the deepest last. Removed when they are empty and the work has not succeeded. */
  readonly newDirectories: readonly string[];
  /** The work has ended, and only the items named here could not be removed: the journal locks nobody out. */
  readonly ended: boolean;
}

/**
 * Kinds of work that keep a journal. `prune`: the removal of one backup; its journal has the id of that backup. `drill`: a
 * trial restore; its databases are in the directory that its temporary files name.
 */
export type JournalWork = 'backup' | 'restore' | 'recovery' | 'prune' | 'drill';

/**
 * `replacing`: copies take the places of originals; a killed restore is rolled back. `recovering`: the transaction log is applied
 * to the copies. `finishing`: the copies are good and may be in use; nothing removes them from now on. `handed-over`: a VSS
 * requester replaces the files while the databases are offline.
 */
export type RestorePhase = 'replacing' | 'recovering' | 'finishing' | 'handed-over';

/** A database that a restore moves from its place. */
export interface RestoringDatabase {
  /** Place of the database. */
  readonly file: string;
  /** Where the original is kept in the meantime; empty for a new database, which has none. */
  readonly original: string;
  /** Where the copy is prepared. */
  readonly temporary: string;
  /** Whether the database is taken offline. */
  readonly offline: boolean;
  /** Whether there was a file at its place before. */
  readonly hadOriginal: boolean;
  /** Identity of the copy before it takes the place: its identity in the file system, size and time of last change. */
  readonly copy: string;
  /** Its phase when its restore was abandoned; absent if it is that of the whole restore. */
  readonly phase?: RestorePhase | undefined;
}

/** The last line of a journal: the SHA-256 of all lines before it, in hexadecimal. */
export function checkLine(hash: Hash): string {
  return `${hash.digest('hex')}\n`;
}

/** Length of {@link checkLine}. */
export const checkLineBytes = 65;

/** The part of a journal that changes during the work. */
export type JournalChange = Partial<
  Pick<
    JournalHead,
    | 'provider'
    | 'shadows'
    | 'volumes'
    | 'snapshotSet'
    | 'pendingHook'
    | 'hook'
    | 'exposures'
    | 'stoppedService'
    | 'restoring'
    | 'restorePhase'
    | 'temporaryFiles'
    | 'hanging'
    | 'newDirectories'
    | 'ended'
  >
>;

/** The phase for errors about a kind of work. */
export function phaseOf(work: JournalWork): Phase {
  return work === 'backup' || work === 'prune' ? 'end' : 'restore';
}

/**
 * Whether two pieces of work must not run at the same time: on the same data directory, or when backups are being removed while a
 * restore may be reading them for another server. Plain volumes conflict with nothing.
 */
export function isInTheWay(one: WorkOnDirectory, other: WorkOnDirectory): boolean {
  if (one.dataDirectory !== '' && one.dataDirectory === other.dataDirectory) return true;
  const works = [one.work, other.work];
  return works.includes('prune') && works.every((work) => ['prune', 'restore', 'drill'].includes(work));
}

type WorkOnDirectory = Pick<JournalHead, 'work' | 'dataDirectory'>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function isRestorePhase(value: unknown): boolean {
  return ['replacing', 'recovering', 'finishing', 'handed-over'].includes(value as string);
}

function isRestoring(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  if (value.some((entry) => typeof entry !== 'object' || entry === null)) return false;
  return (value as Partial<RestoringDatabase>[]).every(
    ({ file, original, temporary, offline, hadOriginal, copy, phase }) =>
      [file, original, temporary, copy].every(isText) &&
      (phase === undefined || isRestorePhase(phase)) &&
      [offline, hadOriginal].every((flag) => typeof flag === 'boolean'),
  );
}

const checks: Readonly<Record<Exclude<keyof JournalHead, 'format'>, (value: unknown) => boolean>> = {
  id: (value) => typeof value === 'string' && /^\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(value),
  work: (value) => ['backup', 'restore', 'recovery', 'prune', 'drill'].includes(value as string),
  pid: isCount,
  processStart: isText,
  boot: isText,
  host: isText,
  machine: (value) => value === undefined || isTexts(value),
  created: isText,
  dataDirectory: isText,
  backupDirectory: isText,
  provider: isText,
  shadows: isTexts,
  volumes: isTexts,
  snapshotSet: isText,
  pendingHook: isText,
  hook: (value) => value === null || isHookRecord(value),
  exposures: isTexts,
  stoppedService: isText,
  databasesInBackupMode: isCount,
  copiedFiles: isCount,
  restoring: isRestoring,
  restorePhase: isRestorePhase,
  temporaryFiles: isTexts,
  hanging: (value) => value === undefined || isTexts(value),
  newDirectories: isTexts,
  ended: (value) => typeof value === 'boolean',
};

/** Reads the head of a journal from its first line; returns a text if it is not one, with the reason. */
export function parseHead(line: string): JournalHead | string {
  let head: Partial<Record<keyof JournalHead, unknown>> | null;
  try {
    head = JSON.parse(line) as typeof head;
  } catch {
    return 'its first line is not JSON';
  }
  if (typeof head !== 'object' || head === null) return 'its first line is not an object';
  const { format } = head;
  if (typeof format !== 'number') return 'its format is not a number';
  if (format !== 1) return `its format is ${format}, this version of domino-vss reads 1`;
  const wrong = Object.entries(checks).find(([name, isRight]) => !isRight(head[name as keyof JournalHead]));
  return wrong ? `its field ${wrong[0]} is missing or wrong` : (head as unknown as JournalHead);
}
