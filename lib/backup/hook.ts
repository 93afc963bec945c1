import { ShadowError, toPublicError } from '../errors/errors';
import { hookFailure, type HookContext } from '../store/hook-record';
import type { Journal } from '../store/journal';
import type { JournalChange } from '../store/journal-format';
import type { NativeSession, NativeVolume } from '../native/session';
import { checkHookShadows, type HookDelivery, type HookProvider, type HookShadow } from './provider';

/**
 * One run of a hook inside the window. Native code starts it and waits for {@link NativeSession.settleShadow}; whether
 * the answer still counts is decided here, by the time the capture has settled.
 */
export class HookRun {
  readonly #hook: HookProvider;
  readonly #volumes: readonly NativeVolume[];
  readonly #context: HookContext;
  readonly #journal: Journal;
  readonly #controller = new AbortController();
  #shadows: readonly HookShadow[] = [];
  /** What has to be handed to the hook again, whether it can be used or not. */
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

  /** The shadows, in the order of the volumes; empty unless the hook has delivered all of them. */
  get shadows(): readonly HookShadow[] {
    return this.#shadows;
  }

  /** What the journal says before the hook is asked; nothing of one that leaves what it makes on purpose. */
  get intention(): Pick<JournalChange, 'pendingHook' | 'hook'> {
    if (!this.#hook.remove) return {};
    return { pendingHook: this.#hook.name, hook: { volumes: this.#context.volumes } };
  }

  /** Whether there may be something that {@link remove} has not removed. */
  get mayHaveLeft(): boolean {
    return this.#hook.remove !== undefined && (this.#isPending || this.#delivery !== undefined);
  }

  /** The removal of what is delivered after {@link remove}; undefined when the hook had answered by then. */
  get lateRemoval(): Promise<void> | undefined {
    return this.#lateRemoval;
  }

  attach(session: NativeSession): void {
    this.#session = session;
  }

  /** The session has ended. It holds the function that {@link start} is called by, and would never be let go of otherwise. */
  detach(): void {
    this.#session = undefined;
  }

  /** Called by native code when all databases are in backup mode. */
  start(deadlineMs: number): void {
    this.#isPending = true;
    this.#answered = this.#run(deadlineMs);
  }

  /** The error of the window with what the hook itself has thrown, and with its name. Others stay what they are. */
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

  /** Settles when the journal names what was delivered. It is not waited for inside the window. */
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

  /** From now on a crash leaves something that only the hook knows. */
  #note(delivery: HookDelivery): void {
    if (!this.#hook.remove) return;
    // A hook may answer anything.
    const shadows: unknown = (delivery as Partial<HookDelivery> | undefined)?.shadows;
    const delivered = Array.isArray(shadows) ? (shadows as (Partial<HookShadow> | undefined)[]) : [];
    const state = storable(this.#hook.name, (delivery as Partial<HookDelivery> | undefined)?.state);
    this.#noted = this.#journal.update({
      shadows: delivered.map((shadow) => String(shadow?.root)),
      volumes: delivered.map((shadow) => String(shadow?.volume)),
      pendingHook: '',
      hook: { volumes: this.#context.volumes, state },
    });
    // Whoever waits hears of it; after a failed capture nobody does.
    this.#noted.catch(() => undefined);
  }

  /** Gives the hook a chance to stop early. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The capture has failed: an answer no longer counts. What was delivered, or will be, is removed by {@link remove}. */
  captureFailed(reason: unknown): void {
    this.#captureEnded = true;
    this.abort(reason);
  }

  /** Hands back to the hook what it has delivered; at once, or as soon as it does. */
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

/** The state as the journal has it, and as whoever asks for the removal later gets it. */
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
