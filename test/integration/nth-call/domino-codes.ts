import type { Task } from './works';

/** 0x0EA5: no backup under way. */
const notDoingBackup = 0x0ea5;

/** Statuses with which a Domino call can fail. Calls without a status are not listed. */
const dominoCodes: Readonly<Record<string, readonly number[]>> = {
  NotesInitThread: [0x0107],
  NSFGetTransLogStyle: [0x0107],
  NSFDbOpen: [0x0103, 0x02cc, 0x0117],
  NSFDbGetLogInfo: [0x0106],
  NSFDbReplicaInfoGet: [0x0107],
  NSFDbModifiedTime: [0x0107],
  NSFBackupStart: [0x13aa, 0x0ea4, 0x0107],
  NSFBackupStop: [0x3810, 0x0ea5],
  NSFBackupGetChangeInfoSize: [0x2dd8],
  NSFBackupGetNextChangeInfo: [0x3810, 0x0106],
  NSFBackupEnd: [notDoingBackup, 0x0107],
  NSFBackupStartApplyChangeInfo: [0x0ea7, 0x0107],
  NSFBackupApplyNextChangeInfo: [0x0ea7, 0x0106],
  NSFBackupEndApplyChangeInfo: [0x0ea7],
  NSFTakeDatabaseOffline: [0x13ea, 0x0107],
  NSFRecoverDatabases: [0x13e3, 0x13e7],
  NSFBringDatabaseOnline: [0x13ea, 0x0107],
};

/** A recovery aborts backups only, which Domino answers with {@link notDoingBackup} only where there is none. */
export function statusesOf(call: string, task: Task): readonly number[] {
  const codes = dominoCodes[call] ?? [];
  return task === 'recover' && call === 'NSFBackupEnd' ? codes.filter((code) => code !== notDoingBackup) : codes;
}
