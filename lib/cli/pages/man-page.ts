import type { CommandGrammar, Grammar, OptionGrammar } from './grammar';

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
    ...(command.notes === '' ? [] : notesOf(command.notes)),
  ];
}

function operandsOf({ options, operands }: CommandGrammar): string {
  return [options.length > 0 ? '[options]' : '', operands].filter((part) => part !== '').join(' ');
}

function describeOption({ flags, summary, choices }: OptionGrammar): string[] {
  const among = choices.length > 0 ? ` One of: ${choices.join(', ')}.` : '';
  return ['.TP', `.B ${roff(flags)}`, roff(`${summary}.${among}`)];
}

/** Paragraphs are filled. What contains indented lines, such as examples, is not. */
function notesOf(text: string): string[] {
  return text.split(/\n{2,}/).flatMap((block) => {
    const isProse = block.split('\n').every((line) => /^\S/.test(line));
    return ['.PP', ...(isProse ? block.split('\n').map(roff) : asIs(block))];
  });
}

/** Lines that are not filled: examples and tables. */
function asIs(text: string): string[] {
  return ['.nf', ...text.split('\n').map((line) => (line === '' ? '.sp' : roff(line))), '.fi'];
}

/** An unescaped minus is shown as a hyphen, and a line must not begin like a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^(?=[.'])/, '\\&');
}
