import type { Command } from 'commander';

/**
 * Makes a command and all below it reject empty values of options, and empty arguments. Most come from a variable of a shell that
 * is not set, as in `--to "$COPIES"`, and an empty path would mean the working directory.
 */
export function refuseEmptyValues(command: Command): void {
  for (const option of command.options) {
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (value === '') command.error(`error: option '${option.flags}' argument '' is invalid. It must not be empty.`);
    });
  }
  command.hook('preAction', (_program, action) => {
    if (action === command && action.args.includes('')) command.error('error: an argument must not be empty');
  });
  command.commands.forEach(refuseEmptyValues);
}
