import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  isDominoVssError,
  planRestore,
  restoreDatabases,
  type PlanRestoreOptions,
  type RestoredDatabase,
  type RestoreMode,
  type RestoreReport,
} from '#lib/index';
import type { LiveDatabase, History, TakenBackup } from './history';
import type { Mutation } from './mutation';
import type { State } from './model';
import type { RestoreOperation } from './operations';
import type { Tally } from './tally';
import { targetTime, type TargetTime } from './target';
import { recoversAllTheSame } from './trial';
import { violated } from './violation';

/** A requested restore, and what the model says about it. */
interface Wanted {
  readonly taken: TakenBackup;
  readonly databases: readonly { readonly live: LiveDatabase; readonly held: State; readonly logged: boolean }[];
  readonly time: TargetTime;
  readonly mode: RestoreMode;
  readonly options: PlanRestoreOptions;
}

/** The result for each database, or the error code of the whole restore. */
type Outcome = { readonly report: RestoreReport } | { readonly code: string; readonly failures: readonly Failure[] };
interface Failure {
  readonly database: string;
  readonly code: string;
}

/** Plans restores, runs them, and compares both with each other and with the model. */
export class Restoring {
  #places = 0;

  constructor(
    private readonly history: History,
    private readonly tally: Tally,
    private readonly mutation: Mutation | undefined,
  ) {}

  async run(operation: RestoreOperation): Promise<void> {
    const wanted = this.#wanted(operation);
    if (!wanted) return;
    const { history, mutation } = this;
    const isOffline = wanted.mode.type === 'offline';
    if (isOffline) await history.server.stop();
    try {
      const before = history.databases.map(({ state }) => state);
      const planned = await outcomeOf(planRestore(wanted.options).then(mutation?.plan ?? ((report) => report)));
      const done = await outcomeOf(restoreDatabases({ ...wanted.options, ...mutation?.options?.(wanted.options) }));
      this.tally.countRestore(operation, history.server.style, 'code' in planned ? planned.code : 'planned');
      this.#compare(planned, done);
      this.#expectVerdict(wanted, planned);
      await this.#countFalseRefusals(wanted, planned);
      await history.observe();
      if ('report' in done) await this.#expectContents(wanted, done.report);
      this.#expectOthersUntouched(wanted, done, before);
    } finally {
      if (isOffline) await history.server.start();
      this.#removePlaces(wanted.mode);
    }
  }

  #wanted({ backup, databases: mask, mode: type, target, withArchive }: RestoreOperation): Wanted | undefined {
    const { history } = this;
    const taken = history.backups[backup % Math.max(1, history.backups.length)];
    if (!taken) return undefined;
    const databases = history.databases.flatMap((live, index) => {
      const line = taken.lines.find(({ path }) => path === live.path);
      const held = taken.states.get(live.path);
      return line && held && (mask & (1 << index)) !== 0 ? [{ live, held, logged: line.logged }] : [];
    });
    if (databases.length === 0) return undefined;
    const time = targetTime(target, taken, history);
    const mode = this.#modeOf(type);
    const { logArchive } = history;
    const options = {
      manifest: taken.head.directory,
      domino: history.server.domino.location,
      databases: databases.map(({ live }) => live.path),
      mode,
      until: time.until,
      ...(withArchive && logArchive !== undefined && { logArchive }),
    };
    return { taken, databases, time, mode, options };
  }

  #modeOf(type: RestoreOperation['mode']): RestoreMode {
    this.#places += 1;
    const as = `beside/${this.#places}`;
    if (type === 'new-database') return { type, as };
    if (type === 'new-replica') return { type: 'new-database', as, newReplicaId: true };
    if (type === 'directory') return { type, directory: join(this.history.home, as) };
    return { type };
  }

  #removePlaces(mode: RestoreMode): void {
    if (mode.type === 'new-database') rmSync(this.history.server.inData('beside'), { recursive: true, force: true });
    if (mode.type === 'directory') rmSync(mode.directory, { recursive: true, force: true });
  }

  /** Asserts that the restore follows the plan, database by database. */
  #compare(planned: Outcome, done: Outcome): void {
    const said = JSON.stringify(fatesOf(planned));
    const happened = JSON.stringify(fatesOf(done));
    if (said !== happened) violated(`the plan said ${said}, and what happened is ${happened}`);
    if (!('report' in planned) || !('report' in done)) return;
    const logs = [planned, done].map(({ report }) => JSON.stringify(report.logs));
    if (logs[0] !== logs[1]) violated(`the plan names other extents of the log: ${logs.join(' and ')}`);
  }

  /** What the plan says about the reach of the log, and about impossible times, agrees with the model. */
  #expectVerdict({ databases, time, mode, taken }: Wanted, planned: Outcome): void {
    if ((time.is !== 'possible') !== ('code' in planned && planned.code === 'ERR_RESTORE_TIME'))
      violated(`until ${time.until}: ${'code' in planned ? planned.code : 'planned'}`);
    if (!('report' in planned)) return;
    for (const entry of planned.report.databases) {
      if (!('reach' in entry)) continue;
      this.tally.countReach(entry.reach.type);
      const { live, held, logged } =
        databases.find(({ live: { path } }) => path === entry.database) ?? violated('another');
      const isLater = this.history.backups.some(
        ({ head: { created }, states }) =>
          created > taken.head.created && (states.get(live.path)?.dbiid ?? held.dbiid) !== held.dbiid,
      );
      const isSame = live.state?.dbiid === held.dbiid;
      const expected = !logged
        ? ['backup']
        : mode.type === 'directory'
          ? ['not-recovered']
          : live.state !== undefined && mode.type !== 'offline'
            ? [isSame ? 'now' : 'instance-change']
            : [isLater ? 'instance-change' : 'unknown'];
      if (!expected.includes(entry.reach.type))
        violated(`${live.path}: the plan says ${entry.reach.type}, the model ${expected.join()}`);
    }
  }

  /** The refused ones that Domino would have recovered. */
  async #countFalseRefusals({ taken, databases, time, options }: Wanted, planned: Outcome): Promise<void> {
    const { logArchive } = options;
    const isRefusedAsWhole = time.is === 'doubtful' && 'code' in planned;
    const refused = isRefusedAsWhole
      ? databases.map(({ live: { path } }) => ({ database: path, code: planned.code }))
      : failuresOf(planned);
    for (const { database, code } of refused) {
      this.tally.countRefusal(code);
      const one = databases.find(({ live: { path } }) => path === database);
      if (!one?.logged || !['ERR_RESTORE_LOG', 'ERR_RESTORE_TIME'].includes(code)) continue;
      const chain = this.history.model.rolledForward(one.held, time.beforeMs);
      const trial = { taken, path: database, chain, time, logArchive };
      if (await recoversAllTheSame(this.history, trial)) this.tally.countFalseRefusal(code);
    }
  }

  /** Every database is what the model says it was at the time that was reached, and this is the right time. */
  async #expectContents({ databases, time, mode }: Wanted, report: RestoreReport): Promise<void> {
    const { model, server } = this.history;
    const restored = report.databases.flatMap((entry) => ('file' in entry ? [entry] : []));
    const verdicts = await server.examine(restored.map(({ file }) => file));
    let reachedMs: number | undefined;
    for (const [index, { database, recovered }] of restored.entries()) {
      const verdict = verdicts[index];
      const { held, logged, live } = databases.find(({ live: { path } }) => path === database) ?? violated('another');
      if (verdict?.verdict !== 'consistent') {
        return violated(`${database} was restored and is ${verdict?.verdict ?? 'missing'}: ${verdict?.problem ?? ''}`);
      }
      const isRecovered = logged && mode.type !== 'directory';
      if (recovered !== isRecovered) violated(`${database} was ${recovered ? '' : 'not '}recovered`);
      const expected = isRecovered ? model.rolledForward(held, time.beforeMs) : held.chain;
      if (verdict.chain !== expected) {
        return violated(
          `${database} until ${time.until} is at ${verdict.chain ?? ''} (${verdict.committed ?? 'never written to'}), and the model says ` +
            `${expected} (${new Date(model.committedMs(expected) ?? 0).toISOString()})`,
        );
      }
      this.tally.countRestored();
      const ms = isRecovered ? model.committedMs(expected) : undefined;
      if (ms !== undefined) reachedMs = Math.max(ms, reachedMs ?? -Infinity);
      const hasOwnId = mode.type === 'new-database' || time.beforeMs !== undefined;
      if (isRecovered && hasOwnId === (verdict.instanceId === held.dbiid)) {
        violated(`${database} has ${hasOwnId ? 'the' : 'another'} instance id of its backup`);
      }
      const hasOwnReplicaId = mode.type === 'new-database' && mode.newReplicaId === true;
      if (hasOwnReplicaId === (verdict.replicaId === held.replicaId)) violated(`${database} has the wrong replica id`);
      if (isInPlace(mode) && live.state?.chain !== expected) violated(`${database} was restored elsewhere`);
    }
    const reported = report.recoveredTo === null ? undefined : Date.parse(report.recoveredTo);
    if (reachedMs !== undefined && reported !== reachedMs) {
      violated(`it reports ${report.recoveredTo ?? 'no time'}, and reached ${new Date(reachedMs).toISOString()}`);
    }
  }

  /** Asserts that originals that were not replaced are unchanged. */
  #expectOthersUntouched({ mode }: Wanted, done: Outcome, before: readonly (State | undefined)[]): void {
    const restored = isInPlace(mode) && 'report' in done ? done.report.databases.filter(isRestored) : [];
    const replaced = new Set(restored.map(({ database }) => database));
    for (const [index, { path, state }] of this.history.databases.entries()) {
      if (!replaced.has(path) && state?.chain !== before[index]?.chain)
        violated(`${path} was not restored and is another`);
    }
  }
}

function isInPlace({ type }: RestoreMode): boolean {
  return type === 'online' || type === 'offline';
}

function isRestored({ result }: RestoredDatabase): boolean {
  return result === 'restored';
}

async function outcomeOf(work: Promise<RestoreReport>): Promise<Outcome> {
  try {
    return { report: await work };
  } catch (error) {
    if (!isDominoVssError(error)) throw error;
    const failures = 'failures' in error ? (error.failures as readonly Failure[]) : [];
    return { code: error.code, failures: failures.map(({ database, code }) => ({ database, code })) };
  }
}

/** Refused databases; `''` for the restore as a whole. */
function failuresOf(outcome: Outcome): readonly Failure[] {
  if (!('report' in outcome))
    return outcome.failures.length > 0 ? outcome.failures : [{ database: '', code: outcome.code }];
  return outcome.report.databases.flatMap((entry) =>
    'failure' in entry ? [{ database: entry.database, code: entry.failure.code }] : [],
  );
}

/** What happens to each database, in a form that allows comparing a plan with a restore. */
function fatesOf(outcome: Outcome): readonly string[] {
  const refused = failuresOf(outcome).map(({ database, code }) => `${database} ${code}`);
  const restored =
    'report' in outcome ? outcome.report.databases.flatMap((entry) => ('file' in entry ? [entry] : [])) : [];
  const fates = restored.map(
    ({ database, file, from, recovered, hashed, reach }) =>
      `${database} to ${file} from ${from}, ${JSON.stringify({ recovered, hashed, reach })}`,
  );
  return [...refused, ...fates].sort();
}
