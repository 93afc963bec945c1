// What notes.ini says about the server's own work that a backup meets. Program documents, which say more, are not read.

import type { NotesIni } from '../domino/environment';
import { ok, warned, type Finding } from './check';

/** Tasks of the server that put databases into backup mode, or out of reach. */
const ownBackup = 'backup';
const ownWriter = 'backupvss';
const maintenance = ['compact', 'dbmt', 'fixup', 'updall'];

/** Names of the tasks of a setting such as `Replica,Router,Compact -b`, in lower case, with their arguments. */
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

/** A database is in one backup at a time, also when the other one is the server's own. */
export function checkServerTasks(notesIni: NotesIni): Finding {
  const names = tasksOf(notesIni, 'ServerTasks').map(nameOf);
  const own = [ownBackup, ownWriter].filter((task) => names.includes(task));
  if (own.length === 0) return ok('ServerTasks loads no backup of its own');
  const advice = [
    ...(own.includes(ownBackup)
      ? ['Let "backup" not run at the same time: a database in another backup is left out (0x0EA4).']
      : []),
    ...(own.includes(ownWriter)
      ? [
          '"backupvss" begins a backup whenever a requester includes its writer: keep the writers at "none", or take it out.',
        ]
      : []),
  ];
  return warned('WARN_SERVER_TASKS', `ServerTasks loads ${own.join(' and ')}`, advice.join(' '));
}

/** In-place compacting refuses a backup, and copy-style compacting ends the use of older ones for later points in time. */
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
  const look = 'The console command "show schedule" tells when program documents start compact or DBMT.';
  if (found.length === 0) return ok(`none in notes.ini; ${unseen}`, look);
  const advice =
    'Back up at another time: a database that is being compacted is left out (0x13AA, or it cannot be opened). After a ' +
    'copy-style compact or DBMT a database has a new instance id, and earlier backups reach no later point in time: back up ' +
    `after it. ${look}`;
  return ok(`${found.join('; ')}; ${unseen}`, advice);
}

/** Minutes after which Domino ends a backup where notes.ini says nothing. */
const usualMinutes = 15;

/** How long Domino lets a database be in backup mode. */
export function checkTimeLimit(notesIni: NotesIni): Finding {
  if (notesIni.get('BACKUP_NO_TIMEOUT') === '1') {
    const advice =
      'What a killed backup leaves in backup mode stays there until domino-vss recover or a restart of the server.';
    return ok('none (BACKUP_NO_TIMEOUT=1)', advice);
  }
  const setting = notesIni.get('BACKUP_TIMEOUT');
  const change = 'Domino ends a backup that lasts longer; BACKUP_TIMEOUT=<minutes> in notes.ini changes that.';
  if (setting === '') return ok(`${usualMinutes} minutes (the default of Domino)`, change);
  if (!/^\d+$/.test(setting) || Number(setting) === 0) {
    const advice = 'Set it to a number of minutes, or take it out: what Domino makes of this is not known.';
    return warned('WARN_SETTING_INVALID', `BACKUP_TIMEOUT=${setting} is no number of minutes`, advice);
  }
  const found = `${setting} minutes (BACKUP_TIMEOUT)`;
  if (Number(setting) >= usualMinutes) return ok(found, change);
  const advice = `Keep databases in backup mode for less: --window-timeout, and --max-hold of hold and of the writer. ${change}`;
  return warned('WARN_TIME_LIMIT_SHORT', found, advice);
}

/** Where before-images wait until the backup of a database has ended. */
export function checkBackupMemory(notesIni: NotesIni): Finding {
  const constrained = notesIni.get('NSF_Backup_Memory_Constrained') === '1';
  const limit = notesIni.get('NSF_Backup_Memory_Limit');
  if (!constrained) {
    const advice =
      'Where much is written in the window, NSF_Backup_Memory_Constrained=1 let older releases keep it in temporary files; ' +
      'whether releases since 12 heed it is not documented.';
    const idle = limit === '' ? '' : '; NSF_Backup_Memory_Limit counts only with NSF_Backup_Memory_Constrained=1';
    return ok(`change information is kept in memory (the default of Domino)${idle}`, advice);
  }
  if (limit !== '' && !/^\d+$/.test(limit)) {
    const advice = 'Set it to a number of bytes, or take it out: what Domino makes of this is not known.';
    return warned('WARN_SETTING_INVALID', `NSF_Backup_Memory_Limit=${limit} is no number of bytes`, advice);
  }
  const found = `change information goes to temporary files beyond ${limit === '' ? '20000000' : limit} bytes`;
  const advice = 'Have room where the server keeps its temporary files: what changes in the window goes there.';
  return ok(found, advice);
}
