import { errorCodes } from '../errors/codes';
import { toPublicError, type DatabaseFailure, type DominoVssError } from '../errors/errors';
import { printable } from '../errors/printable';
import { warning, warningLine } from '../errors/warnings';
import type { NativeSystemLogEntry } from '../native/session';
import { exitCodes, type CommandLineContext } from './context';
import type { Figure } from './metrics';

/** Of the option `--log-system`, for commands that run where nobody looks. */
export const logSystemDescription =
  'if it does not succeed, also write an entry to the systemd journal or the Windows Application log';

/** How many databases an entry names. */
const namedDatabases = 50;

/** A log that does not answer holds nobody up longer than this. */
const patienceMs = 5_000;

/** How a command has ended that did not end well. */
export interface CommandFailure {
  /** `backup run` */
  readonly command: string;
  readonly exitCode: number;
  /** Undefined for a command that came to its end, and whose result is not good. */
  readonly error: DominoVssError | undefined;
  /** Databases that were left out or failed. */
  readonly failures: readonly DatabaseFailure[];
}

/** Commands end with their exit code, and with what explains one that is not 0. */
export type Finish = (exitCode: number, failures?: readonly DatabaseFailure[], figures?: readonly Figure[]) => void;

/**
 * Writes an entry to the journal of systemd or to the application log of Windows. That it cannot be written changes nothing
 * but a line on stderr.
 */
export async function logFailure(context: CommandLineContext, failure: CommandFailure): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`it has not answered for ${patienceMs} ms`));
      }, patienceMs);
    });
    await Promise.race([context.loadBinding().writeSystemLog(entryOf(failure)), tooLate]);
  } catch (error) {
    const why = toPublicError(error);
    const told = warning('WARN_SYSTEM_LOG', `the log of the system was not told: ${why.message}`, { error: why });
    context.stderr.write(warningLine(told));
  } finally {
    clearTimeout(timer);
  }
}

export function entryOf({ command, exitCode, error, failures }: CommandFailure): NativeSystemLogEntry {
  const databases = failures.map(({ database, code, text }) => `${database} (${code}): ${text}`).map(printable);
  const more = databases.length - namedDatabases;
  const named = [...databases.slice(0, namedDatabases), ...(more > 0 ? [`and ${more} more`] : [])];
  const [first = ''] = databases;
  const others = databases.length > 1 ? `, and ${databases.length - 1} more` : '';
  const what = error
    ? `failed: ${error.code}: ${error.message}${error.hint === '' ? '' : ` (${error.hint})`}`
    : `ended with exit code ${exitCode}${first === '' ? '' : `: ${first}${others}`}`;
  return {
    isError: exitCode !== exitCodes.partial,
    message: printable(`domino-vss ${command} ${what}`),
    fields: (
      [
        ['DOMINO_VSS_COMMAND', command],
        ['DOMINO_VSS_EXIT_CODE', String(exitCode)],
        ['DOMINO_VSS_CODE', error?.code],
        ['DOMINO_VSS_PHASE', error?.phase],
        ['DOMINO_VSS_RETRYABLE', error && String(errorCodes[error.code].retryable)],
        ['DOMINO_VSS_DATABASES', named.join('\n') || undefined],
      ] as const
    ).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  };
}
