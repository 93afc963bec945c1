import { createPublicKey } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Backup } from './backup';
import { warnAboutLeft } from './work-end';
import { checkBeginOptions, refuseFileProvider, resolveRequester, type BeginBackupOptions } from './begin-options';
import { Call, publicCall } from '../call/call';
import { unreturnedBelow } from '../call/unreturned-calls';
import { closeTimeoutMs, noEarlierWindows, refuseTooManySkipped, type BackupWork } from './capture';
import type { Catalog } from '../domino/catalog';
import { readCosts, type Cost } from '../store/costs';
import { deltaDirectoryWarnings, makeDeltaDirectory } from './delta-directory';
import { DominoVssError, toDatabaseFailure, toPublicError, type DatabaseFailure } from '../errors/errors';
import { HookRun } from './hook';
import { chooseIncremental, type Incremental } from './incremental';
import { examineArchive } from './log-reach';
import { createSession, openSession } from './native-session';
import { recoverAll } from '../recover/recover';
import { recoveryBudgetMs, type RecoveryTools } from '../recover/tools';
import { makeOwnDirectory } from '../store/safe-directory';
import { lockDataDirectory } from '../store/data-directory-lock';
import { syncRemovals } from '../store/durable';
import { Journal, newWorkId } from '../store/journal';
import { databasesAside, recoveryWarnings } from './left-overs';
import { withNamedVolumes } from '../vss/named-volumes';
import type { NativeBinding, NativeSessionOptions } from '../native/session';
import { ProgressReporter } from '../call/progress';
import { chooseShadows, defaultBudgetMs, nativeSource } from './provider';
import { planShadows } from './shadow-plan';
import { warningsOf } from '../domino/notice';
import { Selector, type Selection } from '../domino/selection';
import { readSigningKey, signingKeyWarnings } from '../store/signature';
import { requireResources } from './resources';
import { FileCalls, untiring } from '../store/stall';
import { findSelected, nothingFound } from './selected-databases';
import { noServer, openServer, readLogStyle, runtimeWarnings } from './server';

export { checkBeginOptions, type BeginBackupOptions } from './begin-options';

/** Starting and stopping a database mostly waits for the disk, so there are more threads than processors. */
export function defaultShards(): number {
  return Math.min(16, Math.max(2, 4 * availableParallelism()));
}

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
  // A mount that does not answer must not hold up the backup before it begins.
  const { databaseBudgetMs: budgetMs } = options;
  const calls = new FileCalls({
    budgetMs,
    check: () => {
      call.check();
    },
  });
  const { signKey: keyFile } = options;
  const signKey =
    keyFile === undefined ? undefined : await calls.wait('read', keyFile, readSigningKey(keyFile, 'signKey'));
  const keyWarnings = keyFile === undefined ? [] : await calls.wait('stat', keyFile, signingKeyWarnings(keyFile));
  const { source = 'domino', mode = { type: 'backup-api' }, volumes: named = [] } = options;
  refuseFileProvider(options.provider, named);
  const server = source === 'domino' ? await openServer(binding, options, call) : noServer;
  const { dataDirectory } = server;
  const { deltaDirectory, warning: deltaWarning } = await calls.wait(
    'mkdir',
    options.deltaDirectory,
    makeDeltaDirectory(binding, options.deltaDirectory, dataDirectory),
  );

  const id = newWorkId();
  const directory = join(deltaDirectory, id);
  const lock = await lockDataDirectory(binding, { dataDirectory, deltaDirectory }, call);
  const owner = { id, work: 'backup', dataDirectory, backupDirectory: directory } as const;
  const { journal, leftOvers, unusable } = await Journal.open({
    ...owner,
    deltaDirectory,
    lock,
    // The journal outlives this call: its deadline must not end later writes.
    patience: { ...untiring, budgetMs },
  });
  undo.push(() => {
    // What takes effect later can be found only through the journal.
    const hanging = unreturnedBelow([directory]);
    return hanging.length === 0 ? journal.remove() : journal.update({ ended: true, hanging });
  });
  // Before the databases are listed, so that a database that a restore has moved aside is back in place.
  const recovering: RecoveryTools = {
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
  };
  const recovered = await recoverAll(leftOvers, recovering, { dataDirectory, deltaDirectory });

  const serverName = server.runtime?.serverName ?? '';
  const logStyle = server.runtime ? await readLogStyle(binding, call) : 'unknown';
  const narrow = async (catalog: Catalog, selection: Selection): Promise<Incremental> => {
    const { notesIni } = server;
    const logs = await examineArchive(
      binding,
      { notesIni, dataDirectory, logStyle, logArchive: options.logArchive, budgetMs: budgetMs ?? defaultBudgetMs },
      call,
    );
    const verifyingKey = signKey && createPublicKey(signKey);
    const work = {
      binding,
      deltaDirectory,
      server: { dataDirectory, serverName },
      logs,
      verifyingKey,
      budgetMs: budgetMs ?? defaultBudgetMs,
      call,
    };
    return chooseIncremental(catalog, selection, work);
  };
  const given = options.shadowDirectory;
  const excludeDirectories = given === undefined ? [deltaDirectory] : [deltaDirectory, given];
  const selector = new Selector(options);
  const found =
    source === 'domino'
      ? await findSelected(
          binding,
          { dataDirectory, serverName, deltaDirectory },
          { excludeDirectories, selector, options, narrow: options.incremental === true ? narrow : undefined },
          call,
        )
      : nothingFound;
  const { notices, limits, incremental } = found;
  const aside = databasesAside(recovered, dataDirectory, selector);
  const continuity = found.continuity.without(aside);
  const decided = new Set(aside.map(({ database }) => database));
  const isOpen = ({ code, database }: DatabaseFailure): boolean =>
    code !== 'ERR_ORIGINAL_ASIDE' || !decided.has(database);
  const problems = [...found.problems.filter(isOpen), ...continuity.unreadable, ...aside];
  const databases = await withNamedVolumes(binding, found.databases, named, call);

  const { volumes } = databases;
  const choice = {
    provider: options.provider ?? 'auto',
    shadowDirectory: given,
    deltaDirectory,
    volumes,
    dataDirectory,
    budgetMs: budgetMs ?? defaultBudgetMs,
  };
  const { provider, directories } = await call.race(chooseShadows(binding, { ...choice, vss }, call));
  refuseFileProvider(provider.native, named);
  const plan = planShadows(id, directories);
  const needed = {
    databases,
    opensDatabases: server.runtime !== undefined,
    shards: options.shards ?? defaultShards(),
    copyDirectories: provider.native === 'rolling' ? directories.map(({ path }) => path) : [],
    copiesTo: options.copiesTo,
  };
  await calls.wait('statfs', options.copiesTo ?? dataDirectory, requireResources(needed));

  const facts = {
    notesIni: server.notesIni,
    serverName,
    lifetime: options.lifetime ?? (vss?.persistent ? 'persistent' : 'backup'),
    logStyle,
    warnings: [
      ...recoveryWarnings(recovered, unusable),
      ...(deltaWarning ? [deltaWarning] : []),
      ...keyWarnings,
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
    await new Call({ timeoutMs: closeTimeoutMs, phase: 'end' }).race(binding.removeTree(directory));
    await new FileCalls(untiring).wait('fsync', deltaDirectory, syncRemovals([directory]));
  });
  await calls.wait('mkdir', directory, makeOwnDirectory(join(directory, 'deltas'), binding));
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
    databaseBudgetMs: budgetMs ?? defaultBudgetMs,
    windowTimeoutMs: options.windowTimeoutMs ?? 60_000,
    // Stopping a server takes time, and without the backup API nothing is held that could harm the server.
    leaseMs: options.leaseMs ?? (server.runtime ? 60_000 : 3_600_000),
    deltaDirectory: join(directory, 'deltas'),
    ...(provider.vss && { vss: provider.vss.native }),
    // Bound, because native code holds it: a closure made here would keep everything in scope alive, including the backup.
    ...(hookRun && { createShadow: hookRun.start.bind(hookRun) }),
  };
  // Only estimates.
  const reading = readCosts(deltaDirectory, dataDirectory);
  const costs = await calls.wait('read', deltaDirectory, reading).catch(() => new Map<string, Cost>());
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
    warnings: [],
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
