import type { HookLimits, HookProvider, HookShadow } from '../backup/provider';
import type { HookContext } from '../store/hook-record';

/** Reported when all databases are in backup mode. */
export interface HeldDatabases {
  readonly volumes: HookContext['volumes'];
  /** Milliseconds until the engine takes the databases out of backup mode, whatever happens. */
  readonly deadlineMs: number;
}

/**
 * A snapshot taken by another program: a hypervisor, a storage array, a backup server. As a hook, it only reports when the
 * databases are held, and waits until it is told that the snapshot exists.
 */
export class OutsideSnapshot implements HookProvider {
  readonly name = 'external';
  readonly flushesVolumes: boolean;
  readonly held: Promise<HeldDatabases>;
  #onHeld: (databases: HeldDatabases) => void = () => undefined;
  #onTaken: (result: { readonly shadows: readonly HookShadow[] }) => void = () => undefined;

  constructor({ flushesVolumes }: { readonly flushesVolumes: boolean }) {
    this.flushesVolumes = flushesVolumes;
    this.held = new Promise((resolve) => {
      this.#onHeld = resolve;
    });
  }

  create({ volumes }: HookContext, { signal, deadlineMs }: HookLimits): ReturnType<HookProvider['create']> {
    return new Promise((resolve, reject) => {
      this.#onTaken = resolve;
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
      this.#onHeld({ volumes, deadlineMs });
    });
  }

  /** Ends the wait: the snapshot was taken. */
  taken(shadows: readonly HookShadow[]): void {
    this.#onTaken({ shadows });
  }
}
