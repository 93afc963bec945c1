import { errorCodes } from '../errors/codes';
import { toPublicError, type DatabaseFailure, type DominoVssError } from '../errors/errors';
import { printable } from '../errors/printable';
import { warning, warningLine } from '../errors/warnings';
import type { NativeSystemLogEntry } from '../native/session';
import { exitCodes, type CommandLineContext } from './context';
import { inFlags } from './flags';
import type { Figure } from './metrics';

/** Description of the option `--log-system`, for commands that run unattended. */
export const logSystemDescription =
  'if it does not succeed, also write an entry to the systemd journal or the Windows Application log';

/** Maximum number of databases that an entry names. */
const namedDatabases = 50;

/** A log that does not respond must not delay anybody for longer than this. */
const patienceMs = 5_000;

/** The end of a command that did not succeed. */
export interface CommandFailure {
  /** `backup run` */
  readonly command: string;
  readonly exitCode: number;
  /** Undefined if the command finished, but with a bad result. */
  readonly error: DominoVssError | undefined;
  /** Databases that were left out or failed. */
  readonly failures: readonly DatabaseFailure[];
}

/** Ends a command with its exit code, and with the reasons for one other than 0. */
export type Finish = (exitCode: number, failures?: readonly DatabaseFailure[], figures?: readonly Figure[]) => void;

/**
 * Writes an entry to the systemd journal or the Windows Application log. If that fails, the only consequence is a line on stderr.
 */
export async function logFailure(context: CommandLineContext, failure: CommandFailure): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`it did not answer within ${patienceMs} ms`));
      }, patienceMs);
    });
    await Promise.race([context.loadBinding().writeSystemLog(entryOf(failure)), tooLate]);
  } catch (error) {
    const why = toPublicError(error);
    const told = warning('WARN_SYSTEM_LOG', `could not write to the system log: ${why.message}`, { error: why });
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
    ? `failed: ${error.code}: ${error.message}${error.hint === '' ? '' : ` (${inFlags(error.hint)})`}`
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
