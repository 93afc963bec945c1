import { basename, sep } from 'node:path';
import { Aliases, type Alias } from './aliases';
import { toDatabaseFailure, type DatabaseFailure } from '../errors/errors';
import { findNotesIni, NotesIni } from './environment';
import { forEachIndex } from '../call/event-loop';
import { Call, publicCall } from '../call/call';
import type { NativeBinding } from '../native/session';
import { listCatalog, type Catalog } from './catalog';
import {
  abortSignal,
  absolutePath,
  checkOptions,
  dominoLocation,
  globs,
  milliseconds,
  type DominoLocation,
} from '../call/options';
import type { Notice } from './notice';
import { Selector, type LeftOutReason, type SelectionOptions } from './selection';

/** Options of `findDatabases`. */
export interface FindDatabasesOptions extends SelectionOptions {
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** Absolute paths of directories to skip, for example those of earlier restores. Default: none. */
  readonly excludeDirectories?: readonly string[] | undefined;
  /** Default: 10 minutes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One database in the data directory or behind one of its links. */
export interface FoundDatabase {
  /** Relative to the data directory, with `/`. */
  readonly path: string;
  /** Absolute path of the file, with links resolved. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly modified: Date;
  /** Top directory of the volume that holds the file. */
  readonly volume: string;
  /** Other names of the same file, through links. They are accepted wherever {@link path} is. */
  readonly aliases: readonly string[];
  /** Why a backup with the same options leaves it out; undefined if it takes part. */
  readonly leftOut: LeftOutReason | undefined;
}

/** The result of `findDatabases`. */
export interface FindDatabasesResult {
  readonly dataDirectory: string;
  readonly databases: readonly FoundDatabase[];
  /** Broken links and unreadable directories. */
  readonly problems: readonly DatabaseFailure[];
  /** Globs that match nothing, and databases that were left out by default. */
  readonly notices: readonly Notice[];
  /** `required` globs that match nothing: a backup with them would fail. */
  readonly unmetRequired: readonly string[];
}

const absolutePaths = (value: unknown, name: string): void => {
  if (!Array.isArray(value)) absolutePath(value, name);
  else for (const [index, path] of value.entries()) absolutePath(path, `${name}[${index}]`);
};

/** Lists databases; does not need the Domino runtime. */
export function findDatabases(
  binding: () => NativeBinding,
  options: FindDatabasesOptions,
): Promise<FindDatabasesResult> {
  return publicCall(async () => {
    checkOptions(options, {
      domino: dominoLocation,
      include: globs,
      exclude: globs,
      required: globs,
      excludeDirectories: absolutePaths,
      timeoutMs: milliseconds,
      signal: abortSignal,
    });
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 600_000, phase: 'find' });
    // Checked first: without a binary, no search is worthwhile.
    const native = binding();
    const { dataDirectory } = new NotesIni(findNotesIni(options.domino));
    const { excludeDirectories = [] } = options;
    const catalog = await listCatalog(native, { dataDirectory, excludeDirectories }, call);
    const reasons = new Map<number, LeftOutReason>();
    const selector = new Selector(options);
    const rules = selector.rulesFor(catalog);
    const selection = await selector.select(catalog, (index, reason) => reasons.set(index, reason), rules);
    const aliases = new Aliases(catalog.aliases);
    const databases: FoundDatabase[] = [];
    await forEachIndex(catalog.paths.length, (index) => {
      databases.push({
        path: catalog.paths[index] ?? '',
        file: catalog.files[index] ?? '',
        sizeBytes: catalog.sizeBytes[index] ?? 0,
        modified: new Date(catalog.modifiedMs[index] ?? 0),
        volume: catalog.volumes[catalog.volumeIndex[index] ?? 0]?.path ?? '',
        aliases: aliases.namesOf(catalog.paths[index] ?? ''),
        leftOut: reasons.get(index),
      });
    });
    const problems = catalogProblems(catalog);
    // A glob may refer to a broken link.
    for (const { database } of problems) rules.leaveOut(relativePath(database, dataDirectory));
    const notices = [...selection.notices, ...rules.unmatched()];
    return { dataDirectory, databases, problems, notices, unmetRequired: selection.unmetRequired };
  });
}

/** The path relative to the data directory. A path outside it is returned unchanged. */
export function relativePath(path: string, dataDirectory: string): string {
  const relative = path.startsWith(dataDirectory) ? path.slice(dataDirectory.length) : '';
  return /^[\\/]./.test(relative) ? relative.slice(1).replaceAll(sep, '/') : path;
}

export function catalogProblems(catalog: Catalog): DatabaseFailure[] {
  return catalog.problems.map((problem) => toDatabaseFailure(problem.subject, problem));
}

/**
 * A broken link and an unreadable directory hide databases, and an original beside its place may be the right one. A file that
 * only has the name of a database hides nothing.
 */
export function hidesDatabases({
  operation,
  code,
}: Pick<DatabaseFailure, 'operation'> & { readonly code: string }): boolean {
  return operation !== '' || code !== 'ERR_FIND';
}

/** Changes to the databases of a backup between its start and its window. */
export interface DatabaseChanges {
  /** Databases that were created and match the selection; they are not in this backup. */
  readonly appeared: readonly string[];
  /** Databases that are gone; left out with `ERR_DATABASE_VANISHED`. */
  readonly vanished: readonly string[];
  /** Databases whose file was replaced; left out with `ERR_DATABASE_REPLACED`. */
  readonly replaced: readonly string[];
}

/** The databases of one backup: parallel columns in the order of their indexes. */
export interface BackupDatabases {
  readonly dataDirectory: string;
  readonly paths: readonly string[];
  readonly files: readonly string[];
  readonly fileIds: readonly string[];
  /** Milliseconds since the epoch, when the databases were listed. */
  readonly modifiedMs: Float64Array;
  /** Index into {@link volumes}. */
  readonly volumeIndex: Uint16Array;
  /** Only volumes with a database of this backup. */
  readonly volumes: Catalog['volumes'];
  readonly required: ReadonlySet<number>;
  readonly sizeBytes: number;
  /** Space allocated for the files on each of the {@link volumes}. */
  readonly allocatedBytes: readonly number[];
  /** Other names of these databases and of directories. */
  readonly aliases: readonly Alias[];
}

/** Takes the selected databases and their volumes from a catalog. */
export async function takeSelected(
  dataDirectory: string,
  catalog: Catalog,
  selection: { readonly indexes: readonly number[]; readonly required: ReadonlySet<number> },
): Promise<BackupDatabases> {
  const count = selection.indexes.length;
  const paths: string[] = [];
  const files: string[] = [];
  const fileIds: string[] = [];
  const modifiedMs = new Float64Array(count);
  const volumeIndex = new Uint16Array(count);
  const volumes: Catalog['volumes'][number][] = [];
  const position = new Map<number, number>();
  const allocatedBytes: number[] = [];
  let sizeBytes = 0;
  await forEachIndex(count, (index) => {
    const source = selection.indexes[index] ?? 0;
    paths.push(catalog.paths[source] ?? '');
    files.push(catalog.files[source] ?? '');
    fileIds.push(catalog.fileIds[source] ?? '');
    modifiedMs[index] = catalog.modifiedMs[source] ?? 0;
    sizeBytes += catalog.sizeBytes[source] ?? 0;
    const sourceVolume = catalog.volumeIndex[source] ?? 0;
    let volume = position.get(sourceVolume);
    if (volume === undefined) {
      volume = volumes.length;
      position.set(sourceVolume, volume);
      const described = catalog.volumes[sourceVolume];
      if (described) volumes.push(described);
    }
    volumeIndex[index] = volume;
    const size = catalog.sizeBytes[source] ?? 0;
    allocatedBytes[volume] = (allocatedBytes[volume] ?? 0) + Math.min(size, catalog.allocatedBytes[source] ?? size);
  });
  const aliases = selectedAliases(catalog, selection);
  const { required } = selection;
  const room = { sizeBytes, allocatedBytes };
  return { dataDirectory, paths, files, fileIds, modifiedMs, volumeIndex, volumes, required, ...room, aliases };
}

/** Other names of the selected databases, and of directories. */
export function selectedAliases(
  catalog: Pick<Catalog, 'aliases' | 'paths'>,
  { indexes }: { readonly indexes: readonly number[] },
): readonly Alias[] {
  const paths = new Set(indexes.map((index) => catalog.paths[index]));
  return catalog.aliases.filter(({ alias, path }) => alias.endsWith('/') || paths.has(path));
}

/** Some databases of a backup and the volumes they are on. The allocated space is not known for a part. */
export function takeSubset(
  all: BackupDatabases,
  indexes: readonly number[],
): { readonly databases: BackupDatabases; readonly volumeNumbers: readonly number[] } {
  const volumeOf = (index: number): number => all.volumeIndex[index] ?? 0;
  const volumeNumbers = [...new Set(indexes.map(volumeOf))];
  const pick = (column: readonly string[]): string[] => indexes.map((index) => column[index] ?? '');
  const databases: BackupDatabases = {
    dataDirectory: all.dataDirectory,
    paths: pick(all.paths),
    files: pick(all.files),
    fileIds: pick(all.fileIds),
    modifiedMs: Float64Array.from(indexes, (index) => all.modifiedMs[index] ?? 0),
    volumeIndex: Uint16Array.from(indexes, (index) => volumeNumbers.indexOf(volumeOf(index))),
    volumes: volumeNumbers.flatMap((volume) => all.volumes[volume] ?? []),
    required: new Set(),
    sizeBytes: 0,
    allocatedBytes: [],
    aliases: [],
  };
  return { databases, volumeNumbers };
}

/** Compares the databases of a backup with those that exist now. */
export async function compareWithCatalog(
  databases: BackupDatabases,
  catalog: Catalog,
  selector: Selector,
): Promise<
  DatabaseChanges & { readonly vanishedIndexes: readonly number[]; readonly replacedIndexes: readonly number[] }
> {
  const present = new Map<string, string>();
  await forEachIndex(catalog.paths.length, (index) => {
    present.set(catalog.paths[index] ?? '', catalog.fileIds[index] ?? '');
  });
  const known = new Set<string>();
  const vanishedIndexes: number[] = [];
  const replacedIndexes: number[] = [];
  await forEachIndex(databases.paths.length, (index) => {
    const path = databases.paths[index] ?? '';
    known.add(databases.fileIds[index] ?? '');
    const fileId = present.get(path);
    if (fileId === undefined) vanishedIndexes.push(index);
    else if (fileId !== databases.fileIds[index]) replacedIndexes.push(index);
    present.delete(path);
  });
  const appeared: string[] = [];
  const rules = selector.rulesFor(catalog);
  const rest = [...present];
  await forEachIndex(rest.length, (index) => {
    const [path, fileId] = rest[index] ?? ['', ''];
    if (!known.has(fileId) && rules.leaveOut(path) === undefined) appeared.push(path);
  });
  const pathsOf = (indexes: readonly number[]): string[] => indexes.map((index) => databases.paths[index] ?? '');
  return {
    appeared,
    vanished: pathsOf(vanishedIndexes),
    replaced: pathsOf(replacedIndexes),
    vanishedIndexes,
    replacedIndexes,
  };
}

/** Whether a file name is that of a database: Domino decides by the extension. */
export function isDatabaseName(path: string): boolean {
  return /\.(nsf|ntf|box|nsg|nsh)$/i.test(path);
}

/** Whether a path is one of the databases that a running server always keeps open. */
export function isServerDatabase(path: string): boolean {
  return basename(path) === path && serverDatabases.test(path);
}

const serverDatabases =
  /^(mail[^/]*\.box|log\.nsf|names\.nsf|admin4\.nsf|busytime\.nsf|clubusy\.nsf|cldbdir\.nsf|certlog\.nsf|events4\.nsf|ddm\.nsf)$/i;
