import type { LiveIdentity } from '../domino/identities';
import { decidedFailure, type DatabaseFailure } from '../errors/errors';
import { warning, type Warning, type WarningCode } from '../errors/warnings';
import type { ManifestDatabase } from '../store/manifest-format';
import type { UsableArchive } from '../logs/recovery';
import { missingExtents, type LogExtents } from '../logs/extents';

/**
 * How far the transaction log rolls a database forward beyond its backup.
 *
 * - `backup`: not at all, because it is not logged: it is restored to its state at the backup.
 * - `now`: to the last transaction, as far as is known.
 * - `instance-change`: only to the change of its instance id (DBIID), beyond which an older backup cannot reach: after a
 *   copy-style compact, a forced fixup, or a restore to a point in time.
 * - `other-log`: not at all, because it belongs to a transaction log that this server does not write: it is restored to its state
 *   at the backup, and the server gives it a new instance id.
 * - `not-recovered`: not yet, because it becomes a plain file that is still a backup. The server whose log it belongs to can
 *   recover it as long as nobody has opened it.
 * - `unknown`: it could not be determined whether its instance id has changed.
 */
export type LogReach =
  | { readonly type: 'backup' }
  | {
      readonly type: 'other-log';
      /** Id of the transaction log that the server writes; empty if it writes none. */
      readonly logId: string;
    }
  | { readonly type: 'not-recovered' }
  | { readonly type: 'now' }
  | {
      readonly type: 'instance-change';
      /** Its current instance id; empty if it is no longer logged, or if only later backups show the change. */
      readonly dbiid: string;
      /** Id of the first later backup after the change; that backup and later ones reach further. Empty for none. */
      readonly seenIn: string;
    }
  | { readonly type: 'unknown'; readonly reason: string };

/** What is known about the databases of a backup in addition to its manifest, by path in the backup. */
export interface LogKnowledge {
  /** For databases about which the server did not answer: why not. */
  readonly live: ReadonlyMap<string, LiveIdentity | { readonly reason: string }>;
  /** Id of the first later backup that found another instance id than the one before it. */
  readonly changedIn: ReadonlyMap<string, string>;
  /** Id of the transaction log that the server is writing; empty if unknown or if it writes none. */
  readonly logId: string;
  /** Whether the server writes a transaction log, according to notes.ini. */
  readonly writesLog: boolean;
  /** Contents of that log's directory; undefined if it cannot be read. */
  readonly extents: LogExtents | undefined;
  /** What an archive contains in addition; undefined if none was given. */
  readonly archive: UsableArchive | undefined;
  /** The call that did not return when the server was queried, in words; empty for none. */
  readonly hanging: string;
}

/** Whether it is certain that no log of this server contains the changes of a database. */
export function isOfOtherLog({ logged, logId }: ManifestDatabase, knowledge: LogKnowledge): boolean {
  return logged && (knowledge.logId === '' ? !knowledge.writesLog : logId !== knowledge.logId);
}

/**
 * Why the recovery of a database would fail: the log it needs is a different one, or no longer exists. Checked in advance,
 * because a recovery that stops midway has made its file useless.
 */
export function refuseByLog(database: ManifestDatabase, knowledge: LogKnowledge): DatabaseFailure | undefined {
  const { path, logged, logId, logExtent } = database;
  if (!logged) return undefined;
  const refuse = (text: string): DatabaseFailure => decidedFailure(path, 'ERR_RESTORE_LOG', 'restore', text);
  if (isOfOtherLog(database, knowledge)) {
    const now = knowledge.logId === '' ? 'no transaction log' : `${knowledge.logId} now`;
    return refuse(`it was backed up with the transaction log ${logId}, and the server writes ${now}`);
  }
  const { extents, archive } = knowledge;
  const archived = archive?.logs.get(logId)?.map(({ number }) => number);
  const missing = extents && missingExtents(logExtent, extents, archived);
  if (!missing) return undefined;
  const { first, last, oldest } = missing;
  const which = first === last ? `extent ${first}` : `extents ${first} to ${last}`;
  return refuse(
    `its recovery reads the transaction log from extent ${logExtent} on; ${which} ${first === last ? 'is' : 'are'} not in ${extents.directory}, where the ` +
      `oldest one is ${oldest}${archive ? `, and not in the archive ${archive.directory}` : ''}`,
  );
}

/** A path in a manifest identifies its database. What the server reports about it now takes precedence over later backups. */
export function reachOf(database: ManifestDatabase, knowledge: LogKnowledge): LogReach {
  const { live, changedIn, logId } = knowledge;
  if (!database.logged) return { type: 'backup' };
  if (isOfOtherLog(database, knowledge)) return { type: 'other-log', logId };
  const seenIn = changedIn.get(database.path) ?? '';
  const now = live.get(database.path);
  if (now && !('reason' in now)) {
    if (now.dbiid === database.dbiid) return { type: 'now' };
    return { type: 'instance-change', dbiid: now.dbiid, seenIn };
  }
  if (seenIn !== '') return { type: 'instance-change', dbiid: '', seenIn };
  return { type: 'unknown', reason: now?.reason ?? 'the server was not queried' };
}

/** Warnings that name the databases which the log does not roll forward to its end. */
export function reachWarnings(reaches: readonly { readonly path: string; readonly reach: LogReach }[]): Warning[] {
  const counted = (code: WarningCode, type: LogReach['type'], one: string, several: string): Warning[] => {
    const subjects = reaches.filter(({ reach }) => reach.type === type).map(({ path }) => path);
    if (subjects.length === 0) return [];
    const message = subjects.length === 1 ? `${subjects[0] ?? ''} ${one}` : `${subjects.length} databases ${several}`;
    return [warning(code, message, { subjects })];
  };
  const changed = reaches.flatMap(({ path, reach }) => {
    if (reach.type !== 'instance-change') return [];
    const use =
      reach.seenIn === ''
        ? 'no later backup was made after the change'
        : `backup ${reach.seenIn} was made after the change`;
    const message =
      `${path}: its instance id has changed since this backup (compact, fixup or restore). The transaction log rolls it forward ` +
      `only to that change; what was written later is not restored. ${use}`;
    return [warning('WARN_INSTANCE_ID_CHANGED', message, { subjects: [path] })];
  });
  const otherLog =
    'a transaction log that this server does not write: restored to the state at the backup, with new ' +
    'instance ids. The replica ids do not change, so replicas continue to replicate with their originals';
  const plain = 'still a backup until it is opened. Until then, the server with its transaction log can recover it';
  return [
    ...changed,
    ...counted('WARN_OTHER_LOG', 'other-log', `belongs to ${otherLog}`, `belong to ${otherLog}`),
    ...counted(
      'WARN_NOT_RECOVERED',
      'not-recovered',
      `is a file now and ${plain}`,
      `are files now, each of them ${plain}`,
    ),
  ];
}
