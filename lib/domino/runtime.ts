import { isMainThread } from 'node:worker_threads';
import type { Call } from '../call/call';
import { findInstallation, readDataDirectory } from './environment';
import type { NativeBinding, NativeRuntime } from '../native/session';
import type { DominoLocation } from '../call/options';

/** What holds databases open: kept here, so that a caller who drops its reference loses nothing. */
interface OpenWork {
  readonly id: string;
  /** The process is ending and the session has been aborted: remove what can be removed without waiting. */
  abandon(): void;
}

/** For loading Domino's libraries, whose constructors run then, and for NotesInitExtended, which native code gives up after 60 s. */
const startTimeoutMs = 65_000;

const openWork = new Set<OpenWork>();
const guarded = new Set<NativeBinding>();

/** Opens the Domino runtime of this process and makes sure that it is left in order when the process ends. */
export async function openRuntime(
  binding: NativeBinding,
  location: DominoLocation | undefined,
  call: Call,
): Promise<NativeRuntime> {
  guardExit(binding);
  const installation = findInstallation(location);
  // A notes.ini without a data directory would show as something else: the environment is made from it.
  readDataDirectory(installation.notesIni);
  const trustProgramDirectory = location?.trustProgramDirectory === true;
  const bound = { budgetMs: startTimeoutMs, operation: 'NotesInitExtended', subject: installation.programDirectory };
  return call.bounded(binding.openRuntime({ ...installation, trustProgramDirectory }), {
    ...bound,
    code: 'ERR_DOMINO_INIT',
  });
}

export function holdOpen(binding: NativeBinding, work: OpenWork): void {
  guardExit(binding);
  openWork.add(work);
}

export function release(work: OpenWork): void {
  openWork.delete(work);
}

/**
 * The cleanup hooks of the addon do not run at process.exit() or after an uncaught exception in the main thread; this
 * listener does. In a worker only its own sessions end: the runtime belongs to the process.
 */
function guardExit(binding: NativeBinding): void {
  if (guarded.size === 0) process.on('exit', abortAtExit);
  guarded.add(binding);
}

function abortAtExit(): void {
  let aborted = 0;
  let doubtful = 0;
  let hangs: NativeBinding | undefined;
  for (const binding of guarded) {
    const outcome = isMainThread ? binding.shutdown() : binding.abortSessions();
    aborted += outcome.abortedSessions;
    doubtful += outcome.unansweredSessions + outcome.stuckDatabases;
    if (outcome.runtimeHangs) hangs = binding;
  }
  report(aborted, doubtful);
  // The ordinary end would wait for the loader, which hangs, or pull Domino away from under a thread that is in it.
  hangs?.leave(Number(process.exitCode ?? 0));
}

function report(aborted: number, doubtful: number): void {
  const ids = [...openWork].map(({ id }) => id);
  if (aborted === 0 && ids.length === 0) return;
  for (const work of openWork) work.abandon();
  const which = ids.length > 0 ? ` (${ids.join(', ')})` : '';
  const result =
    doubtful === 0
      ? 'it was aborted and its databases taken out of backup mode'
      : 'it was aborted, but a call hangs: databases may still be in backup mode, see the journal';
  process.stderr.write(`domino-vss: ended with an open backup${which}; ${result}\n`);
}
