import { FileSystemError } from '../errors/errors';

/** Default limit: no healthy file system takes this long for one block. */
const usualBudgetMs = 60_000;
/** How often a waiting caller checks whether it still has to wait. */
const lookMs = 500;

/** Limits for calls to the file system, which may hang on a mount that does not respond. */
export interface FilePatience {
  /** Throws if the work has been cancelled. */
  readonly check: () => void;
  /** Longest time for one call. Default: 60 000. */
  readonly budgetMs?: number | undefined;
}

/**
 * Waits for calls to the file system one by one, each with a time limit. Node.js has no way to end such a call: a hanging call
 * keeps its thread and its file, and nobody waits for it any more.
 */
export class FileCalls {
  #hangs = false;

  constructor(private readonly patience: FilePatience) {}

  /** Throws ERR_FILE_HANGS if the call does not return. */
  async wait<T>(operation: string, file: string, work: Promise<T>): Promise<T> {
    const { budgetMs = usualBudgetMs } = this.patience;
    const begun = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<never>((_resolve, reject) => {
      const look = (): void => {
        const elapsedMs = performance.now() - begun;
        try {
          this.patience.check();
          if (elapsedMs >= budgetMs) {
            const message = `${operation} of ${file} has not returned for ${Math.round(elapsedMs)} ms`;
            throw new FileSystemError('ERR_FILE_HANGS', { operation, path: file }, { message });
          }
        } catch (error) {
          this.#hangs = true;
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the check throws
          reject(error);
          return;
        }
        timer = setTimeout(look, Math.max(1, Math.min(lookMs, budgetMs - elapsedMs)));
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
