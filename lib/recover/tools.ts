import type { Call } from '../call/call';
import type { HookContext } from '../store/hook-record';
import type { DominoService } from '../domino/service';
import type { NativeBinding } from '../native/session';
import { FileCalls, outcomeGraceMs, type FilePatience } from '../store/stall';

/** Removes the snapshots of a hook: the part of `HookProvider` that is needed here. */
export interface HookRemover {
  readonly name: string;
  /** Removes the snapshot of a backup that is over; one that is already gone is not an error. */
  remove?(
    delivery: {
      readonly shadows: readonly { readonly volume: string; readonly root: string }[];
      readonly state?: unknown;
    },
    context: HookContext,
  ): Promise<void>;
}

export const recoveryBudgetMs = 60_000;

/** Calls on files may take as long as a call to Domino. */
export function patienceOf({ call, budgetMs }: Pick<RecoveryTools, 'call' | 'budgetMs'>): FilePatience {
  const check = (): void => {
    call.check();
  };
  return { check, budgetMs, graceMs: outcomeGraceMs };
}

/** Waits for calls on files. */
export function fileCallsOf(tools: Pick<RecoveryTools, 'call' | 'budgetMs'>): FileCalls {
  return new FileCalls(patienceOf(tools));
}

/** For calls that only read: after an abort nobody waits for them. */
export function readingCallsOf({ call, budgetMs }: Pick<RecoveryTools, 'call' | 'budgetMs'>): FileCalls {
  const check = (): void => {
    call.check();
  };
  return new FileCalls({ check, budgetMs });
}

/** What a recovery works with. */
export interface RecoveryTools {
  readonly binding: NativeBinding;
  readonly call: Call;
  readonly dryRun: boolean;
  /** Longest time for one call to Domino, VSS or the file system: a hanging call must not hold up the others. */
  readonly budgetMs: number;
  /** Makes sure that the Domino runtime is open. Rejects if it cannot be, or must not be, as in stop mode. */
  readonly openRuntime: () => Promise<unknown>;
  /** Starts a service of the same name; otherwise the system's service is used. */
  readonly service: DominoService | undefined;
  /** Called to remove what a hook of the same name has made. */
  readonly hook: HookRemover | undefined;
}
