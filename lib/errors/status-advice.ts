/** Advice on one status of the Domino C API. */
interface StatusAdvice {
  readonly action: string;
  /** Whether the same call may succeed later without manual changes. */
  readonly retryable: boolean;
}

const later = (action: string): StatusAdvice => ({ action, retryable: true });
const never = (action: string): StatusAdvice => ({ action, retryable: false });

const waitForMaintenance = later('Maintenance runs on this database; repeat the backup when it has ended.');
const repair = never('The database is damaged: run fixup on it, or restore it from an earlier backup.');
const chooseDatabase = never('Exclude this file: it is not a database that this release can open.');
const rights = never('Check the rights of the user and of the server ID on this database.');
const quieterTime = later('Repeat at a quieter time; BACKUP_TIMEOUT in notes.ini sets the time limit in minutes.');
const logs = never(
  'Look at the transaction log: its disk, its extents, and the console of the server. The backup itself is unharmed.',
);

/** By masked status. Other statuses get the advice of their error code. */
const byStatus: Readonly<Record<number, StatusAdvice>> = {
  0x0102: never('The file is read-only; check its rights and those of its volume.'),
  0x0103: never('The file is not there (any more); check the path, its link, and whether its volume is mounted.'),
  0x0105: never('Raise the limit of open files (ulimit -n, LimitNOFILE): every database of a backup stays open.'),
  0x0106: never('Free space on the disk of the Domino data and of its transaction log.'),
  0x0107: later('The server is short of memory; repeat at a quieter time, or with fewer databases at once.'),
  0x0110: rights,
  0x0117: later('The server is shutting down; repeat when it is running again, or use stop mode.'),
  0x0142: never('The server is not set up, or notes.ini names no data directory: check --ini.'),
  0x0143: never('Another Domino process has crashed; restart the server.'),
  0x0201: chooseDatabase,
  0x020d: later('Another program holds the file exclusively; repeat when it has ended.'),
  0x0219: chooseDatabase,
  0x0220: never('Only databases of this machine can be backed up.'),
  0x0238: repair,
  0x0246: rights,
  0x024b: rights,
  0x0286: repair,
  0x02a6: waitForMaintenance,
  0x02cc: waitForMaintenance,
  0x02f8: never('The database is encrypted locally with another ID: decrypt it, or exclude it.'),
  0x03b6: repair,
  0x03b7: waitForMaintenance,
  0x03cb: never('The database is marked for deletion; exclude it.'),
  0x0807: later('No server answers in the environment of this process: it is down, or belongs to another one.'),
  0x0ea4: later(
    'Another backup of this database is running. If not, one has died: its backup mode ends with its time limit or with a ' +
      'restart of the server.',
  ),
  0x13aa: waitForMaintenance,
  0x0237: logs,
  0x0294: logs,
  0x0ea1: never(
    'The server does not use archive-style transaction logging (TRANSLOG_Style in notes.ini): there is nothing to archive.',
  ),
  0x0eae: later(
    'Another program archives the transaction log, for example the backup task of the server (load backup -t); repeat when ' +
      'it has ended.',
  ),
  0x0ea9: never('Another database with the same instance id is online: restore as a new database (--as).'),
  0x1380: logs,
  0x13c1: never(
    'The backup was made with another transaction log: of another server (--other-server), or before the log was recreated ' +
      '(--until backup). It can only be restored to its state at the backup.',
  ),
  0x13c4: logs,
  0x13c5: logs,
  0x13dc: later('Domino no longer offers this extent of the transaction log; repeat the archiving.'),
  0x13dd: logs,
  0x13e3: logs,
  0x13e8: later('Another recovery is reading the transaction log; repeat when it has ended.'),
  0x13e9: logs,
  0x13ea: later('The database is in use: have users and agents leave it, raise the wait, or stop the server.'),
  0x13eb: never('The backup is later than the requested time; use an earlier backup.'),
  0x13f3: never(
    'A copy of a logged database must be recovered before it is opened, with the transaction log it belongs to: restore it ' +
      'on the server of the backup, or write it to a directory (--to-directory) and run fixup -j on it.',
  ),
  0x13f4: never('Another database with the same instance id is online: restore as a new database (--as).'),
  0x13f9: never('The database is offline: bring it online, or let the restore that took it offline end.'),
  0x13fa: never('The copy was opened before its recovery, which spoils it: restore again from the backup.'),
  0x13ff: never(
    'Transaction logging is off on this server (TRANSLOG_Status in notes.ini), and the backup is of a logged database: ' +
      'switch it on, with the log that belongs to the backup.',
  ),
  0x2dd8: quieterTime,
  0x3810: quieterTime,
};

export function adviceOnStatus(status: number): StatusAdvice | undefined {
  return byStatus[status];
}
