import { Arguments } from './arguments';
import { scriptOptions, type ScriptCommand, type ScriptOption, type Statement } from './commands';
import { readLine, splitLines, type ScriptLine } from './lexer';
import { likely } from './likely';
import { ScriptFailure, type ScriptProblem } from './problem';

/** One form of a command: its syntax, its effect, and how its words are read. */
export interface CommandForm {
  /** The words with which it begins. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Words that can follow, for completion. */
  readonly keywords: readonly string[];
  readonly parse: (args: Arguments) => ScriptCommand;
}

function plain(name: string, summary: string, command: ScriptCommand): CommandForm {
  return { name, usage: name, summary, keywords: [], parse: () => command };
}

/** The whole command language, in the order of the help. */
export const commandForms: readonly CommandForm[] = [
  plain('set', 'show the settings', { type: 'show-settings' }),
  {
    name: 'set context',
    usage: 'set context clientaccessible | persistent [nowriters] | volatile [nowriters]',
    summary: 'which shadow copies create makes',
    keywords: ['clientaccessible', 'persistent', 'volatile', 'nowriters'],
    parse: (args: Arguments): ScriptCommand => {
      // Used in a Microsoft sample, although it is not in Microsoft's grammar.
      if (args.optionalKeyword('transportable')) return { type: 'set-context-transportable' };
      const lifetime = args.keyword('clientaccessible', 'persistent', 'volatile');
      // Client-accessible shadow copies never have writers here, but scripts for other tools may say so explicitly.
      const without = args.optionalKeyword('nowriters') !== undefined;
      return { type: 'set-context', context: { lifetime, writers: lifetime !== 'clientaccessible' && !without } };
    },
  },
  {
    name: 'set option',
    usage: 'set option [differential | plex] [transportable] [rollbackrecover] [txfrecover] | [noautorecover]',
    summary: 'attributes of the shadow copies',
    keywords: scriptOptions,
    parse: (args: Arguments): ScriptCommand => ({ type: 'set-option', options: readOptions(args) }),
  },
  {
    name: 'set metadata',
    usage: 'set metadata FILE.cab',
    summary: 'where create writes the metadata; a directory gets a generated name',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'set-metadata', file: args.value('the metadata file') }),
  },
  {
    name: 'set verbose',
    usage: 'set verbose on | off',
    summary: 'show more details',
    keywords: ['on', 'off'],
    parse: (args: Arguments): ScriptCommand => ({ type: 'set-verbose', on: args.keyword('on', 'off') === 'on' }),
  },
  {
    name: 'load metadata',
    usage: 'load metadata FILE.cab',
    summary: 'read metadata for import or a restore',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'load-metadata', file: args.value('the metadata file') }),
  },
  {
    name: 'writer verify',
    usage: 'writer verify WRITER | {ID} | WRITER:\\COMPONENT',
    summary: 'create fails unless this writer or component takes part',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'writer', rule: 'verify', writer: args.rest('the writer') }),
  },
  {
    name: 'writer exclude',
    usage: 'writer exclude WRITER | {ID} | WRITER:\\COMPONENT',
    summary: 'exclude this writer or component',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'writer', rule: 'exclude', writer: args.rest('the writer') }),
  },
  plain('add', 'show the volumes and aliases', { type: 'show-added' }),
  {
    name: 'add volume',
    usage: 'add volume VOLUME [alias NAME] [provider {ID}]',
    summary: 'a volume for the next create',
    keywords: ['alias', 'provider'],
    parse: readAddVolume,
  },
  {
    name: 'add alias',
    usage: 'add alias NAME VALUE',
    summary: 'a name for a value, written %NAME%',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({
      type: 'add-alias',
      name: args.value('the name'),
      value: args.value('the value'),
    }),
  },
  plain('create', 'make the shadow copies', { type: 'create' }),
  {
    name: 'exec',
    usage: 'exec FILE.cmd',
    summary: 'run a script file, without arguments',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => {
      const file = args.value('the script file');
      args.end(
        'exec takes a script file without arguments: it finds the aliases in its environment, as %name%; put a command with ' +
          'arguments into a .cmd file; put a path with spaces in quotation marks',
      );
      return { type: 'exec', file };
    },
  },
  plain('begin backup', 'the next create is a full backup', { type: 'begin-backup' }),
  plain('end backup', 'tell the writers that the backup is complete', { type: 'end-backup' }),
  plain('begin restore', 'tell the writers of the loaded metadata that a restore is beginning', {
    type: 'begin-restore',
  }),
  plain('end restore', 'tell them that it has ended', { type: 'end-restore' }),
  plain('simulate restore', 'show which writers would take part in a restore', { type: 'simulate-restore' }),
  plain('reset', 'start again; volatile shadow copies are released', { type: 'reset' }),
  {
    name: 'list writers',
    usage: 'list writers [metadata | detailed | status]',
    summary: 'the writers of this machine',
    keywords: ['metadata', 'detailed', 'status'],
    parse: (args: Arguments): ScriptCommand => ({
      type: 'list-writers',
      detail: args.isAtEnd ? 'summary' : args.keyword('metadata', 'detailed', 'status'),
    }),
  },
  {
    name: 'list shadows',
    usage: 'list shadows all | set {ID} | id {ID}',
    summary: 'shadow copies of this machine',
    keywords: ['all', 'set', 'id'],
    parse: (args: Arguments): ScriptCommand => {
      const by = args.keyword('all', 'set', 'id');
      return by === 'all' ? { type: 'list-shadows', by } : { type: 'list-shadows', by, what: args.value('the id') };
    },
  },
  plain('list providers', 'the providers of this machine', { type: 'list-providers' }),
  {
    name: 'delete shadows',
    usage: 'delete shadows all | volume VOLUME | oldest VOLUME | set {ID} | id {ID} | exposed PLACE',
    summary: 'delete shadow copies',
    keywords: ['all', 'volume', 'oldest', 'set', 'id', 'exposed'],
    parse: (args: Arguments): ScriptCommand => {
      const by = args.keyword('all', 'volume', 'oldest', 'set', 'id', 'exposed');
      if (by === 'all') return { type: 'delete-shadows', selector: { by } };
      const what = { volume: 'the volume', oldest: 'the volume', set: 'the id', id: 'the id', exposed: 'the place' };
      return { type: 'delete-shadows', selector: { by, what: args.value(what[by]) } };
    },
  },
  plain('import', 'import the transportable shadow copies of the loaded metadata', { type: 'import' }),
  {
    name: 'mask',
    usage: 'mask {SET ID}',
    summary: 'hide imported hardware shadow copies from this machine',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'mask', set: args.value('the id of the set') }),
  },
  {
    name: 'expose',
    usage: 'expose {SHADOW ID} DRIVE: | DIRECTORY | SHARE',
    summary: 'expose a persistent shadow copy',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({
      type: 'expose',
      shadow: args.value('the id of the shadow copy'),
      place: args.value('the place'),
    }),
  },
  {
    name: 'unexpose',
    usage: 'unexpose {SHADOW ID} | DRIVE: | DIRECTORY | SHARE',
    summary: 'remove an exposure',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'unexpose', what: args.value('the shadow copy') }),
  },
  {
    name: 'break',
    usage: 'break [writable] {SET ID}',
    summary: 'turn hardware shadow copies into ordinary volumes',
    keywords: ['writable'],
    parse: (args: Arguments): ScriptCommand => {
      const writable = args.optionalKeyword('writable') !== undefined;
      return { type: 'break', writable, set: args.value('the id of the set') };
    },
  },
  {
    name: 'revert',
    usage: 'revert {SHADOW ID}',
    summary: 'revert a whole volume to a shadow copy',
    keywords: [],
    parse: (args: Arguments): ScriptCommand => ({ type: 'revert', shadow: args.value('the id of the shadow copy') }),
  },
  plain('help', 'this list', { type: 'help' }),
  plain('exit', 'end; volatile shadow copies are released', { type: 'exit' }),
];

const firstWords = [...new Set(commandForms.map(({ name }) => name.split(' ')[0] ?? ''))];

/** The result of {@link parseScript}. */
export interface ParsedScript {
  readonly statements: readonly Statement[];
  /** One for each line that is not a command. */
  readonly problems: readonly ScriptProblem[];
}

/** Reads a whole script. It looks nothing up and replaces no variables. */
export function parseScript(text: string, file: string): ParsedScript {
  const statements: Statement[] = [];
  const problems: ScriptProblem[] = [];
  for (const [index, source] of splitLines(text).entries()) {
    try {
      const statement = parseLine(source, index + 1);
      if (statement) statements.push(statement);
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      problems.push(error.in(file));
    }
  }
  return { statements, problems };
}

/** Reads one line; undefined if it contains no command. Throws a {@link ScriptFailure}. */
export function parseLine(source: string, line: number): Statement | undefined {
  // ^Z ends input that is typed into a pipe.
  if (source.trim() === '\u001a') return undefined;
  const read = readLine(source, line);
  if (!read) return undefined;
  requirePrintable(read.text, read.words[0]?.column ?? 1, line);
  const form = findForm(read);
  const args = new Arguments(read, form.name.split(' ').length, form.usage);
  const command = form.parse(args);
  args.end();
  return { command, line, column: read.words[0]?.column ?? 1, text: read.text };
}

/** Does not cover the control characters of windows-1252, which are letters of another code page. */
function requirePrintable(text: string, column: number, line: number): void {
  // eslint-disable-next-line no-control-regex -- this is what is looked for
  const found = /[\u0000-\u0008\u000e-\u001f\u007f\ufffd]/.exec(text);
  if (!found) return;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const message =
    found[0] === '\ufffd'
      ? 'the line contains a character that could not be decoded'
      : `the line contains the control character U+${code}`;
  throw new ScriptFailure({ line, column: column + found.index }, message, 'save the script as UTF-8 text');
}

/** The command forms that a line begins, or asks for help on; empty if none. */
export function formsMeantBy(line: string): readonly CommandForm[] {
  const words = line.trim().toLowerCase().split(/\s+/);
  const isQuestion = /^[-/]?\?$/.test(words.at(-1) ?? '');
  const head = words[0] === 'help' ? words.slice(1) : isQuestion ? words.slice(0, -1) : words;
  if (head.length === 0 || head[0] === '') return [];
  const begins = (name: string): boolean => `${name} `.startsWith(`${head.join(' ')} `);
  const meant = commandForms.filter(({ name }) => begins(name));
  return meant.length > 0 || !isQuestion
    ? meant
    : commandForms.filter(({ name }) => `${head.join(' ')} `.startsWith(`${name} `));
}

function findForm(source: ScriptLine): CommandForm {
  const [first, second] = source.words;
  if (!first) throw new ScriptFailure({ line: source.line, column: 1 }, 'the line is empty', '');
  // `?` and `quit` are common at other prompts.
  const habit = { '?': 'help', '/?': 'help', quit: 'exit' }[first.text.toLowerCase()];
  const head = habit ?? first.text.toLowerCase();
  const forms = commandForms.filter(({ name }) => name.split(' ')[0] === head);
  if (forms.length === 0) {
    const comment = /^(?:rem$|::|;|\/\/)/.test(head) ? 'a comment begins with #' : undefined;
    const remedy = comment ?? likely(first.text, firstWords) ?? `commands are: ${firstWords.join(', ')}`;
    throw new ScriptFailure(first, `"${first.text}" is not a command`, remedy);
  }
  const name = second ? `${head} ${second.text.toLowerCase()}` : head;
  const form = forms.find((candidate) => candidate.name === name) ?? forms.find((candidate) => candidate.name === head);
  const seconds = forms.flatMap((candidate) => candidate.name.split(' ').slice(1));
  // "set" alone is a command, "set contxt" is misspelt.
  if (form && (form.name === name || seconds.length === 0)) return form;
  const choice = `write: ${seconds.map((word) => `${head} ${word}`).join(', ')}`;
  if (!second) throw new ScriptFailure(first, `"${first.text}" is not a complete command`, choice);
  const guess = likely(second.text, seconds);
  throw new ScriptFailure(second, `"${head} ${second.text}" is not a command`, guess ?? choice);
}

function readOptions(args: Arguments): readonly ScriptOption[] {
  const options: ScriptOption[] = [];
  do {
    const option = args.keyword(...scriptOptions);
    if (options.includes(option)) throw args.refuse(args.last, `${option} is given twice`, 'name each option once');
    options.push(option);
    const others = excludes[option] ?? [];
    const other = options.find((candidate) => others.includes(candidate));
    if (other) {
      throw args.refuse(args.last, `${option} and ${other} exclude each other`, 'use only one of them');
    }
  } while (!args.isAtEnd);
  return options;
}

const excludes: Readonly<Partial<Record<ScriptOption, readonly ScriptOption[]>>> = {
  differential: ['plex'],
  plex: ['differential'],
  rollbackrecover: ['noautorecover'],
  txfrecover: ['noautorecover'],
  noautorecover: ['rollbackrecover', 'txfrecover'],
};

function readAddVolume(args: Arguments): ScriptCommand {
  const volume = args.value('the volume');
  let alias;
  let provider;
  while (!args.isAtEnd) {
    const what = args.keyword('alias', 'provider');
    if (what === 'alias' ? alias : provider) throw args.refuse(args.last, `${what} is given twice`);
    if (what === 'alias') alias = args.value('the alias');
    else provider = args.value('the id of the provider');
  }
  return { type: 'add-volume', volume, ...(alias && { alias }), ...(provider && { provider }) };
}
