import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NativeLock } from '../native/session';
import { DominoVssError } from '../errors/errors';
import { jsonLines, makeDirectory, syncDirectory, syncRemovals, writeDurably, writeTexts } from './durable';
import { isInTheWay, type JournalChange, type JournalHead } from './journal-format';
import { leftOverOf, type LeftOver } from './left-over';
import {
  describeLiveWork,
  journalDirectory,
  noteBegunWork,
  noteEndedWork,
  readJournals,
  unfinishedName,
  type Journals,
} from './journals';
import { ownIdentity } from './process-identity';

/** Id of a piece of work: sorts by time, and no other of the same second has it. */
export function newWorkId(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/** Where a journal is written, and what it is about. */
export interface JournalPlace extends Pick<JournalHead, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'> {
  /** Undefined: the journal goes to {@link elsewhere} at once. */
  readonly deltaDirectory: string | undefined;
  /** Makes another directory, and answers it, for a journal that cannot be written to the delta directory: read-only media. */
  readonly elsewhere?: () => Promise<string>;
  /** Goes with the journal; undefined for work that needs none. */
  readonly lock?: NativeLock | undefined;
  /** Id of the work that this is a part of: it is not in the way. */
  readonly within?: string | undefined;
}

interface JournalOwner {
  readonly head: JournalHead;
  readonly lock: NativeLock | undefined;
}

function newHead(work: Pick<JournalHead, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'>): JournalHead {
  return {
    format: 1,
    ...work,
    ...ownIdentity(),
    created: new Date().toISOString(),
    provider: '',
    shadows: [],
    volumes: [],
    snapshotSet: '',
    pendingHook: '',
    hook: null,
    exposures: [],
    stoppedService: '',
    databasesInBackupMode: 0,
    copiedFiles: 0,
    restoring: [],
    restorePhase: 'replacing',
    temporaryFiles: [],
    newDirectories: [],
    ended: false,
  };
}

/** A journal that was opened, and what the others say. */
export interface OpenedJournal extends Omit<Journals, 'live'> {
  readonly journal: Journal;
}

/**
 * The journal of one backup or restore. While it exists and its process lives, it locks the data directory. Why it is not the
 * engine that writes it: docs/decisions/journal-in-typescript.md
 */
export class Journal {
  #head: JournalHead;
  #databasePaths: readonly string[] = [];
  #copies: readonly string[] = [];
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
  static async open({ deltaDirectory, elsewhere, lock, within, ...work }: JournalPlace): Promise<OpenedJournal> {
    const head = newHead(work);
    let journal: Journal;
    try {
      journal = await Journal.#create({ head, lock }, deltaDirectory, elsewhere);
    } catch (error) {
      lock?.release();
      throw error;
    }
    try {
      const looking = { quarantine: true, work: work.work };
      const { live, ...others } = await readJournals(deltaDirectory, work.dataDirectory, looking);
      const other = live.find(({ id, ...found }) => id !== work.id && id !== within && isInTheWay(work, found));
      if (other) {
        throw new DominoVssError('ERR_LOCKED', { message: describeLiveWork(other) });
      }
      const doubtful = others.unusable.find(({ mayBeLive }) => mayBeLive);
      if (doubtful && work.work === 'prune') {
        const message = `the journal ${doubtful.journal} is in the way: ${doubtful.reason}, and that may need a backup`;
        throw new DominoVssError('ERR_LOCKED', { message });
      }
      return { journal, ...others };
    } catch (error) {
      await journal.remove();
      throw error;
    }
  }

  /**
   * Writes the journal of a backup that native code may begin, under a name that counts for nothing: it becomes a journal
   * when `from` is renamed `to`. Until then whoever has made it removes it.
   */
  static async prepare(
    place: Required<Pick<JournalPlace, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'>>,
    { deltaDirectory, provider, lock }: { deltaDirectory: string; provider: string; lock: NativeLock },
    databasePaths: readonly string[],
  ): Promise<{ readonly journal: Journal; readonly from: string; readonly to: string }> {
    const directory = journalDirectory(deltaDirectory);
    await makeDirectory(directory, 0o700);
    const to = join(directory, `${place.id}.journal`);
    const from = unfinishedName(to);
    const journal = new Journal(to, { ...newHead(place), provider }, lock);
    journal.#databasePaths = databasePaths;
    journal.#head = { ...journal.#head, databasesInBackupMode: databasePaths.length };
    await writeDurably(from, (handle) => journal.#writeTo(handle), `${from}.part`);
    return { journal, from, to };
  }

  static async #create(
    owner: JournalOwner,
    deltaDirectory: string | undefined,
    elsewhere: JournalPlace['elsewhere'],
  ): Promise<Journal> {
    try {
      return await Journal.#createBelow(deltaDirectory ?? (await elsewhere?.()) ?? '', owner);
    } catch (error) {
      const isUnwritable = ['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isUnwritable || !elsewhere || deltaDirectory === undefined) throw error;
      return Journal.#createBelow(await elsewhere(), owner);
    }
  }

  static async #createBelow(parent: string, { head, lock }: JournalOwner): Promise<Journal> {
    const directory = journalDirectory(parent);
    await makeDirectory(directory, 0o700);
    const journal = new Journal(join(directory, `${head.id}.journal`), head, lock);
    noteBegunWork(journal.#file);
    try {
      await journal.update({});
    } catch (error) {
      // It may have its name already; and whoever finds it would take it for that of live work.
      await journal.#unlink().catch(() => {
        noteEndedWork(journal.#file);
      });
      throw error;
    }
    return journal;
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
    return change.ended ? this.#ended(this.#written) : this.#written;
  }

  /** Ends work that leaves what the journal names then. What was removed or renamed is made durable before the journal says so. */
  async end(change: Omit<JournalChange, 'ended'>, removed: readonly string[]): Promise<void> {
    await this.#sync(removed);
    await this.update({ ...change, ended: true });
  }

  /** The work has ended, whether or not that could be written. */
  async #ended(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      // This process lives on, and would lock the data directory until it ends.
      noteEndedWork(this.#file);
      throw error;
    } finally {
      this.#lock?.release();
    }
  }

  /** Where it fails the journal goes on naming everything, for the next work to find out what of it is there. */
  async #sync(removed: readonly string[]): Promise<void> {
    try {
      await syncRemovals(removed);
    } catch (error) {
      this.#isRemoved = false;
      await this.update({ ended: true }).catch(() => undefined);
      throw error;
    }
  }

  /** Writes which files, none of which exists yet, are about to be copied out of the shadow, and which directories are made for them. */
  async noteCopies(files: readonly string[], newDirectories: readonly string[]): Promise<void> {
    this.#copies = files;
    this.#head = { ...this.#head, copiedFiles: files.length };
    await this.update({ newDirectories });
  }

  #write(): Promise<void> {
    return writeDurably(this.#file, (handle) => this.#writeTo(handle), unfinishedName(this.#file));
  }

  async #writeTo(handle: FileHandle): Promise<void> {
    const [head, databasePaths, copies] = [this.#head, this.#databasePaths, this.#copies];
    await writeTexts(handle, jsonLines([head]));
    await writeTexts(handle, jsonLines(databasePaths));
    await writeTexts(handle, jsonLines(copies));
  }

  /** What it names, as the next process would find it. */
  get leftOver(): LeftOver {
    return leftOverOf(this.#file, this.#head);
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

  /** The work has ended and has left nothing; `removed` is what was removed or renamed by it, and is made durable first. */
  async remove(removed: readonly string[] = []): Promise<void> {
    this.#isRemoved = true;
    await this.#sync(removed);
    await this.#ended(this.#written.catch(() => undefined).then(() => this.#unlink()));
  }

  async #unlink(): Promise<void> {
    // A write that has failed leaves its unfinished file.
    for (const file of [this.#file, unfinishedName(this.#file)]) await rm(file, { force: true });
    await syncDirectory(dirname(this.#file));
  }
}
