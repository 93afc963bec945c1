import type { CommandGrammar, Grammar, OptionGrammar } from './grammar';

/** The first sentences of the description. */
const purpose =
  'domino-vss backs up the databases of a running HCL Domino server. It puts them into backup mode, takes a snapshot of their ' +
  'volumes (VSS on Windows, btrfs or reflinks on Linux), takes them out of backup mode, and keeps what is needed to restore each ' +
  'database consistently.';

/** The man page, with the macros of man(7). */
export function manPage({ name, summary, notes, options, commands }: Grammar): string {
  const lines = [
    // Without date and version, which would change the page with every release.
    `.TH ${name.toUpperCase()} 1 "" "${name}" "User Commands"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    ...commands.flatMap((command) => ['.br', `.B ${roff(`${name} ${command.name}`)}`, roff(operandsOf(command))]),
    '.SH DESCRIPTION',
    ...fill(purpose),
    '.PP',
    ...notesOf(notes),
    '.SH "OPTIONS OF EVERY COMMAND"',
    ...options.flatMap(describeOption),
    '.SH COMMANDS',
    ...commands.flatMap((command) => describeCommand(name, command)),
  ];
  return `${lines.filter((line) => line !== '').join('\n')}\n`;
}

function describeCommand(program: string, command: CommandGrammar): string[] {
  const other = command.aliases.map((alias) => `${program} ${alias}`).join(', ');
  return [
    `.SS "${roff(`${program} ${command.name} ${command.operands}`.trim())}"`,
    roff(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`),
    ...(other === '' ? [] : ['.PP', `Also: ${roff(other)}.`]),
    ...command.options.flatMap(describeOption),
    ...(command.notes === '' ? [] : ['.PP', ...notesOf(command.notes)]),
  ];
}

function operandsOf({ options, operands }: CommandGrammar): string {
  return [options.length > 0 ? '[options]' : '', operands].filter((part) => part !== '').join(' ');
}

function describeOption({ flags, summary, choices }: OptionGrammar): string[] {
  const among = choices.length > 0 ? ` One of: ${choices.join(', ')}.` : '';
  return ['.TP', `.B ${roff(flags)}`, roff(`${summary}.${among}`)];
}

/** Paragraphs are filled; commands, which are copied, are not. */
function notesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return ['.PP'];
    return /^ {2}(?:[$>]|domino-vss) /.test(line) ? ['.nf', roff(line), '.fi'] : fill(line.trim());
  });
}

/** One line of the source for each sentence, as is usual in man pages. */
function fill(text: string): string[] {
  return text.split(/(?<=[.:]) (?=[A-Z])/).map(roff);
}

/** An unescaped minus is shown as a hyphen, and a line must not begin like a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^(?=[.'])/, '\\&');
}
