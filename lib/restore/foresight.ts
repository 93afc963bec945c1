import type { Call } from '../call/call';
import { decidedFailure, type DatabaseFailure } from '../errors/errors';
import type { Manifest } from '../store/manifest';
import { checkBeforehand, checkFreeSpace } from './beforehand';
import { patienceOf } from '../recover/tools';
import { FileCalls } from '../store/stall';
import { gatherLogKnowledge, type Server } from './log-knowledge';
import { isInPlace, newReplicaIdOf } from './mode';
import type { PlannedDatabase, RestorePlan } from './plan';
import { isOfOtherLog, refuseByLog, type LogKnowledge } from './reach';
import { refuseByTime } from './until';

/** What is known about the databases of a plan before anything is changed. */
export interface Foresight {
  readonly ready: PlannedDatabase[];
  readonly refused: readonly DatabaseFailure[];
  readonly knowledge: LogKnowledge;
}

export async function foresee(
  head: Manifest,
  plan: RestorePlan,
  server: Server,
  call: Call,
  hanging: ReadonlySet<string> = new Set(),
): Promise<Foresight> {
  const { budgetMs } = server;
  const { ready, refused } = await checkBeforehand(plan, call, { hanging, budgetMs });
  await checkFreeSpace(ready, new FileCalls(patienceOf({ call, budgetMs })));
  const databases = ready.map(({ database }) => database);
  const knowledge = await gatherLogKnowledge(server, head, plan, databases, call);
  const treated: PlannedDatabase[] = [];
  const refusedByTimeOrLog: DatabaseFailure[] = [];
  for (const planned of ready) {
    const late = planned.recover ? refuseByTime(planned.database, head, plan.pointInTime) : undefined;
    const one = late ?? treatByLog(planned, plan, knowledge);
    if ('file' in one) treated.push(one);
    else refusedByTimeOrLog.push(one);
  }
  return { ready: treated, refused: [...refused, ...refusedByTimeOrLog], knowledge };
}

/**
 * How the server's transaction log affects a database: the log recovers it; or it belongs to another log, and can only be opened
 * in its state at the backup (`adopt`); or the reason why it cannot be restored.
 */
export function treatByLog(
  planned: PlannedDatabase,
  plan: RestorePlan,
  knowledge: LogKnowledge,
): PlannedDatabase | DatabaseFailure {
  const { database, recover } = planned;
  const { mode, otherServer, adopts } = plan;
  const other = replacedByAnother(planned, plan, knowledge);
  if (other) return other;
  if (!recover) return planned;
  if (otherServer && knowledge.writesLog && knowledge.logId === '') {
    const text =
      'it is not known which transaction log this server writes: neither a requested database nor names.nsf could be opened';
    return decidedFailure(database.path, 'ERR_RESTORE_LOG', 'restore', text);
  }
  if (!isOfOtherLog(database, knowledge) || !adopts) return refuseByLog(database, knowledge) ?? planned;
  if (database.from !== undefined) {
    const text =
      `since backup ${database.from} it depends on the transaction log ${database.logId}, which this server does not write: that ` +
      'backup contains its state at that time';
    return decidedFailure(database.path, 'ERR_RESTORE_LOG', 'restore', text);
  }
  if (newReplicaIdOf(mode)) {
    const text =
      'only recovery assigns a new replica id, and this database belongs to a transaction log that the server does not write';
    return decidedFailure(database.path, 'ERR_UNSUPPORTED', 'restore', text);
  }
  return { ...planned, recover: false, adopt: true };
}

/** On another server, the same path may lead to a database that is unrelated to the one of the backup. */
function replacedByAnother(
  { database, file }: PlannedDatabase,
  { mode, otherServer }: RestorePlan,
  { live }: LogKnowledge,
): DatabaseFailure | undefined {
  const now = live.get(database.path);
  if (!isInPlace(mode) || !otherServer || !now || 'reason' in now) return undefined;
  if (now.replicaId === database.replicaId) return undefined;
  const text = `${file} is another database, with the replica id ${now.replicaId}: restore beside it, or remove it first`;
  return decidedFailure(database.path, 'ERR_RESTORE_TARGET', 'restore', text);
}
