import { createPublicKey } from 'node:crypto';
import { access, constants, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Backup } from './backup';
import { warnAboutLeft } from './work-end';
import { checkBeginOptions, refuseFileProvider, resolveRequester, type BeginBackupOptions } from './begin-options';
import { Call, publicCall } from '../call/call';
import { noEarlierWindows, refuseTooManySkipped, type BackupWork, type SkipLimits } from './capture';
import { listCatalog, type Catalog } from '../domino/catalog';
import { Continuity } from './continuity';
import { readCosts } from '../store/costs';
import {
  catalogProblems,
  relativePath,
  selectedAliases,
  takeSelected,
  type BackupDatabases,
} from '../domino/databases';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import {
  DominoVssError,
  isDominoVssError,
  toDatabaseFailure,
  toPublicError,
  type DatabaseFailure,
} from '../errors/errors';
import { printable } from '../errors/printable';
import { warning, type Warning } from '../errors/warnings';
import { HookRun } from './hook';
import { chooseIncremental, type Incremental } from './incremental';
import { examineArchive } from './log-reach';
import { createSession, openSession } from './native-session';
import { recoverAll } from '../recover/recover';
import { recoveryBudgetMs } from '../recover/tools';
import { directoryRisk, isInside, makeOwnDirectory, realPathToBe } from '../store/safe-directory';
import { lockDataDirectory } from '../store/data-directory-lock';
import { syncRemovals } from '../store/durable';
import { Journal, newWorkId } from '../store/journal';
import { journalDirectory } from '../store/journals';
import { databasesAside, recoveryWarnings } from './left-overs';
import { noDatabases, withNamedVolumes } from '../vss/named-volumes';
import type { NativeBinding, NativeRuntime, NativeSessionOptions } from '../native/session';
import { ProgressReporter } from '../call/progress';
import { chooseShadows, nativeSource, planShadows } from './provider';
import { openRuntime } from '../domino/runtime';
import { warningsOf, type Notice } from '../domino/notice';
import { Selector, type Selection, type SelectionRules } from '../domino/selection';
import { readSigningKey } from '../store/signature';
import { requireResources } from './resources';

export { checkBeginOptions, type BeginBackupOptions } from './begin-options';

/** Starting and stopping a database mostly waits for the disk, so there are more threads than processors. */
export function defaultShards(): number {
  return Math.min(16, Math.max(2, 4 * availableParallelism()));
}

const defaultBudgetMs = 10_000;

export function beginBackup(loadBinding: () => NativeBinding, options: BeginBackupOptions): Promise<Backup> {
  return publicCall(async () => {
    checkBeginOptions(options);
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 600_000, phase: 'runtime' });
    const undo: (() => Promise<unknown>)[] = [];
    try {
      return await begin(loadBinding(), options, call, undo);
    } catch (error) {
      const left: unknown[] = [];
      for (const step of undo.reverse()) await step().catch((thrown: unknown) => left.push(thrown));
      if (left.length === 0) throw error;
      left.forEach(warnAboutLeft);
      throw Object.assign(toPublicError(error), { leftBehind: toPublicError(left[0]) });
    }
  });
}

async function begin(
  binding: NativeBinding,
  options: BeginBackupOptions,
  call: Call,
  undo: (() => Promise<unknown>)[],
): Promise<Backup> {
  const vss = resolveRequester(binding, options);
  const signKey = options.signKey === undefined ? undefined : await readSigningKey(options.signKey, 'signKey');
  const { source = 'domino', mode = { type: 'backup-api' }, volumes: named = [] } = options;
  refuseFileProvider(options.provider, named);
  const server = source === 'domino' ? await openServer(binding, options, call) : noServer;
  const { dataDirectory } = server;
  const { deltaDirectory, warning: deltaWarning } = await makeDeltaDirectory(
    binding,
    options.deltaDirectory,
    dataDirectory,
  );

  const id = newWorkId();
  const directory = join(deltaDirectory, id);
  const lock = await lockDataDirectory(binding, { dataDirectory, deltaDirectory }, call);
  const owner = { id, work: 'backup', dataDirectory, backupDirectory: directory } as const;
  const { journal, leftOvers, unusable } = await Journal.open({ ...owner, deltaDirectory, lock });
  undo.push(() => journal.remove());
  // Before the databases are listed, so that a database that a restore has moved aside is back in place.
  const recovered = await recoverAll(leftOvers, {
    binding,
    call,
    budgetMs: recoveryBudgetMs,
    dryRun: false,
    service: mode.type === 'stop-service' ? mode.service : undefined,
    hook: typeof options.provider === 'object' ? options.provider : undefined,
    openRuntime: () => {
      if (server.runtime) return Promise.resolve();
      const message = 'this needs the Domino runtime, which this backup does not use';
      return Promise.reject(new DominoVssError('ERR_DOMINO_NOT_OPEN', { message }));
    },
  });

  const logStyle = server.runtime ? await readLogStyle(binding, call) : 'unknown';
  const narrow = async (catalog: Catalog, selection: Selection): Promise<Incremental> => {
    const { notesIni } = server;
    const logs = await examineArchive(
      binding,
      { notesIni, dataDirectory, logStyle, logArchive: options.logArchive },
      call,
    );
    const budgetMs = options.databaseBudgetMs ?? defaultBudgetMs;
    const verifyingKey = signKey && createPublicKey(signKey);
    const work = { binding, deltaDirectory, dataDirectory, logs, verifyingKey, budgetMs, call };
    return chooseIncremental(catalog, selection, work);
  };
  const given = options.shadowDirectory;
  const excludeDirectories = given === undefined ? [deltaDirectory] : [deltaDirectory, given];
  const selector = new Selector(options);
  const found =
    source === 'domino'
      ? await findSelected(
          binding,
          { dataDirectory, deltaDirectory },
          { excludeDirectories, selector, options, narrow: options.incremental === true ? narrow : undefined },
          call,
        )
      : nothingFound;
  const { notices, limits, incremental } = found;
  const aside = databasesAside(recovered, dataDirectory, selector);
  const continuity = found.continuity.without(aside);
  const problems = [...found.problems, ...continuity.unreadable, ...aside];
  const databases = await withNamedVolumes(binding, found.databases, named, call);

  const { volumes } = databases;
  const choice = {
    provider: options.provider ?? 'auto',
    shadowDirectory: given,
    deltaDirectory,
    volumes,
    dataDirectory,
  };
  const { provider, directories } = await call.race(chooseShadows(binding, { ...choice, vss }));
  refuseFileProvider(provider.native, named);
  const plan = planShadows(id, directories);
  await requireResources({
    databases,
    opensDatabases: server.runtime !== undefined,
    shards: options.shards ?? defaultShards(),
    copyDirectories: provider.native === 'rolling' ? directories.map(({ path }) => path) : [],
  });

  const facts = {
    notesIni: server.notesIni,
    serverName: server.runtime?.serverName ?? '',
    lifetime: options.lifetime ?? (vss?.persistent ? 'persistent' : 'backup'),
    logStyle,
    warnings: [
      ...recoveryWarnings(recovered, unusable),
      ...(deltaWarning ? [deltaWarning] : []),
      ...(await deltaDirectoryWarnings(binding, deltaDirectory, databases, call)),
      ...runtimeWarnings(server.runtime),
      ...warningsOf(notices),
      ...continuity.warnings,
      ...(incremental?.warnings ?? []),
    ],
    notices,
    leftOvers: recovered.filter(({ done }) => !done).map(({ leftOver }) => leftOver),
    recovered,
    signKey,
  } as const;

  undo.push(async () => {
    await binding.removeTree(directory);
    await syncRemovals([directory]);
  });
  await makeOwnDirectory(join(directory, 'deltas'), binding);
  const hookRun = provider.hook && new HookRun(provider.hook, id, databases.volumes, journal);
  // For a hook, the volumes are only flushed.
  const nativeVolumes = provider.hook?.flushesVolumes ? [] : volumes;
  const sessionOptions: NativeSessionOptions = {
    provider: provider.native,
    source: server.runtime ? 'domino' : 'offline',
    volumes: nativeVolumes.map((volume, index) => ({
      source: nativeSource(provider.native, volume),
      target: plan.targets[index] ?? '',
    })),
    shards: options.shards ?? defaultShards(),
    databaseBudgetMs: options.databaseBudgetMs ?? defaultBudgetMs,
    windowTimeoutMs: options.windowTimeoutMs ?? 60_000,
    // Stopping a server takes time, and without the backup API nothing is held that could harm the server.
    leaseMs: options.leaseMs ?? (server.runtime ? 60_000 : 3_600_000),
    deltaDirectory: join(directory, 'deltas'),
    ...(provider.vss && { vss: provider.vss.native }),
    // Bound, because native code holds it: a closure made here would keep everything in scope alive, including the backup.
    ...(hookRun && { createShadow: hookRun.start.bind(hookRun) }),
  };
  const costs = await readCosts(deltaDirectory, dataDirectory);
  const setup = { binding, options: sessionOptions, databases, plan, costs };
  const session = createSession(setup);
  hookRun?.attach(session);
  const work: BackupWork = {
    id,
    source,
    directory,
    binding,
    setup,
    session,
    failedAttempts: [],
    interrupt: new AbortController(),
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
    recovered,
    continuity,
    incremental,
    ...(incremental && { outside: new Set(incremental.carried.map(({ path }) => path)) }),
    earlier: noEarlierWindows,
    furtherWork: [],
  };
  const backup = new Backup(work, facts);
  undo.splice(0, undo.length, () => backup.dispose());

  call.check('open');
  const progress = new ProgressReporter(options.onProgress, call);
  await openSession(session, setup, call, progress);
  if (source === 'volumes') return backup;
  const failed = session.failures();
  const skipped = failed.map(({ index, failure }) => toDatabaseFailure(databases.paths[index] ?? '', failure));
  const required = skipped.filter((_failure, position) => databases.required.has(failed[position]?.index ?? -1));
  refuseTooManySkipped([...problems, ...skipped], required, databases.paths.length - skipped.length, limits);
  return backup;
}

/** The Domino server that is backed up. */
export interface Server {
  /** Undefined in stop mode, which does not need it. */
  readonly runtime: NativeRuntime | undefined;
  readonly notesIni: string;
  readonly dataDirectory: string;
}

/** Plain volumes have none. */
const noServer: Server = { runtime: undefined, notesIni: '', dataDirectory: '' };

export async function openServer(
  binding: NativeBinding,
  { mode, domino }: BeginBackupOptions,
  call: Call,
): Promise<Server> {
  const stopMode = mode?.type === 'stop-service';
  const runtime = stopMode ? undefined : await openRuntime(binding, domino, call);
  const notesIni = runtime?.notesIni ?? findNotesIni(domino);
  return { runtime, notesIni, dataDirectory: runtime?.dataDirectory ?? readDataDirectory(notesIni) };
}

/** The databases of a backup, and problems that hide databases. */
export interface FoundDatabases {
  readonly databases: BackupDatabases;
  readonly problems: readonly DatabaseFailure[];
  readonly notices: readonly Notice[];
  readonly limits: SkipLimits;
  readonly continuity: Continuity;
  /** Undefined if the whole selection is captured. */
  readonly incremental?: Incremental | undefined;
}

const nothingFound: FoundDatabases = {
  databases: noDatabases,
  problems: [],
  notices: [],
  limits: { maxSkipped: Infinity, unmetRequired: [] },
  continuity: Continuity.none,
};

export async function findSelected(
  binding: NativeBinding,
  { dataDirectory, deltaDirectory }: { readonly dataDirectory: string; readonly deltaDirectory: string },
  search: {
    readonly excludeDirectories: readonly string[];
    readonly selector: Selector;
    readonly options: BeginBackupOptions;
    /** Leaves part of the selection to earlier backups. */
    readonly narrow?: ((catalog: Catalog, selection: Selection) => Promise<Incremental>) | undefined;
  },
  call: Call,
): Promise<FoundDatabases> {
  const { excludeDirectories, selector, options, narrow } = search;
  call.check('find');
  const catalog = await listCatalog(binding, { dataDirectory, excludeDirectories }, call);
  const rules = selector.rulesFor(catalog);
  const selection = await selector.select(catalog, undefined, rules);
  const incremental = selection.indexes.length > 0 ? await narrow?.(catalog, selection) : undefined;
  const taken = await takeSelected(dataDirectory, catalog, incremental?.taken ?? selection);
  // Aliases of databases that are carried over are also names in this backup.
  const databases = incremental ? { ...taken, aliases: selectedAliases(catalog, selection) } : taken;
  const { problems, notDatabases } = selectedProblems(catalog, dataDirectory, rules);
  const limits = { maxSkipped: options.maxSkipped ?? Infinity, unmetRequired: selection.unmetRequired };
  const pathsOf = (failures: readonly DatabaseFailure[]): string[] => failures.map(({ database }) => database);
  const present = { ...catalog, notDatabases: pathsOf(notDatabases), problems: pathsOf(problems) };
  const continuity = await Continuity.compare(deltaDirectory, dataDirectory, present, rules, () => {
    call.check();
  });
  // A database that an earlier backup contains is reported as a failure and needs no additional notice.
  const unreadable = new Set(pathsOf(continuity.unreadable));
  const neverDatabases = notDatabases.filter(({ database }) => !unreadable.has(database));
  const notices = [...selection.notices, ...neverDatabases.map(notADatabase), ...rules.unmatched()];
  refuseTooManySkipped([...problems, ...continuity.unreadable], [], databases.paths.length, limits);
  return { databases, problems, notices, limits, continuity, incremental };
}

export async function makeDeltaDirectory(
  binding: NativeBinding,
  directory: string,
  dataDirectory: string,
): Promise<{ readonly deltaDirectory: string; readonly warning: Warning | undefined }> {
  const refuse = (why: string): never => {
    const message = `the delta directory ${directory} cannot be used: ${why}`;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message });
  };
  try {
    const deltaDirectory = await realPathToBe(directory);
    // The server's replication and compaction would treat our files as its own.
    if (dataDirectory !== '' && isInside(deltaDirectory, await realpath(dataDirectory))) {
      refuse(`it is inside the data directory ${dataDirectory}`);
    }
    await makeOwnDirectory(deltaDirectory, binding);
    await access(directory, constants.W_OK | constants.X_OK);
    const { refusal, warning } = await directoryRisk(deltaDirectory, binding);
    if (refusal !== '') refuse(refusal);
    const journals = journalDirectory(deltaDirectory);
    await makeOwnDirectory(journals, binding);
    const risk = await directoryRisk(journals, binding);
    if (risk.refusal !== '') refuse(risk.refusal);
    return { deltaDirectory, warning };
  } catch (cause) {
    if (cause instanceof DominoVssError) throw cause;
    const message = `the delta directory ${directory} cannot be used: ${(cause as Error).message}`;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message, cause });
  }
}

/**
 * A broken link and an unreadable directory hide databases, unless the selection excludes what is there. A file that
 * only has the name of a database hides nothing.
 */
function selectedProblems(
  catalog: Catalog,
  dataDirectory: string,
  rules: SelectionRules,
): { readonly problems: DatabaseFailure[]; readonly notDatabases: DatabaseFailure[] } {
  const selected = catalogProblems(catalog)
    .map((problem) => ({ ...problem, database: relativePath(problem.database, dataDirectory) }))
    .filter(({ database }) => rules.leaveOut(database) === undefined);
  return {
    problems: selected.filter(({ operation }) => operation !== ''),
    notDatabases: selected.filter(({ operation }) => operation === ''),
  };
}

function notADatabase({ database, text }: DatabaseFailure): Notice {
  return { code: 'WARN_NOT_A_DATABASE', text: printable(`${database} was left out: ${text}`), subjects: [database] };
}

/** The style is only reported, so a server that does not respond must cost little time. */
const logStyleBudgetMs = 10_000;

export async function readLogStyle(
  binding: NativeBinding,
  call: Call,
): Promise<'circular' | 'archive' | 'linear' | 'none' | 'unknown'> {
  try {
    return await call.bounded(binding.transactionLogStyle(), {
      // Less than the time left, so that a hanging call is abandoned before the whole backup runs out of time.
      budgetMs: Math.min(logStyleBudgetMs, Math.ceil(call.remainingMs() / 2)),
      operation: 'NSFGetTransLogStyle',
      subject: '',
    });
  } catch (error) {
    // An abort, or the deadline, whose error says which call has not returned. Native code throws records.
    if (isDominoVssError(error)) throw error;
    call.check();
    return 'unknown';
  }
}

export async function deltaDirectoryWarnings(
  binding: NativeBinding,
  deltaDirectory: string,
  databases: BackupDatabases,
  call: Call,
): Promise<Warning[]> {
  const { path } = await call.race(binding.inspectVolume(deltaDirectory));
  if (!databases.volumes.some((volume) => volume.path === path)) return [];
  const message =
    `the delta directory ${deltaDirectory} is on ${path}, a volume that is part of the snapshot: ` +
    'if that volume is lost, so are the deltas; save them elsewhere';
  return [warning('WARN_DELTA_VOLUME', message, { subjects: [deltaDirectory] })];
}

export function runtimeWarnings(runtime: NativeRuntime | undefined): Warning[] {
  const missing = runtime?.missingFunctions ?? [];
  if (missing.length === 0) return [];
  const message = `this Domino release does not export: ${missing.join(', ')}`;
  return [warning('WARN_FUNCTION_MISSING', message, { subjects: missing })];
}
