import type { Call } from '../call/call';
import { AbortError, toPublicError } from '../errors/errors';
import type { RecoveryItem } from './report';

/** An item, what will be done with it, and what the user can do if that fails. */
type Intention = Pick<RecoveryItem, 'thing' | 'subject' | 'found' | 'action'> & { readonly advice: string };

/** Collects items and acts on them; in a dry run it only reports. */
export class Items {
  readonly #items: RecoveryItem[] = [];

  constructor(
    readonly dryRun: boolean,
    private readonly call: Call,
  ) {}

  get all(): readonly RecoveryItem[] {
    return this.#items;
  }

  get nothingLeft(): boolean {
    return this.#items.every(({ result }) => result !== 'left');
  }

  /**
   * A failure does not prevent the clean-up of the other items; an abort or the deadline does. If the action returns a text, it
   * says what was done.
   */
  async act({ advice, ...intention }: Intention, action: () => Promise<unknown>): Promise<void> {
    this.call.check();
    if (this.dryRun) {
      this.#items.push({ ...intention, result: 'planned', advice: '' });
      return;
    }
    try {
      const said = await action();
      const done = typeof said === 'string' ? said : intention.action;
      this.#items.push({ ...intention, result: 'done', action: done, advice: '' });
    } catch (thrown) {
      const error = toPublicError(thrown);
      if (error instanceof AbortError || error.code === 'ERR_DEADLINE') throw error;
      this.#items.push({ ...intention, result: 'left', advice, error });
    }
  }

  kept(item: Pick<RecoveryItem, 'thing' | 'subject' | 'found'>): void {
    this.#items.push({ ...item, result: 'kept', action: 'stays', advice: '' });
  }

  left(item: Pick<RecoveryItem, 'thing' | 'subject' | 'found' | 'advice'>, thrown?: unknown): void {
    const error = thrown === undefined ? {} : { error: toPublicError(thrown) };
    this.#items.push({ ...item, result: 'left', action: '', ...error });
  }
}
