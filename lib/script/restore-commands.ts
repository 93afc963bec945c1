import type { ScriptEventListener } from './events';
import { outOfOrder, type ScriptPlace } from './problem';
import type { ScriptMetadata, ScriptRestore, ScriptTarget } from './target';

/** `begin restore`, `end restore` and `simulate restore`: notify the writers that their files are being restored. */
export class RestoreCommands {
  readonly #target: ScriptTarget;
  readonly #emit: ScriptEventListener;
  #restore: ScriptRestore | undefined;
  /** What writers are told about their files if the restore is never ended. */
  #unendedOutcome: 'none' | 'failed' = 'none';

  constructor(target: ScriptTarget, emit: ScriptEventListener) {
    this.#target = target;
    this.#emit = emit;
  }

  requireNoneBegun(place: ScriptPlace): void {
    if (this.#restore) throw outOfOrder(place, 'a restore has begun', 'end it first: end restore');
  }

  async begin(place: ScriptPlace, metadata: () => ScriptMetadata, isBackupBegun: boolean): Promise<void> {
    if (this.#restore) throw outOfOrder(place, 'a restore has already begun', 'end it first: end restore');
    if (isBackupBegun) throw outOfOrder(place, 'a backup has begun', 'end it first: end backup, then reset');
    const restore = await this.#target.beginRestore(metadata());
    this.#restore = restore;
    this.#unendedOutcome = 'none';
    await restore.preRestore();
    this.#unendedOutcome = 'failed';
    this.#emit({ type: 'restore', action: 'begun', writers: restore.writers });
  }

  async end(place: ScriptPlace): Promise<void> {
    const restore = this.#restore;
    if (!restore) throw outOfOrder(place, 'no restore has begun', 'begin one first: begin restore');
    this.#restore = undefined;
    try {
      await restore.postRestore('all');
    } finally {
      await restore.close();
    }
    this.#emit({ type: 'restore', action: 'ended', writers: restore.writers });
  }

  async simulate(place: ScriptPlace, metadata: () => ScriptMetadata): Promise<void> {
    this.requireNoneBegun(place);
    const restore = await this.#target.beginRestore(metadata());
    await restore.close();
    this.#emit({ type: 'restore', action: 'simulated', writers: restore.writers });
  }

  /** Without `end restore`, the script has not said that the files were restored. */
  async giveUp(): Promise<void> {
    const restore = this.#restore;
    this.#restore = undefined;
    try {
      await restore?.postRestore(this.#unendedOutcome);
    } finally {
      await restore?.close();
    }
  }
}
