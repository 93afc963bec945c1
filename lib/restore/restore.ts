import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Call, publicCall } from '../call/call';
import { forEachLimited } from '../call/event-loop';
import type { ManifestDatabase } from '../store/manifest-format';
import { findNotesIni, NotesIni, readDataDirectory, recoveryLogOf } from '../domino/environment';
import { OptionError, RestoreError, toPublicError, type DatabaseFailure, type DominoVssError } from '../errors/errors';
import { timedateToDate } from '../domino/timedate';
import { withDaos } from './daos';
import { checkBeforehand, findLostCopies } from './beforehand';
import { foresee } from './foresight';
import { filesLeftOffline, settleLeftOffline } from './handed-over';
import { gatherLogKnowledge, type Server } from './log-knowledge';
import {
  backupDue,
  everythingFailed,
  failed,
  leftOut,
  logsOf,
  logWarnings,
  notHashed,
  plannedReport,
  restored,
  type RestoreReport,
} from './report';
import { lockDataDirectory } from '../store/data-directory-lock';
import { recoverAll } from '../recover/recover';
import { patienceOf } from '../recover/tools';
import { warnOfUnrecovered } from '../recover/report';
import { Journal, newWorkId } from '../store/journal';
import { warnOfUnusable } from '../store/journals';
import { isInside, realPathToBe } from '../store/safe-directory';
import { FileCalls } from '../store/stall';
import { makeStateDirectory, stateDirectory } from '../store/state-directory';
import { locateBelow, locateDatabase } from '../domino/links';
import { loadLinks } from '../store/chain';
import { haveOtherNames } from '../store/backups';
import { databasesOf, loadManifest, type Manifest } from '../store/manifest';
import { readVerifyingKey } from '../store/signature';
import type { NativeBinding } from '../native/session';
import { warning } from '../errors/warnings';
import { resolveWanted } from './wanted';
import { ProgressReporter } from '../call/progress';
import {
  chooseDatabases,
  needsShadows,
  planOf,
  targetPath,
  type KnownInput,
  type PlannedDatabase,
  type RestorePlan,
} from './plan';
import { isInPlace } from './mode';
import { Restoration } from './restoration';
import { planSteps } from './steps';
import { checkRestoreOptions, type PlanRestoreOptions, type RestoreOptions } from './restore-options';
import { pointInTimeOf } from './until';
import { warnOfSources } from './source-directories';
import { shadowRoots, type ShadowRoots } from './sources';
import { openRuntime } from '../domino/runtime';
import { requireSafeArchive } from '../logs/directory';
import { nativeArchive } from '../logs/recovery';

export type { PlanRestoreOptions, RestoreOptions } from './restore-options';

/** Everything that a restore consists of, before anything is changed. */
interface Preparation {
  readonly call: Call;
  readonly head: Manifest;
  readonly plan: RestorePlan;
  readonly server: Server;
}

/** `openDomino` returns the binding for queries to Domino, and the data directory; undefined if Domino is not queried. */
async function prepare(
  loadBinding: () => NativeBinding,
  options: RestoreOptions,
  openDomino: (
    call: Call,
  ) => Promise<(Pick<Server, 'binding' | 'dataDirectory'> & { readonly serverName: string }) | undefined>,
): Promise<Preparation> {
  const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'restore' });
  const { requireSignature } = options;
  const budgetMs = options.databaseBudgetMs ?? 60_000;
  const calls = new FileCalls(patienceOf({ call, budgetMs }));
  const key =
    requireSignature === undefined
      ? undefined
      : await calls.wait('read', requireSignature, readVerifyingKey(requireSignature, 'requireSignature'));
  const head = await calls.wait('read', options.manifest, loadManifest(options.manifest, key));
  const databases: ManifestDatabase[] = [];
  for await (const database of databasesOf(head, calls)) databases.push(database);
  call.check();

  const mode = options.mode ?? { type: 'online' };
  const { wanted, copiesDirectory } = { wanted: options.databases, copiesDirectory: options.copiesDirectory };
  const notesIni = findNotesIni(options.domino);
  if (mode.type === 'online' && recoveryLogOf(new NotesIni(notesIni)) !== undefined) {
    const message = `${notesIni} belongs to a recovery directory, where no server runs: restore offline (--offline)`;
    throw new OptionError('mode', message);
  }
  const { binding, dataDirectory, serverName } = (await openDomino(call)) ?? {
    binding: undefined,
    serverName: '',
    dataDirectory: readDataDirectory(notesIni),
  };
  const pointInTime = pointInTimeOf(options.until, head);
  const otherServer = options.otherServer ?? false;
  const adopts = options.until === 'backup' || (otherServer && options.until === undefined);
  const place = { mode, otherServer, adopts, copiesDirectory, dataDirectory };
  const chain = { head, links: await calls.wait('read', head.directory, loadLinks(head, key)) };
  const input: KnownInput = { ...chain, databases, wanted, pointInTime, ...place };
  const findShadows = (): Promise<ShadowRoots> => shadowRoots(loadBinding, chain, options.shadowRoots ?? [], call);
  const plan = await makePlan(input, serverName, findShadows, calls);
  const server = {
    binding,
    notesIni,
    dataDirectory,
    logArchive: options.logArchive && (await requireSafeArchive(options.logArchive, loadBinding(), call, 'logArchive')),
    budgetMs,
  };
  return { call, head, plan, server };
}

/** Opens Domino in this process. */
async function openServer(binding: NativeBinding, options: RestoreOptions, call: Call) {
  const { dataDirectory, serverName } = await openRuntime(binding, options.domino, call);
  return { binding, dataDirectory, serverName };
}

export function restoreDatabases(loadBinding: () => NativeBinding, options: RestoreOptions): Promise<RestoreReport> {
  return publicCall(async () => {
    checkRestoreOptions(options);
    if (options.dryRun === true) {
      const { call, head, plan, server } = await prepare(loadBinding, options, () => Promise.resolve(undefined));
      const databases = plan.databases.map(({ database }) => database);
      const knowledge = await gatherLogKnowledge(server, head, plan, databases, call);
      return withDaos(plannedReport(head, plan, { ready: plan.databases, refused: [], knowledge }), server);
    }
    return restoreNow(loadBinding, options);
  });
}

/** Restores as a part of other work that holds the lock of the data directory; `within` is the id of that work. */
export function restoreWithin(
  loadBinding: () => NativeBinding,
  options: RestoreOptions,
  within: string,
): Promise<RestoreReport> {
  checkRestoreOptions(options);
  return restoreNow(loadBinding, options, within);
}

async function restoreNow(
  loadBinding: () => NativeBinding,
  options: RestoreOptions,
  within?: string,
): Promise<RestoreReport> {
  const binding = loadBinding();
  const preparation = await prepare(loadBinding, options, (call) => openServer(binding, options, call));
  return restore(binding, preparation, new ProgressReporter(options.onProgress, preparation.call), within);
}

/** Where the databases of a backup can be read, as a restore would read them. Databases that it would refuse are left out. */
export async function planSources(
  loadBinding: () => NativeBinding,
  input: KnownInput,
  databases: readonly ManifestDatabase[],
  call: Call,
): Promise<{ readonly sources: readonly PlannedDatabase[]; readonly leftOut: readonly DatabaseFailure[] }> {
  const wanted = databases.map(({ path }) => path);
  const calls = new FileCalls({
    check: () => {
      call.check();
    },
  });
  const findShadows = (): Promise<ShadowRoots> => shadowRoots(loadBinding, input, [], call);
  const plan = await makePlan({ ...input, databases, wanted }, '', findShadows, calls);
  const { ready, refused } = await checkBeforehand(plan, call);
  return { sources: ready, leftOut: [...plan.leftOut, ...refused] };
}

/**
 * Reports for every database what a restore would do and whether it would succeed. Reads everything that a restore would check,
 * asks the server about the current databases, and changes nothing.
 */
export function planRestore(loadBinding: () => NativeBinding, options: PlanRestoreOptions): Promise<RestoreReport> {
  return publicCall(async () => {
    checkRestoreOptions(options);
    let unasked: DominoVssError | undefined;
    const preparation = await prepare(loadBinding, options, async (call) => {
      try {
        return await openServer(loadBinding(), options, call);
      } catch (error) {
        call.check();
        unasked = toPublicError(error);
        return undefined;
      }
    });
    const { call, head, plan, server } = preparation;
    const foresight = await foresee(head, plan, server, call);
    const report = await withDaos(plannedReport(head, plan, foresight), server);
    if (!unasked) return report;
    const message = `the server could not be asked: ${unasked.message}`;
    return { ...report, warnings: [...report.warnings, warning('WARN_SERVER_NOT_ASKED', message, { error: unasked })] };
  });
}

async function makePlan(
  input: KnownInput,
  serverName: string,
  findShadows: () => Promise<ShadowRoots>,
  calls: FileCalls,
): Promise<RestorePlan> {
  const { head, mode, dataDirectory } = input;
  if (isInPlace(mode) && !input.otherServer && head.dataDirectory !== dataDirectory) {
    const message =
      `the backup is of ${head.dataDirectory}, this server's data directory is ${dataDirectory}: use otherServer ` +
      '(--other-server) to restore to the same paths below it';
    throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
  }
  if (isInPlace(mode) && !input.otherServer && haveOtherNames(head, { serverName })) {
    const message =
      `the backup is of ${head.serverName}, this server is ${serverName}: use otherServer (--other-server) if its databases ` +
      'may take the places of those of this server, or if this server was renamed';
    throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
  }
  const choice = chooseDatabases({ ...input, wanted: await resolveWanted(input) });
  const plain =
    mode.type === 'directory'
      ? await calls.wait('realpath', mode.directory, plainDirectory(mode.directory, dataDirectory))
      : undefined;
  const files: string[] = [];
  await forEachLimited(choice.chosen.entries(), 4, async ([index, database]) => {
    const path = targetPath(database, mode, choice.chosen.length);
    const locating = plain === undefined ? locateDatabase(dataDirectory, path) : locateBelow(plain, path);
    files[index] = await calls.wait('realpath', path, locating);
  });
  const lostCopies = await findLostCopies(input, choice, calls);
  const found = { ...input, lostCopies };
  const roots = needsShadows(found, choice) ? await findShadows() : new Map<string, string>();
  return planOf(found, choice, files, roots);
}

/**
 * The real path of the directory for plain files. In its data directory, a server would use the files as databases of its own.
 */
async function plainDirectory(directory: string, dataDirectory: string): Promise<string> {
  const real = await realPathToBe(directory);
  if (!isInside(real, await realpath(dataDirectory))) return real;
  const message = `${directory} lies in the data directory: databases are restored there as new ones (--as)`;
  throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
}

async function restore(
  binding: NativeBinding,
  preparation: Preparation,
  progress: ProgressReporter,
  within: string | undefined,
): Promise<RestoreReport> {
  const { call, head, plan } = preparation;
  const { dataDirectory, budgetMs } = preparation.server;
  // Nothing may fail between taking the lock and opening the journal, which releases the lock.
  const calls = new FileCalls(patienceOf({ call, budgetMs }));
  const deltaDirectory = await calls.wait('realpath', head.directory, realpath(dirname(head.directory)));
  const ofSources = await warnOfSources(binding, deltaDirectory, plan.databases, calls);
  const lock =
    within === undefined ? await lockDataDirectory(binding, { dataDirectory, deltaDirectory }, call) : undefined;
  const { journal, leftOvers, unusable } = await Journal.open({
    deltaDirectory,
    elsewhere: async () => {
      await makeStateDirectory(binding, stateDirectory());
      return stateDirectory();
    },
    patience: patienceOf({ call, budgetMs }),
    lock,
    within,
    id: newWorkId(),
    work: 'restore',
    dataDirectory,
    backupDirectory: '',
  });
  const restoration = new Restoration(binding, journal, plan.mode, plan.pointInTime, budgetMs, call, progress);
  try {
    const tools = { binding, call, budgetMs, dryRun: false, service: undefined, hook: undefined };
    const recovering = { ...tools, openRuntime: () => Promise.resolve() };
    const recovered = await recoverAll(leftOvers, recovering, { dataDirectory, deltaDirectory });
    const hanging = new Set(leftOvers.flatMap((leftOver) => leftOver.hanging));
    restoration.expectOffline(filesLeftOffline(leftOvers));
    const { ready, refused, knowledge } = await foresee(head, plan, preparation.server, call, hanging);
    const { done, failures } = await restoration.run(ready, knowledge.archive && nativeArchive(knowledge.archive));
    const settled = await settleLeftOffline(leftOvers, new Set(done.map(({ file }) => file)), calls);
    const unrecovered = recovered.filter((work) => !work.done && !settled.includes(work.leftOver));
    const allFailures = [...refused, ...failures];
    if (done.length === 0) throw everythingFailed(allFailures, plan.leftOut);
    const report = {
      backupId: head.id,
      outcome: allFailures.length + plan.leftOut.length > 0 ? ('partial' as const) : ('complete' as const),
      databases: [
        ...done.map((planned) => restored('restored', planned, head, knowledge)),
        ...plan.leftOut.map(leftOut),
        ...allFailures.map(failed),
      ],
      recoveredTo: timedateToDate(restoration.lastApplied)?.toISOString() ?? null,
      steps: planSteps({ ...plan, databases: done }),
      logs: logsOf(done, knowledge),
      warnings: [
        ...unrecovered.map(warnOfUnrecovered),
        ...unusable.map(warnOfUnusable),
        ...ofSources,
        ...plan.warnings,
        ...notHashed(done),
        ...logWarnings(done, knowledge),
        ...backupDue(plan, done),
        ...restoration.warnings,
      ],
      leftOvers: unrecovered.map(({ leftOver }) => leftOver),
      recovered,
    };
    return await withDaos(report, preparation.server);
  } catch (error) {
    if (!restoration.hasBegun) await journal.remove();
    // There is no report that could contain them.
    for (const { code, message } of restoration.warnings) process.emitWarning(message, { code });
    throw error;
  }
}
