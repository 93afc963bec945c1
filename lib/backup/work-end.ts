import { announceDeadline, Call } from '../call/call';
import { unreturnedBelow } from '../call/unreturned-calls';
import { release, type OpenWork } from '../domino/runtime';
import { toPublicError } from '../errors/errors';
import { FileCalls, untiring } from '../store/stall';
import { isStillOwn } from '../vss/own-shadows';
import type { BackupWork, Capture } from './capture';
import type { FurtherWindow } from './further-windows';
import { removeShadowParents } from './shadow-plan';
import type { SnapshotSet } from './snapshot-set';

/** What the windows of a backup have made. */
export interface CreatedShadow {
  readonly set: SnapshotSet;
  readonly capture: Capture;
  readonly further: readonly FurtherWindow[];
}

/** How the session ends. */
export interface Closing {
  readonly keep: boolean;
  readonly tellWriters: boolean;
  /** The backup is good, whether or not the writers are told so. */
  readonly succeeded: boolean;
  readonly timeoutMs: number;
}

/** The work of each window of a backup: each has its own session. */
export function worksOf(work: BackupWork): readonly BackupWork[] {
  return [work, ...work.furtherWork];
}

/** For what is left behind while another error is already being thrown to the caller. The journal also names it. */
export function warnAboutLeft(thrown: unknown): void {
  const { message, code } = toPublicError(thrown);
  process.emitWarning(`a failed backup left something behind: ${message}`, { code });
}

/** Runs steps one after the other, even if earlier ones failed, and returns what they threw. */
export async function collectFailures(steps: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

/**
 * Releases what the work of a backup holds: its sessions, the shadow unless it is kept, what a hook has made, and finally the
 * journal, which names everything until then.
 */
export class WorkEnd {
  readonly #work: BackupWork;
  /** The object for which the runtime is held open. */
  readonly #owner: OpenWork;
  #lateWork = Promise.resolve();

  constructor(work: BackupWork, owner: OpenWork) {
    this.#work = work;
    this.#owner = owner;
  }

  /** Settles when a shadow that a hook delivered after the end has been removed. */
  get lateWork(): Promise<void> {
    return this.#lateWork;
  }

  /** Takes the databases out of backup mode first, then removes the shadow, if one was created. Returns the failures. */
  removeShadow(created: CreatedShadow | undefined, closing: Closing): Promise<unknown[]> {
    const unexpose = (created?.set.shadows ?? []).map((shadow) => () => {
      const call = new Call({ timeoutMs: closing.timeoutMs, phase: 'end' });
      return call.race(shadow.takePlaceAway());
    });
    return collectFailures([
      // It is not documented whether deleting a VSS shadow also removes its exposures.
      ...(this.#work.provider.vss ? unexpose : []),
      ...this.#closeSessions(created, closing),
      () => {
        // The journal names what a hook has not removed by then.
        const call = new Call({ timeoutMs: closing.timeoutMs, phase: 'end' });
        return call.race(this.#work.hookRun?.remove() ?? Promise.resolve());
      },
      ...(this.#work.provider.vss ? [] : unexpose),
      () => {
        const { plan, setup } = this.#work;
        return removeShadowParents(plan, new FileCalls({ ...untiring, budgetMs: setup.options.databaseBudgetMs }));
      },
    ]);
  }

  /**
   * Ends the sessions. A kept shadow stays exposed at its place. The manifest names the place, so nothing unknown is left behind.
   */
  keepShadow(created: CreatedShadow, closing: Closing): Promise<unknown[]> {
    return collectFailures([
      ...this.#closeSessions(created, closing),
      () => this.#work.journal.update({ exposures: [] }),
    ]);
  }

  /** Ends the sessions of a backup of which it is not known whether it is good. The journal goes on naming its shadow. */
  leaveShadow(created: CreatedShadow, closing: Closing): Promise<unknown[]> {
    return collectFailures(this.#closeSessions(created, { ...closing, keep: true }));
  }

  /** Writers are told only once the manifest is on disk: from then on they may rely on the backup. */
  #closeSessions(
    created: CreatedShadow | undefined,
    { keep, tellWriters, succeeded, timeoutMs }: Closing,
  ): (() => Promise<void>)[] {
    const shadows = this.#work.provider.vss ? (created?.set.shadows ?? []) : [];
    // Shadows that this process deleted or broke on purpose.
    const deletedShadows = shadows.map(({ id }) => id).filter((id) => !isStillOwn(id));
    const untold = succeeded && !tellWriters;
    const closing = { keepShadow: keep, succeeded: tellWriters, untold, deletedShadows, timeoutMs };
    return worksOf(this.#work).map(({ session }) => {
      // A failed window has no shadow to keep.
      const failed = session !== this.#work.session && !created?.further.some(({ work }) => work.session === session);
      return () => {
        announceDeadline(timeoutMs);
        return session.close(failed ? { ...closing, keepShadow: false, succeeded: false } : closing);
      };
    });
  }

  /**
   * Keeps in the journal what could not be removed, a service that could not be started, and databases that may be in backup
   * mode.
   */
  async finishJournal(left: readonly unknown[]): Promise<readonly string[]> {
    const { journal, hookRun } = this.#work;
    release(this.#owner);
    hookRun?.detach();
    const stuck = worksOf(this.#work).flatMap(({ session, databases }) =>
      session.stuck().map((index) => databases.paths[index] ?? ''),
    );
    const late = hookRun?.lateRemoval;
    if (late) {
      // A hook may never answer, so the journal names it instead of waiting for it.
      await journal.update({ ended: true }, stuck);
      this.#lateWork = this.#removeLate(late, left, stuck).catch(warnAboutLeft);
    } else {
      await this.#closeJournal(left, stuck);
    }
    return stuck;
  }

  async #removeLate(late: Promise<void>, left: readonly unknown[], stuck: readonly string[]): Promise<void> {
    const failed = await collectFailures([() => late]);
    failed.forEach(warnAboutLeft);
    await this.#closeJournal([...left, ...failed], stuck);
  }

  /** Where a call that has not returned may still make something. */
  get #places(): readonly string[] {
    const { directory, plan, journal } = this.#work;
    return [directory, ...plan.parents, ...journal.copies];
  }

  async #closeJournal(left: readonly unknown[], stuck: readonly string[]): Promise<void> {
    const { journal, hookRun } = this.#work;
    const hanging = unreturnedBelow(this.#places);
    if (hanging.length === 0 && left.length === 0 && stuck.length === 0 && !journal.namesMore) {
      await journal.remove([this.#work.directory, ...this.#work.plan.parents]);
      return;
    }
    const removed = left.length === 0 && hanging.length === 0 && { shadows: [], snapshotSet: '' };
    const removedByHook = hookRun && !hookRun.mayHaveLeft && { shadows: [], hook: null };
    await journal.update({ ended: true, pendingHook: '', hanging, ...removed, ...removedByHook }, stuck);
  }
}
