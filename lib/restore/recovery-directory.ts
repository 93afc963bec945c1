import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { publicCall, type Call } from '../call/call';
import { mkdirWithMode } from '../call/files';
import { absolutePath, dominoLocation, type DominoLocation } from '../call/options';
import { findNotesIni, NotesIni, recoveryLogSetting } from '../domino/environment';
import { DominoVssError, OptionError, RestoreError } from '../errors/errors';
import { isExtentName } from '../logs/catalogue';
import { requireSafeArchive } from '../logs/directory';
import { readUsableArchive, type UsableExtent } from '../logs/recovery';
import type { NativeBinding } from '../native/session';
import { copyExactly, requireFreeSpace } from '../store/copy';
import { syncDirectory, writeDurably } from '../store/durable';
import { databasesOf, type Manifest } from '../store/manifest';
import { FileCalls } from '../store/stall';
import { makeNewDirectory } from './new-directory';
import { openBackup, type OneBackupOptions } from './one-backup';

/** Options of `prepareRecoveryDirectory`. */
export interface PrepareRecoveryDirectoryOptions extends OneBackupOptions {
  /** Absolute directory that is new or empty. Must not be inside a data directory. */
  readonly directory: string;
  /** Absolute path of the archive of the backup's transaction log. */
  readonly logArchive: string;
  /**
   * Where Domino is on this machine: its notes.ini names the ID file and the time zone. Default: searched for in the environment
   * and in the standard locations.
   */
  readonly domino?: DominoLocation | undefined;
  /** Default: 24 hours. */
  readonly timeoutMs?: number | undefined;
}

/** The result of `prepareRecoveryDirectory`. */
export interface RecoveryDirectory {
  readonly backupId: string;
  readonly directory: string;
  /** To be used as `domino.notesIni` of the restore. */
  readonly notesIni: string;
  /** Directory for the restored databases. */
  readonly dataDirectory: string;
  /** Id of the transaction log. */
  readonly logId: string;
  /** Numbers of its first and last extent there. The log can roll databases forward to the last one. */
  readonly extents: { readonly first: number; readonly last: number };
}

export function prepareRecoveryDirectory(
  loadBinding: () => NativeBinding,
  options: PrepareRecoveryDirectoryOptions,
): Promise<RecoveryDirectory> {
  return publicCall(async () => {
    const { head, call } = await openBackup(options, {
      required: { directory: absolutePath, logArchive: absolutePath },
      optional: { domino: dominoLocation },
      usualTimeoutMs: 86_400_000,
    });
    const { directory } = options;
    const local = new NotesIni(findNotesIni(options.domino));
    const dataDirectory = join(directory, 'data');
    const settings = settingsOf(local, dataDirectory);
    const { logId, first } = await wantedLog(head, call);
    const archive = await requireSafeArchive(options.logArchive, loadBinding(), call, 'logArchive');
    const extents = await archivedExtents(archive, logId, first, call);
    await makeNewDirectory({
      directory,
      option: 'directory',
      dataDirectories: [head.dataDirectory, local.dataDirectory],
      binding: loadBinding(),
      call,
    });
    const calls = new FileCalls(call);
    const neededBytes = extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await calls.wait('statfs', directory, requireFreeSpace(directory, neededBytes));
    try {
      await fillLogDirectory(dataDirectory, extents, call, calls);
    } catch (error) {
      // Make it new or empty again, so that the next attempt is not refused.
      await calls.end(() => rm(dataDirectory, { recursive: true, force: true }));
      throw error;
    }
    // Written last, because the directory cannot be used without it.
    const notesIni = join(directory, 'notes.ini');
    const lines = [...settings, `${recoveryLogSetting}=${logId}`];
    const writing = writeDurably(notesIni, async (handle) => {
      await handle.writeFile(`[Notes]\n${lines.join('\n')}\n`, 'latin1');
    });
    await calls.wait('write', notesIni, writing);
    const last = extents.at(-1)?.number ?? first;
    return { backupId: head.id, directory, notesIni, dataDirectory, logId, extents: { first, last } };
  });
}

/**
 * Settings taken from the server of this machine: Domino does not start without an ID file, and the time zone determines the
 * meaning of a time.
 */
const takenOver = ['Timezone', 'DST', 'DSTLAW', 'KitType', 'ServerName'];

/** The settings of a recovery directory according to HCL's guide to the backup API: a log of its own, and no server. */
function settingsOf(local: NotesIni, dataDirectory: string): readonly string[] {
  const id = local.get('ServerKeyFileName') || local.get('KeyFileName');
  const taken = takenOver.flatMap((name) => (local.get(name) === '' ? [] : [`${name}=${local.get(name)}`]));
  const settings = [
    `Directory=${dataDirectory}`,
    ...(id === '' ? [] : [`KeyFileName=${resolve(local.dataDirectory, id)}`]),
    ...taken,
    'TRANSLOG_Status=1',
    'TRANSLOG_Style=1',
    `TRANSLOG_Path=${join(dataDirectory, 'logdir')}`,
    'TRANSLOG_MEDIAONLY=1',
    'TRANSLOG_Recreate_Logctrl=1',
  ];
  const odd = settings.find((setting) => /[^\u0020-\u007e]/.test(setting));
  if (odd !== undefined) throw new OptionError('directory', `"${odd}" has characters that notes.ini cannot hold`);
  return settings;
}

/** The only transaction log of a backup, and the first extent that any database needs. */
async function wantedLog(head: Manifest, call: Call): Promise<{ readonly logId: string; readonly first: number }> {
  const first = new Map<string, number>();
  for await (const { logged, logId, logExtent } of databasesOf(head, new FileCalls(call))) {
    call.check();
    if (logged) first.set(logId, Math.min(logExtent, first.get(logId) ?? Infinity));
  }
  const [log, ...others] = first;
  if (!log) throw refused(`no database of the backup ${head.id} is logged: restore it without a recovery directory`);
  if (others.length > 0) {
    throw refused(`the backup ${head.id} has databases of several transaction logs: ${[...first.keys()].join(', ')}`);
  }
  return { logId: log[0], first: log[1] };
}

/** Every byte of these extents has been compared with the catalogue. */
async function archivedExtents(
  archive: string,
  logId: string,
  first: number,
  call: Call,
): Promise<readonly UsableExtent[]> {
  const { logs, problems } = await readUsableArchive(archive, new Map([[logId, first]]), new Set(), call);
  const extents = logs.get(logId) ?? [];
  const gap = extents.findIndex(({ number }, index) => number !== first + index);
  if (extents.length > 0 && gap === -1) return extents;
  const missing = first + (gap === -1 ? 0 : gap);
  const why = problems.length > 0 ? `: ${problems.map(({ message }) => message).join('; ')}` : '';
  throw refused(`the archive ${archive} lacks extent ${missing} of the transaction log ${logId}${why}`);
}

async function fillLogDirectory(
  dataDirectory: string,
  extents: readonly UsableExtent[],
  call: Call,
  calls: FileCalls,
): Promise<void> {
  const logDirectory = join(dataDirectory, 'logdir');
  for (const made of [dataDirectory, logDirectory]) await calls.wait('mkdir', made, mkdirWithMode(made, 0o700));
  for (const extent of extents) await copyExtent(extent, logDirectory, call);
  for (const made of [logDirectory, dataDirectory]) await calls.wait('fsync', made, syncDirectory(made));
}

async function copyExtent(
  { file, name, sizeBytes, sha256 }: UsableExtent,
  directory: string,
  call: Call,
): Promise<void> {
  if (!isExtentName(name)) throw refused(`${name} is not a name of an extent`);
  const hash = createHash('sha256');
  const check = (): void => {
    call.check();
  };
  await copyExactly({ from: file, to: join(directory, name), sizeBytes, check, hash, hasDirectory: true });
  if (hash.digest('hex') === sha256) return;
  throw new DominoVssError('ERR_LOG_ARCHIVE', { message: `${file} was changed while it was copied`, phase: 'restore' });
}

function refused(message: string): RestoreError {
  return new RestoreError('ERR_RESTORE_LOG', { message, phase: 'restore' });
}
