import { isAbsolute } from 'node:path';
import { OptionError } from '../errors/errors';

/** Checks one option's value and throws an {@link OptionError} that says what was expected. */
export type Check = (value: unknown, name: string) => void;

/** Names used by other products, which the check for typing errors would not find. */
const likelyMeant: Readonly<Record<string, string>> = {
  abortSignal: 'signal',
  deltaDir: 'deltaDirectory',
  destination: 'to',
  directory: 'deltaDirectory',
  ini: 'notesIni',
  iniFile: 'notesIni',
  keepShadow: 'keep',
  programDir: 'programDirectory',
  progress: 'onProgress',
  shadowDir: 'shadowDirectory',
  target: 'to',
  timeout: 'timeoutMs',
  timeoutSeconds: 'timeoutMs',
  wait: 'waitMs',
};

/**
 * Checks a whole options object: it must be an object without unknown names, and every given value must pass.
 * `where` is a prefix for nested objects, for example `domino.`.
 */
export function checkOptions(options: unknown, checks: Readonly<Record<string, Check>>, where = ''): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const name = where === '' ? 'options' : where.slice(0, -1);
    throw new OptionError(name, `${name} must be an object, got ${show(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(checks, name)) throw unknownOption(where, name, Object.keys(checks));
  }
  for (const [name, check] of Object.entries(checks)) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) check(value, where + name);
  }
}

function unknownOption(where: string, name: string, known: readonly string[]): OptionError {
  const meant = likelyMeant[name];
  const guess =
    meant !== undefined && known.includes(meant)
      ? meant
      : known.find((candidate) => distance(candidate.toLowerCase(), name.toLowerCase()) <= 2);
  const advice = guess === undefined ? `known are: ${known.join(', ')}` : `did you mean "${where}${guess}"?`;
  return new OptionError(where + name, `unknown option "${where}${name}"; ${advice}`);
}

/** Number of single-character changes between two names. */
export function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_value, index) => index);
  for (let i = 1; i <= a.length; ++i) {
    const current = [i];
    for (let j = 1; j <= b.length; ++j) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

function refuse(name: string, expected: string, value: unknown): never {
  throw new OptionError(name, `${name} must be ${expected}, got ${show(value)}`);
}

/** An absolute path: a relative one would depend on a directory that Domino or another part of the program changes. */
export const absolutePath: Check = (value, name) => {
  if (typeof value !== 'string' || value === '') refuse(name, 'an absolute path', value);
  if (value.includes('\0')) refuse(name, 'a path without NUL characters', value);
  if (!isAbsolute(value)) refuse(name, 'an absolute path (path.resolve makes one)', value);
};

export const nonEmptyString: Check = (value, name) => {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) refuse(name, 'a non-empty string', value);
};

export const boolean: Check = (value, name) => {
  if (typeof value !== 'boolean') refuse(name, 'true or false', value);
};

export const functionValue: Check = (value, name) => {
  if (typeof value !== 'function') refuse(name, 'a function', value);
};

export function integer(minimum: number, maximum: number): Check {
  return (value, name) => {
    if (!Number.isInteger(value) || (value as number) < minimum || (value as number) > maximum) {
      refuse(name, `a whole number from ${minimum} to ${maximum}`, value);
    }
  };
}

/** A time in milliseconds, at least 1 and at most the limit of a timer (24 days). */
export const milliseconds: Check = integer(1, 2 ** 31 - 1);

export function oneOf(...allowed: readonly string[]): Check {
  return (value, name) => {
    if (typeof value !== 'string' || !allowed.includes(value)) {
      refuse(name, `one of ${allowed.map((word) => `"${word}"`).join(', ')}`, value);
    }
  };
}

/** On Linux, a name like `a:b.nsf` is one like others; with a slash it is a path of Windows. */
const absoluteAnywhere = process.platform === 'win32' ? /^([\\/]|[a-z]:)/i : /^([\\/]|[a-z]:[\\/])/i;

/** A path or glob relative to the data directory. */
export const insideDataDirectory: Check = (value, name) => {
  nonEmptyString(value, name);
  // Paths as Domino writes them, on every system: `mail\ada.nsf`.
  if (absoluteAnywhere.test(value as string) || (value as string).split(/[\\/]/).includes('..')) {
    refuse(name, 'relative to the data directory and stay inside it', value);
  }
};

/** Globs for paths relative to the data directory. */
export const globs: Check = (value, name) => {
  if (!Array.isArray(value)) refuse(name, 'an array of globs', value);
  for (const [index, glob] of value.entries()) insideDataDirectory(glob, `${name}[${index}]`);
};

// Not by instanceof: the signal may come from another realm.
export const abortSignal: Check = (value, name) => {
  const signal = value as Partial<AbortSignal> | null;
  if (typeof value !== 'object' || typeof signal?.aborted !== 'boolean' || !('addEventListener' in signal)) {
    refuse(name, 'an AbortSignal', value);
  }
};

/** Location of the Domino installation. */
export interface DominoLocation {
  /** Absolute path of the Domino program directory. Default: `Notes_ExecDirectory`, then the registry (Windows), then the standard locations. */
  readonly programDirectory?: string | undefined;
  /**
   * Absolute path of notes.ini. Default: `NOTES_INI`, then the directory that the variable `Directory` names, then the registry
   * (Windows), then the directories in `PATH` and the standard locations.
   */
  readonly notesIni?: string | undefined;
  /**
   * Load the Domino library even if ordinary users could replace it or a directory above it. Otherwise this is refused
   * with `ERR_DOMINO_LIBRARY_UNSAFE`, because such users can run code as the user of this process. For program
   * directories with the permissions that Windows gives every new directory on a volume. Default: false.
   */
  readonly trustProgramDirectory?: boolean | undefined;
}

export const dominoLocation: Check = (value, name) => {
  const checks = { programDirectory: absolutePath, notesIni: absolutePath, trustProgramDirectory: boolean };
  checkOptions(value, checks, `${name}.`);
};

/**
 * Which process loads Domino for a call: this one (`none`), or one started for the call (`process`), so that a crash or
 * hang inside Domino costs the caller an error, not its process.
 */
export type Isolation = 'none' | 'process';

export const isolationOption = oneOf('none', 'process');
