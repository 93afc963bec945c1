// The pieces of work in which calls fail, each the same in this process and in one that is to die.

import { join } from 'node:path';
import {
  beginBackup,
  drillRestore,
  isDominoVssError,
  recoverInterrupted,
  restoreDatabases,
  verifyBackup,
  type DominoLocation,
} from '#lib/index';

export type Task = 'backup' | 'restore' | 'recover' | 'drill' | 'verify';

/** A task, and for a recovery what it finds: work in which the calls of this fault failed, or whose process died in one. */
interface Described {
  readonly task: Task;
  readonly before?: { readonly task: Task; readonly fault: string };
}

const described = {
  backup: { task: 'backup' },
  restore: { task: 'restore' },
  drill: { task: 'drill' },
  verify: { task: 'verify' },
  // A database that a restore could not bring online.
  recover: { task: 'recover', before: { task: 'restore', fault: 'NSFBringDatabaseOnline:1+=0x13ea' } },
  // Some databases are in backup mode.
  'recover-dead-window': { task: 'recover', before: { task: 'backup', fault: 'NSFBackupStop:2=die' } },
  // Some copies are made.
  'recover-dead-copies': { task: 'recover', before: { task: 'backup', fault: 'NSFBackupApplyNextChangeInfo=die' } },
  'recover-dead-restore': { task: 'recover', before: { task: 'restore', fault: 'NSFRecoverDatabases=die' } },
  // One database is back online, its original is still aside.
  'recover-dead-online': { task: 'recover', before: { task: 'restore', fault: 'NSFBringDatabaseOnline:2=die' } },
  'recover-dead-drill': { task: 'recover', before: { task: 'drill', fault: 'NSFRecoverDatabases=die' } },
} as const satisfies Record<string, Described>;

export type Work = keyof typeof described;
export const works = Object.keys(described) as Work[];

export const describedWork = (work: Work): Described => described[work];

/** Where the work is done. */
export interface Place {
  readonly domino: DominoLocation;
  readonly deltaDirectory: string;
  readonly shadowDirectory: string;
  readonly provider: 'rolling' | 'reflink' | 'btrfs';
  /** Directory of the backup that is restored and checked. */
  readonly backup: string;
  /** The databases that are restored. */
  readonly chosen: readonly string[];
  /** A new directory for the copies of a backup. */
  readonly copies: string;
}

export interface Result {
  /** Of the work, or the code of its error; `untyped` for an error that is none of ours. */
  readonly outcome: string;
  readonly told: string;
}

/** The times that work may take. */
export interface Limits {
  readonly databaseBudgetMs: number;
  readonly timeoutMs: number;
}

/** For work in which no call hangs: none takes this long, however busy the machine is. */
export const patient: Limits = { databaseBudgetMs: 30_000, timeoutMs: 30_000 };

/** Outcomes that do not have to name any call. */
export const isSuccess = ({ outcome }: Result): boolean =>
  ['complete', 'recovered', 'nothing', 'passed', 'intact'].includes(outcome);

export async function doWork(task: Task, place: Place, limits = patient): Promise<Result> {
  try {
    return await tasks[task](place, limits);
  } catch (error) {
    if (!isDominoVssError(error)) return { outcome: 'untyped', told: String(error) };
    return { outcome: error.code, told: JSON.stringify(error) };
  }
}

const tasks: Readonly<Record<Task, (place: Place, limits: Limits) => Promise<Result>>> = {
  async backup(place, limits) {
    const { timeoutMs } = limits;
    const backup = await begin(place, limits);
    try {
      const set = await backup.createShadow({ timeoutMs });
      const copies = await set.copyDatabases({ to: place.copies, serverFiles: true });
      const { outcome, skipped, warnings, problems } = await backup.endBackup({ timeoutMs });
      return { outcome, told: JSON.stringify([skipped, warnings, problems, copies]) };
    } finally {
      await backup.dispose().catch(() => undefined);
    }
  },
  async restore({ domino, backup, chosen }, limits) {
    const { outcome, databases, warnings } = await restoreDatabases({
      domino,
      manifest: backup,
      databases: [...chosen],
      mode: { type: 'online', waitMs: 100 },
      ...limits,
    });
    return { outcome, told: JSON.stringify([databases, warnings]) };
  },
  async recover({ domino, deltaDirectory }, limits) {
    const { outcome, works: found } = await recoverInterrupted({ domino, deltaDirectory, ...limits });
    return { outcome, told: JSON.stringify(found) };
  },
  async drill({ domino, backup, chosen }, limits) {
    const { outcome, databases, warnings } = await drillRestore({
      domino,
      manifest: backup,
      databases: [...chosen],
      ...limits,
    });
    return { outcome, told: JSON.stringify([databases, warnings]) };
  },
  async verify({ domino, backup }, limits) {
    const options = { domino, manifest: backup, apply: true, ...limits };
    const { outcome, databases, serverFiles } = await verifyBackup(options);
    return { outcome, told: JSON.stringify([databases, serverFiles]) };
  },
};

/** Returns the directory of a backup with a kept shadow. */
export async function keptBackup(place: Place): Promise<string> {
  const backup = await begin(place, patient);
  try {
    await backup.createShadow();
    return join((await backup.endBackup({ keep: true })).manifest, '..');
  } finally {
    await backup.dispose();
  }
}

function begin(place: Place, limits: Limits): ReturnType<typeof beginBackup> {
  const { domino, deltaDirectory, shadowDirectory, provider } = place;
  return beginBackup({ domino, deltaDirectory, shadowDirectory, provider, ...limits });
}
