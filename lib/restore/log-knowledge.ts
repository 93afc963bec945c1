import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call } from '../call/call';
import { NotesIni, recoveryLogOf, transactionLogDirectory } from '../domino/environment';
import { liveIdentities } from '../domino/identities';
import type { NativeBinding } from '../native/session';
import { patienceOf } from '../recover/tools';
import { FileCalls } from '../store/stall';
import { backupIds } from '../store/backups';
import { loadManifest, type Manifest } from '../store/manifest';
import type { ManifestDatabase } from '../store/manifest-format';
import { readUsableArchive, type UsableArchive } from '../logs/recovery';
import { readLogExtents, type LogExtents } from '../logs/extents';
import type { RestorePlan } from './plan';
import type { LogKnowledge } from './reach';

/** What an archive contains of the logs of these databases, from the first needed extent on. */
function readArchive(
  logArchive: string,
  databases: readonly ManifestDatabase[],
  extents: LogExtents | undefined,
  call: Call,
): Promise<UsableArchive> {
  const wanted = new Map<string, number>();
  for (const { logged, logId, logExtent } of databases) {
    if (logged) wanted.set(logId, Math.min(logExtent, wanted.get(logId) ?? Infinity));
  }
  return readUsableArchive(logArchive, wanted, new Set(extents?.names), call);
}

/** How to query the server of a restore. */
export interface Server {
  /** Undefined if Domino is not open in this process. */
  readonly binding: NativeBinding | undefined;
  readonly notesIni: string;
  readonly dataDirectory: string;
  /** Directory of an archive of its transaction log, if one was named. */
  readonly logArchive?: string | undefined;
  /** Longest time for one call on a database. */
  readonly budgetMs: number;
}

/** These always exist, and show the log of a server whose requested databases are gone. */
const serverDatabases = ['names.nsf', 'log.nsf', 'admin4.nsf'];

/** Collects everything about the transaction log that a restore of these databases needs to know in advance. */
export async function gatherLogKnowledge(
  { binding, notesIni, dataDirectory, logArchive, budgetMs }: Server,
  head: Manifest,
  { mode, otherServer, adopts }: RestorePlan,
  databases: readonly ManifestDatabase[],
  call: Call,
): Promise<LogKnowledge> {
  const settings = new NotesIni(notesIni);
  const recoveryLog = recoveryLogOf(settings);
  const paths = databases.filter(({ logged }) => logged || otherServer).map(({ path }) => path);
  // A plain file is not affected by any log.
  const mayAsk = mode.type !== 'directory' && recoveryLog === undefined && paths.length > 0;
  const asked = mayAsk ? binding : undefined;
  // While the server is down, no database is opened: it may be damaged, and would have to be recovered by this process.
  const { live, hanging } =
    asked && mode.type !== 'offline'
      ? await liveIdentities(asked, paths, budgetMs, call)
      : { live: new Map<string, never>(), hanging: '' };
  let logId = recoveryLog ?? logIdOf(live);
  if (asked && logId === '' && (mode.type !== 'offline' || adopts)) {
    logId = logIdOf((await liveIdentities(asked, serverDatabases, budgetMs, call)).live);
  }
  const calls = new FileCalls(patienceOf({ call, budgetMs }));
  const changedIn = await instanceChanges(head, calls, call);
  const log = transactionLogDirectory(settings, dataDirectory);
  const extents = await calls.wait('scandir', log, readLogExtents(log));
  const archive = logArchive === undefined ? undefined : await readArchive(logArchive, databases, extents, call);
  return { live, changedIn, logId, writesLog: settings.get('TRANSLOG_Status') === '1', extents, archive, hanging };
}

function logIdOf(live: LogKnowledge['live']): string {
  for (const database of live.values()) if ('logId' in database && database.logId !== '') return database.logId;
  return '';
}

/**
 * The later backup in which the instance id of each database was first found changed. Every backup compares itself with the
 * previous one, so the heads of the manifests are sufficient.
 */
async function instanceChanges(head: Manifest, calls: FileCalls, call: Call): Promise<Map<string, string>> {
  const changedIn = new Map<string, string>();
  const deltaDirectory = dirname(
    await calls.wait(
      'realpath',
      head.directory,
      realpath(head.directory).catch(() => head.directory),
    ),
  );
  // A backup that was moved has no others beside it.
  const ids = await calls.wait(
    'scandir',
    deltaDirectory,
    backupIds(deltaDirectory).catch(() => []),
  );
  const later: Manifest[] = [];
  for (const id of ids) {
    call.check();
    // The ids begin with the time in seconds.
    if (id.slice(0, 16) < head.id.slice(0, 16) || id === head.id) continue;
    const manifest = await calls.wait(
      'read',
      join(deltaDirectory, id),
      loadManifest(join(deltaDirectory, id)).catch(() => undefined),
    );
    if (manifest?.dataDirectory === head.dataDirectory && manifest.created > head.created) later.push(manifest);
  }
  later.sort((a, b) => (a.created < b.created ? -1 : 1));
  for (const { id, continuity } of later) {
    for (const { database, changed } of continuity?.replaced ?? []) {
      if (changed.includes('instance id') && !changedIn.has(database)) changedIn.set(database, id);
    }
  }
  return changedIn;
}
