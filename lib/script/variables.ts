import { warning } from '../errors/warnings';
import { Aliases, environmentVariable, isAutomaticAlias } from './aliases';
import type { ScriptEventListener } from './events';
import type { Word } from './lexer';
import { likely } from './likely';
import { ScriptFailure, type ScriptPlace } from './problem';

/** Settings of {@link Variables}. */
export interface VariablesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly emit: ScriptEventListener;
  /** Whether nothing is run: then a variable that is only known in a real run stands for itself and is not an error. */
  readonly isCheck: boolean;
}

/** The variables of a script: its aliases, then the environment. */
export class Variables {
  readonly aliases = new Aliases();
  /** Whether metadata were loaded in a check, so that their aliases are unknown. */
  hasUnknownAliases = false;
  readonly #options: VariablesOptions;
  readonly #noted = new Set<string>();
  #usedUnknown = false;

  constructor(options: VariablesOptions) {
    this.#options = options;
  }

  /** Whether a value that is only known in a real run has been used since {@link takeUsedUnknown}. */
  get usedUnknown(): boolean {
    return this.#usedUnknown;
  }

  takeUsedUnknown(): boolean {
    const used = this.#usedUnknown;
    this.#usedUnknown = false;
    return used;
  }

  /** Defines an alias, and reports it if the name already had another value. */
  redefine(name: string, value: string): void {
    const { emit } = this.#options;
    const before = this.aliases.get(name);
    if (before !== undefined && before !== value) {
      const message = `%${name}% had the value ${before} until now`;
      if (isAutomaticAlias(name)) emit({ type: 'note', message });
      else emit({ type: 'warning', ...warning('WARN_ALIAS_REDEFINED', message, { subjects: [name] }) });
    }
    this.aliases.set(name, value);
  }

  /** Like {@link redefine}, for an alias that the script did not define itself: its value is reported. */
  define(name: string, value: string, of: 'shadow' | 'set' | 'value'): void {
    this.redefine(name, value);
    this.#options.emit({ type: 'alias', name, value, of });
  }

  /** The word with its variables replaced: aliases first, then the environment. `pending`: aliases that `create` will define. */
  text({ parts, line, column }: Word, pending: readonly string[]): string {
    return parts
      .map((part) => (part.type === 'text' ? part.text : this.#value(part.name, { line, column }, pending)))
      .join('');
  }

  #value(name: string, place: ScriptPlace, pending: readonly string[]): string {
    const { emit, env, isCheck } = this.#options;
    const alias = this.aliases.get(name);
    if (alias !== undefined) {
      emit({ type: 'expanded', name, value: alias });
      return alias;
    }
    const value = environmentVariable(env, name);
    if (value !== undefined) return value;
    const upper = name.toUpperCase();
    if (isCheck && this.hasUnknownAliases) {
      this.#usedUnknown = true;
      return unknownId;
    }
    if (isCheck && windowsVariables.has(upper)) {
      this.#usedUnknown = true;
      if (!this.#noted.has(upper)) {
        const message = `%${name}% is a variable of Windows that is not defined here: its value is known where the script runs`;
        emit({ type: 'note', message });
      }
      this.#noted.add(upper);
      return `%${name}%`;
    }
    if (pseudoVariables.has(upper)) {
      const message = `%${name}% is not an environment variable: only the command interpreter (cmd) makes it up`;
      const remedy = `set a variable in the batch file that starts the script (set MY_${upper}=%${upper}%), and use that one`;
      throw new ScriptFailure(place, message, remedy, 'ERR_STATE');
    }
    const known = this.aliases.list().map((candidate) => candidate.name);
    const remedy =
      likely(name, [...known, ...pending]) ??
      (pending.length > 0 ? 'create comes first; it defines the aliases of the volumes' : 'see add for the aliases');
    throw new ScriptFailure(place, `%${name}% is not defined`, remedy, 'ERR_STATE');
  }
}

/** In a check, stands for an id that is only known in a real run. */
export const unknownId = '{00000000-0000-0000-0000-000000000000}';

/** Variables that are defined on every Windows. */
const windowsVariables: ReadonlySet<string> = new Set([
  ...['ALLUSERSPROFILE', 'APPDATA', 'COMMONPROGRAMFILES', 'COMMONPROGRAMFILES(X86)', 'COMMONPROGRAMW6432'],
  ...['COMPUTERNAME', 'COMSPEC', 'HOMEDRIVE', 'HOMEPATH', 'LOCALAPPDATA', 'LOGONSERVER', 'NUMBER_OF_PROCESSORS'],
  ...['OS', 'PATH', 'PATHEXT', 'PROCESSOR_ARCHITECTURE', 'PROGRAMDATA', 'PROGRAMFILES', 'PROGRAMFILES(X86)'],
  ...['PROGRAMW6432', 'PUBLIC', 'SYSTEMDRIVE', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERDNSDOMAIN', 'USERDOMAIN'],
  ...['USERNAME', 'USERPROFILE', 'WINDIR'],
]);

/** Variables that the command interpreter replaces although they are not in the environment. */
const pseudoVariables: ReadonlySet<string> = new Set([
  ...['CD', 'CMDCMDLINE', 'CMDEXTVERSION', 'DATE', 'ERRORLEVEL', 'HIGHESTNUMANODENUMBER', 'RANDOM', 'TIME'],
]);
