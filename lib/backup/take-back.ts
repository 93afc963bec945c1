import { Call } from '../call/call';
import { DominoVssError, FileSystemError, toPublicError } from '../errors/errors';
import { retractManifest } from '../store/manifest';
import { FileCalls, untiring } from '../store/stall';
import { closeTimeoutMs, type BackupWork } from './capture';
import type { Ending } from './step-options';
import { collectFailures, type CreatedShadow, type WorkEnd } from './work-end';

/** A backup that is rolled back. */
export interface Unfinished {
  readonly work: BackupWork;
  readonly workEnd: WorkEnd;
  readonly created: CreatedShadow | undefined;
  /** Calls of the set and its shadows that are running now. */
  readonly uses: ReadonlySet<Promise<void>>;
  /** How it was to end; undefined if writing the manifest has not begun. */
  readonly ending: Ending | undefined;
}

/**
 * Removes everything that a backup has made. If its manifest may still appear, what the manifest would name is left: only
 * a recovery, later, can tell whether the backup is good.
 */
export async function takeBack({ work, workEnd, created, uses, ending }: Unfinished): Promise<void> {
  const { binding, directory } = work;
  const waiting = new Call({ timeoutMs: closeTimeoutMs, phase: 'end' });
  const left = await collectFailures([() => waiting.race(Promise.all(uses))]);
  const doubts = ending ? await collectFailures([() => retract(work)]) : [];
  left.push(...doubts);
  const mayBeGood = doubts.length > 0;
  const closing = { keep: false, tellWriters: false, succeeded: false, timeoutMs: closeTimeoutMs };
  if (created && mayBeGood && ending?.keep) left.push(...(await workEnd.leaveShadow(created, closing)));
  else left.push(...(await workEnd.removeShadow(created, closing)));
  if (!mayBeGood) {
    const removing = (): Promise<void> =>
      new Call({ timeoutMs: closeTimeoutMs, phase: 'end' }).race(binding.removeTree(directory));
    left.push(...(await collectFailures([() => created?.set.removeCopies() ?? Promise.resolve(), removing])));
  }
  const stuck = await workEnd.finishJournal(left);
  if (stuck.length > 0) throw stuckError(stuck);
  if (left.length > 0) throw left[0];
}

/** Before anything that the manifest names is removed: otherwise a good manifest could name what is gone. */
async function retract({ id, directory, setup }: BackupWork): Promise<void> {
  const calls = new FileCalls({ ...untiring, budgetMs: setup.options.databaseBudgetMs });
  try {
    await retractManifest(directory, calls);
  } catch (cause) {
    const { code, message: why } = toPublicError(cause);
    const message = `the manifest of ${id} may still appear, so what it names is left until recover has looked: ${why}`;
    throw new FileSystemError(
      code === 'ERR_FILE_HANGS' ? code : 'ERR_FILE_SYSTEM',
      { path: directory, cause },
      { message },
    );
  }
}

function stuckError(databases: readonly string[]): DominoVssError {
  const more = databases.length > 1 ? ` and ${databases.length - 1} more` : '';
  const message = `${databases[0] ?? ''}${more} may still be in backup mode: a call has not returned`;
  return new DominoVssError('ERR_DATABASE_STUCK', { message });
}
