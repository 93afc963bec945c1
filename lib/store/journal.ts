import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadBinding } from '../native/binding';
import type { NativeLock } from '../native/session';
import { DominoVssError } from '../errors/errors';
import { jsonLines, syncDirectory, writeDurably, writeTexts } from './durable';

/** What a backup or restore has made or is about to make, and who it is. */
export interface JournalHead {
  readonly format: 1;
  readonly id: string;
  readonly work: 'backup' | 'restore';
  readonly pid: number;
  /** Start time of the process in clock ticks since boot, so that a reused pid is told apart; empty when unknown. */
  readonly processStart: string;
  readonly host: string;
  readonly created: string;
  readonly dataDirectory: string;
  /** Directory of the backup that is being made; empty for a restore. */
  readonly backupDirectory: string;
  readonly provider: string;
  /** Shadows that exist or are about to: directories, or ids with the provider `vss`. */
  readonly shadows: readonly string[];
  /** Id of the snapshot set of VSS; empty for none. */
  readonly snapshotSet: string;
  /** Hook that is asked for a shadow, or about to be, and has not answered; empty for none. */
  readonly pendingHook: string;
  /** Where shadows are exposed: symbolic links; with the provider `vss` drives, directories or shares. */
  readonly exposures: readonly string[];
  /** Service that was stopped and must be started again; empty for none. */
  readonly stoppedService: string;
  /** How many databases are or are about to be in backup mode; their paths follow, one a line. */
  readonly databasesInBackupMode: number;
  /** Databases that a restore has taken away from their place. */
  readonly restoring: readonly {
    /** Place of the database. */
    readonly file: string;
    /** Where the original lies meanwhile; empty when there was none. */
    readonly original: string;
    /** Whether the database was taken offline. */
    readonly offline: boolean;
  }[];
  /** Files beside the databases of a restore that nobody needs after it: copies it makes ready, originals that had to stay. */
  readonly temporaryFiles: readonly string[];
  /** The work has ended and only what is named here could not be removed: it locks nobody out. */
  readonly ended: boolean;
}

/** The part of a journal that changes while the work goes on. */
export type JournalChange = Partial<
  Pick<
    JournalHead,
    | 'provider'
    | 'shadows'
    | 'snapshotSet'
    | 'pendingHook'
    | 'exposures'
    | 'stoppedService'
    | 'restoring'
    | 'temporaryFiles'
    | 'ended'
  >
>;

/** What an earlier process left behind. Nothing of it is removed without being asked for. */
export interface LeftOver {
  /** The journal file that names it. */
  readonly journal: string;
  readonly id: string;
  readonly work: 'backup' | 'restore';
  readonly created: string;
  readonly pid: number;
  readonly backupDirectory: string;
  readonly provider: string;
  /** Directories of shadows, or their ids with the provider `vss`. */
  readonly shadows: readonly string[];
  /** Id of the snapshot set of VSS; empty for none. */
  readonly snapshotSet: string;
  /** Hook that had not answered when it was asked for a shadow; empty for none. */
  readonly pendingHook: string;
  readonly exposures: readonly string[];
  readonly stoppedService: string;
  /** Databases that may still be in backup mode; how many. */
  readonly databasesInBackupMode: number;
  readonly restoring: JournalHead['restoring'];
  /** Files of a restore that nobody needs; they may be there. */
  readonly temporaryFiles: readonly string[];
}

/** Id of a backup or a restore: sorts by time, and no other of the same second has it. */
export function newWorkId(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/** Directory of the journals, in the delta directory. */
export function journalDirectory(deltaDirectory: string): string {
  return join(deltaDirectory, '.journal');
}

/** Start time of a process; empty when there is no such process or the platform does not tell. */
function processStart(pid: number): string {
  if (process.platform === 'win32') return loadBinding().processStart?.(pid) ?? '';
  try {
    // The name of the program, in parentheses, may contain anything; field 22 counts from behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(head: JournalHead): boolean {
  if (process.platform === 'linux' || process.platform === 'win32') {
    return [head.processStart, 'unknown'].includes(processStart(head.pid));
  }
  try {
    process.kill(head.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * The journal of one backup or restore. While it exists and its process lives, it locks the data directory. Why it is not the
 * engine that writes it: docs/decisions/journal-in-typescript.md
 */
export class Journal {
  #head: JournalHead;
  #databasePaths: readonly string[] = [];
  #written: Promise<void> = Promise.resolve();
  #isRemoved = false;
  readonly #file: string;
  readonly #lock: NativeLock | undefined;

  private constructor(file: string, head: JournalHead, lock: NativeLock | undefined) {
    this.#file = file;
    this.#head = head;
    this.#lock = lock;
  }

  /**
   * Writes the journal and makes sure that no other live process works on the data directory. Two that come at the same
   * moment may both be refused, never both be let in: each writes first and looks then. `lock` goes with the journal: it
   * is released when the work has ended, and when this fails.
   */
  static async open(
    deltaDirectory: string,
    work: Pick<JournalHead, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'>,
    lock?: NativeLock,
  ): Promise<{ readonly journal: Journal; readonly leftOvers: readonly LeftOver[] }> {
    const directory = journalDirectory(deltaDirectory);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      lock?.release();
      throw error;
    }
    const head: JournalHead = {
      format: 1,
      ...work,
      pid: process.pid,
      processStart: processStart(process.pid),
      host: hostname(),
      created: new Date().toISOString(),
      provider: '',
      shadows: [],
      snapshotSet: '',
      pendingHook: '',
      exposures: [],
      stoppedService: '',
      databasesInBackupMode: 0,
      restoring: [],
      temporaryFiles: [],
      ended: false,
    };
    const journal = new Journal(join(directory, `${work.id}.journal`), head, lock);
    try {
      await journal.update({});
      const { live, leftOvers } = await readJournals(deltaDirectory, work.dataDirectory);
      // Plain volumes are nobody's: several backups of them may run at a time.
      const other = work.dataDirectory === '' ? undefined : live.find(({ id }) => id !== work.id);
      if (other) {
        throw new DominoVssError('ERR_LOCKED', { message: describeLiveWork(other) });
      }
      return { journal, leftOvers };
    } catch (error) {
      await journal.remove();
      throw error;
    }
  }

  /** Writes what is about to be done, before it is done. The paths are those of the databases in backup mode. */
  update(change: JournalChange, databasePaths = this.#databasePaths): Promise<void> {
    if (this.#isRemoved) {
      // Written again it would lock the data directory.
      return Promise.reject(new DominoVssError('ERR_STATE', { message: `${this.#head.id} has ended` }));
    }
    this.#databasePaths = databasePaths;
    this.#head = { ...this.#head, ...change, databasesInBackupMode: databasePaths.length };
    // One write after the other: they share the unfinished file, and callers may expose several shadows at a time.
    this.#written = this.#written.catch(() => undefined).then(() => this.#write());
    return change.ended ? this.#written.finally(() => this.#lock?.release()) : this.#written;
  }

  #write(): Promise<void> {
    const [head, databasePaths] = [this.#head, this.#databasePaths];
    return writeDurably(this.#file, async (handle) => {
      await writeTexts(handle, jsonLines([head]));
      await writeTexts(handle, jsonLines(databasePaths));
    });
  }

  /** Whether something is named that only its owner, or a person, can put back. */
  get namesMore(): boolean {
    return this.#head.exposures.length > 0 || this.#head.stoppedService !== '';
  }

  /** Whether nothing can be written to it any more. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** For the end of the process, when nothing can be waited for. */
  removeSync(): void {
    this.#isRemoved = true;
    rmSync(this.#file, { force: true });
    this.#lock?.release();
  }

  async remove(): Promise<void> {
    this.#isRemoved = true;
    await this.#written.catch(() => undefined);
    try {
      await rm(this.#file, { force: true });
      await syncDirectory(join(this.#file, '..'));
    } finally {
      this.#lock?.release();
    }
  }
}

/** Who works on a data directory. */
export function describeLiveWork({ work, id, dataDirectory, pid }: JournalHead): string {
  return `${work} ${id} of ${dataDirectory} is running (process ${pid})`;
}

/** Reads the journals that concern a data directory: of processes that live, and of those that do not. */
export async function readJournals(
  deltaDirectory: string,
  dataDirectory: string,
): Promise<{ readonly live: readonly JournalHead[]; readonly leftOvers: readonly LeftOver[] }> {
  const live: JournalHead[] = [];
  const leftOvers: LeftOver[] = [];
  for (const file of await journalFiles(deltaDirectory)) {
    const head = await readHead(file);
    // A process of another host sees another server, and its pid says nothing here.
    if (head?.dataDirectory !== dataDirectory || head.host !== hostname()) continue;
    if (!head.ended && isAlive(head)) live.push(head);
    else leftOvers.push(leftOver(file, head));
  }
  return { live, leftOvers };
}

/** Shadows that the journals of a delta directory name as left behind: those that a live process works with are its own. */
export async function journaledShadows(deltaDirectory: string): Promise<string[]> {
  const heads = await Promise.all((await journalFiles(deltaDirectory)).map(readHead));
  return heads.flatMap((head) => (head && (head.ended || !isAlive(head)) ? head.shadows : []));
}

/** Absolute paths, oldest first. */
async function journalFiles(deltaDirectory: string): Promise<string[]> {
  const directory = journalDirectory(deltaDirectory);
  const names = await readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.journal'))
    .sort()
    .map((name) => join(directory, name));
}

async function readHead(file: string): Promise<JournalHead | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    // Its owner has just ended.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const head = JSON.parse(text.slice(0, text.indexOf('\n'))) as JournalHead;
    if ((head.format as number) === 1) return head;
  } catch {
    // Falls through: not a journal of this version.
  }
  throw new DominoVssError('ERR_FILE_SYSTEM', { message: `${file} is not a journal that this version can read` });
}

function leftOver(journal: string, head: JournalHead): LeftOver {
  const { id, work, created, pid, backupDirectory, provider, shadows, exposures, stoppedService } = head;
  return {
    journal,
    id,
    work,
    created,
    pid,
    backupDirectory,
    provider,
    shadows,
    // Earlier versions knew nothing of these.
    snapshotSet: (head as Partial<JournalHead>).snapshotSet ?? '',
    pendingHook: (head as Partial<JournalHead>).pendingHook ?? '',
    exposures,
    stoppedService,
    databasesInBackupMode: head.databasesInBackupMode,
    restoring: head.restoring,
    temporaryFiles: (head as Partial<JournalHead>).temporaryFiles ?? [],
  };
}

/** How many temporary files a sentence names; the journal has all. */
const namedFiles = 10;

/** One sentence a person can act on. */
export function describeLeftOver(left: LeftOver): string {
  const parts = [`${left.work} ${left.id} of process ${left.pid} has left something behind`];
  if (left.stoppedService !== '') parts.push(`the service ${left.stoppedService} may still be stopped`);
  if (left.databasesInBackupMode > 0) {
    parts.push(`up to ${left.databasesInBackupMode} databases may still be in backup mode until the server restarts`);
  }
  if (left.shadows.length > 0) parts.push(`shadows may be left: ${left.shadows.join(', ')}`);
  if (left.pendingHook !== '') {
    parts.push(`the hook ${left.pendingHook} had not answered: its snapshot may be there, or still come`);
  }
  if (left.exposures.length > 0) parts.push(`shadows may be exposed at ${left.exposures.join(', ')}`);
  if (left.backupDirectory !== '') parts.push(`an unfinished backup may be left in ${left.backupDirectory}`);
  for (const { file, original, offline } of left.restoring) {
    const saved = original === '' ? '' : `, its original is ${original}`;
    parts.push(`${file} may be ${offline ? 'offline' : 'replaced'}${saved}`);
  }
  if (left.temporaryFiles.length > 0) {
    const more = left.temporaryFiles.length - namedFiles;
    const files = [...left.temporaryFiles.slice(0, namedFiles), ...(more > 0 ? [`and ${more} more`] : [])];
    parts.push(`files that nobody needs may be left: ${files.join(', ')}`);
  }
  return `${parts.join('; ')} (journal ${left.journal})`;
}
