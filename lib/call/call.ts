import { errorCodes } from '../errors/codes';
import { AbortError, BackupError, toPublicError, isNativeFailure } from '../errors/errors';
import type { NativeSession } from '../native/session';
import type { NativeFailure, NativeRequest, Phase } from '../native/failure';

/** Runs the body of a public function. Whatever it throws becomes an error of this package whose stack shows the caller. */
export async function publicCall<T>(body: () => Promise<T>): Promise<T> {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, publicCall);
  try {
    return await body();
  } catch (thrown) {
    const error = toPublicError(thrown);
    // A native record has no stack, and one made here would show only this file.
    if (isNativeFailure(thrown)) {
      const frames = site.stack?.split('\n').slice(1).join('\n') ?? '';
      error.stack = `${error.name}: ${error.message}\n${frames}`;
    }
    throw error;
  }
}

let onDeadline: ((timeoutMs: number) => void) | undefined;

/** For a watched process: calls the listener whenever something begins that ends by itself after the given time. */
export function watchDeadlines(listener: (timeoutMs: number) => void): void {
  onDeadline = listener;
}

/** Tells the watcher of this process how long the next step may take. */
export function announceDeadline(timeoutMs: number): void {
  onDeadline?.(timeoutMs);
}

let onPlace: ((deltaDirectory: string) => void) | undefined;

/** For a watched process: calls the listener with delta directories that nobody could know when it was started. */
export function watchPlaces(listener: (deltaDirectory: string) => void): void {
  onPlace = listener;
}

/** Tells the watcher of this process where the journals of what follows are. */
export function announcePlace(deltaDirectory: string): void {
  onPlace?.(deltaDirectory);
}

/** How long one native call may take, and how its failure is reported. */
export interface CallBound {
  /** Longest time for one call to Domino or the system. */
  readonly budgetMs: number;
  /** Names the call if native code does not. */
  readonly operation: string;
  /** The database or file concerned. */
  readonly subject: string;
  /** How long an abort or the deadline waits for a call whose outcome must be known. Default: 0. */
  readonly graceMs?: number | undefined;
  /** Default: `ERR_DATABASE_BUDGET`. */
  readonly code?: 'ERR_DATABASE_BUDGET' | 'ERR_DOMINO_INIT' | 'ERR_SHADOW_HANGS' | undefined;
}

/** The deadline and the signal of one public call, through all its steps. */
export class Call {
  readonly signal: AbortSignal | undefined;
  readonly #deadline: number;
  readonly #timeoutMs: number;
  #phase: Phase;
  #abortCause: { readonly reason: unknown } | undefined;
  #cancelNative: (() => void) | undefined;

  constructor(options: { signal?: AbortSignal | undefined; timeoutMs: number; phase: Phase }) {
    this.signal = options.signal;
    this.#timeoutMs = options.timeoutMs;
    this.#deadline = performance.now() + options.timeoutMs;
    this.#phase = options.phase;
    announceDeadline(options.timeoutMs);
    this.check();
  }

  /** Ends the call as if its signal had fired, for example because a progress callback threw. */
  abort(reason: unknown): void {
    this.#abortCause ??= { reason };
    this.#cancelNative?.();
  }

  /** Throws if the call was aborted or has run out of time. */
  check(phase: Phase = this.#phase): void {
    this.#phase = phase;
    const abortError = this.#abortError();
    if (abortError) throw abortError;
    if (performance.now() >= this.#deadline) throw this.#deadlineError();
  }

  /** Time left, at least 1 ms, for a native call with its own deadline. */
  remainingMs(): number {
    return Math.max(1, Math.ceil(this.#deadline - performance.now()));
  }

  /** Waits for work that cannot be cancelled but may be abandoned, because it only reads. */
  async race<T>(work: NativeRequest<T>, graceMs = 0): Promise<T> {
    // If the check throws, nobody waits for the work: its failure must not end the process as an unhandled rejection.
    void work.catch(() => undefined);
    if (graceMs === 0) this.check();
    let stop = (): void => undefined;
    const interrupted = new Promise<never>((_resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => {
        reject(this.#deadlineError(work.present?.()));
        work.abandon?.();
      }, this.remainingMs() + graceMs);
      const leave = (): void => {
        reject(this.#abortError() ?? new AbortError(undefined, this.#phase));
        work.abandon?.();
      };
      const onAbort = (): void => {
        if (graceMs === 0) leave();
        else grace ??= setTimeout(leave, graceMs);
      };
      if (this.#abortError()) onAbort();
      this.signal?.addEventListener('abort', onAbort);
      this.#cancelNative = onAbort;
      stop = () => {
        clearTimeout(timer);
        clearTimeout(grace);
        this.signal?.removeEventListener('abort', onAbort);
        this.#cancelNative = undefined;
      };
    });
    try {
      return await Promise.race([work, interrupted]);
    } finally {
      stop();
    }
  }

  /** Like {@link race}, but also throws if one call within the work exceeds its budget; the failure names that call. */
  async bounded<T>(work: NativeRequest<T>, bound: CallBound): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const hanging = new Promise<never>((_resolve, reject) => {
      const look = (): void => {
        const leftMs = bound.budgetMs - (work.present?.().elapsedMs ?? bound.budgetMs);
        if (leftMs > 0) {
          timer = setTimeout(look, leftMs);
          return;
        }
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a plain record, as native code throws
        reject(this.#hanging(work, bound));
      };
      timer = setTimeout(look, bound.budgetMs);
    });
    const either = Object.assign(Promise.race([work, hanging]), {
      present: () => work.present?.() ?? { operation: bound.operation, subject: bound.subject, elapsedMs: 0 },
      abandon: () => work.abandon?.(),
    });
    try {
      return await this.race(either, bound.graceMs);
    } finally {
      clearTimeout(timer);
    }
  }

  /** For work that is better finished than interrupted: after an abort or the deadline it may take its budget once more. */
  async finish<T>(work: NativeRequest<T>, bound: CallBound): Promise<T> {
    const timers: NodeJS.Timeout[] = [];
    let onInterrupt = (): void => undefined;
    const hanging = new Promise<never>((_resolve, reject) => {
      onInterrupt = () => {
        const giveUp = (): void => {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a plain record, as native code throws
          reject(this.#hanging(work, bound));
        };
        timers.push(setTimeout(giveUp, bound.budgetMs));
      };
    });
    if (this.#abortError()) onInterrupt();
    this.signal?.addEventListener('abort', onInterrupt);
    this.#cancelNative = onInterrupt;
    timers.push(setTimeout(onInterrupt, this.remainingMs()));
    try {
      return await Promise.race([work, hanging]);
    } finally {
      timers.forEach(clearTimeout);
      this.signal?.removeEventListener('abort', onInterrupt);
      this.#cancelNative = undefined;
    }
  }

  /** Waits for work that ends early when its signal fires: at an abort or the deadline. */
  async interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.check();
    const controller = new AbortController();
    const abort = (): void => {
      controller.abort(this.signal?.reason);
    };
    const timer = setTimeout(abort, this.remainingMs());
    this.signal?.addEventListener('abort', abort);
    this.#cancelNative = abort;
    try {
      return await run(controller.signal);
    } catch (error) {
      this.check();
      // It was our timer, which may fire slightly early.
      if (controller.signal.aborted) throw this.#deadlineError();
      throw error;
    } finally {
      clearTimeout(timer);
      this.signal?.removeEventListener('abort', abort);
      this.#cancelNative = undefined;
    }
  }

  /** Waits for a call of a session. The signal cancels the call, which has always settled when this returns. */
  async native<T>(session: NativeSession, run: (timeoutMs: number) => Promise<T>): Promise<T> {
    this.check();
    const cancel = (): void => {
      session.cancel();
    };
    this.signal?.addEventListener('abort', cancel);
    this.#cancelNative = cancel;
    try {
      const result = await run(this.remainingMs());
      this.check();
      return result;
    } catch (error) {
      throw this.#abortError() ?? error;
    } finally {
      this.signal?.removeEventListener('abort', cancel);
      this.#cancelNative = undefined;
    }
  }

  #abortError(): AbortError | undefined {
    if (this.#abortCause) return new AbortError(this.#abortCause.reason, this.#phase);
    return this.signal?.aborted ? new AbortError(this.signal.reason, this.#phase) : undefined;
  }

  /** Abandons the work: nobody waits for it any more. */
  #hanging(work: NativeRequest<unknown>, { budgetMs, operation, subject, code }: CallBound): NativeFailure {
    work.abandon?.();
    const present = work.present?.().operation ?? '';
    const named = present === '' ? operation : present;
    return {
      code: code ?? 'ERR_DATABASE_BUDGET',
      phase: this.#phase,
      operation: named,
      domain: 'engine',
      status: 0,
      statusName: '',
      text: `${named} did not return within ${budgetMs} ms`,
      subject,
    };
  }

  #deadlineError({ operation, subject }: { operation: string; subject?: string } = { operation: '' }): BackupError {
    const named = [operation, subject].filter(Boolean).join(' on ');
    const message = `not finished after ${this.#timeoutMs} ms (phase ${this.#phase})${named && `: ${named} has not returned`}`;
    const hint = operation.startsWith('IVss') ? errorCodes.ERR_SHADOW_HANGS.action : undefined;
    return new BackupError('ERR_DEADLINE', { message, phase: this.#phase, hint });
  }
}
