import { Argument, type Command } from 'commander';
import { exitCodes, type CommandLineContext } from './context';
import { completionScript, shells, type Shell } from './pages/completion';
import { grammarOf } from './pages/grammar';
import type { Finish } from './system-log';

/** `newProgram` creates the same program again, with another destination for its text. */
export function addCompletionCommand(
  program: Command,
  context: CommandLineContext,
  finish: Finish,
  newProgram: (context: CommandLineContext) => Command,
): void {
  program
    .command('completion')
    .description('print a script with which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(domino-vss completion bash)
  $ domino-vss completion zsh > ~/.zfunc/_domino-vss
  $ domino-vss completion fish > ~/.config/fish/completions/domino-vss.fish
  > domino-vss completion powershell | Out-String | Invoke-Expression
`,
    )
    .action((shell: Shell) => {
      const text: string[] = [];
      const described = newProgram({ ...context, stdout: { write: (part) => text.push(part) } });
      context.stdout.write(
        completionScript(
          shell,
          grammarOf(described, () => text.splice(0).join('')),
        ),
      );
      finish(exitCodes.ok);
    });
}
