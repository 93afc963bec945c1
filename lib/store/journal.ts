import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NativeLock } from '../native/session';
import { DominoVssError } from '../errors/errors';
import { jsonLines, makeDirectory, syncDirectory, syncRemovals, writeDurably, writeTexts } from './durable';
import { checkLine, isInTheWay, type JournalChange, type JournalHead } from './journal-format';
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
import { FileCalls, untiring, type FilePatience } from './stall';

/** Id of a piece of work: sorts by time, and is unique even within the same second. */
export function newWorkId(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/** Where a journal is written, and its subject. */
export interface JournalPlace extends Pick<JournalHead, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'> {
  /** Undefined: the journal is written to {@link elsewhere}. */
  readonly deltaDirectory: string | undefined;
  /**
   * Creates and returns another directory for a journal that cannot be written to the delta directory, because that is on
   * read-only media.
   */
  readonly elsewhere?: () => Promise<string>;
  /** For the writes of the journal. Default: only their usual time limit. */
  readonly patience?: FilePatience | undefined;
  /** Released together with the journal; undefined for work that needs no lock. */
  readonly lock?: NativeLock | undefined;
  /** Id of the work that this work is part of; the two do not conflict. */
  readonly within?: string | undefined;
}

interface JournalOwner {
  readonly head: JournalHead;
  readonly calls: FileCalls;
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

/** An opened journal, and what the other journals say. */
export interface OpenedJournal extends Omit<Journals, 'live'> {
  readonly journal: Journal;
}

/**
 * The journal of one backup or restore. It locks the data directory as long as it exists and its process lives. Why it is not
 * written by the engine: docs/decisions/journal-in-typescript.md
 */
export class Journal {
  #head: JournalHead;
  #databasePaths: readonly string[] = [];
  #copies: readonly string[] = [];
  #written: Promise<void> = Promise.resolve();
  #isRemoved = false;
  readonly #file: string;
  readonly #lock: NativeLock | undefined;
  readonly #calls: FileCalls;

  private constructor(file: string, { head, lock, calls }: JournalOwner) {
    this.#file = file;
    this.#head = head;
    this.#lock = lock;
    this.#calls = calls;
  }

  /**
   * Writes the journal and makes sure that no other live process works on the data directory. Of two processes that start at the
   * same moment, both may be refused, but never both accepted: each writes before it looks. `lock` belongs to the journal: it is
   * released when the work has ended, or when this call fails.
   */
  static async open(place: JournalPlace): Promise<OpenedJournal> {
    const { deltaDirectory, elsewhere, lock, within, patience, ...work } = place;
    const head = newHead(work);
    const calls = new FileCalls(patience ?? untiring);
    let journal: Journal;
    try {
      journal = await Journal.#create({ head, lock, calls }, deltaDirectory, elsewhere);
    } catch (error) {
      lock?.release();
      throw error;
    }
    try {
      const looking = { quarantine: true, work: work.work };
      const reading = readJournals(deltaDirectory, work.dataDirectory, looking);
      const { live, ...others } = await calls.wait('read', dirname(journal.#file), reading);
      const other = live.find(({ id, ...found }) => id !== work.id && id !== within && isInTheWay(work, found));
      if (other) {
        throw new DominoVssError('ERR_LOCKED', { message: describeLiveWork(other) });
      }
      const doubtful = others.unusable.find(({ mayBeLive }) => mayBeLive);
      if (doubtful && work.work === 'prune') {
        const message = `the journal ${doubtful.journal} cannot be used: ${doubtful.reason}; its work may need a backup`;
        throw new DominoVssError('ERR_LOCKED', { message });
      }
      return { journal, ...others };
    } catch (error) {
      await journal.remove();
      throw error;
    }
  }

  /**
   * Writes the journal of work that has ended, because it still names something. The caller holds the lock of the data directory, so
   * nobody else can have begun meanwhile.
   */
  static async leave(
    { deltaDirectory, elsewhere, patience, ...work }: Omit<JournalPlace, 'lock' | 'within'>,
    change: JournalChange,
  ): Promise<void> {
    const head = { ...newHead(work), ...change, ended: true };
    await Journal.#create(
      { head, lock: undefined, calls: new FileCalls(patience ?? untiring) },
      deltaDirectory,
      elsewhere,
    );
  }

  /**
   * Writes the journal of a backup that native code may begin, under a name that is ignored: it becomes a journal when `from` is
   * renamed to `to`. Until then, its creator has to remove it.
   */
  static async prepare(
    place: Required<Pick<JournalPlace, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'>>,
    { deltaDirectory, provider, lock }: { deltaDirectory: string; provider: string; lock: NativeLock },
    databasePaths: readonly string[],
  ): Promise<{ readonly journal: Journal; readonly from: string; readonly to: string }> {
    const directory = journalDirectory(deltaDirectory);
    await new FileCalls(untiring).wait('mkdir', directory, makeDirectory(directory, 0o700));
    const to = join(directory, `${place.id}.journal`);
    const from = unfinishedName(to);
    const journal = new Journal(to, { head: { ...newHead(place), provider }, lock, calls: new FileCalls(untiring) });
    journal.#databasePaths = databasePaths;
    journal.#head = { ...journal.#head, databasesInBackupMode: databasePaths.length };
    const writing = writeDurably(from, (handle) => journal.#writeTo(handle), { unfinished: `${from}.part` });
    await journal.#calls.wait('write', from, writing);
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

  static async #createBelow(parent: string, owner: JournalOwner): Promise<Journal> {
    const directory = journalDirectory(parent);
    await owner.calls.wait('mkdir', directory, makeDirectory(directory, 0o700));
    const journal = new Journal(join(directory, `${owner.head.id}.journal`), owner);
    noteBegunWork(journal.#file);
    try {
      await journal.update({});
    } catch (error) {
      // It may already have its final name, and would then be taken for the journal of live work.
      await journal
        .#inTurn('unlink', () => journal.#unlink())
        .catch(() => {
          noteEndedWork(journal.#file);
        });
      throw error;
    }
    return journal;
  }

  /** Records what is about to be done, before it is done. The paths are those of the databases in backup mode. */
  update(change: JournalChange, databasePaths = this.#databasePaths): Promise<void> {
    if (this.#isRemoved) {
      // Writing it again would lock the data directory.
      return Promise.reject(new DominoVssError('ERR_STATE', { message: `${this.#head.id} has ended` }));
    }
    this.#databasePaths = databasePaths;
    this.#head = { ...this.#head, ...change, databasesInBackupMode: databasePaths.length };
    const written = this.#inTurn('write', () => this.#write());
    return change.ended ? this.#ended(written) : written;
  }

  /**
   * One write after the other: they share the temporary file, and callers may expose several shadows at the same time. One that hangs is given up, but not left behind: all others wait for it, and when it returns they
   * follow in order, so a late write never replaces a newer journal or brings back a removed one.
   */
  #inTurn(operation: string, work: () => Promise<void>): Promise<void> {
    this.#written = this.#written.catch(() => undefined).then(work);
    return this.#calls.wait(operation, this.#file, this.#written);
  }

  /** Ends work and leaves the journal with what it names then. Removals and renames are made durable before. */
  async end(change: Omit<JournalChange, 'ended'>, removed: readonly string[]): Promise<void> {
    await this.#sync(removed);
    await this.update({ ...change, ended: true });
  }

  /** The work has ended, whether or not this could be written. */
  async #ended(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      // This process continues to live, and would lock the data directory until it ends.
      noteEndedWork(this.#file);
      throw error;
    } finally {
      this.#lock?.release();
    }
  }

  /** If it fails, the journal still names everything, and the next work has to find out what exists. */
  async #sync(removed: readonly string[]): Promise<void> {
    try {
      await this.#calls.wait('fsync', removed[0] ?? this.#file, syncRemovals(removed));
    } catch (error) {
      this.#isRemoved = false;
      await this.update({ ended: true }).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Records the files that are about to be copied from the shadow, none of which exists yet, and the directories that are created
   * for them.
   */
  async noteCopies(files: readonly string[], newDirectories: readonly string[]): Promise<void> {
    this.#copies = files;
    this.#head = { ...this.#head, copiedFiles: files.length };
    await this.update({ newDirectories });
  }

  #write(): Promise<void> {
    return writeDurably(this.#file, (handle) => this.#writeTo(handle), { unfinished: unfinishedName(this.#file) });
  }

  async #writeTo(handle: FileHandle): Promise<void> {
    const [head, databasePaths, copies] = [this.#head, this.#databasePaths, this.#copies];
    const hash = createHash('sha256');
    for (const values of [[head], databasePaths, copies]) {
      await writeTexts(handle, jsonLines(values), (block) => hash.update(block));
    }
    await writeTexts(handle, [checkLine(hash)]);
  }

  /** What the journal names, in the form in which a later process would find it. */
  get leftOver(): LeftOver {
    return leftOverOf(this.#file, this.#head);
  }

  /** The files and directories that {@link noteCopies} has recorded. */
  get copies(): readonly string[] {
    return [...this.#copies, ...this.#head.newDirectories];
  }

  /** Whether it names something that only its owner or a person can restore. */
  get namesMore(): boolean {
    return this.#head.exposures.length > 0 || this.#head.stoppedService !== '';
  }

  /** Whether the journal is gone and nothing can be written to it any more. */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** For the end of the process, when waiting is not possible. */
  removeSync(): void {
    this.#isRemoved = true;
    rmSync(this.#file, { force: true });
    this.#lock?.release();
  }

  /** The work has ended and has left nothing. `removed`: files that it removed or renamed, which is made durable first. */
  async remove(removed: readonly string[] = []): Promise<void> {
    this.#isRemoved = true;
    await this.#sync(removed);
    await this.#ended(this.#inTurn('unlink', () => this.#unlink()));
  }

  async #unlink(): Promise<void> {
    // A failed write leaves its temporary file.
    for (const file of [this.#file, unfinishedName(this.#file)]) await rm(file, { force: true });
    await syncDirectory(dirname(this.#file));
  }
}
