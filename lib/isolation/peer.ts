import { decode, encode, type References, type Stands } from './wire';

/** A message between the two processes. */
export type Message =
  /** `target`: the name of an offered function, or the number of a function that was passed. */
  | { readonly type: 'call'; readonly id: number; readonly target: string | number; readonly args: unknown }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'error'; readonly id: number; readonly error: unknown }
  | { readonly type: 'abort'; readonly signal: number };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

type Offered = (...args: never[]) => unknown;

/**
 * One end of the channel between the calling process and the process that holds Domino. Both ends can call the other: hooks and
 * progress listeners stay with the caller.
 */
export class Peer {
  readonly #send: (message: Message) => void;
  readonly #offered: Readonly<Record<string, Offered>>;
  /** Functions passed to the other process. They are kept as long as the channel: one backup passes only a handful. */
  readonly #given: Offered[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #signals = new Map<number, AbortController>();
  readonly #running = new Set<Promise<void>>();
  #lastId = 0;
  #lastSignal = 0;
  #end: { readonly error: unknown } | undefined;

  constructor(send: (message: Message) => void, offered: Readonly<Record<string, Offered>> = {}) {
    this.#send = send;
    this.#offered = offered;
  }

  /** Calls a function that the other process offers or has passed. */
  async call(target: string | number, args: readonly unknown[]): Promise<unknown> {
    if (this.#end) throw this.#end.error;
    const id = ++this.#lastId;
    const forget: (() => void)[] = [];
    try {
      const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
      this.#send({ type: 'call', id, target, args: encode(args, this.#references(forget)) });
      return await answer;
    } finally {
      this.#waiting.delete(id);
      forget.forEach((step) => {
        step();
      });
    }
  }

  receive(message: Message): void {
    switch (message.type) {
      case 'call': {
        const run = this.#answer(message.id, message.target, message.args).finally(() => this.#running.delete(run));
        this.#running.add(run);
        break;
      }
      case 'result':
        this.#waiting.get(message.id)?.resolve(decode(message.value, this.#stands([])));
        break;
      case 'error':
        this.#waiting.get(message.id)?.reject(decode(message.error, this.#stands([])));
        break;
      case 'abort':
        this.#signals.get(message.signal)?.abort();
        break;
    }
  }

  /** The other process is gone: calls to it fail with this error, and signals that came from it fire. */
  end(error: unknown): void {
    this.#end ??= { error };
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    for (const controller of this.#signals.values()) controller.abort();
  }

  /** Resolves when no call from the other process is running any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #answer(id: number, target: string | number, args: unknown): Promise<void> {
    const signals: number[] = [];
    let answer: () => void;
    try {
      const called = typeof target === 'number' ? this.#given[target] : this.#offered[target];
      if (!called) throw new TypeError(`there is no function ${target} to call`);
      const value: unknown = await called(...(decode(args, this.#stands(signals)) as never[]));
      answer = () => {
        this.#send({ type: 'result', id, value: encode(value, this.#references([])) });
      };
    } catch (error) {
      answer = () => {
        this.#send({ type: 'error', id, error: encode(error, this.#references([])) });
      };
    }
    for (const signal of signals) this.#signals.delete(signal);
    if (this.#end) return;
    try {
      answer();
    } catch (error) {
      // A hook of the caller may have returned something that cannot be copied.
      this.#send({ type: 'error', id, error: encode(error, this.#references([])) });
    }
  }

  #references(forget: (() => void)[]): References {
    return {
      function: (called) => this.#given.push(called) - 1,
      signal: (signal) => {
        const id = ++this.#lastSignal;
        const onAbort = (): void => {
          if (!this.#end) this.#send({ type: 'abort', signal: id });
        };
        signal.addEventListener('abort', onAbort);
        forget.push(() => {
          signal.removeEventListener('abort', onAbort);
        });
        return id;
      },
    };
  }

  #stands(signals: number[]): Stands {
    return {
      function:
        (id) =>
        (...args) =>
          this.call(id, args),
      signal: (id, aborted) => {
        const controller = new AbortController();
        this.#signals.set(id, controller);
        signals.push(id);
        if (aborted || this.#end) controller.abort();
        return controller.signal;
      },
    };
  }
}
