import type { Call } from '../call/call';
import type { HookContext } from '../store/hook-record';
import type { DominoService } from '../domino/service';
import type { NativeBinding } from '../native/session';

/** What removes the snapshots of a hook: the part of a `HookProvider` that is needed here. */
export interface HookRemover {
  readonly name: string;
  /** Removes the snapshot of a backup that is over; one that is gone already is no error. */
  remove?(
    delivery: {
      readonly shadows: readonly { readonly volume: string; readonly root: string }[];
      readonly state?: unknown;
    },
    context: HookContext,
  ): Promise<void>;
}

/** Where nobody says otherwise. */
export const recoveryBudgetMs = 60_000;

/** What a recovery works with. */
export interface RecoveryTools {
  readonly binding: NativeBinding;
  readonly call: Call;
  readonly dryRun: boolean;
  /** Longest time for one call of Domino, of VSS or of the file system: one that hangs must not keep the others. */
  readonly budgetMs: number;
  /** Makes sure that the Domino runtime is open. Rejects where it cannot be, or must not: in stop mode. */
  readonly openRuntime: () => Promise<unknown>;
  /** Starts a service of the same name; otherwise the service of the system is asked. */
  readonly service: DominoService | undefined;
  /** Is asked to remove what a hook of the same name has made. */
  readonly hook: HookRemover | undefined;
}
