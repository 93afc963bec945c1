import { isMainThread } from 'node:worker_threads';
import type { Call } from '../call/call';
import { findInstallation, readDataDirectory } from './environment';
import { hasAnyUnreturned } from '../call/unreturned-calls';
import type { NativeBinding, NativeRuntime } from '../native/session';
import type { DominoLocation } from '../call/options';

/** An object that holds databases open. It is kept here, so nothing is lost if the caller drops its reference. */
export interface OpenWork {
  readonly id: string;
  /** The process is ending and the session has been aborted: removes what can be removed without waiting. */
  abandon(): void;
}

/**
 * For loading Domino's libraries, which run their constructors, and for NotesInitExtended, which native code abandons after 60 s.
 */
const startTimeoutMs = 65_000;

const openWork = new Set<OpenWork>();
const guarded = new Set<NativeBinding>();

/** Opens the Domino runtime of this process, and makes sure that it is closed properly when the process ends. */
export async function openRuntime(
  binding: NativeBinding,
  location: DominoLocation | undefined,
  call: Call,
): Promise<NativeRuntime> {
  guardExit(binding);
  const installation = findInstallation(location);
  // Checked first: without a data directory in notes.ini, the environment made from it would be wrong, with a misleading error.
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
 * In the main thread, the cleanup hooks of the addon do not run at process.exit() or after an uncaught exception; this listener
 * does. In a worker only its own sessions end: the runtime belongs to the process.
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
  // A normal end would also wait for calls on files.
  if (hasAnyUnreturned()) [hangs] = guarded;
  // A normal end would wait for the loader, which hangs, or unload Domino while a thread is inside it.
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
