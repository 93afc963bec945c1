/** How long somebody waits for another process. */
export interface Patience {
  /** For a process that has not said yet how long its work may take: it is starting. */
  readonly startMs: number;
  /** On top of every time that it has announced: for what it does when that time is over. */
  readonly graceMs: number;
}

export const usualPatience: Patience = { startMs: 60_000, graceMs: 30_000 };

/** Longest delay of a timer. */
const longestMs = 2 ** 31 - 1;

/** Waits for a process that announces how long each of its steps may take, and calls back when all those times are over. */
export class Watch {
  readonly #patience: Patience;
  readonly #onHung: () => void;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = 0;

  constructor(patience: Patience, onHung: () => void) {
    this.#patience = patience;
    this.#onHung = onHung;
  }

  /** The process is asked to do something. */
  begin(): void {
    this.#setEnd(performance.now() + this.#patience.startMs);
  }

  /** It has said how long a step may take. */
  announced(timeoutMs: number): void {
    if (!this.#timer) return;
    this.#setEnd(Math.max(this.#endsAt, performance.now() + timeoutMs + this.#patience.graceMs));
  }

  /** It has done what it was asked for. */
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
