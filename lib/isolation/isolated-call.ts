import type { RehearsalReport, RehearseOptions } from '../backup/rehearse';
import { publicCall } from '../call/call';
import type { DoctorOptions, DoctorReport } from '../doctor/check';
import type { ArchiveLogsOptions, ArchiveLogsReport } from '../logs/archive';
import type { RecoverOptions } from '../recover/recover';
import type { RecoveryReport } from '../recover/report';
import type { DrillOptions, DrillReport } from '../restore/drill';
import type { RestoreReport } from '../restore/report';
import type { PlanRestoreOptions, RestoreOptions } from '../restore/restore';
import type { VerifyBackupOptions, VerifyReport } from '../restore/verify';
import { callable } from './callable';
import { deltaDirectoryOf, type WorkPlace } from '../store/ended-process';
import { IsolatedProcess, type WatchedOptions } from './isolated-process';
import { usualPatience, type Patience } from './watch';

/** The functions of the package that are one call, each with its options and its report. */
export interface IsolatedCalls {
  readonly rehearse: [RehearseOptions, RehearsalReport];
  readonly restoreDatabases: [RestoreOptions, RestoreReport];
  readonly planRestore: [PlanRestoreOptions, RestoreReport];
  readonly verifyBackup: [VerifyBackupOptions, VerifyReport];
  readonly drillRestore: [DrillOptions, DrillReport];
  readonly archiveLogs: [ArchiveLogsOptions, ArchiveLogsReport];
  readonly recoverInterrupted: [RecoverOptions, RecoveryReport];
  readonly runDoctor: [DoctorOptions, DoctorReport];
}

/** Runs one of them in a separate process, which ends after the call. */
export function isolatedCall<Name extends keyof IsolatedCalls>(
  name: Name,
  options: IsolatedCalls[Name][0],
  patience: Patience = usualPatience,
): Promise<IsolatedCalls[Name][1]> {
  return publicCall(async () => {
    const process = new IsolatedProcess(placeOf(options), patience);
    try {
      return (await process.call(name, callable(options as WatchedOptions))) as IsolatedCalls[Name][1];
    } finally {
      process.finish();
    }
  });
}

/** Where such a call leaves journals when its process dies. Options may still be wrong here: the call itself rejects them. */
function placeOf(options: WorkPlace & { readonly manifest?: unknown }): WorkPlace {
  return { deltaDirectory: options.deltaDirectory ?? deltaDirectoryOf(options.manifest), domino: options.domino };
}
