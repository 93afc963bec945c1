import { ShadowError, toPublicError } from '../errors/errors';
import { hookFailure, type HookContext } from '../store/hook-record';
import type { Journal } from '../store/journal';
import type { JournalChange } from '../store/journal-format';
import type { NativeSession, NativeVolume } from '../native/session';
import { checkHookShadows, type HookDelivery, type HookProvider, type HookShadow } from './hook-provider';

/**
 * One run of a hook inside the window. Native code starts it and waits for {@link NativeSession.settleShadow}. By the time the
 * capture has settled, this class has decided whether the answer still counts.
 */
export class HookRun {
  readonly #hook: HookProvider;
  readonly #volumes: readonly NativeVolume[];
  readonly #context: HookContext;
  readonly #journal: Journal;
  readonly #controller = new AbortController();
  #shadows: readonly HookShadow[] = [];
  /** What must be passed to the hook for removal, whether it can be used or not. */
  #delivery: HookDelivery | undefined;
  #failure: ShadowError | undefined;
  #noted: Promise<void> = Promise.resolve();
  #isPending = false;
  #answered: Promise<void> = Promise.resolve();
  #captureEnded = false;
  #lateRemoval: Promise<void> | undefined;
  #session: NativeSession | undefined;

  constructor(hook: HookProvider, backupId: string, volumes: readonly NativeVolume[], journal: Journal) {
    this.#hook = hook;
    this.#volumes = volumes;
    this.#context = {
      backupId,
      volumes: volumes.map(({ path, device, fileSystem }) => ({ path, device, fileSystem })),
    };
    this.#journal = journal;
  }

  /** The shadows, in the order of the volumes; empty unless the hook delivered all of them. */
  get shadows(): readonly HookShadow[] {
    return this.#shadows;
  }

  /**
   * What the journal records before the hook is called; empty for a hook without `remove`, which leaves its snapshots on purpose.
   */
  get intention(): Pick<JournalChange, 'pendingHook' | 'hook'> {
    if (!this.#hook.remove) return {};
    return { pendingHook: this.#hook.name, hook: { volumes: this.#context.volumes } };
  }

  /** Whether something may exist that {@link remove} has not removed. */
  get mayHaveLeft(): boolean {
    return this.#hook.remove !== undefined && (this.#isPending || this.#delivery !== undefined);
  }

  /** The removal of a delivery that came after {@link remove}; undefined if the hook had answered by then. */
  get lateRemoval(): Promise<void> | undefined {
    return this.#lateRemoval;
  }

  attach(session: NativeSession): void {
    this.#session = session;
  }

  /**
   * Call when the session has ended. The session holds the function that calls {@link start}, so without this neither could be
   * garbage-collected.
   */
  detach(): void {
    this.#session = undefined;
  }

  /** Called by native code when all databases are in backup mode. */
  start(deadlineMs: number): void {
    this.#isPending = true;
    this.#answered = this.#run(deadlineMs);
  }

  /**
   * Adds to the error of the window what the hook itself threw, and the name of the hook. Other errors are returned unchanged.
   */
  explain(thrown: unknown): unknown {
    const error = toPublicError(thrown);
    if (error.code === 'ERR_HOOK' && this.#failure) return this.#failure;
    if (error.code !== 'ERR_HOOK_TIMEOUT') return thrown;
    const { name } = this.#hook;
    const { phase, cause } = error;
    return new ShadowError(
      'ERR_HOOK_TIMEOUT',
      { provider: name },
      { message: `${name}: ${error.message}`, phase, cause },
    );
  }

  /** Settles when the delivery is recorded in the journal. The window does not wait for it. */
  noted(): Promise<void> {
    return this.#noted;
  }

  async #run(deadlineMs: number): Promise<void> {
    let text: string | undefined;
    try {
      this.#delivery = await this.#hook.create(this.#context, { signal: this.#controller.signal, deadlineMs });
      this.#note(this.#delivery);
      this.#shadows = await checkHookShadows(this.#hook, this.#delivery, this.#volumes);
    } catch (error) {
      this.#failure = hookFailure(this.#hook.name, 'create', error);
      text = this.#failure.message;
    }
    this.#isPending = false;
    if (!this.#captureEnded) this.#session?.settleShadow(text === undefined ? null : { text });
  }

  /** From now on, a crash leaves something that only the hook knows. */
  #note(delivery: HookDelivery): void {
    if (!this.#hook.remove) return;
    // A hook may return any value.
    const shadows: unknown = (delivery as Partial<HookDelivery> | undefined)?.shadows;
    const delivered = Array.isArray(shadows) ? (shadows as (Partial<HookShadow> | undefined)[]) : [];
    const state = storable(this.#hook.name, (delivery as Partial<HookDelivery> | undefined)?.state);
    this.#noted = this.#journal.update({
      shadows: delivered.map((shadow) => String(shadow?.root)),
      volumes: delivered.map((shadow) => String(shadow?.volume)),
      pendingHook: '',
      hook: { volumes: this.#context.volumes, state },
    });
    // The error reaches whoever waits for it; after a failed capture nobody does.
    this.#noted.catch(() => undefined);
  }

  /** Gives the hook a chance to stop early. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The capture has failed: an answer no longer counts. {@link remove} removes what was delivered or will be. */
  captureFailed(reason: unknown): void {
    this.#captureEnded = true;
    this.abort(reason);
  }

  /** Passes what the hook has delivered to the hook for removal, now or as soon as it is delivered. */
  async remove(): Promise<void> {
    if (this.#isPending && this.#hook.remove) this.#lateRemoval = this.#answered.then(() => this.#removeDelivery());
    else await this.#removeDelivery();
  }

  async #removeDelivery(): Promise<void> {
    if (this.#delivery === undefined) return;
    try {
      await this.#hook.remove?.(this.#delivery, this.#context);
    } catch (error) {
      throw hookFailure(this.#hook.name, 'remove', error);
    }
    this.#delivery = undefined;
  }
}

/** The state in the form that the journal stores and that a later removal gets. */
function storable(hook: string, state: unknown): unknown {
  try {
    const json = JSON.stringify(state) as string | undefined;
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  } catch (error) {
    throw hookFailure(
      hook,
      'create',
      new Error(`its state cannot be written as JSON: ${(error as Error).message}`, { cause: error }),
    );
  }
}
