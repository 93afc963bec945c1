import type { Command, Option } from 'commander';
import { nameOf } from '../settings';

/** A command that performs an action, with the details needed for completions and the man page. */
export interface CommandGrammar {
  /** `backup run` */
  readonly name: string;
  /** Alternatives for its last word. */
  readonly aliases: readonly string[];
  readonly summary: string;
  /** `<backup> [databases...]` */
  readonly operands: string;
  readonly options: readonly OptionGrammar[];
  /** The help text below the options. */
  readonly notes: string;
}

export interface OptionGrammar {
  /** `-s`, `--script` */
  readonly names: readonly string[];
  /** `--script <file>` */
  readonly flags: string;
  readonly summary: string;
  /** The kind of its value. */
  readonly value: 'none' | 'file' | 'dir' | 'other';
  readonly choices: readonly string[];
}

/** The whole command line, taken from the program that parses it, so that what is generated from it is always up to date. */
export interface Grammar {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly notes: string;
  /** Options of every command. */
  readonly options: readonly OptionGrammar[];
  readonly commands: readonly CommandGrammar[];
}

/** `written` returns what the program has written since the last call. */
export function grammarOf(program: Command, written: () => string): Grammar {
  const commands: CommandGrammar[] = [];
  const add = (command: Command): void => {
    if (command.commands.length > 0) command.commands.forEach(add);
    else commands.push(describe(command, written));
  };
  program.commands.forEach(add);
  return {
    name: program.name(),
    version: program.version() ?? '',
    summary: program.description(),
    notes: notesOf(program, written),
    options: program.options.map(describeOption),
    commands,
  };
}

function describe(command: Command, written: () => string): CommandGrammar {
  return {
    name: nameOf(command),
    aliases: command.aliases(),
    summary: command.description(),
    operands: command.registeredArguments
      .map((operand) => {
        const name = `${operand.name()}${operand.variadic ? '...' : ''}`;
        return operand.required ? `<${name}>` : `[${name}]`;
      })
      .join(' '),
    options: command.options.filter(({ hidden }) => !hidden).map(describeOption),
    notes: notesOf(command, written),
  };
}

function describeOption({ flags, short, long, description, argChoices = [] }: Option): OptionGrammar {
  const [, value = ''] = /[<[](\w+)/.exec(flags) ?? [];
  return {
    names: [short, long].filter((name) => name !== undefined),
    flags,
    summary: description,
    value: value === '' ? 'none' : value === 'file' || value === 'dir' ? value : 'other',
    choices: argChoices,
  };
}

function notesOf(command: Command, written: () => string): string {
  written();
  command.outputHelp();
  const [, notes = ''] = written().split(command.helpInformation());
  return notes.trim();
}
