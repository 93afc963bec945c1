import { basename, join } from 'node:path';
import type { ManifestDatabase } from '../store/manifest-format';
import { copySuffix, originalSuffix } from '../store/restored-files';
import { isDatabaseName, isServerDatabase } from '../domino/databases';
import { counted } from '../errors/counted';
import type { ErrorCode } from '../errors/codes';
import { decidedFailure, OptionError, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { Aliases } from '../domino/aliases';
import type { Innards } from '../domino/timedate';
import { matcher, withSlashes } from '../domino/globs';
import { listed } from '../domino/notice';
import { expectedOfCopy, expectedOfShadow, type ExpectedContents } from '../store/contents';
import { holderOf, type BackupHead, type Chain } from '../store/chain';
import { shadowOf } from '../vss/kept-roots';
import { isInPlace, newReplicaIdOf, type RestoreMode } from './mode';
import type { ShadowRoots } from './sources';

/** One database of a restore. */
export interface PlannedDatabase {
  readonly database: ManifestDatabase;
  /** Its path after the restore, relative to the data directory, or to the directory of plain files. */
  readonly path: string;
  /** Its file after the restore. */
  readonly file: string;
  /** File it is copied from. */
  readonly source: string;
  /** Delta to apply to the copy; empty if the source already has it applied, or there is none. */
  readonly delta: string;
  /** Length of the pieces of change information in {@link delta}. */
  readonly pieceBytes: number;
  /** What is known about the contents of {@link source}. */
  readonly contents: ExpectedContents;
  /** Where the copy is prepared, in the directory of {@link file}. */
  readonly temporary: string;
  /** Where the original is kept until success. */
  readonly original: string;
  /** Whether Domino must recover it before use. */
  readonly recover: boolean;
  /** Whether it is opened instead, because it belongs to a different transaction log than the server's. */
  readonly adopt: boolean;
}

/** What a restore would do, in order. */
export interface RestorePlan {
  readonly mode: RestoreMode;
  /** Time at which the recovery stops; undefined for the last transaction. */
  readonly pointInTime: Innards | undefined;
  /** Whether the backup may be of another server, or of another data directory. */
  readonly otherServer: boolean;
  /** Whether databases of another transaction log are restored to their state at the backup. */
  readonly adopts: boolean;
  readonly databases: readonly PlannedDatabase[];
  /** Databases of the backup that are not restored, each with its reason; not those that were not requested. */
  readonly leftOut: readonly DatabaseFailure[];
  /** Bytes that the copies need in addition to the originals. */
  readonly neededBytes: number;
  readonly warnings: readonly Warning[];
}

/** What is known before looking for the copies. */
export type KnownInput = Omit<RestorePlanInput, 'lostCopies'>;

/** Input of a plan. */
export interface RestorePlanInput extends Chain {
  readonly databases: readonly ManifestDatabase[];
  /** Globs, paths or aliases; undefined for everything. */
  readonly wanted: readonly string[] | undefined;
  readonly mode: RestoreMode;
  /** Time at which the recovery stops; undefined for the last transaction. */
  readonly pointInTime: Innards | undefined;
  /** Whether the backup may be of another server, or of another data directory. */
  readonly otherServer: boolean;
  /** Whether databases of another transaction log are restored to their state at the backup. */
  readonly adopts: boolean;
  /** Directory of the copies, if it differs from the manifest. */
  readonly copiesDirectory: string | undefined;
  readonly dataDirectory: string;
  /** Paths of selected databases whose copies were made but no longer exist. */
  readonly lostCopies: ReadonlySet<string>;
}

/** What to restore, before the location of each database is known. */
export interface RestoreChoice {
  readonly chosen: readonly ManifestDatabase[];
  readonly leftOut: readonly DatabaseFailure[];
}

/** Selects databases. Server databases are left out unless they are named individually or restored under another name. */
export function chooseDatabases({ head, databases, wanted, mode }: KnownInput): RestoreChoice {
  const aliases = new Aliases(head.aliases ?? []);
  const wantedOnes = new Set<ManifestDatabase>();
  for (const glob of wanted ?? []) {
    const found = databasesOf(glob, databases, aliases);
    for (const database of found) wantedOnes.add(database);
    if (found.length === 0) {
      const literal = glob.startsWith('!') ? '; a leading ! does not negate' : '';
      throw new OptionError('databases', `the backup ${head.id} contains no database "${glob}"${literal}`);
    }
  }
  const selected = wanted === undefined ? databases : databases.filter((database) => wantedOnes.has(database));
  const named = new Set(wanted?.map((path) => aliases.resolve(withSlashes(path)).toLowerCase()));
  const keptOut = (path: string): boolean =>
    isInPlace(mode) && isServerDatabase(path) && !named.has(path.toLowerCase());
  return {
    chosen: selected.filter(({ path }) => !keptOut(path)),
    leftOut: selected
      .filter(({ path }) => keptOut(path))
      .map(({ path }) =>
        decidedFailure(path, 'ERR_RESTORE_SYSTEM_DATABASE', 'restore', 'the server always holds this database open'),
      ),
  };
}

/**
 * What a glob selects. On Linux, databases whose names differ only in case are different ones: of those, the one that is spelled
 * exactly like this.
 */
function databasesOf(
  glob: string,
  databases: readonly ManifestDatabase[],
  aliases: Aliases,
): readonly ManifestDatabase[] {
  const matches = matcher([glob], aliases);
  const found = databases.filter(({ path }) => matches(path));
  const exact = aliases.resolve(withSlashes(glob));
  if (!found.some(({ path }) => path === exact)) return found;
  return found.filter(({ path }) => path === exact || path.toLowerCase() !== exact.toLowerCase());
}

/** Path of a database after the restore, relative to the data directory, or to the directory of plain files. */
export function targetPath(database: ManifestDatabase, mode: RestoreMode, count: number): string {
  if (mode.type !== 'new-database') return database.path;
  const as = withSlashes(mode.as).replace(/\/$/, '');
  if (!/\.(nsf|ntf|box)$/i.test(as)) return `${as}/${database.path}`;
  if (count === 1) return as;
  throw new OptionError('mode.as', `"${mode.as}" is one database, but ${count} are restored; name a directory`);
}

/** The copy that the backup made of it; undefined if there is none. */
export function copyOf(database: ManifestDatabase, input: KnownInput): string | undefined {
  const holder = holderOf(database, input);
  if (typeof holder === 'string') return undefined;
  // The named directory belongs to one backup only.
  const copies = (holder === input.head ? input.copiesDirectory : undefined) ?? holder.copies?.directory;
  return database.copy && copies !== undefined ? join(copies, database.copy.file) : undefined;
}

/** Whether any shadow has to be read. */
export function needsShadows(input: RestorePlanInput, { chosen }: RestoreChoice): boolean {
  return chosen.some((database) => copyOf(database, input) === undefined || input.lostCopies.has(database.path));
}

/** Where the contents of a database are read from: its copy, or else the kept shadow; if there is neither, the reason. */
function sourceOf(
  database: ManifestDatabase,
  input: RestorePlanInput,
  holder: BackupHead,
  roots: ShadowRoots,
): Pick<PlannedDatabase, 'source' | 'delta' | 'pieceBytes' | 'contents'> | string {
  const { pieceBytes } = holder;
  const copy = copyOf(database, input);
  const isLost = input.lostCopies.has(database.path);
  if (copy !== undefined && !isLost) return { source: copy, delta: '', pieceBytes, contents: expectedOfCopy(database) };
  const noCopy = copy === undefined ? 'no copy of it was made' : `its copy ${copy} does not exist`;
  const shadow = shadowOf(database, holder);
  const root = shadow && roots.get(shadow.id);
  if (root === undefined) {
    if (!shadow?.kept) return `${noCopy}, and its shadow was not kept`;
    // A transportable VSS shadow has no root either, until it is imported.
    if (shadow.root === '')
      return `${noCopy}, and its snapshot is elsewhere: specify where it can be read (shadowRoots, --shadow-root)`;
    return `${noCopy}, and its shadow ${shadow.id} no longer exists`;
  }
  return {
    source: join(root, database.shadowPath),
    delta: database.delta === '' || database.appliedInShadow ? '' : join(holder.directory, database.delta),
    pieceBytes,
    contents: expectedOfShadow(database),
  };
}

/** Of a name in a directory: 255 bytes on Linux, 255 units of UTF-16 on Windows. */
const longestNameBytes = process.platform === 'win32' ? 510 : 255;

/** The same for all spellings of a file. */
const sameFile = (file: string): string => (process.platform === 'win32' ? file.toLowerCase() : file);

/** The plan for the selected databases and their locations (`files`, parallel to the selection). Changes nothing. */
export function planOf(
  input: RestorePlanInput,
  choice: RestoreChoice,
  files: readonly string[],
  roots: ShadowRoots,
): RestorePlan {
  const leftOut = [...choice.leftOut];
  const databases: PlannedDatabase[] = [];
  const taken = new Set<string>();
  const { mode, pointInTime, otherServer, adopts } = input;
  for (const [index, database] of choice.chosen.entries()) {
    const file = files[index] ?? '';
    const path = targetPath(database, mode, choice.chosen.length);
    const leaveOut = (code: ErrorCode, text: string): void => {
      leftOut.push(decidedFailure(database.path, code, 'restore', text));
    };
    // A manifest can be forged, and could otherwise overwrite any file that the server can write.
    const notDatabase = [database.path, path, file].find((name) => !isDatabaseName(name));
    if (notDatabase !== undefined) {
      leaveOut('ERR_RESTORE_TARGET', `${notDatabase} does not have the name of a database`);
      continue;
    }
    const name = basename(`${file}${originalSuffix}`);
    if (Buffer.byteLength(name, process.platform === 'win32' ? 'utf16le' : 'utf8') > longestNameBytes) {
      leaveOut('ERR_RESTORE_TARGET', `the name ${name}, which its restore needs beside it, is too long for a file`);
      continue;
    }
    if (taken.has(sameFile(file))) {
      leaveOut('ERR_RESTORE_TARGET', `another database of the backup would also be restored to ${file}`);
      continue;
    }
    taken.add(sameFile(file));
    if (isInPlace(mode) && !otherServer && file !== database.file) {
      const text = `it was backed up from ${database.file}, and its path leads to ${file} now`;
      leaveOut('ERR_RESTORE_TARGET', text);
      continue;
    }
    if (newReplicaIdOf(mode) && !database.logged) {
      const text = 'only recovery assigns a new replica id, and only logged databases are recovered';
      leaveOut('ERR_UNSUPPORTED', text);
      continue;
    }
    const holder = holderOf(database, input);
    if (typeof holder === 'string') {
      leaveOut('ERR_BACKUP_CHAIN', holder);
      continue;
    }
    const source = sourceOf(database, input, holder, roots);
    if (typeof source === 'string') {
      leaveOut('ERR_RESTORE_SOURCE', source);
      continue;
    }
    databases.push({
      database,
      path,
      file,
      ...source,
      temporary: `${file}${copySuffix}`,
      original: `${file}${originalSuffix}`,
      recover: database.logged && mode.type !== 'directory',
      adopt: false,
    });
  }
  const neededBytes = databases.reduce((sum, { database }) => sum + database.startSizeBytes, 0);
  const fromShadow = databases.filter(({ database }) => input.lostCopies.has(database.path)).map(({ path }) => path);
  const older = databases.filter(({ database, recover }) => database.from !== undefined && database.logged && !recover);
  const warnings = [
    ...(fromShadow.length === 0
      ? []
      : [
          warning(
            'WARN_COPIES_MISSING',
            `the copies of ${counted(fromShadow.length, 'database')} do not exist: the shadow is used instead`,
            { subjects: fromShadow },
          ),
        ]),
    ...(older.length === 0 ? [] : [warnOfOlder(older)]),
  ];
  return { mode, pointInTime, otherServer, adopts, databases, leftOut, neededBytes, warnings };
}

function warnOfOlder(older: readonly PlannedDatabase[]): Warning {
  const subjects = older.map(({ path }) => path);
  const message =
    `as plain files, these have their state at backup ${older[0]?.database.from ?? ''} or an earlier one; what was written between then and this ` +
    `backup is in the transaction log only: ${listed(subjects)}`;
  return warning('WARN_STATE_OLDER', message, { subjects });
}
