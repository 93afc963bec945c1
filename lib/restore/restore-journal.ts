import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasUnreturned } from '../call/unreturned-calls';
import { toPublicError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import { missingDirectories } from '../store/durable';
import type { Journal } from '../store/journal';
import type { RestorePhase, RestoringDatabase } from '../store/journal-format';
import type { FileCalls } from '../store/stall';
import type { PlannedDatabase } from './plan';
import type { Replacement } from './replacement';

/** What the journal of a restore names, so that another process can finish or undo it. */
export class RestoreJournal {
  /** Directories that are made for them; the deepest last. */
  #newDirectories: readonly string[] = [];
  /** Places of all databases, including those that failed. */
  #files: readonly string[] = [];
  #phase: RestorePhase = 'replacing';
  readonly #warnings: Warning[] = [];

  constructor(private readonly journal: Journal) {}

  /** How far the restore is. */
  get phase(): RestorePhase {
    return this.#phase;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** Copies take hours and much space, so they are named on disk before the first one is made. */
  async begin(databases: readonly PlannedDatabase[], calls: FileCalls): Promise<void> {
    const directories = new Set(databases.map(({ file }) => dirname(file)));
    const looking = missingDirectories(directories);
    const newDirectories = await calls.wait('lstat', [...directories][0] ?? '', looking);
    await this.journal.update({ temporaryFiles: databases.map(({ temporary }) => temporary), newDirectories });
    this.#newDirectories = newDirectories;
    this.#files = databases.map(({ file }) => file);
  }

  /** The copies of these databases are ready and will be moved to their places. */
  async nameRestoring(replacements: readonly Replacement[]): Promise<void> {
    await this.journal.update({ restoring: entriesOf(replacements) });
  }

  /** Abandoned databases keep the phase they had. */
  async enter(phase: RestorePhase, replacements: readonly Replacement[]): Promise<void> {
    await this.journal.update({ restorePhase: phase, restoring: entriesOf(replacements) });
    this.#phase = phase;
  }

  /**
   * No longer affects the result for any database. `unremoved`: files that could not be removed. `hanging`: places of databases on
   * which a call has not returned.
   */
  async finish({ abandoned, unremoved, hanging }: RestoreLeavings, calls: FileCalls): Promise<void> {
    // Only those in which nothing was restored are empty.
    for (const directory of [...this.#newDirectories].reverse()) {
      await calls.wait('rmdir', directory, rmdir(directory)).catch(() => undefined);
    }
    const late = this.#newDirectories.filter((directory) => hasUnreturned([directory]));
    const restoring = entriesOf(abandoned);
    // A clean-up of an abandoned database also removes its copy, which may still be beside it.
    const copies = abandoned.filter(({ placed }) => !placed).map(({ planned }) => planned.temporary);
    const temporaryFiles = [...unremoved, ...copies];
    try {
      if (restoring.length + temporaryFiles.length + late.length === 0) await this.journal.remove(this.#files);
      else await this.journal.end({ restoring, temporaryFiles, hanging: [...hanging, ...late] }, this.#files);
    } catch (error) {
      const known = toPublicError(error);
      const message = `the journal of the restore could not be finished: ${known.message}`;
      this.#warnings.push(warning('WARN_JOURNAL_NOT_FINISHED', message, { error: known }));
    }
  }
}

/** What a restore leaves to `recover`. */
export interface RestoreLeavings {
  readonly abandoned: readonly Replacement[];
  readonly unremoved: readonly string[];
  readonly hanging: readonly string[];
}

function entriesOf(replacements: readonly Replacement[]): RestoringDatabase[] {
  return replacements.flatMap(({ journaled, phase }) => (journaled ? { ...journaled, ...(phase && { phase }) } : []));
}
