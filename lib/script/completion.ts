import { commandForms } from './grammar';

/** Completions of a line for node:readline: the possible next words, and the part of the line that they replace. */
export function completeCommand(line: string, aliases: readonly string[]): [string[], string] {
  const words = line.trimStart().split(/\s+/);
  const piece = words.at(-1) ?? '';
  const before = words.slice(0, -1).join(' ').toLowerCase();
  const candidates = piece.startsWith('%') ? aliases.map((name) => `%${name}%`) : nextWords(before);
  const found = candidates.filter((word) => word.toLowerCase().startsWith(piece.toLowerCase()));
  return [found.map((word) => `${word} `), piece];
}

function nextWords(before: string): string[] {
  const forms = commandForms.map((form) => ({ ...form, words: form.name.split(' ') }));
  const given = before === '' ? [] : before.split(' ');
  const names = forms
    .filter(({ words }) => words.length > given.length && given.every((word, index) => words[index] === word))
    .map(({ words }) => words[given.length] ?? '');
  const keywords = forms
    .filter(({ name }) => before === name || before.startsWith(`${name} `))
    .flatMap((form) => form.keywords);
  return [...new Set([...names, ...keywords])];
}
