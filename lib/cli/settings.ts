import { isAbsolute, join } from 'node:path';
import { InvalidArgumentError, type Command, type Option } from 'commander';
import { readFile } from '../call/files';
import { OptionError } from '../errors/errors';
import { collect } from './arguments';
import type { CommandLineContext } from './context';
import { trustedFile } from './trusted-file';

/** A value for an option that was not given on the command line. */
export interface Setting {
  /** Name of the option, without dashes. */
  readonly option: string;
  readonly value: string | number | boolean | readonly string[];
  /** The variable or the file that contains it. */
  readonly from: string;
}

type Values = Readonly<Record<string, Setting['value']>>;

/** Contents of the configuration file: options for all commands that have them, and for each command, under its name, its own. */
interface Configuration {
  readonly file: string;
  readonly all: Values;
  readonly commands: ReadonlyMap<string, Values>;
}

/** Options that are only allowed on the command line, because they are meant for a single call. */
const onlyGiven: ReadonlySet<string> = new Set([
  ...['help', 'version', 'json', 'config', 'dry-run', 'keep-nothing', 'check', 'status', 'failed', 'service'],
]);
/** For these commands, a volume set for every backup would select the shadows to delete. */
const onlyGivenBelow = 'shadow';

const configVariable = 'DOMINO_VSS_CONFIG';

/**
 * For the options of a command that are not on the command line, applies the values in the environment or else in the
 * configuration file, and returns them.
 *
 * @throws {@link OptionError} for a wrong value or file, or for a file that others could change.
 */
export async function applySettings(action: Command, context: CommandLineContext): Promise<readonly Setting[]> {
  const program = rootOf(action);
  const configuration = await loadConfiguration(program, context);
  const own = configuration?.commands.get(nameOf(action)) ?? {};
  const applied: Setting[] = [];
  for (const option of action.options) {
    const source = action.getOptionValueSource(option.attributeName());
    if (!isSettable(action, option) || (source !== undefined && source !== 'default')) continue;
    const setting = fromEnvironment(option, context.env) ?? fromConfiguration(option, own, configuration);
    if (setting === undefined) continue;
    action.setOptionValueWithSource(option.attributeName(), parsed(option, setting), 'config');
    applied.push(setting);
  }
  return applied;
}

/** All option values from the environment and the configuration file, each with the commands to which it applies. */
export async function settingsInForce(
  program: Command,
  context: CommandLineContext,
): Promise<readonly (Setting & { readonly commands: readonly string[] })[]> {
  const configuration = await loadConfiguration(program, context);
  const found = new Map<string, Setting & { readonly commands: string[] }>();
  for (const [command, options] of settableOptions(program)) {
    for (const option of options) {
      const own = configuration?.commands.get(command) ?? {};
      const setting = fromEnvironment(option, context.env) ?? fromConfiguration(option, own, configuration);
      if (setting === undefined) continue;
      const key = JSON.stringify(setting);
      const known = found.get(key);
      if (known) known.commands.push(command);
      else found.set(key, { ...setting, commands: [command] });
    }
  }
  return [...found.values()];
}

/** The variable for an option: DOMINO_VSS_DELTA_DIR for --delta-dir. */
export function variableOf(option: Option): string {
  return `DOMINO_VSS_${optionName(option).replaceAll('-', '_').toUpperCase()}`;
}

/** Every option that may be set, with the commands that have it; the schema of the configuration file is made from this. */
export function settableOptions(program: Command): ReadonlyMap<string, readonly Option[]> {
  const all = new Map<string, readonly Option[]>();
  const add = (command: Command): void => {
    const options = command.options.filter((option) => isSettable(command, option));
    if (command.commands.length === 0 && options.length > 0) all.set(nameOf(command), options);
    command.commands.forEach(add);
  };
  program.commands.forEach(add);
  return all;
}

function isSettable(command: Command, option: Option): boolean {
  return !option.hidden && !onlyGiven.has(optionName(option)) && nameOf(command).split(' ')[0] !== onlyGivenBelow;
}

export function optionName(option: Option): string {
  return option.long?.replace(/^--/, '') ?? option.name();
}

/** Whether an option may be repeated. */
export function isRepeatable(option: Option): boolean {
  return option.parseArg === collect;
}

/**
 * Whether the value of an option is a path. It must then be absolute, because the working directory of a scheduler is unknown.
 */
function isPath(option: Option): boolean {
  return /<(dir|file)>/.test(option.flags);
}

function fromEnvironment(option: Option, env: CommandLineContext['env']): Setting | undefined {
  const variable = variableOf(option);
  const text = env[variable];
  if (text === undefined || text === '') return undefined;
  const setting = { option: optionName(option), from: variable };
  if (isFlag(option)) {
    if (!/^(true|false|1|0)$/.test(text)) throw wrong(setting, `is "${text}" but must be true or false`);
    return { ...setting, value: text === 'true' || text === '1' };
  }
  return { ...setting, value: isRepeatable(option) ? text.split('\n').filter((line) => line !== '') : text };
}

function fromConfiguration(option: Option, own: Values, configuration?: Configuration): Setting | undefined {
  const name = optionName(option);
  const value = own[name] ?? configuration?.all[name];
  return value === undefined || configuration === undefined
    ? undefined
    : { option: name, value, from: configuration.file };
}

/** The value as commander would have read it from the command line. */
function parsed(option: Option, setting: Setting): unknown {
  const { value } = setting;
  if (isFlag(option)) {
    if (typeof value !== 'boolean') throw wrong(setting, 'must be true or false');
    // The attribute of a `--no-…` option has the opposite value.
    return option.negate ? !value : value;
  }
  const texts = Array.isArray(value) ? (value as readonly string[]) : [value];
  if (texts.length > 1 && !isRepeatable(option)) throw wrong(setting, 'can have only one value');
  if (texts.length === 0 && !isRepeatable(option)) throw wrong(setting, 'has no value');
  return texts.reduce<unknown>((previous, each) => {
    if (typeof each !== 'string' && typeof each !== 'number') throw wrong(setting, 'must be a text or a number');
    const text = String(each);
    if (isPath(option) && !isAbsolute(text)) throw wrong(setting, `is "${text}" but must be an absolute path`);
    try {
      return option.parseArg ? option.parseArg(text, previous) : text;
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw wrong(setting, `is "${text}". ${error.message}`);
      throw error;
    }
  }, undefined);
}

function isFlag(option: Option): boolean {
  return !option.required && !option.optional;
}

function wrong({ option, from }: Omit<Setting, 'value'>, what: string): OptionError {
  return new OptionError(option, `--${option}, from ${from}, ${what}`);
}

async function loadConfiguration(program: Command, context: CommandLineContext): Promise<Configuration | undefined> {
  const given = program.opts<{ config?: string | false }>().config;
  if (given === false) return undefined;
  const named = given ?? context.env[configVariable];
  const file = named ?? usualConfiguration(context.env);
  try {
    const path = await trustedFile('config', { file, what: 'the configuration file' }, context);
    return parseConfiguration(program, file, await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof OptionError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (named === undefined && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    throw new OptionError('config', `the configuration file ${file} cannot be read: ${message}`);
  }
}

/** The configuration file of the machine: `/etc/domino-vss/config.json`, on Windows `%ProgramData%\domino-vss\config.json`. */
function usualConfiguration(env: CommandLineContext['env']): string {
  if (process.platform !== 'win32') return '/etc/domino-vss/config.json';
  return join(env['ProgramData'] ?? 'C:\\ProgramData', 'domino-vss', 'config.json');
}

function parseConfiguration(program: Command, file: string, text: string): Configuration {
  let json: unknown;
  try {
    // Editors and PowerShell on Windows write a byte order mark, which no message could show.
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new OptionError('config', `the configuration file ${file} is not JSON: ${(error as Error).message}`);
  }
  const known = settableOptions(program);
  const names = new Set([...known.values()].flat().map(optionName));
  const all: Record<string, Setting['value']> = {};
  const commands = new Map<string, Values>();
  for (const [key, value] of entriesOf(json, file)) {
    if (key === '$schema') continue;
    const options = known.get(key);
    if (options === undefined) {
      if (!names.has(key))
        throw new OptionError('config', `${file}: there is no option --${key}, and no command "${key}"`);
      all[key] = value as Setting['value'];
      continue;
    }
    const own = entriesOf(value, `${file}: "${key}"`);
    for (const [name] of own) {
      if (options.some((option) => optionName(option) === name)) continue;
      throw new OptionError('config', `${file}: "${key}" has no option --${name} that may be set here`);
    }
    commands.set(key, Object.fromEntries(own) as Values);
  }
  return { file, all, commands };
}

function entriesOf(value: unknown, where: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionError('config', `${where} is not a JSON object`);
  }
  return Object.entries(value);
}

/** `backup run` */
export function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at = command; at.parent; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

function rootOf(command: Command): Command {
  let root = command;
  while (root.parent) root = root.parent;
  return root;
}
