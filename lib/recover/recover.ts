import { realpath, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Call, publicCall } from '../call/call';
import { undefinedWhereMissing } from '../call/files';
import { hasUnreturned } from '../call/unreturned-calls';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  isolationOption,
  milliseconds,
  type DominoLocation,
  type Isolation,
} from '../call/options';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import { openRuntime } from '../domino/runtime';
import { checkService, type DominoService } from '../domino/service';
import { DominoVssError, OptionError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { lockDataDirectory } from '../store/data-directory-lock';
import { syncDirectory, syncRemovals } from '../store/durable';
import { removeDeadCanaries } from '../store/canary';
import { Journal, newWorkId, type JournalPlace } from '../store/journal';
import { journalDirectory, readJournalLists, readJournals, removeUnfinished, warnOfUnusable } from '../store/journals';
import type { LeftOver } from '../store/left-over';
import { namesOfRestore } from '../store/restored-files';
import { directoryRisk } from '../store/safe-directory';
import { makeStateDirectory, stateDirectory } from '../store/state-directory';
import { recoverBackup, removeBackup } from './backups';
import { Items } from './items';
import { outcomeOf, type RecoveredWork, type RecoveryReport } from './report';
import { hangingItem } from './databases';
import { recoverRestore, removeDrilled } from './restores';
import { isFileProvider } from './shadows';
import { fileCallsOf, patienceOf, recoveryBudgetMs, type HookRemover, type RecoveryTools } from './tools';

/** Options of `recoverInterrupted`. */
export interface RecoverOptions {
  /**
   * Absolute path of the delta directory of the interrupted backups and restores. Default: only work that does not need one
   * is examined.
   */
  readonly deltaDirectory?: string | undefined;
  /**
   * Where Domino is. Default: searched for in the environment and in the standard locations; without Domino only plain volumes
   * are examined.
   */
  readonly domino?: DominoLocation | undefined;
  /** Only report; change nothing. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Starts the service of that name. Default: the system's service is started. */
  readonly service?: DominoService | undefined;
  /** Removes the snapshots made by the hook of that name. Default: they are named and left. */
  readonly hook?: HookRemover | undefined;
  /** Which process loads Domino. Default: `none`, this one. */
  readonly isolation?: Isolation | undefined;
  /**
   * Longest time for one call to Domino, VSS or the file system; after that, its subject stays in the journal and is named.
   * Default: 60 000.
   */
  readonly databaseBudgetMs?: number | undefined;
  /** Default: 600 000. */
  readonly timeoutMs?: number | undefined;
  /** Takes effect between two steps; the journals keep naming what is left. */
  readonly signal?: AbortSignal | undefined;
}

export function recoverInterrupted(loadBinding: () => NativeBinding, options: RecoverOptions): Promise<RecoveryReport> {
  return publicCall(async () => {
    checkOptions(options, {
      deltaDirectory: absolutePath,
      domino: dominoLocation,
      dryRun: boolean,
      service: checkService,
      hook: checkHook,
      isolation: isolationOption,
      databaseBudgetMs: milliseconds,
      timeoutMs: milliseconds,
      signal: abortSignal,
    });
    const { dryRun = false, domino, service, hook } = options;
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 600_000, phase: 'end' });
    const binding = loadBinding();
    const dataDirectory = findDataDirectory(domino);
    const budgetMs = options.databaseBudgetMs ?? recoveryBudgetMs;
    const calls = fileCallsOf({ call, budgetMs });
    const given = options.deltaDirectory;
    const deltaDirectory = given && (await calls.wait('realpath', given, realDirectory(given)));
    if (deltaDirectory !== undefined) await calls.wait('stat', deltaDirectory, refuseForgery(binding, deltaDirectory));
    const open = (): Promise<unknown> => openRuntime(binding, domino, call);
    const tools = { binding, call, budgetMs, dryRun, service, hook, openRuntime: open };
    // Plain volumes do not belong to a data directory.
    const areas = dataDirectory === '' ? [''] : [dataDirectory, ''];
    const found = [];
    for (const area of areas) found.push(await recoverArea(area, deltaDirectory, tools));
    const works = found.flatMap((part) => part.works);
    // Unusable journals are found once for each area.
    const unusable = [...new Map(found.flatMap((part) => part.unusable).map((one) => [one.journal, one])).values()];
    const warnings = unusable.map(warnOfUnusable);
    return { outcome: outcomeOf(works, unusable, dryRun), works, unusable, warnings };
  });
}

function checkHook(value: unknown, name: string): void {
  if (typeof (value as Partial<HookRemover> | null)?.name === 'string') return;
  throw new OptionError(name, `${name} must be a hook with a name`);
}

async function realDirectory(directory: string): Promise<string> {
  return realpath(directory).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const message = `the delta directory ${directory} does not exist`;
      const hint = 'Name the delta directory that the backups were made with, and mount its volume if necessary.';
      throw new DominoVssError('ERR_DELTA_DIRECTORY', { message, hint, cause });
    }
    const message = `the delta directory ${directory} cannot be read: ${(cause as Error).message}`;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message, cause });
  });
}

/** Whoever can put a journal into the directory decides what is removed and renamed. */
async function refuseForgery(binding: NativeBinding, deltaDirectory: string): Promise<void> {
  for (const path of [deltaDirectory, journalDirectory(deltaDirectory)]) {
    const real = await realpath(path).catch(undefinedWhereMissing);
    const { refusal } = real === undefined ? { refusal: '' } : await directoryRisk(real, binding);
    if (refusal === '') continue;
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message: `the journals in ${path} may be forged: ${refusal}` });
  }
}

/** Empty if there is no Domino, unless the caller named its location. */
function findDataDirectory(domino: DominoLocation | undefined): string {
  try {
    return readDataDirectory(findNotesIni(domino));
  } catch (error) {
    if (domino?.notesIni !== undefined || domino?.programDirectory !== undefined) throw error;
    return '';
  }
}

/** Holds the lock of a data directory during the work, but not in a dry run. */
async function recoverArea(
  dataDirectory: string,
  deltaDirectory: string | undefined,
  tools: RecoveryTools,
): Promise<Pick<RecoveryReport, 'works' | 'unusable'>> {
  const calls = fileCallsOf(tools);
  const named = deltaDirectory ?? stateDirectory();
  const place = { dataDirectory, deltaDirectory };
  if (!tools.dryRun) await calls.wait('unlink', named, removeUnfinished(deltaDirectory));
  if (!tools.dryRun && dataDirectory !== '')
    await calls.wait('unlink', dataDirectory, removeDeadCanaries(dataDirectory));
  const { leftOvers, unusable } = await calls.wait('read', named, readJournals(deltaDirectory, dataDirectory));
  if (tools.dryRun || leftOvers.length + unusable.length === 0) {
    return { works: await recoverAll(leftOvers, tools, place), unusable };
  }
  const lock = await lockDataDirectory(tools.binding, { dataDirectory, deltaDirectory }, tools.call);
  const opened = await Journal.open({ ...journalPlace(place, tools), lock, patience: patienceOf(tools) });
  try {
    return { works: await recoverAll(opened.leftOvers, tools, place), unusable: opened.unusable };
  } finally {
    await opened.journal.remove();
  }
}

/** Where recovered work was. */
export interface RecoveredPlace {
  readonly dataDirectory: string;
  readonly deltaDirectory: string | undefined;
}

function journalPlace({ dataDirectory, deltaDirectory }: RecoveredPlace, { binding }: RecoveryTools): JournalPlace {
  return {
    id: newWorkId(),
    work: 'recovery',
    dataDirectory,
    backupDirectory: '',
    deltaDirectory,
    elsewhere: async () => {
      await makeStateDirectory(binding, stateDirectory());
      return stateDirectory();
    },
  };
}

/** The caller holds the lock of the data directory. The oldest first. */
export async function recoverAll(
  leftOvers: readonly LeftOver[],
  tools: RecoveryTools,
  place: RecoveredPlace,
): Promise<RecoveredWork[]> {
  try {
    return await recoverInOrder(leftOvers, tools);
  } finally {
    if (!tools.dryRun) await nameHanging(leftOvers, place, tools);
  }
}

/**
 * Another process must know which databases a call of this one may still change, whichever work the recovery was a part of: the
 * journals of dead processes do not say it.
 */
async function nameHanging(leftOvers: readonly LeftOver[], place: RecoveredPlace, tools: RecoveryTools): Promise<void> {
  const files = leftOvers.flatMap(({ restoring }) => restoring.map(({ file }) => file));
  const hanging = files.filter((file) => hasUnreturned(namesOfRestore(file)));
  if (hanging.length > 0) await Journal.leave(journalPlace(place, tools), { hanging });
}

async function recoverInOrder(leftOvers: readonly LeftOver[], tools: RecoveryTools): Promise<RecoveredWork[]> {
  const works: RecoveredWork[] = [];
  // The trial restore of a drill died with the drill, and comes first: it may have databases open in the drill's directory.
  const inOrder = [...leftOvers].sort((a, b) => Number(a.work === 'drill') - Number(b.work === 'drill'));
  // Its calls may still change databases that the journals of restores name.
  const hanging = leftOvers.find((left) => left.work === 'recovery' && left.hanging.length > 0);
  for (const leftOver of inOrder) works.push(await recoverOne(leftOver, hanging, tools));
  return works;
}

async function recoverOne(
  leftOver: LeftOver,
  hanging: LeftOver | undefined,
  tools: RecoveryTools,
): Promise<RecoveredWork> {
  const items = new Items(tools.dryRun, tools.call);
  const calls = fileCallsOf(tools);
  if (leftOver.work === 'backup') await recoverBackup(leftOver, tools, items);
  if (leftOver.work === 'restore') {
    const { pid } = hanging ?? leftOver;
    const files = [...leftOver.hanging, ...(hanging?.hanging ?? [])];
    await recoverRestore({ ...leftOver, pid, hanging: files }, tools, items);
  }
  if (leftOver.work === 'drill') await removeDrilled(leftOver, tools, items);
  if (leftOver.work === 'prune') await removeBackup(leftOver, tools, items);
  if (leftOver.work === 'recovery') {
    for (const subject of leftOver.hanging) items.left({ thing: 'database', subject, ...hangingItem(leftOver) });
  }
  const done = !tools.dryRun && items.nothingLeft;
  if (done) {
    const { journal } = leftOver;
    await calls.wait('fsync', journal, namedFiles(leftOver).then(syncRemovals));
    await calls.wait('unlink', journal, rm(journal, { force: true }));
    await calls.wait('fsync', dirname(journal), syncDirectory(dirname(journal)));
  }
  return { leftOver, items: items.all, done };
}

/** Everything named in a journal that may have been removed or renamed. */
async function namedFiles(left: LeftOver): Promise<string[]> {
  const { copies } = await readJournalLists(left);
  const databases = left.restoring.map(({ file }) => file);
  // VSS shadows have ids, and only the hook knows what it calls a shadow.
  const shadows = isFileProvider(left) ? left.shadows : [];
  const directories = [left.backupDirectory, ...left.newDirectories].filter((directory) => directory !== '');
  return [
    ...directories,
    ...copies,
    ...databases,
    ...left.temporaryFiles,
    ...shadows,
    ...shadows.map((shadow) => dirname(shadow)),
  ];
}
