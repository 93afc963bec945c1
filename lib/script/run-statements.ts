import { AbortError, DominoVssError } from '../errors/errors';
import type { Statement } from './commands';
import type { LeftShadow, ScriptEvent, ScriptEventListener } from './events';
import { Interpreter } from './interpreter';
import { PlanningTarget, type PlanLookUp } from './planning-target';
import { exitCodeOf, ScriptFailure, type ScriptPlace, type ScriptProblem } from './problem';
import type { ScriptState, ScriptTarget } from './target';
import { deleteCommand } from './text';
import { judgeGuess, parseWhole } from './whole-script';

/** The result of a script. */
export interface ScriptReport {
  /**
   * `complete`: every command succeeded. `partial`: every command succeeded, but databases had to be left out. `failed`: a
   * command is wrong or has failed.
   */
  readonly outcome: 'complete' | 'partial' | 'failed';
  /** The exit code of the command line: 0, 3 for a partial result, otherwise that of the first problem. */
  readonly exitCode: number;
  /** Number of commands that succeeded; with `check`, that would be run. */
  readonly commands: number;
  readonly problems: readonly ScriptProblem[];
}

/** A script and how to run it. */
export interface ScriptRun {
  readonly text: string;
  /** Whether the encoding of the script was guessed. Default: false. */
  readonly isGuess?: boolean | undefined;
  /** Name of the script in events and problems. */
  readonly file: string;
  readonly check: boolean;
  readonly keepGoing: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly signal?: AbortSignal | undefined;
  readonly emit: ScriptEventListener;
  /** Called once, after the script has been read; never in a check. */
  readonly createTarget: () => Promise<ScriptTarget>;
}

/**
 * Reads a whole script and runs it. A script with a mistake in any line is not begun, unless `keepGoing` is set; nor is a script
 * that fails in a rehearsal, in which nothing is done.
 */
export async function runStatements(run: ScriptRun): Promise<ScriptReport> {
  const { statements, problems } = parseWhole(run.text, run.file);
  const guess = run.isGuess ? judgeGuess(statements, run.file) : { warnings: [], problems: [] };
  const mistakes = [...problems, ...guess.problems];
  for (const one of guess.warnings) run.emit({ type: 'warning', ...one });
  const lines = inOrder(statements, mistakes);
  const end = { line: statements.at(-1)?.line ?? 1, column: 1 };
  if (run.check) {
    const emit = onlyPlanned(run.emit);
    const target = new PlanningTarget(emit, run.workingDirectory);
    return runLines({ ...run, emit, lines, end, target, goOn: true });
  }
  if (!run.keepGoing) {
    const early = mistakes.length > 0 ? mistakes : await rehearse(run, lines, end);
    if (early.length > 0) return notBegun(run, early);
  }
  const target = await run.createTarget();
  if (!run.keepGoing) {
    const late = await rehearse(run, lines, end, target);
    if (late.length > 0) return notBegun(run, late);
  }
  return runLines({ ...run, lines, end, target, goOn: run.keepGoing });
}

/** Failures that are certain before anything is done. `lookUp` may be queried, but changes nothing. */
async function rehearse(
  run: ScriptRun,
  lines: readonly Line[],
  end: ScriptPlace,
  lookUp?: PlanLookUp,
): Promise<readonly ScriptProblem[]> {
  const emit = (): void => undefined;
  const target = new PlanningTarget(emit, run.workingDirectory, lookUp);
  const { problems } = await runLines({ ...run, check: true, emit, lines, end, target, goOn: false });
  return problems;
}

function notBegun(run: ScriptRun, problems: readonly ScriptProblem[]): ScriptReport {
  for (const problem of problems) run.emit({ type: 'problem', ...problem });
  return { outcome: 'failed', exitCode: exitCodeOf(problems), commands: 0, problems };
}

/** A command, or the problem with its line. */
type Line = Statement | ScriptProblem;

interface LinesRun extends ScriptRun {
  readonly lines: readonly Line[];
  /** Place for failures at the end. */
  readonly end: ScriptPlace;
  readonly target: ScriptTarget;
  /** Whether to continue after a command that is wrong or fails. */
  readonly goOn: boolean;
}

async function runLines({ lines, end, target, goOn, ...run }: LinesRun): Promise<ScriptReport> {
  const { emit } = run;
  const { env, signal, check, keepGoing } = run;
  const interpreter = new Interpreter({ target, emit, env, signal, isCheck: check, keepsUnused: keepGoing });
  const problems: ScriptProblem[] = [];
  const report = (problem: ScriptProblem): void => {
    problems.push(problem);
    emit({ type: 'problem', ...problem });
  };
  let commands = 0;
  // Until the end is reached, because the script may also be interrupted.
  let state: ScriptState = 'failed';
  let aborted: AbortError | undefined;
  try {
    for (const next of lines) {
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
  } catch (error) {
    if (error instanceof AbortError) aborted = error;
    throw error;
  } finally {
    for (const problem of await interpreter.close(end, run.file, state)) report(problem);
    if (aborted) nameLeft(aborted, interpreter.left);
  }
  if (problems.length > 0) return { outcome: 'failed', exitCode: exitCodeOf(problems), commands, problems };
  return interpreter.isPartial
    ? { outcome: 'partial', exitCode: 3, commands, problems }
    : { outcome: 'complete', exitCode: 0, commands, problems };
}

/** Adds what an interrupted script leaves behind to the error that ends it. */
function nameLeft(error: AbortError, left: readonly LeftShadow[]): void {
  const [first] = left;
  if (!first || error.leftBehind) return;
  const message = left
    .map(({ id, volume, exposedAs }) => {
      return `the shadow copy ${id} of ${volume} stays${exposedAs === '' ? '' : `, exposed as ${exposedAs}`}`;
    })
    .join('; ');
  const hint = `Delete what is not needed: ${[...new Set(left.map(({ setId }) => deleteCommand(setId)))].join('; ')}`;
  Object.assign(error, { leftBehind: new DominoVssError('ERR_SHADOW', { message, hint }) });
}

function inOrder(statements: readonly Statement[], mistakes: readonly ScriptProblem[]): readonly Line[] {
  const wrong = new Set(mistakes.map(({ line }) => line));
  return [...statements.filter(({ line }) => !wrong.has(line)), ...mistakes].sort((a, b) => a.line - b.line);
}

/** Events that are meaningful in a check, in which nothing is done and so nothing has a result. */
const plannedEvents: ReadonlySet<ScriptEvent['type']> = new Set<ScriptEvent['type']>([
  'command',
  'note',
  'warning',
  'help',
  'settings',
  'added',
  'plan',
  'problem',
]);

export function onlyPlanned(emit: ScriptEventListener): ScriptEventListener {
  return (event) => {
    if (plannedEvents.has(event.type)) emit(event);
  };
}
