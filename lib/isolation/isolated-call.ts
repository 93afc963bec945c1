import { publicCall } from '../call/call';
import type { RecoverOptions } from '../recover/recover';
import type { RecoveryReport } from '../recover/report';
import type { RestoreReport } from '../restore/report';
import type { PlanRestoreOptions, RestoreOptions } from '../restore/restore';
import { callable } from './callable';
import { deltaDirectoryOf, type WorkPlace } from './ended-process';
import { IsolatedProcess, type WatchedOptions } from './isolated-process';
import { usualPatience, type Patience } from './watch';

/** Restores in a process of its own. */
export function restoreIsolated(options: RestoreOptions, patience = usualPatience): Promise<RestoreReport> {
  const place = { deltaDirectory: deltaDirectoryOf(options.manifest), domino: options.domino };
  return run('restoreDatabases', options, place, patience) as Promise<RestoreReport>;
}

/** Plans a restore in a process of its own. */
export function planRestoreIsolated(options: PlanRestoreOptions, patience = usualPatience): Promise<RestoreReport> {
  const place = { deltaDirectory: deltaDirectoryOf(options.manifest), domino: options.domino };
  return run('planRestore', options, place, patience) as Promise<RestoreReport>;
}

/** Recovers in a process of its own. */
export function recoverIsolated(options: RecoverOptions, patience = usualPatience): Promise<RecoveryReport> {
  const { deltaDirectory, domino } = options;
  return run('recoverInterrupted', options, { deltaDirectory, domino }, patience) as Promise<RecoveryReport>;
}

function run(name: string, options: WatchedOptions, place: WorkPlace, patience: Patience): Promise<unknown> {
  return publicCall(async () => {
    const process = new IsolatedProcess(place, patience);
    try {
      return await process.call(name, callable(options));
    } finally {
      process.finish();
    }
  });
}
