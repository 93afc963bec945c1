import { rm } from 'node:fs/promises';
import { toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { FileCalls } from '../store/stall';
import { undefinedWhereMissing } from '../call/files';
import { hasUnreturned } from '../call/unreturned-calls';

/** Files that a restore no longer needs. If one cannot be removed, the result is still valid. */
export class UnneededFiles {
  readonly #left: string[] = [];
  readonly #warnings: Warning[] = [];

  constructor(private readonly calls: FileCalls) {}

  /** Those that could not be removed. */
  get left(): readonly string[] {
    return this.#left;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  async remove(file: string): Promise<void> {
    try {
      const wasUnreturned = hasUnreturned([file]);
      await this.calls.wait('unlink', file, rm(file, { force: true }).catch(undefinedWhereMissing));
      // A call that makes it may still return.
      if (wasUnreturned) this.#left.push(file);
    } catch (error) {
      this.#left.push(file);
      const known = toPublicError(error);
      const message = `${file} is no longer needed but could not be removed: ${known.message}`;
      this.#warnings.push(warning('WARN_FILE_NOT_REMOVED', message, { subjects: [file], error: known }));
    }
  }
}
