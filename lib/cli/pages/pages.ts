import type { CommandLineContext } from '../context';
import { createProgram } from '../program';
import { grammarOf, type Grammar } from './grammar';
import { manPage } from './man-page';
import { configSchema } from './schema';

/** The files that are generated from the grammar of the command line, each with its text. */
export function commandPages(): Readonly<Record<string, string>> {
  const { program, grammar } = wholeGrammar();
  return {
    'schema/config-1.json': `${JSON.stringify(configSchema(program), null, 2)}\n`,
    'man/domino-vss.1': manPage(grammar),
  };
}

/** The grammar of the command line, from a program that cannot do anything. */
export function wholeGrammar(): { readonly program: ReturnType<typeof createProgram>; readonly grammar: Grammar } {
  const text: string[] = [];
  const context = {
    stdout: { write: (part: string) => text.push(part) },
    stderr: { write: () => undefined },
    env: {},
    workingDirectory: '/',
  } as unknown as CommandLineContext;
  const program = createProgram(context, () => undefined);
  return { program, grammar: grammarOf(program, () => text.splice(0).join('')) };
}
