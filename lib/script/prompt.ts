import { createInterface } from 'node:readline/promises';
import { AbortError } from '../errors/errors';
import { completeCommand } from './completion';
import type { ScriptEventListener } from './events';
import { formsMeantBy, parseLine } from './grammar';
import { Interpreter } from './interpreter';
import { ScriptFailure, type ScriptProblem } from './problem';
import type { ScriptTarget } from './target';

/** A prompt, and what it works with. */
export interface PromptOptions {
  readonly input: NodeJS.ReadableStream;
  /** The terminal; undefined if the commands come from elsewhere, and neither prompt nor history is needed. */
  readonly output: NodeJS.WritableStream | undefined;
  readonly target: ScriptTarget;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Whether the target only plans. Default: false. */
  readonly isCheck?: boolean | undefined;
  /** Whether the first command that is wrong or fails ends the prompt, as in a script file. Default: false. */
  readonly stopAtFailure?: boolean | undefined;
  readonly emit: ScriptEventListener;
}

function isQuestion(line: string): boolean {
  return /\s[-/]?\?\s*$/.test(line);
}

/** Name of the typed input in messages. */
const name = '(prompt)';

/**
 * Runs commands one by one until `exit` or the end of the input, with history and completion. A failing command does not end the
 * prompt, unless `stopAtFailure` is set. Returns all problems.
 */
export async function runPrompt(options: PromptOptions): Promise<ScriptProblem[]> {
  const { input, output, target, env, signal, isCheck, stopAtFailure = false, emit } = options;
  const interpreter = new Interpreter({ target, emit, env, signal, isCheck, keepsUnused: !stopAtFailure });
  const problems: ScriptProblem[] = [];
  const report = (problem: ScriptProblem): void => {
    problems.push(problem);
    emit({ type: 'problem', ...problem });
  };
  const lines = createInterface({
    input,
    ...(output && { output }),
    terminal: output !== undefined,
    prompt: 'DOMINO-VSS> ',
    completer: (line: string) => completeCommand(line, interpreter.aliasNames),
  });
  const close = (): void => {
    lines.close();
  };
  // Ctrl-C at the prompt ends it, as at any prompt. While a command runs, Ctrl-C arrives as the signal.
  lines.on('SIGINT', close);
  signal.addEventListener('abort', close);
  if (signal.aborted) close();
  let line = 0;
  try {
    if (output) lines.prompt();
    for await (const text of lines) {
      line += 1;
      try {
        const statement = parseLine(text, line);
        if (statement && (await interpreter.run(statement, name)) === 'exit') break;
      } catch (error) {
        if (!(error instanceof ScriptFailure)) throw error;
        // A user who types half a command, or /? after it, wants to see the rest.
        const forms = output || isQuestion(text) ? formsMeantBy(text) : [];
        if (forms.length > 0) {
          emit({ type: 'help', forms });
          if (output) lines.prompt();
          continue;
        }
        report(error.in(name));
        if (stopAtFailure) break;
      }
      if (output) lines.prompt();
    }
    if (signal.aborted) throw new AbortError(signal.reason);
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
    // A user at the prompt has seen what failed, and has continued.
    const state = signal.aborted || (stopAtFailure && problems.length > 0) ? 'failed' : 'sound';
    for (const problem of await interpreter.close({ line: line + 1, column: 1 }, name, state)) report(problem);
  }
  return problems;
}
