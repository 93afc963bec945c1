import { realpath } from 'node:fs/promises';
import { Call, publicCall } from '../call/call';
import { abortSignal, absolutePath, boolean, checkOptions, functionValue, milliseconds, oneOf } from '../call/options';
import { counted } from '../errors/counted';
import { AbortError, BackupError, DominoVssError, toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { NativeBinding, NativeLock } from '../native/session';
import { recoverAll } from '../recover/recover';
import { describeUnrecovered, type RecoveredWork } from '../recover/report';
import { recoveryBudgetMs, type RecoveryTools } from '../recover/tools';
import { lockDataDirectory } from '../store/data-directory-lock';
import { interruptedRemovals, readJournals } from '../store/journals';
import { readBackups } from '../store/backups';
import { FileCalls } from '../store/stall';
import { directoryRisk } from '../store/safe-directory';
import { doubtsAbout, isWhole, linksOf, needed, type WholeBackup } from './builders';
import { describeHoldings, findHoldings, type Holdings } from './holdings';
import { removeListed } from './removal';
import { checkRules, keptBackups, type RetentionRules } from './rules';

/** Options of `pruneBackups`. */
export interface PruneOptions {
  /** Absolute delta directory. The rules apply to each server with backups there, and to each set of plain volumes, separately. */
  readonly deltaDirectory: string;
  /** Which backups stay; at least one rule. */
  readonly keep: RetentionRules;
  /**
   * What to do with a backup that has a kept shadow made by a hook, which only the storage can remove. `keep`: the backup stays and is
   * listed in the report. `leave`: the backup is removed and its shadow stays in the storage. Default: `keep`.
   */
  readonly hookShadows?: 'keep' | 'leave' | undefined;
  /**
   * What to do with a backup if none of its copies is where the manifest says: they were moved or removed, or their volume is
   * not mounted. `keep`: it stays and is listed in the report. `forget`: it is removed. Default: `keep`.
   */
  readonly missingCopies?: 'keep' | 'forget' | undefined;
  /** Only report what would be removed. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Called with every backup, and what will happen to it, before anything is removed. */
  readonly onPlan?: ((backups: readonly PrunedBackup[]) => void) | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
  /** Takes effect between two removals; the next run continues from there. */
  readonly signal?: AbortSignal | undefined;
}

/** One backup, and what happened to it. */
export interface PrunedBackup {
  readonly id: string;
  readonly directory: string;
  /** Empty for plain volumes. */
  readonly dataDirectory: string;
  /** Name of the server; empty if the backup does not know it. */
  readonly serverName: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  readonly outcome: 'complete' | 'partial';
  /**
   * Why it stays: `last`, `day 2026-08-07`, `week 2026-08-03` (its Monday), `month 2026-08`, `within`, `newest complete`,
   * `dated in the future` (the clock is wrong, or was; rules pass over it), or `base of` an incremental backup that stays and needs it.
   * Empty for a backup to be removed.
   */
  readonly keptAs: readonly string[];
  /**
   * `kept`: by a rule. `planned`: it will be removed, or would be. `left`: it should be removed, but could not be, at least in part;
   * `why` has the reason.
   */
  readonly result: 'kept' | 'planned' | 'removed' | 'left';
  /** What is removed with it, in words; for a backup that no rule keeps. */
  readonly holds: string;
  /** Size of its change information and copies. Only the storage knows the size of a shadow. */
  readonly bytes: number;
  /** Why it was left, and what to do about it; empty otherwise. */
  readonly why: string;
}

/** What `pruneBackups` did. */
export interface PruneReport {
  /**
   * `nothing`: every backup stays. `partial`: something that should have been removed is left. `planned`: a dry run that would
   * remove something.
   */
  readonly outcome: 'nothing' | 'pruned' | 'partial' | 'planned';
  /** Oldest first. */
  readonly backups: readonly PrunedBackup[];
  /** Directories that are not complete backups. They are not touched. */
  readonly untouched: readonly {
    readonly id: string;
    readonly state: 'unfinished' | 'damaged';
    readonly reason: string;
  }[];
  /** Earlier removals that had been interrupted and were finished first. */
  readonly recovered: readonly RecoveredWork[];
  /** One for each backup that was left, and one for each directory that was not touched. */
  readonly warnings: readonly Warning[];
}

export function pruneBackups(loadBinding: () => NativeBinding, options: PruneOptions): Promise<PruneReport> {
  return publicCall(async () => {
    checkOptions(options, {
      deltaDirectory: absolutePath,
      keep: checkRules,
      hookShadows: oneOf('keep', 'leave'),
      missingCopies: oneOf('keep', 'forget'),
      dryRun: boolean,
      onPlan: functionValue,
      timeoutMs: milliseconds,
      signal: abortSignal,
    });
    absolutePath(options.deltaDirectory, 'deltaDirectory');
    checkRules(options.keep, 'keep');
    const { dryRun = false } = options;
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 86_400_000, phase: 'end' });
    const binding = loadBinding();
    const deltaDirectory = await realDirectory(options.deltaDirectory, binding);
    const pruning = new Pruning(deltaDirectory, options, {
      binding,
      call,
      budgetMs: recoveryBudgetMs,
      dryRun,
      service: undefined,
      hook: undefined,
      openRuntime: () => Promise.resolve(),
    });
    return dryRun ? pruning.plan() : pruning.run();
  });
}

/** Nothing is removed from a directory that others can change: they could redirect the removal. */
async function realDirectory(directory: string, binding: NativeBinding): Promise<string> {
  const refuse = (message: string, cause?: unknown): never => {
    throw new DominoVssError('ERR_DELTA_DIRECTORY', { message, cause });
  };
  const real = await realpath(directory).catch((cause: unknown) =>
    refuse(`the delta directory ${directory} cannot be read: ${(cause as Error).message}`, cause),
  );
  const { refusal } = await directoryRisk(real, binding);
  return refusal === '' ? real : refuse(refusal);
}

/** One run over a delta directory. */
class Pruning {
  constructor(
    private readonly deltaDirectory: string,
    private readonly options: PruneOptions,
    private readonly tools: RecoveryTools,
  ) {}

  async plan(): Promise<PruneReport> {
    const { planned, untouched } = await this.#decide();
    this.options.onPlan?.(planned);
    const warnings = warningsAbout(planned, untouched);
    return { outcome: outcomeOf(planned), backups: planned, untouched, recovered: [], warnings };
  }

  /** Nothing is removed while a backup or restore of an affected server is running. */
  async run(): Promise<PruneReport> {
    const { call } = this.tools;
    const locks: NativeLock[] = [];
    try {
      const recovered = await this.#finishInterrupted(locks);
      const { planned, holdings, links, untouched } = await this.#decide();
      this.options.onPlan?.(planned);
      const backups: PrunedBackup[] = [];
      const stuck = new Map<string, string>();
      // The newest first: wherever this run ends, no incremental backup is left without the backups it builds on.
      const order = [...planned].reverse();
      for (const backup of order) {
        const held = holdings.get(backup.id);
        const builder = stuck.get(backup.id);
        try {
          if (held) call.check();
          const ended =
            held && builder !== undefined
              ? {
                  ...backup,
                  result: 'left' as const,
                  why: `backup ${builder}, which could not be removed, builds on it`,
                }
              : held
                ? await this.#remove(backup, held)
                : backup;
          if (held && ended.result === 'left') for (const id of links.get(backup.id) ?? []) stuck.set(id, backup.id);
          backups.push(ended);
        } catch (error) {
          throw cutOff(toPublicError(error), order, backups);
        }
      }
      backups.reverse();
      const left = recovered.some(({ done }) => !done);
      const warnings = warningsAbout(backups, untouched);
      return { outcome: left ? 'partial' : outcomeOf(backups), backups, untouched, recovered, warnings };
    } finally {
      for (const lock of locks) lock.release();
    }
  }

  /** Takes the locks of all data directories with backups here, and finishes the removals of dead processes. */
  async #finishInterrupted(locks: NativeLock[]): Promise<RecoveredWork[]> {
    const { binding, call } = this.tools;
    const { deltaDirectory } = this;
    const whole = (await readBackups(deltaDirectory, new FileCalls(call))).filter(isWhole);
    const recovered: RecoveredWork[] = [];
    // An interrupted removal may have removed the last manifest of its server.
    const areas = new Set([
      ...whole.map(({ manifest }) => manifest.dataDirectory),
      ...(await interruptedRemovals(deltaDirectory)),
    ]);
    for (const dataDirectory of [...areas].sort()) {
      const lock = await lockDataDirectory(binding, { dataDirectory, deltaDirectory }, call);
      if (lock) locks.push(lock);
      const { live, leftOvers, unusable } = await readJournals(deltaDirectory, dataDirectory, { work: 'prune' });
      const [other] = live;
      if (other) {
        const message = `${other.work} ${other.id} of ${other.dataDirectory} is running (process ${other.pid}) and may need a backup`;
        throw new DominoVssError('ERR_LOCKED', { message });
      }
      const doubtful = unusable.find(({ mayBeLive }) => mayBeLive);
      if (doubtful) {
        const message = `the journal ${doubtful.journal} cannot be used: ${doubtful.reason}; its work may need a backup`;
        throw new DominoVssError('ERR_LOCKED', { message });
      }
      const removals = leftOvers.filter(({ work }) => work === 'prune');
      recovered.push(...(await recoverAll(removals, this.tools, { dataDirectory, deltaDirectory })));
    }
    return recovered;
  }

  async #decide(): Promise<{
    readonly planned: PrunedBackup[];
    /** Of the backups to be removed. */
    readonly holdings: ReadonlyMap<string, Holdings>;
    /** For each backup, the ids of the backups it builds on. */
    readonly links: ReadonlyMap<string, readonly string[]>;
    readonly untouched: PruneReport['untouched'];
  }> {
    const { keep, hookShadows = 'keep', missingCopies = 'keep' } = this.options;
    const listed = await readBackups(this.deltaDirectory, new FileCalls(this.tools.call));
    const whole = listed.filter(isWhole).sort(byAge);
    const kept = new Map<string, readonly string[]>();
    for (const group of groupsOf(whole)) {
      const retained = group.map(({ id, manifest: { created, outcome } }) => ({ id, created, outcome }));
      for (const [id, reasons] of keptBackups(retained, keep, Date.now())) kept.set(id, reasons);
    }
    for (const [id, builder] of needed(whole, ({ id: builderId }) => kept.has(builderId))) {
      kept.set(id, [...(kept.get(id) ?? []), `base of ${builder}`]);
    }
    const doubts = doubtsAbout(listed);
    const stays = whole.filter(({ id }) => kept.has(id) || doubts(id) !== undefined).map(({ manifest }) => manifest);
    const holdings = new Map<string, Holdings>();
    const planned: PrunedBackup[] = [];
    for (const { id, directory, manifest } of whole) {
      this.tools.call.check();
      const { dataDirectory, serverName, created, outcome, counts, copies } = manifest;
      const keptAs = kept.get(id) ?? [];
      const bytes = counts.deltaBytes + (copies ? counts.startSizeBytes : 0);
      const facts = { id, directory, dataDirectory, serverName, created, outcome, keptAs, bytes };
      if (keptAs.length > 0) {
        planned.push({ ...facts, result: 'kept', holds: '', why: '' });
        continue;
      }
      const found = doubts(id) ?? (await findHoldings(manifest, stays, this.tools, { hookShadows, missingCopies }));
      if (typeof found === 'string') {
        planned.push({ ...facts, result: 'left', holds: '', why: found });
        continue;
      }
      holdings.set(id, found);
      planned.push({ ...facts, result: 'planned', holds: describeHoldings(found), why: '' });
    }
    const isLeft = ({ id }: WholeBackup): boolean => planned.some((one) => one.id === id && one.result === 'left');
    for (const [id, builder] of needed(whole, isLeft)) {
      const at = planned.findIndex((one) => one.id === id && one.result === 'planned');
      const backup = planned[at];
      if (!backup) continue;
      holdings.delete(id);
      planned[at] = { ...backup, result: 'left', holds: '', why: `backup ${builder}, which is kept, builds on it` };
    }
    const untouched = listed.flatMap((backup) =>
      isWhole(backup)
        ? []
        : [{ id: backup.id, state: backup.state, reason: backup.state === 'damaged' ? backup.reason : '' }],
    );
    const links = new Map(whole.map((backup) => [backup.id, linksOf(backup)]));
    return { planned, holdings, links, untouched };
  }

  async #remove(backup: PrunedBackup, holdings: Holdings): Promise<PrunedBackup> {
    try {
      const work = await removeListed(backup, holdings, this.deltaDirectory, this.tools);
      if (work.done) return { ...backup, result: 'removed' };
      return { ...backup, result: 'left', why: describeUnrecovered(work) };
    } catch (thrown) {
      const error = toPublicError(thrown);
      if (error instanceof AbortError || error.code === 'ERR_DEADLINE') throw error;
      return { ...backup, result: 'left', why: error.message };
    }
  }
}

function byAge({ manifest: one }: WholeBackup, { manifest: other }: WholeBackup): number {
  return Date.parse(one.created) - Date.parse(other.created) || (one.id < other.id ? -1 : 1);
}

/** Grouped by server, of which two may have the same data directory on two machines; backups of plain volumes by the set of volumes. */
function groupsOf(backups: readonly WholeBackup[]): WholeBackup[][] {
  const names = new Map<string, Set<string>>();
  for (const { manifest } of backups) {
    const known = names.get(manifest.dataDirectory) ?? new Set();
    names.set(manifest.dataDirectory, known);
    if (manifest.serverName !== '') known.add(manifest.serverName.toLowerCase());
  }
  const groups = new Map<string, WholeBackup[]>();
  for (const backup of backups) {
    const { dataDirectory, serverName, volumes } = backup.manifest;
    const [only, another] = names.get(dataDirectory) ?? [];
    // A backup in stop mode does not know the name of the server.
    const name = serverName === '' && another === undefined ? only : serverName.toLowerCase();
    const key = JSON.stringify([
      dataDirectory,
      name,
      dataDirectory === '' ? volumes.map(({ path }) => path).sort() : [],
    ]);
    groups.set(key, [...(groups.get(key) ?? []), backup]);
  }
  return [...groups.values()];
}

function warningsAbout(backups: readonly PrunedBackup[], untouched: PruneReport['untouched']): Warning[] {
  const left = backups.filter(({ result }) => result === 'left');
  return [
    ...left.map(({ id, why }) => warning('WARN_BACKUP_LEFT', `${id} is left: ${why}`, { subjects: [id] })),
    ...untouched.map(({ id, state, reason }) => {
      const message = `${id} is ${state}${reason === '' ? '' : `: ${reason}`}; nothing of it was removed`;
      return warning('WARN_BACKUP_UNTOUCHED', message, { subjects: [id] });
    }),
  ];
}

function outcomeOf(backups: readonly PrunedBackup[]): PruneReport['outcome'] {
  if (backups.some(({ result }) => result === 'left')) return 'partial';
  if (backups.some(({ result }) => result === 'planned')) return 'planned';
  return backups.some(({ result }) => result === 'removed') ? 'pruned' : 'nothing';
}

/** The same error, with the removals done by then. */
function cutOff(
  error: DominoVssError,
  planned: readonly PrunedBackup[],
  ended: readonly PrunedBackup[],
): DominoVssError {
  const idsOf = (some: readonly PrunedBackup[], result: PrunedBackup['result']): string[] =>
    some.filter((backup) => backup.result === result).map(({ id }) => id);
  const failed = idsOf(ended, 'left').filter((id) => planned.some((one) => one.id === id && one.result === 'planned'));
  const deleted = idsOf(ended, 'removed');
  const left = [...idsOf(planned.slice(ended.length), 'planned'), ...failed];
  const deletion = { deleted, left, failed };
  if (error instanceof AbortError) return new AbortError(error.cause, error.phase, deletion);
  const { phase, cause } = error;
  const message = `${error.message}; ${counted(deleted.length, 'backup')} removed, ${left.length} left`;
  return new BackupError('ERR_DEADLINE', { message, phase, cause, deletion });
}
