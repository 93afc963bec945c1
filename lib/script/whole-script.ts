import type { Statement } from './commands';
import { parseScript, type ParsedScript } from './grammar';
import { readLine, splitLines } from './lexer';
import type { ScriptProblem } from './problem';
import { cp850, windows1252Bytes } from './script-source';
import { counted } from '../errors/counted';
import { warning, type Warning } from '../errors/warnings';

/** Up to this number of wrong lines, each gets its own message. */
const fewProblems = 20;

/** Reads a whole script. A mistake that affects the whole script is one problem, not one for each line. */
export function parseWhole(text: string, file: string): ParsedScript {
  const parsed = parseScript(text, file);
  if (parsed.problems.length === 0) return parsed;
  const whole = superfluousEnd(text, file) ?? noScript(parsed, file);
  return whole ? { statements: [], problems: [whole] } : parsed;
}

/**
 * A superfluous character at the end of every line: some authors add one because a program loses the last character of lines with
 * Unix line ends. Commands that accept any word would silently keep it.
 */
function superfluousEnd(text: string, file: string): ScriptProblem | undefined {
  const commands = splitLines(text).map((source, index) => ({ line: index + 1, text: commandText(source, index + 1) }));
  const written = commands.filter((command) => command.text !== '');
  const [first] = written;
  const end = first?.text.at(-1) ?? '';
  if (!first || written.length < 3 || !/[a-z0-9]/i.test(end)) return undefined;
  if (!written.every((command) => command.text.endsWith(end))) return undefined;
  const without = written.map((command) => command.text.slice(0, -1)).join('\n');
  if (parseScript(without, file).problems.length > 0) return undefined;
  return {
    file,
    line: first.line,
    column: first.text.length,
    message: `every line ends with the same superfluous "${end}"`,
    remedy: 'remove it from all lines; Unix line ends work here without it',
    code: 'ERR_OPTION',
  };
}

function commandText(source: string, line: number): string {
  try {
    return readLine(source, line)?.text.replace(/\s*#.*$/, '') ?? '';
  } catch {
    return source.trim();
  }
}

/** A log, a program or a web page: hardly any line is a command. */
function noScript({ statements, problems }: ParsedScript, file: string): ScriptProblem | undefined {
  const [first] = problems;
  if (!first || problems.length < fewProblems || problems.length < 4 * statements.length) return undefined;
  return {
    ...first,
    file,
    message: `this is not a script: ${problems.length} of ${counted(problems.length + statements.length, 'line')} cannot be read as commands, the first with ${first.message}`,
    remedy: 'name a script with one command per line',
  };
}

/**
 * Examines words with letters outside ASCII in a script whose encoding was guessed: a warning shows how they were read; if they
 * look like the code page of a console, it is a problem. A name is never changed silently.
 */
export function judgeGuess(
  statements: readonly Statement[],
  file: string,
): { readonly warnings: readonly Warning[]; readonly problems: readonly ScriptProblem[] } {
  const warnings: Warning[] = [];
  const problems: ScriptProblem[] = [];
  for (const { text, line, column } of statements) {
    const foreign = Array.from(text).filter((character) => character > '\u007f');
    if (foreign.length === 0) continue;
    const asConsole = foreign.map((character) => cp850[(windows1252Bytes.get(character) ?? 0x80) - 0x80] ?? character);
    if (foreign.every(isLetter) || !asConsole.every(isLetter)) {
      const message = `line ${line} is neither ASCII nor UTF-8; it was read as windows-1252: ${text}`;
      warnings.push(warning('WARN_ENCODING_GUESSED', message, { subjects: [String(line)] }));
      continue;
    }
    let next = 0;
    const meant = Array.from(text)
      .map((character) => (character > '\u007f' ? asConsole[next++] : character))
      .join('');
    problems.push({
      file,
      line,
      column,
      message: `the line is written in the code page of a console, where it reads: ${meant}`,
      remedy: 'save the script as UTF-8; in a batch file write "chcp 65001" before the lines that echo it',
      code: 'ERR_OPTION',
    });
  }
  return { warnings, problems };
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}
