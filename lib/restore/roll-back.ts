import { rename, rm } from 'node:fs/promises';
import { databaseFailureOf, decidedFailure, RestoreError, type DatabaseFailure } from '../errors/errors';
import type { RestorePhase } from '../store/journal-format';
import type { FileCalls } from '../store/stall';
import type { OfflineDatabases } from './offline';
import { watched, type Replacement } from './replacement';
import type { UnneededFiles } from './unneeded-files';

/** Puts databases back into the state they had before the restore. */
export class RollBack {
  readonly #abandoned: Replacement[] = [];

  constructor(
    private readonly offline: OfflineDatabases,
    private readonly unneeded: UnneededFiles,
    private readonly calls: FileCalls,
  ) {}

  /** Databases that could not be put back; the journal keeps naming them. */
  get abandoned(): readonly Replacement[] {
    return this.#abandoned;
  }

  /** Returns a failure for each database that could not be put back. `phase`: how far the restore is. */
  async putBackAll(replacements: readonly Replacement[], phase: RestorePhase): Promise<readonly DatabaseFailure[]> {
    const failures: DatabaseFailure[] = [];
    for (const replacement of replacements) {
      try {
        await this.#putBack(replacement);
      } catch (error) {
        replacement.phase = phase;
        this.#abandoned.push(replacement);
        failures.push(notPutBack(replacement, error));
      }
    }
    return failures;
  }

  async #putBack(replacement: Replacement): Promise<void> {
    const { file, original, temporary } = replacement.planned;
    if (replacement.hangs) {
      const message = 'a call on it has not returned; run recover when this process has ended';
      throw new RestoreError('ERR_RESTORE_NOT_PUT_BACK', { message, phase: 'restore' });
    }
    // If there is an original, the rename replaces the copy in one step: there is never nothing in its place.
    if (replacement.originalKept) {
      await watched([replacement], rename(original, file), (moving) => this.calls.wait('rename', original, moving));
    } else if (replacement.placed) {
      await watched([replacement], rm(file, { force: true }), (removing) => this.calls.wait('unlink', file, removing));
    }
    replacement.originalKept = false;
    replacement.placed = false;
    await this.offline.bringBackOnline(replacement);
    await this.unneeded.remove(temporary);
  }
}

function notPutBack(replacement: Replacement, error: unknown): DatabaseFailure {
  const { database, file, original } = replacement.planned;
  const { text } = databaseFailureOf(database.path, 'restore', error);
  const where = replacement.originalKept ? `its original is ${original}` : `its file is ${file}`;
  const offline = replacement.hangs ? ', and it may be offline' : replacement.offline ? ', and it is offline' : '';
  const what = `could not be put back, ${where}${offline}: ${text}`;
  return decidedFailure(database.path, 'ERR_RESTORE_NOT_PUT_BACK', 'restore', what);
}
