import type { Statement } from './commands';
import type { ScriptEvent, ScriptEventListener } from './events';
import { parseScript } from './grammar';
import { Interpreter } from './interpreter';
import { exitCodeOf, ScriptFailure, type ScriptProblem } from './problem';
import { PlanningTarget } from './planning-target';
import type { ScriptState, ScriptTarget } from './target';

/** What a script has come to. */
export interface ScriptReport {
  /**
   * `complete`: every command succeeded. `partial`: so did they, but databases had to be left out. `failed`: a command
   * is wrong or has failed.
   */
  readonly outcome: 'complete' | 'partial' | 'failed';
  /** The exit code of the command line: 0, 3 for a partial one, else that of the first problem. */
  readonly exitCode: number;
  /** Number of commands that succeeded; with `check`, that would be run. */
  readonly commands: number;
  readonly problems: readonly ScriptProblem[];
}

/** A script and how it is run. */
export interface ScriptRun {
  readonly text: string;
  /** Name of the script in events and problems. */
  readonly file: string;
  readonly check: boolean;
  readonly keepGoing: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly signal?: AbortSignal | undefined;
  readonly emit: ScriptEventListener;
  /** Called once, when the script has been read; never in a check. */
  readonly createTarget: () => Promise<ScriptTarget>;
}

/** Reads a script as a whole and runs it. A script with a mistake in any line is not begun, unless it shall keep going. */
export async function runStatements(run: ScriptRun): Promise<ScriptReport> {
  const { statements, problems: mistakes } = parseScript(run.text, run.file);
  const goOn = run.check || run.keepGoing;
  if (mistakes.length > 0 && !goOn) {
    for (const problem of mistakes) run.emit({ type: 'problem', ...problem });
    return { outcome: 'failed', exitCode: exitCodeOf(mistakes), commands: 0, problems: mistakes };
  }
  const emit = run.check ? onlyPlanned(run.emit) : run.emit;
  const target = run.check ? new PlanningTarget(emit, run.workingDirectory) : await run.createTarget();
  const interpreter = new Interpreter({ target, emit, env: run.env, signal: run.signal, isCheck: run.check });
  const problems: ScriptProblem[] = [];
  const report = (problem: ScriptProblem): void => {
    problems.push(problem);
    emit({ type: 'problem', ...problem });
  };
  let commands = 0;
  // Until it has reached its end: it may also be interrupted.
  let state: ScriptState = 'failed';
  try {
    for (const next of inOrder(statements, mistakes)) {
      if (!('command' in next)) {
        report(next);
        continue;
      }
      try {
        const then = await interpreter.run(next, run.file);
        ++commands;
        if (then === 'exit') break;
      } catch (error) {
        if (!(error instanceof ScriptFailure)) throw error;
        report(error.in(run.file));
        if (!goOn) break;
      }
    }
    if (problems.length === 0) state = 'sound';
  } finally {
    const end = { line: statements.at(-1)?.line ?? 1, column: 1 };
    for (const problem of await interpreter.close(end, run.file, state)) report(problem);
  }
  if (problems.length > 0) return { outcome: 'failed', exitCode: exitCodeOf(problems), commands, problems };
  return interpreter.isPartial
    ? { outcome: 'partial', exitCode: 3, commands, problems }
    : { outcome: 'complete', exitCode: 0, commands, problems };
}

function inOrder(
  statements: readonly Statement[],
  mistakes: readonly ScriptProblem[],
): readonly (Statement | ScriptProblem)[] {
  return [...statements, ...mistakes].sort((a, b) => a.line - b.line);
}

/** Events that say something in a check, where nothing is done and so nothing has a result. */
const planned: ReadonlySet<ScriptEvent['type']> = new Set<ScriptEvent['type']>([
  'command',
  'note',
  'warning',
  'help',
  'settings',
  'added',
  'plan',
  'problem',
]);

function onlyPlanned(emit: ScriptEventListener): ScriptEventListener {
  return (event) => {
    if (planned.has(event.type)) emit(event);
  };
}
