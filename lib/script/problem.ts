import { errorCodes, type ErrorCode } from '../errors/codes';

/** A place in a script; lines and columns count from 1. */
export interface ScriptPlace {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a script, or went wrong while it ran. */
export interface ScriptProblem extends ScriptPlace {
  /** Name of the file as given; `(prompt)` for a typed line. */
  readonly file: string;
  readonly message: string;
  /** What most likely helps; empty if unknown. */
  readonly remedy: string;
  /** `ERR_OPTION` for a mistake in the script, `ERR_STATE` for a command out of order, otherwise the code of the failure. */
  readonly code: ErrorCode;
}

/** Ends one command of a script. */
export class ScriptFailure extends Error {
  override name = 'ScriptFailure';

  constructor(
    readonly place: ScriptPlace,
    message: string,
    readonly remedy: string,
    readonly code: ErrorCode = 'ERR_OPTION',
  ) {
    super(message);
  }

  in(file: string): ScriptProblem {
    const { line, column } = this.place;
    return { file, line, column, message: this.message, remedy: this.remedy, code: this.code };
  }
}

/** Exit code of a script that ended with these problems. */
export function exitCodeOf(problems: readonly ScriptProblem[]): number {
  const [first] = problems;
  return first ? errorCodes[first.code].exitCode : 0;
}

/** A command that comes too early, too late, or twice. */
export function outOfOrder(place: ScriptPlace, message: string, remedy: string): ScriptFailure {
  return new ScriptFailure(place, message, remedy, 'ERR_STATE');
}
