import { OptionError } from '../errors/errors';

/**
 * Rejects an argument with a quotation mark that Windows did not treat as the end of the argument: in `"D:\\"` the backslash
 * escapes the mark, so the rest of the line becomes part of the argument.
 */
export function requireWholeArguments(args: readonly string[]): void {
  const broken = args.find((argument) => /^[^"]+"(?:\s.*)?$/.test(argument));
  if (broken === undefined) return;
  const [given = ''] = broken.split('"');
  const message =
    `the argument ${JSON.stringify(broken)} contains a quotation mark: a closing quotation mark right after a backslash ` +
    `does not end the argument; write ${given} or "${given}" without a backslash at the end, or with two of them`;
  throw new OptionError('argument', message);
}
