import { OptionError } from '../errors/errors';

/**
 * Refuses an argument that holds a quotation mark which Windows has swallowed: in `"D:\\"` the backslash makes a character of
 * the mark, which then closes nothing, and the rest of the line becomes part of the argument.
 */
export function requireWholeArguments(args: readonly string[]): void {
  const broken = args.find((argument) => /^[^"]+"(?:\s.*)?$/.test(argument));
  if (broken === undefined) return;
  const [given = ''] = broken.split('"');
  const message =
    `the argument ${JSON.stringify(broken)} has a quotation mark in it: a backslash right before a closing quotation mark ` +
    `does not end the argument; write ${given} or "${given}" without a backslash at the end, or with two`;
  throw new OptionError('argument', message);
}
