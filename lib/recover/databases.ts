import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { alreadyOffline, noExist } from '../domino/status';
import { isNativeFailure } from '../errors/errors';
import { compareIdentity, isPresent, type Comparison } from '../store/file-identity';
import type { RestorePhase, RestoringDatabase } from '../store/journal-format';
import type { LeftOver } from '../store/left-over';
import { syncDirectory } from '../store/durable';
import type { FileCalls } from '../store/stall';
import type { Items } from './items';
import { namesOfRestore } from '../store/restored-files';
import { hasUnreturned } from '../call/unreturned-calls';
import { fileCallsOf, type RecoveryTools } from './tools';

/** How long to wait for users who have a database open that must be rolled back. */
const offlineWaitMs = 10_000;

/**
 * Cleans up databases that an interrupted restore has moved: afterwards each is either restored or as it was before. It never
 * removes a file that may have been written to since, nor the only original.
 */
export async function recoverDatabases(left: LeftOver, tools: RecoveryTools, items: Items): Promise<void> {
  for (const database of left.restoring) {
    const { file } = database;
    // A call that takes effect later would undo what is done now, or take the only original away unnoticed.
    if (isHanging(file, left)) {
      items.left({ thing: 'database', subject: file, ...hangingItem(left) });
      continue;
    }
    try {
      await new InterruptedDatabase(database, database.phase ?? left.restorePhase, tools, items).run();
    } catch (error) {
      tools.call.check();
      // If a file cannot be accessed, nothing is known about it, and nothing is removed.
      const advice = 'Make sure that the file can be read, then run recover again.';
      items.left({ thing: 'database', subject: file, found: 'its state cannot be determined', advice }, error);
    }
  }
}

/** Whether a call of the restore, or of an earlier recovery in this process, may still take effect on a database. */
export function isHanging(file: string, left: LeftOver): boolean {
  return left.hanging.includes(file) || hasUnreturned(namesOfRestore(file));
}

/** What is said about such a database. */
export function hangingItem({ pid }: LeftOver): { readonly found: string; readonly advice: string } {
  return {
    found: 'a call on it has not returned and may still take effect',
    advice: `Run recover again when process ${pid} has ended.`,
  };
}

class InterruptedDatabase {
  /** Whether it was offline when it was examined, so that nobody can have written to it; undefined: not examined. */
  #wasOffline: boolean | undefined;
  readonly #calls: FileCalls;

  constructor(
    private readonly database: RestoringDatabase,
    private readonly phase: RestorePhase,
    private readonly tools: RecoveryTools,
    private readonly items: Items,
  ) {
    this.#calls = fileCallsOf(tools);
  }

  async run(): Promise<void> {
    const { file, original, copy } = this.database;
    const atPlace = await this.#calls.wait('lstat', file, compareIdentity(file, copy));
    if (this.phase === 'handed-over') {
      await this.#handedOver(atPlace);
      return;
    }
    const aside = original !== '' && (await this.#isPresent(original));
    if (aside) await this.#withOriginalAside(atPlace);
    else await this.#withoutOriginal(atPlace);
  }

  /** Only a file that nobody has written to is known to be whole. */
  async #handedOver(atPlace: Comparison): Promise<void> {
    const isGone = atPlace === 'missing';
    if (atPlace === 'same' || (isGone && !this.database.hadOriginal)) {
      await this.#do('no requester has replaced it', 'it is brought online', () => Promise.resolve());
      return;
    }
    this.#undecided(
      isGone
        ? 'a requester removed it and did not put it back'
        : 'a requester was replacing it: it lacks its change information, may not be whole, and is offline',
      'Restore it from the backup again: with domino-vss restore, or with the requester.',
    );
  }

  async #withOriginalAside(atPlace: Comparison): Promise<void> {
    const { original } = this.database;
    switch (atPlace) {
      case 'missing':
        await this.#do(`its original is at ${original}, and nothing is at its place`, 'the original is put back', () =>
          this.#putBack(),
        );
        return;
      case 'another':
        this.#undecided(
          `its original is at ${original}, and at its place is a file that the restore did not put there`,
        );
        return;
      case 'same':
      case 'changed':
        if (this.phase === 'finishing') {
          await this.#do('it was restored', 'it is brought online and its original removed', () =>
            this.#calls.wait('unlink', original, rm(original, { force: true })),
          );
          return;
        }
        await this.#turnBack(
          atPlace,
          `its original is at ${original}, and at its place is the copy that was being restored`,
        );
    }
  }

  async #withoutOriginal(atPlace: Comparison): Promise<void> {
    const { file, original, hadOriginal, offline } = this.database;
    if (atPlace === 'missing') {
      if (hadOriginal && original !== '') {
        this.#undecided('neither the database nor its original exists', 'Restore it from the backup.');
      }
      return;
    }
    const isCopy = atPlace !== 'another';
    if (isCopy && !hadOriginal && this.phase !== 'finishing') {
      // Keeping a new database that may not have been recovered loses nothing; removing one that is in use would.
      if (original === '' && atPlace === 'changed') {
        const found =
          'it is new and has changed since it was placed: its recovery may have been interrupted; check it before you use ' +
          'it, or delete it and restore again';
        this.items.kept({ thing: 'database', subject: file, found });
        return;
      }
      await this.#turnBack(atPlace, 'it is the copy that was being restored, and there was no database before');
      return;
    }
    if (offline) await this.#do('it is at its place', 'it is brought online', () => Promise.resolve());
  }

  /** Removes the copy, unless someone may have written to it, which would be lost. */
  async #turnBack(atPlace: 'same' | 'changed', found: string): Promise<void> {
    const { original } = this.database;
    const back = original === '' || !(await this.#isPresent(original)) ? 'it is removed' : 'the original is put back';
    if (this.items.dryRun) {
      await this.#do(found, back, () => Promise.resolve());
      return;
    }
    try {
      await this.#takeOffline();
    } catch (error) {
      this.items.left({ thing: 'database', subject: this.database.file, found, advice: this.#goOn() }, error);
      return;
    }
    const isUnused = atPlace === 'same' || (this.phase === 'recovering' && this.#wasOffline === true);
    if (isUnused) {
      await this.#do(found, back, () => this.#putBack());
      return;
    }
    await this.#bringOnline();
    this.#undecided(`${found}, which has changed since`);
  }

  /** From now on nobody can open it. It may already be offline. */
  async #takeOffline(): Promise<void> {
    const { file, original } = this.database;
    if (original === '' || this.#wasOffline !== undefined) return;
    const { binding, call, budgetMs, openRuntime } = this.tools;
    await openRuntime();
    try {
      // The call itself waits for users.
      const bound = { budgetMs: offlineWaitMs + budgetMs, operation: 'NSFTakeDatabaseOffline', subject: file };
      await call.bounded(binding.takeDatabaseOffline({ file, waitMs: offlineWaitMs }), bound);
      this.#wasOffline = false;
    } catch (error) {
      if (!isNativeFailure(error) || error.domain !== 'domino') throw error;
      if (error.status === alreadyOffline) this.#wasOffline = true;
      else if (await this.#isGone(error.status)) this.#wasOffline = false;
      else throw error;
    }
  }

  async #putBack(): Promise<void> {
    const { file, original } = this.database;
    if (original !== '' && (await this.#isPresent(original))) {
      await this.#calls.wait('rename', original, rename(original, file));
    } else {
      await this.#calls.wait('unlink', file, rm(file, { force: true }));
    }
    await this.#calls.wait('fsync', dirname(file), syncDirectory(dirname(file)));
  }

  #isPresent(file: string): Promise<boolean> {
    return this.#calls.wait('lstat', file, isPresent(file));
  }

  async #bringOnline(): Promise<void> {
    const { file, offline } = this.database;
    if (!offline && this.#wasOffline === undefined) return;
    const { binding, call, budgetMs, openRuntime } = this.tools;
    await openRuntime();
    try {
      const bound = { budgetMs, operation: 'NSFBringDatabaseOnline', subject: file };
      await call.bounded(binding.bringDatabaseOnline({ file }), bound);
    } catch (error) {
      // A database that no longer exists cannot be offline.
      if (!isNativeFailure(error) || error.domain !== 'domino' || !(await this.#isGone(error.status))) throw error;
    }
  }

  /** The status alone is not believed: while the file is there, its database may be offline. */
  async #isGone(status: number): Promise<boolean> {
    return status === noExist && !(await this.#isPresent(this.database.file));
  }

  /** First the files, then the server: it must not open a file that is about to be renamed. */
  async #do(found: string, action: string, change: () => Promise<unknown>): Promise<void> {
    const intention = { thing: 'database', subject: this.database.file, found, action, advice: this.#goOn() } as const;
    await this.items.act(intention, async () => {
      // In the order of the restore: the database goes online first, and only then is the original removed, which would be needed
      // if that failed.
      const isForward = this.phase === 'finishing';
      if (isForward) await this.#bringOnline();
      await change();
      if (!isForward) await this.#bringOnline();
    });
  }

  #goOn(): string {
    return 'Start the Domino server or close the database, then run recover again.';
  }

  #undecided(found: string, advice = this.#decide()): void {
    this.items.left({ thing: 'database', subject: this.database.file, found, advice });
  }

  #decide(): string {
    const { file, original } = this.database;
    return (
      `Decide which one to keep: to go back, rename ${original} to ${file} while the database is offline; ` +
      `to keep the present file, move ${original} away. Then run recover again.`
    );
  }
}
