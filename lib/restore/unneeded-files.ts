import { rm } from 'node:fs/promises';
import { toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';

/** Files that a restore no longer needs. If one cannot be removed, the result is still valid. */
export class UnneededFiles {
  readonly #left: string[] = [];
  readonly #warnings: Warning[] = [];

  /** Those that could not be removed. */
  get left(): readonly string[] {
    return this.#left;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  async remove(file: string): Promise<void> {
    try {
      await rm(file, { force: true });
    } catch (error) {
      this.#left.push(file);
      const known = toPublicError(error);
      const message = `${file} is no longer needed but could not be removed: ${known.message}`;
      this.#warnings.push(warning('WARN_FILE_NOT_REMOVED', message, { subjects: [file], error: known }));
    }
  }
}
