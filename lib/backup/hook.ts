import { toPublicError } from '../errors/errors';
import type { Journal } from '../store/journal';
import type { NativeSession, NativeVolume } from '../native/session';
import { checkHookShadows, type HookProvider, type HookShadow } from './provider';

/** What a hook answers. */
type Delivery = Awaited<ReturnType<HookProvider['create']>>;

/**
 * One run of a hook inside the window. Native code starts it and waits for {@link NativeSession.settleShadow}; whether
 * the answer still counts is decided here, by the time the capture has settled.
 */
export class HookRun {
  readonly #hook: HookProvider;
  readonly #volumes: readonly NativeVolume[];
  readonly #backupId: string;
  readonly #journal: Journal;
  readonly #controller = new AbortController();
  #shadows: readonly HookShadow[] = [];
  /** What has to be handed to the hook again, whether it can be used or not. */
  #delivery: Delivery | undefined;
  #noted: Promise<void> = Promise.resolve();
  #isPending = false;
  #answered: Promise<void> = Promise.resolve();
  #captureEnded = false;
  #lateRemoval: Promise<void> | undefined;
  #session: NativeSession | undefined;

  constructor(hook: HookProvider, backupId: string, volumes: readonly NativeVolume[], journal: Journal) {
    this.#hook = hook;
    this.#backupId = backupId;
    this.#volumes = volumes;
    this.#journal = journal;
  }

  /** The shadows, in the order of the volumes; empty unless the hook has delivered all of them. */
  get shadows(): readonly HookShadow[] {
    return this.#shadows;
  }

  /** Name of the hook for the journal; empty for one that removes nothing, for it leaves what it makes on purpose. */
  get removingHook(): string {
    return this.#hook.remove ? this.#hook.name : '';
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

  /** Settles when the journal names what was delivered. It is not waited for inside the window. */
  noted(): Promise<void> {
    return this.#noted;
  }

  async #run(deadlineMs: number): Promise<void> {
    let text: string | undefined;
    try {
      const context = {
        backupId: this.#backupId,
        volumes: this.#volumes.map(({ path, device, fileSystem }) => ({ path, device, fileSystem })),
      };
      this.#delivery = await this.#hook.create(context, { signal: this.#controller.signal, deadlineMs });
      this.#note(this.#delivery);
      this.#shadows = await checkHookShadows(this.#hook, this.#delivery, this.#volumes);
    } catch (error) {
      text = toPublicError(error).message;
    }
    this.#isPending = false;
    if (!this.#captureEnded) this.#session?.settleShadow(text === undefined ? null : { text });
  }

  /** From now on a crash leaves something that only the hook knows. */
  #note(delivery: Delivery): void {
    if (!this.#hook.remove) return;
    // A hook may answer anything.
    const shadows: unknown = (delivery as Partial<Delivery> | undefined)?.shadows;
    const delivered = Array.isArray(shadows) ? (shadows as Partial<HookShadow>[]) : [];
    this.#noted = this.#journal.update({
      shadows: delivered.map(({ root }) => String(root)),
      volumes: delivered.map(({ volume }) => String(volume)),
      pendingHook: '',
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
    await this.#hook.remove?.(this.#delivery);
    this.#delivery = undefined;
  }
}
