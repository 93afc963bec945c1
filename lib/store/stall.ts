import type { FileHandle } from 'node:fs/promises';
import { FileSystemError } from '../errors/errors';
import { noteUnreturned } from '../call/unreturned-calls';

/** Default limit: no healthy file system takes this long for one block. */
const usualBudgetMs = 60_000;
/** How often a waiting caller checks whether it still has to wait. */
const lookMs = 500;
/** A look that comes so much too late was held up by more than other work of this process. */
const stoppedAfterMs = 2_000;

/** Limits for calls to the file system, which may hang on a mount that does not respond. */
export interface FilePatience {
  /** Throws if the work has been cancelled. */
  readonly check: () => void;
  /** Longest time for one call. Default: 60 000. */
  readonly budgetMs?: number | undefined;
  /** How long cancelled work still waits for a call whose outcome it must know; once one has hung, for all of them. Default: 0. */
  readonly graceMs?: number | undefined;
}

/** For work that nothing cancels, such as cleaning up. It keeps nothing else alive. */
export const untiring: FilePatience = { check: () => undefined };

/** How long cancelled work waits for renames and removals: what they did to a database determines how that is put back. */
export const outcomeGraceMs = 3_000;

/**
 * Waits for calls to the file system one by one, each with a time limit. Node.js has no way to end such a call: a hanging call
 * keeps its thread and its file, and nobody waits for it any more.
 */
export class FileCalls {
  #hangs = false;
  #cancelledAt: number | undefined;

  constructor(private readonly patience: FilePatience) {}

  /** Throws if the work has been cancelled. */
  check(): void {
    this.patience.check();
  }

  /** Throws ERR_FILE_HANGS if the call does not return. The call is then remembered until it does: see {@link noteUnreturned}. */
  async wait<T>(operation: string, file: string, work: Promise<T>): Promise<T> {
    const { budgetMs = usualBudgetMs } = this.patience;
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let expectedAt = begun + Math.min(lookMs, budgetMs);
    let stoppedMs = 0;
    const givenUp = new Promise<never>((_resolve, reject) => {
      const look = (): void => {
        const now = performance.now();
        // While this process, or the whole machine, was stopped, the call could not return either.
        if (now - expectedAt > stoppedAfterMs) stoppedMs += now - expectedAt;
        const elapsedMs = now - begun - stoppedMs;
        try {
          if (this.#isOver(begun) || elapsedMs >= budgetMs) {
            const message = `${operation} of ${file} has not returned for ${Math.round(elapsedMs)} ms`;
            throw new FileSystemError('ERR_FILE_HANGS', { operation, path: file }, { message });
          }
        } catch (error) {
          this.#hangs = true;
          noteUnreturned(file, work);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the check throws
          reject(error);
          return;
        }
        const pauseMs = Math.max(1, Math.min(lookMs, budgetMs - elapsedMs));
        expectedAt = now + pauseMs;
        timer = setTimeout(look, pauseMs);
      };
      timer = setTimeout(look, Math.min(lookMs, budgetMs));
    });
    work.catch(() => undefined); // nobody may be there to hear it
    try {
      return await Promise.race([work, givenUp]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** As {@link wait}, for a file that is opened: if that was given up, the file is closed when the call returns after all. */
  async open(file: string, opening: Promise<FileHandle>): Promise<FileHandle> {
    try {
      return await this.wait('open', file, opening);
    } catch (error) {
      opening.then((handle) => handle.close()).catch(() => undefined);
      throw error;
    }
  }

  /** Whether the work was cancelled and the grace is over. Without a grace, it throws what the check throws. */
  #isOver(begun: number): boolean {
    const { graceMs = 0 } = this.patience;
    try {
      this.patience.check();
      return false;
    } catch (error) {
      if (graceMs === 0) throw error;
      this.#cancelledAt ??= performance.now();
      const since = this.#hangs ? this.#cancelledAt : Math.max(this.#cancelledAt, begun);
      return performance.now() - since >= graceMs;
    }
  }

  /** Ends the use of a file. After a call has hung, it only waits for a short time, because this call may hang as well. */
  async end(work: () => Promise<void>): Promise<void> {
    const ending = work();
    if (!this.#hangs) return ending;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, lookMs)));
    await Promise.race([ending.catch(() => undefined), patience]).finally(() => {
      clearTimeout(timer);
    });
  }
}
