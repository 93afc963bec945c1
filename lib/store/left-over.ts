import type { HookRecord } from './hook-record';
import type { JournalHead, JournalWork, RestorePhase, RestoringDatabase } from './journal-format';
import { counted } from '../errors/counted';
import { isAlive, ownIdentity } from './process-identity';
import { namesOfRestore } from './restored-files';
import { hasUnreturned } from '../call/unreturned-calls';

/** What an earlier process left behind, according to its journal. Each item may or may not exist. */
export interface LeftOver {
  /** The journal file that names it. */
  readonly journal: string;
  readonly id: string;
  readonly work: JournalWork;
  readonly created: string;
  readonly pid: number;
  readonly dataDirectory: string;
  readonly backupDirectory: string;
  readonly provider: string;
  /** Directories of shadows, or their ids with the provider `vss`. */
  readonly shadows: readonly string[];
  /** Volumes of a hook's shadows, in the same order. */
  readonly volumes: readonly string[];
  /** Id of the snapshot set of VSS; empty for none. */
  readonly snapshotSet: string;
  /** Hook that had not answered a request for a shadow; empty for none. */
  readonly pendingHook: string;
  /** What the hook needs to remove it; null for none. */
  readonly hook: HookRecord | null;
  readonly exposures: readonly string[];
  readonly stoppedService: string;
  /** Number of databases that may still be in backup mode. */
  readonly databasesInBackupMode: number;
  /** Number of files that were being copied from the shadow. */
  readonly copiedFiles: number;
  readonly restoring: readonly RestoringDatabase[];
  readonly restorePhase: RestorePhase;
  /** Files of a restore that are no longer needed; they may exist. */
  readonly temporaryFiles: readonly string[];
  /**
   * Databases on which a call of the process has not returned. It may still take effect, so nothing touches them until it has
   * returned or the process has ended.
   */
  readonly hanging: readonly string[];
  /** Directories that the work has created; the deepest last. */
  readonly newDirectories: readonly string[];
}

export function leftOverOf(journal: string, head: JournalHead): LeftOver {
  return {
    journal,
    id: head.id,
    work: head.work,
    created: head.created,
    pid: head.pid,
    dataDirectory: head.dataDirectory,
    backupDirectory: head.backupDirectory,
    provider: head.provider,
    shadows: head.shadows,
    volumes: head.volumes,
    snapshotSet: head.snapshotSet,
    pendingHook: head.pendingHook,
    hook: head.hook,
    exposures: head.exposures,
    stoppedService: head.stoppedService,
    databasesInBackupMode: head.databasesInBackupMode,
    copiedFiles: head.copiedFiles,
    restoring: head.restoring,
    restorePhase: head.restorePhase,
    temporaryFiles: head.temporaryFiles,
    hanging: stillHanging(head),
    newDirectories: head.newDirectories,
  };
}

/** This process knows which of its calls have returned since. */
function stillHanging(head: JournalHead): readonly string[] {
  const { hanging = [] } = head;
  if (hanging.length === 0 || !isAlive(head)) return [];
  const own = ownIdentity();
  if (head.pid !== own.pid || head.processStart !== own.processStart) return hanging;
  return hanging.filter((file) => hasUnreturned(namesOfRestore(file)));
}

/** Maximum number of files named in the sentence; the journal has all of them. */
const namedFiles = 10;

/** One sentence that tells the user what may be left. */
export function describeLeftOver(left: LeftOver): string {
  const parts = [`${left.work} ${left.id} of process ${left.pid} has left something behind`];
  if (left.stoppedService !== '') parts.push(`the service ${left.stoppedService} may still be stopped`);
  if (left.databasesInBackupMode > 0) {
    parts.push(
      `up to ${counted(left.databasesInBackupMode, 'database')} may still be in backup mode until the server restarts`,
    );
  }
  if (left.shadows.length > 0) parts.push(`shadows may be left: ${left.shadows.join(', ')}`);
  if (left.pendingHook !== '') {
    parts.push(`the hook ${left.pendingHook} had not answered: its snapshot may exist, or may still be created`);
  }
  if (left.exposures.length > 0) parts.push(`shadows may be exposed at ${left.exposures.join(', ')}`);
  if (left.backupDirectory !== '') parts.push(`an unfinished backup may be left in ${left.backupDirectory}`);
  if (left.copiedFiles > 0) parts.push(`up to ${counted(left.copiedFiles, 'copy', 'copies')} may be left`);
  for (const { file, original, offline } of left.restoring) {
    const saved = original === '' ? '' : `, its original is ${original}`;
    parts.push(`${file} may be ${offline ? 'offline' : 'replaced'}${saved}`);
  }
  if (left.temporaryFiles.length > 0) {
    const more = left.temporaryFiles.length - namedFiles;
    const files = [...left.temporaryFiles.slice(0, namedFiles), ...(more > 0 ? [`and ${more} more`] : [])];
    parts.push(`files that are no longer needed may be left: ${files.join(', ')}`);
  }
  return `${parts.join('; ')} (journal ${left.journal})`;
}
