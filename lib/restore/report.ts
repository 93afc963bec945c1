import { RestoreError, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { RecoveredWork } from '../recover/report';
import type { LeftOver } from '../store/left-over';
import type { Manifest } from '../store/manifest';
import { isInPlace } from './mode';
import type { PlannedDatabase, RestorePlan } from './plan';
import { planSteps, type RestoreStep } from './steps';
import { reachOf, reachWarnings, type LogKnowledge, type LogReach } from './reach';

/** The result for one database. */
export type RestoredDatabase =
  | {
      readonly result: 'restored' | 'planned';
      /** Path in the backup. */
      readonly database: string;
      /** Path after the restore, relative to the data directory. */
      readonly path: string;
      readonly file: string;
      /**
       * Id of the backup whose copy or shadow is used. If the backup is incremental and carried the database over, this is an
       * earlier backup.
       */
      readonly from: string;
      /** Whether Domino recovers it; true for logged databases. */
      readonly recovered: boolean;
      /**
       * Whether the backup hashed the contents that are restored. Then every byte is compared; otherwise only size, signature and
       * header can be.
       */
      readonly hashed: boolean;
      /** How far the transaction log rolls it forward, as known before anything was changed. */
      readonly reach: LogReach;
    }
  | { readonly result: 'left-out' | 'failed'; readonly database: string; readonly failure: DatabaseFailure };

/**
 * Attachments that DAOS keeps outside the databases. A restored database holds references only: objects removed since the
 * backup must be restored from wherever they were saved. The backup API says neither which databases use DAOS nor which objects
 * are missing; the server does.
 */
export interface RestoreDaos {
  /** Directory of the objects, `*.nlo`, according to notes.ini. */
  readonly directory: string;
  /** Whether it exists. */
  readonly isThere: boolean;
  /** Server console commands that list missing objects, one per restored database. */
  readonly commands: readonly string[];
}

/** The extents of a transaction log that the recovery reads, and their location. */
export interface RestoreLog {
  /** 32 hexadecimal digits, as in a manifest. */
  readonly logId: string;
  /** Number of the first extent that one of the databases needs. */
  readonly firstExtent: number;
  /** The server's log directory and the names of the extents in it; empty if it cannot be read. */
  readonly directory: string;
  readonly present: readonly string[];
  /** The archive as it was named; empty for none. */
  readonly archive: string;
  /** Extents that exist only in the archive. Domino asks for each when it needs it. */
  readonly archived: readonly { readonly number: number; readonly name: string; readonly file: string }[];
}

/** The result of a restore. */
export interface RestoreReport {
  /** Id of the backup. */
  readonly backupId: string;
  /** `planned` after a dry run; `partial` if a database was left out or failed. */
  readonly outcome: 'complete' | 'partial' | 'planned';
  readonly databases: readonly RestoredDatabase[];
  /**
   * Time of the newest transaction that the log applied to any of the databases, ISO 8601, UTC; null if none was recovered, or if
   * Domino reports none.
   */
  readonly recoveredTo: string | null;
  /** What to do about attachments that DAOS keeps outside the databases; null if DAOS is not in use. */
  readonly daos: RestoreDaos | null;
  /** Every step, in order. */
  readonly steps: readonly RestoreStep[];
  /** The transaction logs from which databases are recovered; empty for none. */
  readonly logs: readonly RestoreLog[];
  readonly warnings: readonly Warning[];
  /** What earlier processes left behind and this restore could not clean up first. */
  readonly leftOvers: readonly LeftOver[];
  /** Interrupted work of earlier processes, and how it was resolved before this restore. */
  readonly recovered: readonly RecoveredWork[];
}

/** The databases that a restore would include, and those known to fail. */
interface PlannedOutcome {
  readonly ready: readonly PlannedDatabase[];
  readonly refused: readonly DatabaseFailure[];
  readonly knowledge: LogKnowledge;
}

/** What a restore would do. */
export function plannedReport(
  head: Manifest,
  plan: RestorePlan,
  { ready: databases, refused, knowledge }: PlannedOutcome,
): Omit<RestoreReport, 'daos'> {
  return {
    backupId: head.id,
    outcome: 'planned',
    databases: [
      ...databases.map((planned) => restored('planned', planned, head, knowledge)),
      ...plan.leftOut.map(leftOut),
      ...refused.map(failed),
    ],
    recoveredTo: null,
    steps: planSteps({ ...plan, databases }),
    logs: logsOf(databases, knowledge),
    warnings: [...plan.warnings, ...logWarnings(databases, knowledge), ...backupDue(plan, databases)],
    leftOvers: [],
    recovered: [],
  };
}

/** Warns of restored databases whose contents could not be verified. */
export function notHashed(done: readonly PlannedDatabase[]): Warning[] {
  const subjects = done.filter(({ contents }) => contents.sha256 === undefined).map(({ path }) => path);
  const count = subjects.length;
  if (count === 0) return [];
  const subject = count === 1 ? `1 database (${subjects[0] ?? ''}) was` : `${count} databases were`;
  const message = `${subject} not hashed by the backup: only size, signature and header could be checked`;
  return [warning('WARN_NOT_HASHED', message, { subjects })];
}

export function restored(
  result: 'restored' | 'planned',
  planned: PlannedDatabase,
  { id }: Pick<Manifest, 'id'>,
  knowledge: LogKnowledge,
): RestoredDatabase {
  const { database, path, file, recover, contents } = planned;
  return {
    result,
    database: database.path,
    path,
    file,
    from: database.from ?? id,
    recovered: recover,
    hashed: contents.sha256 !== undefined,
    reach: reachOfPlanned(planned, knowledge),
  };
}

/** As far as the log rolls it forward, if it is recovered. */
function reachOfPlanned({ database, recover, adopt }: PlannedDatabase, knowledge: LogKnowledge): LogReach {
  if (database.logged && !recover && !adopt) return { type: 'not-recovered' };
  return reachOf(database, knowledge);
}

/** The logs of the databases that are recovered. */
export function logsOf(databases: readonly PlannedDatabase[], { extents, archive }: LogKnowledge): RestoreLog[] {
  const first = new Map<string, number>();
  for (const { recover, database } of databases) {
    if (recover) first.set(database.logId, Math.min(database.logExtent, first.get(database.logId) ?? Infinity));
  }
  return [...first].map(([logId, firstExtent]) => ({
    logId,
    firstExtent,
    directory: extents?.directory ?? '',
    present: extents?.names ?? [],
    archive: archive?.directory ?? '',
    archived: (archive?.logs.get(logId) ?? [])
      .filter(({ number }) => number >= firstExtent)
      .map(({ number, name, file }) => ({ number, name, file })),
  }));
}

export function leftOut(failure: DatabaseFailure): RestoredDatabase {
  return { result: 'left-out', database: failure.database, failure };
}

/** If all failed for the same reason, it is the reason of the whole; otherwise the failures give the reasons. */
export function everythingFailed(
  failed: readonly DatabaseFailure[],
  leftOutToo: readonly DatabaseFailure[],
): RestoreError {
  const all = [...failed, ...leftOutToo];
  const [first] = all;
  if (!first) return new RestoreError('ERR_RESTORE_FAILED', { message: 'the backup contains no database to restore' });
  const same = all.every(({ code }) => code === first.code);
  const others = all.length > 1 ? ` (and ${all.length - 1} more)` : '';
  const message = `no database could be restored: ${first.database}: ${first.text}${others}`;
  const details = { message, phase: 'restore' as const, hint: same ? first.hint : undefined };
  return new RestoreError(same ? first.code : 'ERR_RESTORE_FAILED', details, all);
}

export function failed(failure: DatabaseFailure): RestoredDatabase {
  return { result: 'failed', database: failure.database, failure };
}

/**
 * Warns of databases that the log does not roll forward to its end, and of a hanging call, which may be why a database is said to
 * be in use.
 */
export function logWarnings(databases: readonly PlannedDatabase[], knowledge: LogKnowledge): Warning[] {
  const { hanging, archive } = knowledge;
  const open = `${hanging}; until it does, or this process ends, it may keep its database open`;
  return [
    ...(archive?.problems ?? []),
    ...(hanging === '' ? [] : [warning('WARN_CALL_HANGS', open)]),
    ...reachWarnings(
      databases.map((planned) => ({ path: planned.database.path, reach: reachOfPlanned(planned, knowledge) })),
    ),
  ];
}

/**
 * Warns that a backup is due: after a recovery to a point in time, or under another transaction log, no earlier backup can be
 * rolled forward. A database restored beside its original has no earlier backup.
 */
export function backupDue({ mode, pointInTime }: RestorePlan, done: readonly PlannedDatabase[]): Warning[] {
  if (!isInPlace(mode)) return [];
  const logged = done.filter(({ recover, adopt }) => adopt || (recover && pointInTime !== undefined));
  const [first] = logged;
  if (!first) return [];
  const subject =
    logged.length === 1 ? `${first.path} has a new instance id` : `${logged.length} databases have new instance ids`;
  const message = `${subject}: a backup is due, because the transaction log can no longer roll earlier ones forward`;
  return [warning('WARN_BACKUP_DUE', message, { subjects: logged.map(({ path }) => path) })];
}
