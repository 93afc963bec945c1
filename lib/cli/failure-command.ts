import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../errors/printable';
import { warning, warningLine } from '../errors/warnings';
import type { CommandLineContext } from './context';
import { entryOf, type CommandFailure } from './system-log';

/** The program only has to notify somebody. */
const usualPatienceMs = 60_000;

/** The beginning of what a program writes to its error output says why it failed. */
const longestSaidBytes = 2_000;

/**
 * Runs the program of `--failure-command`, without a shell. Its environment contains what happened: the fields of the system log
 * entry, and DOMINO_VSS_MESSAGE. If it fails, the only consequence is a line on stderr, with what the program itself has said there.
 */
export async function runFailureCommand(
  program: string,
  failure: CommandFailure,
  { env, stderr }: CommandLineContext,
  patienceMs = usualPatienceMs,
): Promise<void> {
  const { message, fields } = entryOf(failure);
  try {
    using said = new Said();
    // Without pipes: a program that it leaves running would hold them open, or be ended by writing to them.
    const child = spawn(program, [], {
      env: { ...env, ...Object.fromEntries(fields), DOMINO_VSS_MESSAGE: message },
      stdio: ['ignore', 'ignore', said.file],
      timeout: patienceMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    const [exitCode, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (exitCode === 0) return;
    // Only the time limit kills it from here.
    const how = child.killed
      ? `was ended, because it was still running after ${patienceMs / 1000} s`
      : `ended with ${signal ?? `exit code ${exitCode ?? 1}`}`;
    const text = printable(said.text());
    tell(`${program} ${how}${text && `: ${text}`}`);
  } catch (error) {
    tell((error as Error).message);
  }

  function tell(why: string): void {
    const text = `the program to run after a failure failed: ${why}`;
    stderr.write(warningLine(warning('WARN_FAILURE_PROGRAM', text, { subjects: [program] })));
  }
}

/** Takes what a program writes to its error output, in a file that is gone afterwards. Without a place for it, it is lost. */
class Said implements Disposable {
  readonly file: number | 'ignore';
  readonly #directory: string = '';

  constructor() {
    try {
      this.#directory = mkdtempSync(join(tmpdir(), 'domino-vss-'));
      this.file = openSync(join(this.#directory, 'stderr'), 'w+', 0o600);
    } catch {
      this.file = 'ignore';
    }
  }

  text(): string {
    if (this.file === 'ignore') return '';
    const block = Buffer.alloc(longestSaidBytes);
    return block.toString('utf8', 0, readSync(this.file, block, 0, longestSaidBytes, 0)).trim();
  }

  [Symbol.dispose](): void {
    if (this.file !== 'ignore') closeSync(this.file);
    if (this.#directory === '') return;
    try {
      rmSync(this.#directory, { recursive: true, force: true });
    } catch {
      // On Windows, a program that it has left running may have the file open.
    }
  }
}
