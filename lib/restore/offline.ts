import { lstat } from 'node:fs/promises';
import { Call } from '../call/call';
import { alreadyOffline, noExist } from '../domino/status';
import { isNativeFailure } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type { FileCalls } from '../store/stall';
import { watched, type Replacement } from './replacement';

/** How long an abort waits for a call to return: what the call did to a database determines how that is put back. */
const interruptGraceMs = 3_000;

/** Takes databases offline, so that nobody uses them while they are replaced, and brings them online again. */
export class OfflineDatabases {
  /** Files that an interrupted restore left offline, in an unknown state. */
  #leftOffline: ReadonlySet<string> = new Set();

  constructor(
    private readonly binding: NativeBinding,
    private readonly call: Call,
    /** Longest time for one call on a database. */
    private readonly budgetMs: number,
    private readonly calls: FileCalls,
  ) {}

  /** These databases need not be taken offline, and go online only if they are restored. */
  expect(files: ReadonlySet<string>): void {
    this.#leftOffline = files;
  }

  /** A database that does not exist cannot and need not be taken offline. */
  async take(replacement: Replacement, waitMs: number): Promise<void> {
    replacement.offline = await this.#isTaken(replacement, waitMs);
  }

  async #isTaken(replacement: Replacement, waitMs: number): Promise<boolean> {
    const { file } = replacement.planned;
    try {
      const budgetMs = waitMs + this.budgetMs;
      const bound = { budgetMs, graceMs: interruptGraceMs, operation: 'NSFTakeDatabaseOffline', subject: file };
      await watched([replacement], this.binding.takeDatabaseOffline({ file, waitMs }), (request) =>
        this.call.bounded(request, bound),
      );
      return true;
    } catch (error) {
      const isLeftOffline = isNativeFailure(error) && error.domain === 'domino' && error.status === alreadyOffline;
      if (isLeftOffline && this.#leftOffline.has(file)) return true;
      const isSaidToBeGone = isNativeFailure(error) && error.domain === 'domino' && error.status === noExist;
      // The same status is returned if a volume or a link is temporarily not accessible.
      if (isSaidToBeGone && (await this.calls.wait('lstat', file, isGone(file)))) return false;
      throw error;
    }
  }

  /** Cannot be interrupted, but has a time limit. */
  async bringOnline(replacement: Replacement): Promise<void> {
    const { file } = replacement.planned;
    const bound = { budgetMs: this.budgetMs, operation: 'NSFBringDatabaseOnline', subject: file };
    const patient = new Call({ timeoutMs: 2 * this.budgetMs, phase: 'restore' });
    await watched([replacement], this.binding.bringDatabaseOnline({ file }), (request) =>
      patient.bounded(request, bound),
    );
    replacement.offline = false;
  }

  /** For a database that is not restored after all: it is left offline if it was so before. */
  async bringBackOnline(replacement: Replacement): Promise<void> {
    if (!replacement.offline || this.#leftOffline.has(replacement.planned.file)) return;
    await this.bringOnline(replacement);
  }
}

async function isGone(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
