import type { Verdict } from 'domino-vss-simulator';
import type { Transaction } from './workload-log';

/** The state of a database at one time: its history, and the instance under which the transaction log knows it. */
export interface State {
  readonly chain: string;
  /** Empty if the transaction log does not know it. */
  readonly dbiid: string;
  readonly replicaId: string;
}

/**
 * Everything that was ever written, and under which instance id. This alone determines what a restore should bring back: nothing
 * here knows how databases are backed up or recovered.
 */
export class Model {
  readonly #transactions = new Map<string, Transaction & { readonly dbiid: string }>();
  readonly #children = new Map<string, string[]>();

  /** Takes transactions that were written to a database while it had this instance id. */
  add(transactions: readonly Transaction[], dbiidOf: (transaction: Transaction) => string): void {
    for (const transaction of transactions) {
      this.#transactions.set(transaction.chain, { ...transaction, dbiid: dbiidOf(transaction) });
      const siblings = this.#children.get(transaction.parent);
      if (siblings) siblings.push(transaction.chain);
      else this.#children.set(transaction.parent, [transaction.chain]);
    }
  }

  /** A state rolled forward by the log: everything that was written to this instance on top of it and committed before a time. */
  rolledForward({ chain, dbiid }: State, beforeMs = Infinity): string {
    if (dbiid === '') return chain;
    let at = chain;
    for (;;) {
      const next: string | undefined = this.#children
        .get(at)
        ?.find((child) => this.#transactions.get(child)?.dbiid === dbiid);
      if (next === undefined || (this.#transactions.get(next)?.committedMs ?? NaN) >= beforeMs) return at;
      at = next;
    }
  }

  /** Whether one history is the beginning of the other, or the same. */
  leadsTo(earlier: string, later: string): boolean {
    for (let at: string | undefined = later; at !== undefined; at = this.#transactions.get(at)?.parent) {
      if (at === earlier) return true;
    }
    return false;
  }

  /** When the last transaction of a history was committed; undefined if nobody has written yet. */
  committedMs(chain: string): number | undefined {
    return this.#transactions.get(chain)?.committedMs;
  }

  /** The histories that continue a state, without the state itself, in the order in which they were written. */
  after(chain: string): Transaction[] {
    const found: Transaction[] = [];
    for (const child of this.#children.get(chain) ?? []) {
      const transaction = this.#transactions.get(child);
      if (transaction) found.push(transaction, ...this.after(child));
    }
    return found;
  }
}

/** The state of a file, according to the verifier. */
export function stateOf({ chain = '', instanceId = '', isLogged, replicaId = '' }: Verdict): State {
  return { chain, dbiid: isLogged ? instanceId : '', replicaId };
}
