import type { NativeSession, NativeVolume } from './native';
import { checkHookShadows, type HookProvider, type HookShadow } from './provider';
import { toPublicError } from './errors';

/**
 * One run of a hook inside the window. Native code starts it and waits for {@link NativeSession.settleShadow}; whether
 * the answer still counts is decided here, by the time the capture has settled.
 */
export class HookRun {
  readonly #hook: HookProvider;
  readonly #volumes: readonly NativeVolume[];
  readonly #backupId: string;
  readonly #controller = new AbortController();
  #shadows: readonly HookShadow[] = [];
  #captureEnded = false;
  #session: NativeSession | undefined;

  constructor(hook: HookProvider, backupId: string, volumes: readonly NativeVolume[]) {
    this.#hook = hook;
    this.#backupId = backupId;
    this.#volumes = volumes;
  }

  /** The shadows, in the order of the volumes; empty unless the capture succeeded. */
  get shadows(): readonly HookShadow[] {
    return this.#shadows;
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
    void this.#run(deadlineMs);
  }

  async #run(deadlineMs: number): Promise<void> {
    let text: string | undefined;
    let delivered: { readonly shadows: readonly HookShadow[] } | undefined;
    try {
      const context = {
        backupId: this.#backupId,
        volumes: this.#volumes.map(({ path, device, fileSystem }) => ({ path, device, fileSystem })),
      };
      delivered = await this.#hook.create(context, { signal: this.#controller.signal, deadlineMs });
      const shadows = await checkHookShadows(this.#hook, delivered, this.#volumes);
      if (!this.#captureEnded) this.#shadows = shadows;
    } catch (error) {
      text = toPublicError(error).message;
    }
    if (this.#captureEnded) {
      if (delivered) await this.#removeLate(delivered);
      return;
    }
    this.#session?.settleShadow(text === undefined ? null : { text });
    // What a hook made but delivered wrongly is still its to remove.
    if (text !== undefined && delivered) await this.#removeLate(delivered);
  }

  /** Gives the hook a chance to stop early. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The capture has failed: what was delivered goes, and what is delivered later goes then. */
  async captureFailed(reason: unknown): Promise<void> {
    this.#captureEnded = true;
    this.abort(reason);
    await this.remove();
  }

  async remove(): Promise<void> {
    const shadows = this.#shadows;
    this.#shadows = [];
    if (shadows.length > 0) await this.#hook.remove?.({ shadows });
  }

  async #removeLate(delivered: { readonly shadows: readonly HookShadow[] }): Promise<void> {
    try {
      await this.#hook.remove?.(delivered);
    } catch (error) {
      const message = `the hook ${this.#hook.name} delivered a late shadow and could not remove it`;
      process.emitWarning(`${message}: ${toPublicError(error).message}`, { code: 'ERR_HOOK' });
    }
  }
}
