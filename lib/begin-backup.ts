import { access, constants, mkdir, realpath, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Backup, warnAboutLeft } from './backup';
import { Call, publicCall } from './call';
import { refuseTooManySkipped, type BackupWork } from './capture';
import { catalogProblems, takeSelected, type BackupDatabases } from './databases';
import { findNotesIni, readDataDirectory } from './environment';
import { DominoVssError, toDatabaseFailure, type DatabaseFailure } from './errors';
import { HookRun } from './hook';
import { describeLeftOver, Journal, newWorkId } from './journal';
import type { NativeBinding, NativeCatalog, NativeRuntime } from './native';
import {
  abortSignal,
  absolutePath,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  integer,
  milliseconds,
  oneOf,
  type DominoLocation,
} from './options';
import { ProgressReporter, type ProgressListener } from './progress';
import { checkProvider, chooseShadows, databaseTarget, isInside, planShadows, type ProviderOption } from './provider';
import { openRuntime } from './runtime';
import { Selector, type SelectionOptions } from './selection';
import { checkMode, type BackupMode } from './service';

/** Options of `beginBackup`. */
export interface BeginBackupOptions extends SelectionOptions {
  /** Where Domino is. Default: found by the environment and in the usual places. */
  readonly domino?: DominoLocation | undefined;
  /**
   * Absolute directory for backups, made if missing. Each backup is a directory in it, with its manifest and the change
   * information of its databases. Better not on a volume that is part of the snapshot.
   */
  readonly deltaDirectory: string;
  /**
   * What happens to the shadow at the end: with `backup` it goes unless `endBackup` is told to keep it, with
   * `persistent` it is kept unless `endBackup` is told not to. Default: `backup`.
   */
  readonly lifetime?: 'backup' | 'persistent' | undefined;
  /** How the shadow is made. Default: `auto`, by the file systems of the databases. */
  readonly provider?: ProviderOption | undefined;
  /** How the databases become consistent. Default: through the backup API. */
  readonly mode?: BackupMode | undefined;
  /** The backup fails when more databases have to be left out. Default: no limit; the outcome is `partial` then. */
  readonly maxSkipped?: number | undefined;
  /** Number of threads that put databases into backup mode. Default: 4 a processor, at least 2, at most 16. */
  readonly shards?: number | undefined;
  /** Longest time for one database to open or to enter backup mode before it is left out. Default: 10 000. */
  readonly databaseBudgetMs?: number | undefined;
  /** The backup ends itself when nothing is called for this long before `createShadow`. Default: 60 000; an hour in stop mode. */
  readonly leaseMs?: number | undefined;
  /** For `beginBackup` itself. Default: 600 000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Absolute directory for shadows, on the file system of the databases. Default: `.domino-vss` at the mount point;
   * must be given when that would lie inside the data directory. The copies of `rolling` may lie anywhere; their
   * default is `.domino-vss` in the delta directory.
   */
  readonly shadowDirectory?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Starting and stopping a database is waiting, mostly for the disk; so there are more threads than processors. */
export function defaultShards(): number {
  return Math.min(16, Math.max(2, 4 * availableParallelism()));
}

/** How many databases are handed to native code at once. */
const addAtOnce = 500;

export function beginBackup(loadBinding: () => NativeBinding, options: BeginBackupOptions): Promise<Backup> {
  return publicCall(async () => {
    checkBeginOptions(options);
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 600_000, phase: 'runtime' });
    const undo: (() => Promise<unknown>)[] = [];
    try {
      return await begin(loadBinding(), options, call, undo);
    } catch (error) {
      for (const step of undo.reverse()) await step().catch(warnAboutLeft);
      throw error;
    }
  });
}

function checkBeginOptions(options: BeginBackupOptions): void {
  checkOptions(options, {
    domino: dominoLocation,
    deltaDirectory: absolutePath,
    lifetime: oneOf('backup', 'persistent'),
    provider: checkProvider,
    mode: checkMode,
    include: globs,
    exclude: globs,
    required: globs,
    maxSkipped: integer(0, Number.MAX_SAFE_INTEGER),
    shards: integer(1, 64),
    databaseBudgetMs: milliseconds,
    leaseMs: milliseconds,
    timeoutMs: milliseconds,
    shadowDirectory: absolutePath,
    signal: abortSignal,
    onProgress: functionValue,
  });
  absolutePath(options.deltaDirectory, 'deltaDirectory');
}

async function begin(
  binding: NativeBinding,
  options: BeginBackupOptions,
  call: Call,
  undo: (() => Promise<unknown>)[],
): Promise<Backup> {
  const mode = options.mode ?? { type: 'backup-api' };
  const runtime = mode.type === 'backup-api' ? await openRuntime(binding, options.domino, call) : undefined;
  const notesIni = runtime?.notesIni ?? findNotesIni(options.domino);
  const dataDirectory = runtime?.dataDirectory ?? readDataDirectory(notesIni);
  const deltaDirectory = await makeDeltaDirectory(options.deltaDirectory);

  const id = newWorkId();
  const directory = join(deltaDirectory, id);
  const { journal, leftOvers } = await Journal.open(deltaDirectory, {
    id,
    work: 'backup',
    dataDirectory,
    backupDirectory: directory,
  });
  undo.push(() => journal.remove());

  const given = options.shadowDirectory;
  const excludeDirectories = given === undefined ? [deltaDirectory] : [deltaDirectory, given];
  call.check('find');
  const catalog = await call.race(binding.findDatabases({ dataDirectory, excludeDirectories }));
  const selector = new Selector(options);
  const selection = await selector.select(catalog);
  const databases = await takeSelected(dataDirectory, catalog, selection);
  const { problems, notDatabases } = selectedProblems(catalog, dataDirectory, selector);
  const limits = { maxSkipped: options.maxSkipped ?? Infinity, unmetRequired: selection.unmetRequired };
  refuseTooManySkipped(problems, [], databases.paths.length, limits);

  const option = options.provider ?? 'auto';
  const { volumes } = databases;
  const choice = { provider: option, shadowDirectory: given, deltaDirectory, volumes, dataDirectory };
  const { provider, directories } = await call.race(chooseShadows(binding, choice));
  const plan = planShadows(id, directories);

  const facts = {
    notesIni,
    serverName: runtime?.serverName ?? '',
    lifetime: options.lifetime ?? 'backup',
    logStyle: runtime ? await readLogStyle(binding, call) : 'unknown',
    warnings: [
      ...leftOvers.map(describeLeftOver),
      ...(await deltaDirectoryWarnings(binding, deltaDirectory, databases)),
      ...runtimeWarnings(runtime),
      ...notDatabases.map(({ database, text }) => `${database} was left out: ${text}`),
    ],
    leftOvers,
  } as const;

  undo.push(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'deltas'), { recursive: true, mode: 0o700 });
  const hookRun = provider.hook && new HookRun(provider.hook, id, databases.volumes);
  const session = binding.createSession({
    provider: provider.native,
    source: mode.type === 'backup-api' ? 'domino' : 'offline',
    volumes: databases.volumes.map((volume, index) => ({ source: volume.path, target: plan.targets[index] ?? '' })),
    shards: options.shards ?? defaultShards(),
    databaseBudgetMs: options.databaseBudgetMs ?? 10_000,
    // A stopping server takes its time, and in stop mode nothing is held that could hurt anybody.
    leaseMs: options.leaseMs ?? (mode.type === 'backup-api' ? 60_000 : 3_600_000),
    deltaDirectory: join(directory, 'deltas'),
    ...(hookRun && {
      createShadow: (deadlineMs: number) => {
        hookRun.start(deadlineMs);
      },
    }),
  });
  hookRun?.attach(session);
  const work: BackupWork = {
    id,
    directory,
    binding,
    session,
    journal,
    databases,
    selector,
    mode,
    provider,
    plan,
    hookRun,
    excludeDirectories: [...excludeDirectories, ...directories.map(({ path }) => path)],
    limits,
    problems,
  };
  const backup = new Backup(work, facts);
  undo.splice(0, undo.length, () => backup.dispose());

  call.check('open');
  const progress = new ProgressReporter(options.onProgress, call);
  await addDatabases(work, call);
  await progress.watch(session, () => call.native(session, (timeoutMs) => session.open(timeoutMs)));
  const failed = session.results().failures;
  const skipped = failed.map(({ index, failure }) => toDatabaseFailure(databases.paths[index] ?? '', failure));
  const required = skipped.filter((_failure, position) => databases.required.has(failed[position]?.index ?? -1));
  refuseTooManySkipped([...problems, ...skipped], required, databases.paths.length - skipped.length, limits);
  return backup;
}

async function makeDeltaDirectory(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.W_OK | constants.X_OK);
    return await realpath(directory);
  } catch (cause) {
    const message = `the delta directory ${directory} cannot be used: ${(cause as Error).message}`;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message, cause });
  }
}

/**
 * A link that leads nowhere and a directory that cannot be read hide databases, unless the selection does not want what
 * lies there. A file that only has the name of a database hides nothing.
 */
function selectedProblems(
  catalog: NativeCatalog,
  dataDirectory: string,
  selector: Selector,
): { readonly problems: DatabaseFailure[]; readonly notDatabases: DatabaseFailure[] } {
  const selected = catalogProblems(catalog)
    .map((problem) => ({ ...problem, database: relativePath(problem.database, dataDirectory) }))
    .filter(({ database }) => selector.leaveOut(database) === undefined);
  return {
    problems: selected.filter(({ operation }) => operation !== ''),
    notDatabases: selected.filter(({ operation }) => operation === ''),
  };
}

function relativePath(path: string, dataDirectory: string): string {
  return isInside(path, dataDirectory) ? path.slice(dataDirectory.length + 1) : path;
}

async function readLogStyle(
  binding: NativeBinding,
  call: Call,
): Promise<'circular' | 'archive' | 'linear' | 'none' | 'unknown'> {
  try {
    return await call.race(binding.transactionLogStyle());
  } catch {
    call.check();
    return 'unknown';
  }
}

async function deltaDirectoryWarnings(
  binding: NativeBinding,
  deltaDirectory: string,
  databases: BackupDatabases,
): Promise<string[]> {
  const { path } = await binding.inspectVolume(deltaDirectory);
  if (!databases.volumes.some((volume) => volume.path === path)) return [];
  return [
    `the delta directory ${deltaDirectory} lies on ${path}, a volume that is part of the snapshot: ` +
      'a loss of that volume takes the deltas with it; save them elsewhere',
  ];
}

function runtimeWarnings(runtime: NativeRuntime | undefined): string[] {
  const missing = runtime?.missingFunctions ?? [];
  return missing.length === 0 ? [] : [`this Domino release does not export: ${missing.join(', ')}`];
}

async function addDatabases({ session, provider, databases, plan }: BackupWork, call: Call): Promise<void> {
  for (let from = 0; from < databases.paths.length; from += addAtOnce) {
    call.check();
    const paths = databases.paths.slice(from, from + addAtOnce);
    session.add({
      paths,
      files: databases.files.slice(from, from + addAtOnce),
      targets: paths.map((_path, offset) => databaseTarget(provider.native, databases, plan, from + offset)),
    });
    await nextTurn();
  }
}
