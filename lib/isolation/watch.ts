/** How long to wait for another process. */
export interface Patience {
  /** For a process that is starting and has not yet announced how long its work may take. */
  readonly startMs: number;
  /** Added to every announced time, for the clean-up when that time is over. */
  readonly graceMs: number;
}

export const usualPatience: Patience = { startMs: 60_000, graceMs: 30_000 };

/** Longest delay of a timer. */
const longestMs = 2 ** 31 - 1;

/** Watches a process that announces how long each of its steps may take, and calls back when all those times are over. */
export class Watch {
  readonly #patience: Patience;
  readonly #onHung: () => void;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = 0;

  constructor(patience: Patience, onHung: () => void) {
    this.#patience = patience;
    this.#onHung = onHung;
  }

  /** Call when the process is asked to do something. */
  begin(): void {
    this.#setEnd(performance.now() + this.#patience.startMs);
  }

  /** Call when the process has announced how long a step may take. */
  announced(timeoutMs: number): void {
    if (!this.#timer) return;
    this.#setEnd(Math.max(this.#endsAt, performance.now() + timeoutMs + this.#patience.graceMs));
  }

  /** Call when the process has done what it was asked to do. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #setEnd(endsAt: number): void {
    this.#endsAt = endsAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onHung, Math.min(longestMs, endsAt - performance.now()));
  }
}
