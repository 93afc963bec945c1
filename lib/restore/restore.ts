import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkShadows, type HookShadow } from '../backup/provider';
import { Call, publicCall } from '../call/call';
import type { ManifestDatabase } from '../store/manifest-format';
import { examineDelta, examineFront } from '../store/contents';
import { requireFreeSpace } from '../store/copy';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import {
  decidedFailure,
  DominoVssError,
  OptionError,
  RestoreError,
  toPublicError,
  type DatabaseFailure,
} from '../errors/errors';
import { forEachLimited } from '../call/event-loop';
import { findOpenFiles } from './in-use';
import { lockDataDirectory } from '../store/data-directory-lock';
import { recoverAll } from '../recover/recover';
import { describeUnrecovered, type RecoveredWork } from '../recover/report';
import { Journal, newWorkId } from '../store/journal';
import { describeUnusable } from '../store/journals';
import type { LeftOver } from '../store/left-over';
import { makeStateDirectory, stateDirectory } from '../store/state-directory';
import { locateDatabase } from '../domino/links';
import { loadManifest, type Manifest } from '../store/manifest';
import { readVerifyingKey } from '../store/signature';
import type { NativeBinding } from '../native/session';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  functionValue,
  globs,
  insideDataDirectory,
  isolationOption,
  milliseconds,
  oneOf,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import { printable } from '../errors/printable';
import { resolveWanted } from './wanted';
import { ProgressReporter, type ProgressListener } from '../call/progress';
import {
  chooseDatabases,
  copyOf,
  needsShadows,
  planRestore,
  planSteps,
  targetPath,
  type KnownInput,
  type PlannedDatabase,
  type RestoreChoice,
  type RestoreMode,
  type RestorePlan,
  type RestoreStep,
} from './plan';
import { Restoration } from './restoration';
import { shadowRoots, type ShadowRoots } from './sources';
import { openRuntime } from '../domino/runtime';

/** Options of `restoreDatabases`. */
export interface RestoreOptions {
  /** Absolute path of a manifest, or of the directory of its backup. */
  readonly manifest: string;
  /**
   * Paths or globs of databases, relative to the data directory, with `/` or `\`; also aliases. `mail` and `mail/` mean
   * all of that directory. Default: all but those a server always holds open.
   */
  readonly databases?: readonly string[] | undefined;
  /** Default: `{ type: 'online' }`. */
  readonly mode?: RestoreMode | undefined;
  /** Absolute directory of the copies, if they are not where the manifest says. */
  readonly copiesDirectory?: string | undefined;
  /**
   * Where shadows can be read now: those that were taken outside of this package, between hold and release, or that were
   * moved. Default: where the manifest says.
   */
  readonly shadowRoots?: readonly HookShadow[] | undefined;
  /**
   * Absolute path of an Ed25519 public key (PEM): the backup must be signed with its private key. Default: no signature is
   * asked for.
   */
  readonly requireSignature?: string | undefined;
  /** Where Domino is. Default: found by the environment and in the usual places. */
  readonly domino?: DominoLocation | undefined;
  /** Only plan: nothing is touched and the Domino runtime is not needed. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Which process holds Domino: this one (`none`, the default), or one that is started for the restore (`process`). */
  readonly isolation?: Isolation | undefined;
  /**
   * Longest time for one call on a database. One that exceeds it is left as it is and named, with the call; the others go
   * on. A recovery may take as long as `timeoutMs`. Default: 60 000.
   */
  readonly databaseBudgetMs?: number | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /** What was begun is put back. A recovery that has begun is finished, unless it takes longer than `databaseBudgetMs` from then on. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** What happened to one database. */
export type RestoredDatabase =
  | {
      readonly result: 'restored' | 'planned';
      /** Path in the backup. */
      readonly database: string;
      /** Path after the restore, relative to the data directory. */
      readonly path: string;
      readonly file: string;
      /** Whether Domino recovers it, as it does with logged databases. */
      readonly recovered: boolean;
      /**
       * Whether the contents that are restored were hashed when they were backed up; every byte is compared then. Otherwise
       * only size, signature and header can be.
       */
      readonly hashed: boolean;
    }
  | { readonly result: 'left-out' | 'failed'; readonly database: string; readonly failure: DatabaseFailure };

/** What a restore has done. */
export interface RestoreReport {
  /** Id of the backup. */
  readonly backupId: string;
  /** `planned` after a dry run; `partial` when a database was left out or failed. */
  readonly outcome: 'complete' | 'partial' | 'planned';
  readonly databases: readonly RestoredDatabase[];
  /** Every step, in its order. */
  readonly steps: readonly RestoreStep[];
  readonly warnings: readonly string[];
  /** What earlier processes left behind and could not be put right before this restore. */
  readonly leftOvers: readonly LeftOver[];
  /** Interrupted work of earlier processes, and what became of it before this restore. */
  readonly recovered: readonly RecoveredWork[];
}

export function restoreDatabases(loadBinding: () => NativeBinding, options: RestoreOptions): Promise<RestoreReport> {
  return publicCall(async () => {
    checkRestoreOptions(options);
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'restore' });
    const { requireSignature } = options;
    const key =
      requireSignature === undefined ? undefined : await readVerifyingKey(requireSignature, 'requireSignature');
    const head = await loadManifest(options.manifest, key);
    const databases: ManifestDatabase[] = [];
    for await (const database of head.databases()) databases.push(database);
    call.check();

    const mode = options.mode ?? { type: 'online' };
    const { wanted, copiesDirectory } = { wanted: options.databases, copiesDirectory: options.copiesDirectory };
    const notesIni = findNotesIni(options.domino);
    const dataDirectory =
      options.dryRun === true
        ? readDataDirectory(notesIni)
        : (await openRuntime(loadBinding(), options.domino, call)).dataDirectory;
    const input: KnownInput = { head, databases, wanted, mode, copiesDirectory, dataDirectory };
    const plan = await makePlan(input, () => shadowRoots(loadBinding, head, options.shadowRoots ?? [], call));
    if (options.dryRun === true) return dryRunReport(head, plan);
    const budgetMs = options.databaseBudgetMs ?? 60_000;
    const progress = new ProgressReporter(options.onProgress, call);
    return restore(loadBinding(), head, plan, { dataDirectory, budgetMs }, call, progress);
  });
}

function checkRestoreOptions(options: RestoreOptions): void {
  checkOptions(options, {
    manifest: absolutePath,
    databases: globs,
    mode: checkRestoreMode,
    copiesDirectory: absolutePath,
    shadowRoots: checkShadows,
    requireSignature: absolutePath,
    domino: dominoLocation,
    dryRun: boolean,
    databaseBudgetMs: milliseconds,
    timeoutMs: milliseconds,
    signal: abortSignal,
    isolation: isolationOption,
    onProgress: functionValue,
  });
  absolutePath(options.manifest, 'manifest');
  if (options.databases?.length === 0) {
    throw new OptionError('databases', 'databases must name at least one database; leave it out for all');
  }
}

const restoreType = oneOf('online', 'offline', 'new-database');

function checkRestoreMode(value: unknown, name: string): void {
  const { type, as } = (value ?? {}) as { type?: unknown; as?: unknown };
  checkOptions(
    value,
    {
      type: restoreType,
      ...(type === 'online' && { waitMs: milliseconds }),
      ...(type === 'new-database' && { as: insideDataDirectory, newReplicaId: boolean }),
    },
    `${name}.`,
  );
  restoreType(type, `${name}.type`);
  if (type === 'new-database') insideDataDirectory(as, `${name}.as`);
}

/** Copies that the backup has made and that are not where they should be; its shadow may still be there. */
async function findLostCopies(input: KnownInput, { chosen }: RestoreChoice): Promise<ReadonlySet<string>> {
  const lost = new Set<string>();
  for (const database of chosen) {
    const copy = copyOf(database, input);
    if (copy !== undefined && !(await stat(copy).catch(() => undefined))) lost.add(database.path);
  }
  return lost;
}

async function makePlan(input: KnownInput, findShadows: () => Promise<ShadowRoots>): Promise<RestorePlan> {
  const { head, mode, dataDirectory } = input;
  if (mode.type !== 'new-database' && head.dataDirectory !== dataDirectory) {
    const message = `the backup is of ${head.dataDirectory}, this server's data directory is ${dataDirectory}`;
    throw new RestoreError('ERR_RESTORE_TARGET', { message, phase: 'restore' });
  }
  const choice = chooseDatabases({ ...input, wanted: await resolveWanted(input) });
  const files: string[] = [];
  for (const database of choice.chosen) {
    files.push(await locateDatabase(dataDirectory, targetPath(database, mode, choice.chosen.length)));
  }
  const lostCopies = await findLostCopies(input, choice);
  const found = { ...input, lostCopies };
  const roots = needsShadows(found, choice) ? await findShadows() : new Map<string, string>();
  return planRestore(found, choice, files, roots);
}

function dryRunReport(head: Manifest, plan: RestorePlan): RestoreReport {
  return {
    backupId: head.id,
    outcome: 'planned',
    databases: [...plan.databases.map((planned) => restored('planned', planned)), ...plan.leftOut.map(leftOut)],
    steps: planSteps(plan),
    warnings: plan.warnings,
    leftOvers: [],
    recovered: [],
  };
}

async function restore(
  binding: NativeBinding,
  head: Manifest,
  plan: RestorePlan,
  { dataDirectory, budgetMs }: { readonly dataDirectory: string; readonly budgetMs: number },
  call: Call,
  progress: ProgressReporter,
): Promise<RestoreReport> {
  const deltaDirectory = dirname(head.directory);
  const lock = await lockDataDirectory(binding, { dataDirectory, deltaDirectory }, call);
  const { journal, leftOvers, unusable } = await Journal.open({
    deltaDirectory: await realpath(deltaDirectory),
    elsewhere: async () => {
      await makeStateDirectory(binding, stateDirectory());
      return stateDirectory();
    },
    lock,
    id: newWorkId(),
    work: 'restore',
    dataDirectory,
    backupDirectory: '',
  });
  const restoration = new Restoration(binding, journal, head, plan.mode, budgetMs, call, progress);
  try {
    const tools = { binding, call, dryRun: false, service: undefined, hook: undefined };
    const recovered = await recoverAll(leftOvers, { ...tools, openRuntime: () => Promise.resolve() });
    const { ready, refused } = await checkBeforehand(plan, call);
    await checkFreeSpace(ready);
    const { done, failures } = await restoration.run(ready);
    const unrecovered = recovered.filter((work) => !work.done);
    const failed = [...refused, ...failures];
    if (done.length === 0) throw everythingFailed(failed, plan.leftOut);
    return {
      backupId: head.id,
      outcome: failed.length + plan.leftOut.length > 0 ? 'partial' : 'complete',
      databases: [
        ...done.map((planned) => restored('restored', planned)),
        ...plan.leftOut.map(leftOut),
        ...failed.map((failure) => ({ result: 'failed' as const, database: failure.database, failure })),
      ],
      steps: planSteps({ ...plan, databases: done }),
      warnings: [
        ...unrecovered.map(describeUnrecovered),
        ...unusable.map(describeUnusable),
        ...plan.warnings,
        ...notHashed(done),
        ...restoration.warnings,
      ].map(printable),
      leftOvers: unrecovered.map(({ leftOver }) => leftOver),
      recovered,
    };
  } catch (error) {
    if (!restoration.hasBegun) await journal.remove();
    // There is no report that would say it.
    for (const warning of restoration.warnings) process.emitWarning(warning, { code: 'ERR_FILE_SYSTEM' });
    throw error;
  }
}

/** What could not be proven of what was restored. */
function notHashed(done: readonly PlannedDatabase[]): string[] {
  const count = done.filter(({ contents }) => contents.sha256 === undefined).length;
  if (count === 0) return [];
  const subject =
    count === 1
      ? `1 database (${done.find(({ contents }) => !contents.sha256)?.path ?? ''}) was`
      : `${count} databases were`;
  return [`${subject} not hashed by the backup: only size, signature and header could be checked`];
}

function restored(
  result: 'restored' | 'planned',
  { database, path, file, recover, contents }: PlannedDatabase,
): RestoredDatabase {
  return {
    result,
    database: database.path,
    path,
    file,
    recovered: recover,
    hashed: contents.sha256 !== undefined,
  };
}

function leftOut(failure: DatabaseFailure): RestoredDatabase {
  return { result: 'left-out', database: failure.database, failure };
}

/** One reason for all is the reason of the whole; otherwise the failures tell. */
function everythingFailed(failed: readonly DatabaseFailure[], leftOutToo: readonly DatabaseFailure[]): RestoreError {
  const all = [...failed, ...leftOutToo];
  const [first] = all;
  if (!first) return new RestoreError('ERR_RESTORE_FAILED', { message: 'the backup holds no database to restore' });
  const same = all.every(({ code }) => code === first.code);
  const others = all.length > 1 ? ` (and ${all.length - 1} more)` : '';
  const message = `no database could be restored: ${first.database}: ${first.text}${others}`;
  const details = { message, phase: 'restore' as const, hint: same ? first.hint : undefined };
  return new RestoreError(same ? first.code : 'ERR_RESTORE_FAILED', details, all);
}

/** Everything that can be found out without touching a database. */
async function checkBeforehand(
  plan: RestorePlan,
  call: Call,
): Promise<{ readonly ready: PlannedDatabase[]; readonly refused: DatabaseFailure[] }> {
  const refused: DatabaseFailure[] = [];
  const ready: PlannedDatabase[] = [];
  const open = plan.mode.type === 'offline' ? await findOpenFiles(plan.databases.map(({ file }) => file)) : new Map();
  await forEachLimited(plan.databases, 4, async (planned) => {
    const failure = await refuse(planned, plan, open, call);
    if (failure) refused.push(failure);
    else ready.push(planned);
  });
  const order = new Map(plan.databases.map((planned, index) => [planned, index]));
  ready.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return { ready, refused };
}

async function refuse(
  { database, file, source, delta, original, contents }: PlannedDatabase,
  plan: RestorePlan,
  open: ReadonlyMap<string, number>,
  call: Call,
): Promise<DatabaseFailure | undefined> {
  call.check();
  const because = (code: Parameters<typeof decidedFailure>[1], text: string): DatabaseFailure =>
    decidedFailure(database.path, code, 'restore', text);
  const process = open.get(file);
  if (process !== undefined) return because('ERR_RESTORE_IN_USE', `process ${process} has ${file} open`);
  if (plan.mode.type === 'new-database') {
    if (await stat(file).catch(() => undefined)) return because('ERR_RESTORE_TARGET', `${file} exists already`);
  } else if (await stat(original).catch(() => undefined)) {
    return because('ERR_RESTORE_TARGET', `${original} was left by an earlier restore and may be the only original`);
  }
  if (!(await stat(source).catch(() => undefined))) return because('ERR_RESTORE_SOURCE', `${source} does not exist`);
  const wrong = await examineFront(source, contents).catch(toPublicError);
  if (wrong instanceof DominoVssError) return because('ERR_RESTORE_SOURCE', wrong.message);
  if (wrong !== undefined) return because('ERR_CONTENTS_DAMAGED', `${source} ${wrong}`);
  if (delta === '') return undefined;
  const wrongDelta = await examineDelta(delta, database, () => {
    call.check();
  });
  return wrongDelta === undefined ? undefined : because('ERR_DELTA_DAMAGED', `${delta} ${wrongDelta}`);
}

/** Missing directories are made with the copies, when the journal names them. */
async function nearestExisting(directory: string): Promise<string> {
  let at = directory;
  while (dirname(at) !== at && !(await stat(at).catch(() => undefined))) at = dirname(at);
  return at;
}

/** The copies lie beside the originals for a while, on whichever file systems these are. */
async function checkFreeSpace(databases: readonly PlannedDatabase[]): Promise<void> {
  const needed = new Map<number, { directory: string; bytes: number }>();
  for (const { file, database } of databases) {
    const directory = await nearestExisting(dirname(file));
    const { dev } = await stat(directory);
    const entry = needed.get(dev) ?? { directory, bytes: 0 };
    entry.bytes += database.startSizeBytes;
    needed.set(dev, entry);
  }
  for (const { directory, bytes } of needed.values()) await requireFreeSpace(directory, bytes);
}
