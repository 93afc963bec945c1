// Settings of notes.ini for work of the server that may collide with a backup. Program documents, which can start more, are not
// read.

import type { NotesIni } from '../domino/environment';
import { ok, warned, type Finding } from './check';
import { counted } from '../errors/counted';

/** Server tasks that put databases into backup mode or make them unavailable. */
const ownBackup = 'backup';
const ownWriter = 'backupvss';
const maintenance = ['compact', 'dbmt', 'fixup', 'updall'];

/** Tasks in a setting such as `Replica,Router,Compact -b`, in lower case, with their arguments. */
function tasksOf(notesIni: NotesIni, setting: string): string[] {
  return notesIni
    .get(setting)
    .split(',')
    .map((task) => task.trim().toLowerCase())
    .filter((task) => task !== '');
}

function nameOf(task: string): string {
  return task.split(/\s+/)[0] ?? '';
}

/** A database can be in only one backup at a time, even if the other backup is the server's own. */
export function checkServerTasks(notesIni: NotesIni): Finding {
  const names = tasksOf(notesIni, 'ServerTasks').map(nameOf);
  const own = [ownBackup, ownWriter].filter((task) => names.includes(task));
  if (own.length === 0) return ok('ServerTasks loads no backup of its own');
  const advice = [
    ...(own.includes(ownBackup)
      ? ['Make sure that "backup" does not run at the same time: a database in another backup is left out (0x0EA4).']
      : []),
    ...(own.includes(ownWriter)
      ? [
          '"backupvss" begins a backup whenever a requester includes its writer: keep the option writers at "none", or remove that task.',
        ]
      : []),
  ];
  return warned('WARN_SERVER_TASKS', `ServerTasks loads ${own.join(' and ')}`, advice.join(' '));
}

/** An in-place compact makes a backup fail; a copy-style compact ends the use of older backups for later points in time. */
export function checkMaintenance(notesIni: NotesIni): Finding {
  const at = (when: string, setting: string): string[] => {
    const tasks = tasksOf(notesIni, setting).filter((task) => maintenance.includes(nameOf(task)));
    return tasks.length === 0 ? [] : [`${when} ${tasks.join(', ')}`];
  };
  const hours = Array.from({ length: 24 }, (_value, hour) => {
    return at(`${String(hour).padStart(2, '0')}:00`, `ServerTasksAt${hour}`);
  });
  const found = [...at('at the start of the server', 'ServerTasks'), ...hours.flat()];
  const unseen = 'program documents are not seen here';
  const look = 'The console command "show schedule" shows when program documents start compact or DBMT.';
  if (found.length === 0) return ok(`none in notes.ini; ${unseen}`, look);
  const advice =
    'Back up at another time: a database that is being compacted is left out (0x13AA, or it cannot be opened). After a ' +
    'copy-style compact or DBMT a database has a new instance id, and earlier backups cannot be rolled forward beyond it: back up ' +
    `after it. ${look}`;
  return ok(`${found.join('; ')}; ${unseen}`, advice);
}

/** Minutes after which Domino ends a backup if notes.ini sets no limit. */
const usualMinutes = 15;

/** How long Domino lets a database stay in backup mode. */
export function checkTimeLimit(notesIni: NotesIni): Finding {
  if (notesIni.get('BACKUP_NO_TIMEOUT') === '1') {
    const advice =
      'Databases that a killed backup leaves in backup mode stay there until domino-vss recover or a restart of the server.';
    return ok('none (BACKUP_NO_TIMEOUT=1)', advice);
  }
  const setting = notesIni.get('BACKUP_TIMEOUT');
  const change = 'Domino ends a backup that lasts longer; BACKUP_TIMEOUT=<minutes> in notes.ini changes that.';
  if (setting === '') return ok(`${usualMinutes} minutes (the default of Domino)`, change);
  if (!/^\d{1,9}$/.test(setting) || Number(setting) === 0) {
    const advice = 'Set it to a number of minutes, or remove it: how Domino interprets this value is not known.';
    return warned('WARN_SETTING_INVALID', `BACKUP_TIMEOUT=${setting} is not a number of minutes`, advice);
  }
  const found = `${counted(Number(setting), 'minute')} (BACKUP_TIMEOUT)`;
  if (Number(setting) >= usualMinutes) return ok(found, change);
  const advice = `Keep databases in backup mode for a shorter time: --window-timeout, and --max-hold of hold and of the writer. ${change}`;
  return warned('WARN_TIME_LIMIT_SHORT', found, advice);
}

/** Where Domino keeps before-images until the backup of a database has ended. */
export function checkBackupMemory(notesIni: NotesIni): Finding {
  const constrained = notesIni.get('NSF_Backup_Memory_Constrained') === '1';
  const limit = notesIni.get('NSF_Backup_Memory_Limit');
  if (!constrained) {
    const advice =
      'If much is written during the window, NSF_Backup_Memory_Constrained=1 made older releases keep it in temporary files; ' +
      'whether it has an effect since release 12 is not documented.';
    const idle =
      limit === '' ? '' : '; NSF_Backup_Memory_Limit has an effect only with NSF_Backup_Memory_Constrained=1';
    return ok(`change information is kept in memory (the default of Domino)${idle}`, advice);
  }
  if (limit !== '' && !/^\d+$/.test(limit)) {
    const advice = 'Set it to a number of bytes, or remove it: how Domino interprets this value is not known.';
    return warned('WARN_SETTING_INVALID', `NSF_Backup_Memory_Limit=${limit} is not a number of bytes`, advice);
  }
  const found = `change information goes to temporary files beyond ${limit === '' ? '20000000' : limit} bytes`;
  const advice = 'Keep space free where the server has its temporary files: changes during the window are kept there.';
  return ok(found, advice);
}
