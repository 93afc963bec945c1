import { AbortError, BackupError, toPublicError, isNativeFailure } from '../errors/errors';
import type { NativeSession } from '../native/session';
import type { Phase } from '../native/failure';

/** Runs the body of a public function: what it throws becomes an error of this package that shows who called. */
export async function publicCall<T>(body: () => Promise<T>): Promise<T> {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, publicCall);
  try {
    return await body();
  } catch (thrown) {
    const error = toPublicError(thrown);
    // A native record has no stack of its own; one made there would show only this file.
    if (isNativeFailure(thrown)) {
      const frames = site.stack?.split('\n').slice(1).join('\n') ?? '';
      error.stack = `${error.name}: ${error.message}\n${frames}`;
    }
    throw error;
  }
}

let onDeadline: ((timeoutMs: number) => void) | undefined;

/** For a process that somebody watches: calls back when something begins that ends by itself after that time. */
export function watchDeadlines(listener: (timeoutMs: number) => void): void {
  onDeadline = listener;
}

/** Tells whoever watches this process how long the next step may take. */
export function announceDeadline(timeoutMs: number): void {
  onDeadline?.(timeoutMs);
}

/** The time and the signal of one public call, through all its steps. */
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

  /** Throws when the call was aborted or its time is over. */
  check(phase: Phase = this.#phase): void {
    this.#phase = phase;
    const abortError = this.#abortError();
    if (abortError) throw abortError;
    if (performance.now() >= this.#deadline) throw this.#deadlineError();
  }

  /** Time left, at least 1 ms, for a native call that gets a deadline of its own. */
  remainingMs(): number {
    return Math.max(1, Math.ceil(this.#deadline - performance.now()));
  }

  /** Waits for something that cannot be cancelled and may be left alone: a call that only reads. */
  async race<T>(work: Promise<T>): Promise<T> {
    this.check();
    let stop = (): void => undefined;
    const interrupted = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => {
        reject(this.#deadlineError());
      }, this.remainingMs());
      const onAbort = (): void => {
        reject(this.#abortError() ?? new AbortError(undefined, this.#phase));
      };
      this.signal?.addEventListener('abort', onAbort);
      this.#cancelNative = onAbort;
      stop = () => {
        clearTimeout(timer);
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

  /** Waits for something that ends early by itself when its signal fires: at an abort or when time is over. */
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
      // It was the timer, which may fire a little before its time.
      if (controller.signal.aborted) throw this.#deadlineError();
      throw error;
    } finally {
      clearTimeout(timer);
      this.signal?.removeEventListener('abort', abort);
      this.#cancelNative = undefined;
    }
  }

  /** Waits for a call of a session, which is cancelled by the signal and has always settled when this returns. */
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

  #deadlineError(): BackupError {
    const message = `not finished after ${this.#timeoutMs} ms (phase ${this.#phase})`;
    return new BackupError('ERR_DEADLINE', { message, phase: this.#phase });
  }
}
