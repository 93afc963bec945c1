import type { OptionError } from '../errors/errors';

/** Options of the API that have another name on the command line. */
export const flags: Readonly<Record<string, string>> = {
  as: '<place>',
  copiesDirectory: '--copies',
  databaseBudgetMs: '--database-budget',
  deltaDirectory: '--delta-dir',
  'domino.notesIni': '--ini',
  'domino.programDirectory': '--program',
  'domino.trustProgramDirectory': '--trust-program',
  expose: '--expose',
  id: '<id>',
  'keep.daily': '--keep-daily',
  'keep.last': '--keep-last',
  'keep.monthly': '--keep-monthly',
  'keep.weekly': '--keep-weekly',
  logArchive: '--log-archive',
  maxHoldMs: '--max-hold',
  maxSkipped: '--max-skipped',
  'mode.as': '--as',
  'mode.waitMs': '--wait',
  otherServer: '--other-server',
  providerId: '--vss-provider',
  requireSignature: '--require-signature',
  serviceName: '--stop-service',
  setId: '<set>',
  shadowDirectory: '--shadow-dir',
  timeoutMs: '--timeout',
  trustProgramDirectory: '--trust-program',
  unit: '--stop-service',
  volume: '<volume>',
  volumes: '--volume',
  vss: 'an option for VSS',
  'vss.backupType': '--backup-type',
  'vss.context': '--vss-context',
  'vss.providerId': '--vss-provider',
  'vss.stopAt': '--stop-at',
  windowTimeoutMs: '--window-timeout',
};

/** Calls of the API that advice names, and the commands that do the same. */
const commands: Readonly<Record<string, string>> = {
  'getCapabilities()': '`domino-vss doctor`',
  '`findDatabases`': '`domino-vss databases list`',
};

/** The message of an option error. If it begins with the option, that is named as on the command line. */
export function optionMessage({ option, message }: Pick<OptionError, 'option' | 'message'>): string {
  if (!message.startsWith(`${option} `)) return message;
  const name = option.replace(/\[\d+\]$/, '');
  return (flags[name] ?? `--${name}`) + message.slice(option.length);
}

const replacements = new Map<string, string>([
  ...Object.entries(commands),
  // The other names are also words of English.
  ...Object.entries(flags)
    .filter(([name]) => /[A-Z.]/.test(name))
    .flatMap(([name, flag]) => [[`\`${name}\``, flag] as const, [name, flag] as const]),
]);

/** Longest first, because names contain others; not within a path or a longer name. */
const replaced = new RegExp(
  `(?<![\\w./\\\\-])(?:${[...replacements.keys()]
    .sort((one, other) => other.length - one.length)
    .map((name) => name.replace(/[.()]/g, '\\$&'))
    .join('|')})(?![\\w/\\\\-]|\\.\\w)`,
  'g',
);

/** An explanation or advice, in the words of the command line. A text that has the flag beside the name keeps only the flag. */
export function inFlags(text: string): string {
  return text
    .replace(replaced, (name) => replacements.get(name) ?? name)
    .replace(/(`?--[a-z-]+`?)(?: \(\1\)|(?:,| or) \1(?![\w-]))/g, '$1');
}
