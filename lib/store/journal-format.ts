import { isHookRecord, type HookRecord } from './hook-record';
import type { Phase } from '../native/failure';

/**
 * The first line of a journal, as JSON. The lines that follow are JSON strings: first the paths of the databases in backup
 * mode, then the files that are being copied out of the shadow.
 */
export interface JournalHead {
  readonly format: 1;
  readonly id: string;
  readonly work: JournalWork;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot, so that a reused pid is told apart; empty when unknown. */
  readonly processStart: string;
  /** Which start of the system the process belongs to; empty where {@link processStart} says it (Windows) or nothing does. */
  readonly boot: string;
  readonly host: string;
  readonly created: string;
  readonly dataDirectory: string;
  /** Directory of the backup that is being made; empty for other work. */
  readonly backupDirectory: string;
  readonly provider: string;
  /** Shadows that exist or are about to: directories, or ids with the provider `vss`. */
  readonly shadows: readonly string[];
  /** Volumes of a hook's shadows, in the order of {@link shadows}; a hook is given both to remove them. */
  readonly volumes: readonly string[];
  /** Id of the snapshot set of VSS; empty for none. */
  readonly snapshotSet: string;
  /** Hook that is asked for a shadow, or about to be, and has not answered; empty for none. */
  readonly pendingHook: string;
  /** The hook that removes what it makes, from before it is asked; null for none. */
  readonly hook: HookRecord | null;
  /** Where shadows are exposed: symbolic links; with the provider `vss` drives, directories or shares. */
  readonly exposures: readonly string[];
  /** Service that was stopped and must be started again; empty for none. */
  readonly stoppedService: string;
  /** How many databases are or are about to be in backup mode; their paths follow, one a line. */
  readonly databasesInBackupMode: number;
  /** How many files are being copied out of the shadow; their paths follow those of the databases. None of them existed before. */
  readonly copiedFiles: number;
  /** Databases that a restore takes away from their place. */
  readonly restoring: readonly RestoringDatabase[];
  /** How far a restore is with all of {@link restoring}. */
  readonly restorePhase: RestorePhase;
  /** Files beside the databases of a restore that nobody needs after it: copies it makes ready, originals that had to stay. */
  readonly temporaryFiles: readonly string[];
  /** Directories that did not exist before; the deepest last. Removed when they are empty and the work has not succeeded. */
  readonly newDirectories: readonly string[];
  /** The work has ended and only what is named here could not be removed: it locks nobody out. */
  readonly ended: boolean;
}

/**
 * Kinds of work that keep a journal. `prune`: the removal of one backup; its journal has the id of that backup. `drill`: a
 * trial restore; its databases are in the directory that its temporary files name.
 */
export type JournalWork = 'backup' | 'restore' | 'recovery' | 'prune' | 'drill';

/**
 * `replacing`: copies take the places of originals; a killed restore is turned back. `recovering`: the transaction log is
 * applied to the copies. `finishing`: the copies are good and may be in use; nothing removes them from now on. `handed-over`: a
 * VSS requester replaces the files while the databases are offline.
 */
export type RestorePhase = 'replacing' | 'recovering' | 'finishing' | 'handed-over';

/** A database that a restore takes away from its place. */
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
  /** The copy as it is before it takes the place: its identity in the file system, size and time of last change. */
  readonly copy: string;
  /** How far it was when it was given up; otherwise as far as the whole restore. */
  readonly phase?: RestorePhase | undefined;
}

/** The part of a journal that changes while the work goes on. */
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
    | 'newDirectories'
    | 'ended'
  >
>;

/** Phase of the errors about a kind of work. */
export function phaseOf(work: JournalWork): Phase {
  return work === 'backup' || work === 'prune' ? 'end' : 'restore';
}

/**
 * Whether two pieces of work must not run at a time: on one data directory, or the removal of backups and a restore that
 * may be reading one of them for another server. Plain volumes are nobody's.
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
  newDirectories: isTexts,
  ended: (value) => typeof value === 'boolean',
};

/** The head of a journal from its first line; a text says why it is none. */
export function parseHead(line: string): JournalHead | string {
  let head: Partial<Record<keyof JournalHead, unknown>> | null;
  try {
    head = JSON.parse(line) as typeof head;
  } catch {
    return 'its first line is not JSON';
  }
  if (typeof head !== 'object' || head === null) return 'its first line is no object';
  if (head.format !== 1) return `its format is ${JSON.stringify(head.format)}, this version of domino-vss reads 1`;
  const wrong = Object.entries(checks).find(([name, isRight]) => !isRight(head[name as keyof JournalHead]));
  return wrong ? `its field ${wrong[0]} is missing or wrong` : (head as unknown as JournalHead);
}
