import type { Call } from './call';
import type { NativeSession } from '../native/session';
import type { Phase } from '../native/failure';

/** What a call is doing. Reported at most ten times a second, and only when something has changed. */
export type Progress =
  /**
   * Databases are being opened, put into backup mode, captured or taken out, or their change information is being
   * fetched.
   */
  | { readonly type: 'databases'; readonly phase: Phase; readonly done: number; readonly total: number }
  /** Checksums of the deltas, or of the databases in a kept shadow, are being computed. */
  | { readonly type: 'hash'; readonly done: number; readonly total: number }
  /** Databases of a backup are being compared with its manifest. */
  | { readonly type: 'verify'; readonly done: number; readonly total: number }
  /** Databases are being copied from the shadow or, in a restore, to their place. */
  | {
      readonly type: 'copy';
      readonly done: number;
      readonly total: number;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  /** An attempt to make the shadow has failed for the given reason; the next begins after the pause. */
  | {
      readonly type: 'retry';
      /** Number of the next attempt, counting from 1. */
      readonly attempt: number;
      /** Maximum number of attempts. */
      readonly attempts: number;
      readonly pauseMs: number;
      readonly reason: string;
    }
  /** Databases were busy; a further window for them begins after the pause. */
  | {
      readonly type: 'busy';
      /** Number of the next window, counting from 1. */
      readonly window: number;
      /** Maximum number of windows. */
      readonly windows: number;
      readonly pauseMs: number;
      readonly databases: number;
    }
  /** A step of a restore begins for one database or, with an empty name, for all of them. */
  | {
      readonly type: 'restore';
      readonly step: 'offline' | 'place' | 'recover' | 'online';
      readonly database: string;
      readonly done: number;
      readonly total: number;
    };

/** Called at most ten times a second. An exception thrown here ends the call it reports on. */
export type ProgressListener = (progress: Progress) => void;

const intervalMs = 100;

/** Reports to one listener at a limited rate. An exception thrown by the listener ends the call it reports on. */
export class ProgressReporter {
  #last = '';
  #dueAt = 0;

  constructor(
    private readonly listener: ProgressListener | undefined,
    private readonly call: Call,
  ) {}

  /** For work in JavaScript: may be called as often as needed. `last` is always reported. */
  report(progress: Progress, last = false): void {
    if (!this.listener) return;
    const now = performance.now();
    if (!last && now < this.#dueAt) return;
    const text = JSON.stringify(progress);
    if (text === this.#last) return;
    this.#last = text;
    this.#dueAt = now + intervalMs;
    try {
      this.listener(progress);
    } catch (error) {
      this.call.abort(error);
    }
  }

  /** For work in native code: polls the session while `work` runs. Why it polls: docs/decisions/progress-is-polled.md */
  async watch<T>(session: NativeSession, work: () => Promise<T>): Promise<T> {
    if (!this.listener) return work();
    const ask = (last: boolean): void => {
      const { phase, done, total } = session.progress();
      if (phase !== 'idle' && phase !== 'closed') this.report({ type: 'databases', phase, done, total }, last);
    };
    const timer = setInterval(ask, intervalMs, false);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      ask(true);
    }
  }
}
