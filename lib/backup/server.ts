import type { Call } from '../call/call';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import { openRuntime } from '../domino/runtime';
import { isDominoVssError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';
import type { NativeBinding, NativeRuntime } from '../native/session';
import type { BeginBackupOptions } from './begin-options';

/** The Domino server that is backed up. */
export interface Server {
  /** Undefined in stop mode, which does not need it. */
  readonly runtime: NativeRuntime | undefined;
  readonly notesIni: string;
  readonly dataDirectory: string;
}

/** Plain volumes have none. */
export const noServer: Server = { runtime: undefined, notesIni: '', dataDirectory: '' };

/** Opens the Domino runtime, which stop mode does not need. */
export async function openServer(
  binding: NativeBinding,
  { mode, domino }: BeginBackupOptions,
  call: Call,
): Promise<Server> {
  const stopMode = mode?.type === 'stop-service';
  const runtime = stopMode ? undefined : await openRuntime(binding, domino, call);
  const notesIni = runtime?.notesIni ?? findNotesIni(domino);
  return { runtime, notesIni, dataDirectory: runtime?.dataDirectory ?? readDataDirectory(notesIni) };
}

/** The style is only reported, so a server that does not respond must cost little time. */
const logStyleBudgetMs = 10_000;

/** Style of the transaction log; `unknown` if the server does not say. */
export async function readLogStyle(
  binding: NativeBinding,
  call: Call,
): Promise<'circular' | 'archive' | 'linear' | 'none' | 'unknown'> {
  try {
    return await call.bounded(binding.transactionLogStyle(), {
      // Less than the time left, so that a hanging call is abandoned before the whole backup runs out of time.
      budgetMs: Math.min(logStyleBudgetMs, Math.ceil(call.remainingMs() / 2)),
      operation: 'NSFGetTransLogStyle',
      subject: '',
    });
  } catch (error) {
    // An abort, or the deadline, whose error says which call has not returned. Native code throws records.
    if (isDominoVssError(error)) throw error;
    call.check();
    return 'unknown';
  }
}

/** Warns of functions that this release of Domino lacks. */
export function runtimeWarnings(runtime: NativeRuntime | undefined): Warning[] {
  const missing = runtime?.missingFunctions ?? [];
  if (missing.length === 0) return [];
  const message = `this Domino release does not export: ${missing.join(', ')}`;
  return [warning('WARN_FUNCTION_MISSING', message, { subjects: missing })];
}
