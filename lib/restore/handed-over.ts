import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Call } from '../call/call';
import { databaseFailureOf, type DatabaseFailure } from '../errors/errors';
import type { Innards } from '../domino/timedate';
import type { NativeBinding } from '../native/session';
import { syncDirectory } from '../store/durable';
import type { FileCalls } from '../store/stall';
import type { LeftOver } from '../store/left-over';
import type { ManifestDatabase } from '../store/manifest-format';
import { recoverFromLog } from './log-recovery';

/** A database whose file another program replaces. */
export interface HandedOver {
  readonly database: ManifestDatabase;
  readonly file: string;
  /** Number of its component. */
  readonly component: number;
  /** Its change information; empty for none. */
  readonly delta: string;
  /** Whether it was taken offline, or may have been. */
  offline: boolean;
  /** An earlier restore left it offline, and it is not known whether it is whole. */
  isDoubtful: boolean;
  /** Identity of the file before it was replaced; empty if there was none. */
  before: string;
  /** Last change of the file (ctime) before it was replaced, which no program can reset; empty if there was no file. */
  changedBefore: string;
}

/** Recovers all with one scan of the log, and returns the recovered ones. Databases that Domino refuses are passed to `refuse`. */
export async function recoverHandedOver(
  { binding, call, budgetMs }: { readonly binding: NativeBinding; readonly call: Call; readonly budgetMs: number },
  databases: readonly HandedOver[],
  pointInTime: Innards | undefined,
  refuse: (databases: readonly HandedOver[], failureOf: (one: HandedOver) => DatabaseFailure) => void,
): Promise<readonly HandedOver[]> {
  return recoverFromLog(databases, {
    fileOf: ({ file }) => file,
    scan: async (_left, files, subject) => {
      const recovering = binding.recoverDatabases({ files, newDbiid: false, newReplicaId: false, pointInTime });
      await call.finish(recovering, { budgetMs, operation: 'NSFRecoverDatabases', subject });
    },
    refuse: (refused, error) => {
      refuse(refused, ({ database }) => databaseFailureOf(database.path, 'restore', error));
    },
  });
}

/** Files that an interrupted restore by a requester left offline, in whatever state the requester left them. */
export function filesLeftOffline(leftOvers: readonly LeftOver[]): ReadonlySet<string> {
  return new Set(leftOvers.filter(isHandedOver).flatMap(({ restoring }) => restoring.map(({ file }) => file)));
}

/** Removes the journals whose databases have all been restored since, and returns them. */
export async function settleLeftOffline(
  leftOvers: readonly LeftOver[],
  restored: ReadonlySet<string>,
  calls: FileCalls,
): Promise<readonly LeftOver[]> {
  const settled = leftOvers
    .filter(isHandedOver)
    .filter(({ restoring }) => restoring.every(({ file }) => restored.has(file)));
  for (const { journal } of settled) {
    await calls.wait('unlink', journal, rm(journal, { force: true }));
    await calls.wait('fsync', dirname(journal), syncDirectory(dirname(journal)));
  }
  return settled;
}

function isHandedOver({ restorePhase }: LeftOver): boolean {
  return restorePhase === 'handed-over';
}
