import { accessSync, existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { loadBinding } from '../native/binding';
import { DominoVssError } from '../errors/errors';
import type { NativeRegistration } from '../native/session';
import type { DominoLocation } from '../call/options';

/** A Domino installation and one of its partitions (notes.ini). */
export interface Installation {
  readonly programDirectory: string;
  readonly notesIni: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** File name of the Domino runtime library on this system. */
export const libraryName = process.platform === 'win32' ? 'nnotes.dll' : 'libnotes.so';

const usualProgramDirectories =
  process.platform === 'win32'
    ? ['C:\\Program Files\\HCL\\Domino', 'C:\\Program Files\\IBM\\Domino']
    : ['/opt/hcl/domino/notes/latest/linux', '/opt/ibm/domino/notes/latest/linux'];

/** The registry entries of Domino on Windows; undefined on other systems. */
function readRegistration(): NativeRegistration | undefined {
  return process.platform === 'win32' ? loadBinding().dominoRegistration?.() : undefined;
}

/**
 * Finds the program directory and notes.ini: in the options, the environment, the registry, and the standard locations, in this
 * order.
 */
export function findInstallation(
  location: DominoLocation = {},
  env: Environment = process.env,
  registration = readRegistration,
): Installation {
  const programDirectory = findProgramDirectory(location, env, registration);
  return { programDirectory, notesIni: findNotesIni(location, env, programDirectory, registration) };
}

function findProgramDirectory(location: DominoLocation, env: Environment, registration: typeof readRegistration) {
  if (location.programDirectory !== undefined) {
    if (existsSync(join(location.programDirectory, libraryName))) return location.programDirectory;
    throw notFound('ERR_DOMINO_LIBRARY', libraryName, [join(location.programDirectory, libraryName)]);
  }
  const said = candidates(env['Notes_ExecDirectory']).find((directory) => existsSync(join(directory, libraryName)));
  if (said !== undefined) return said;
  // On Windows the search path leads there. Whether ordinary users can write to the directory is checked when the library is
  // loaded.
  const searched = process.platform === 'win32' ? (env['PATH'] ?? '').split(delimiter).filter(isAbsolute) : [];
  const usual = [...usualProgramDirectories, ...searched];
  const places = candidates(env['Notes_ExecDirectory'], registration()?.programDirectory, ...usual);
  const tried = places.map((directory) => join(directory, libraryName));
  const found = tried.find((file) => existsSync(file));
  if (found === undefined) throw notFound('ERR_DOMINO_LIBRARY', libraryName, tried);
  return dirname(found);
}

/** Finds only notes.ini, for calls that need no runtime. */
export function findNotesIni(
  location: DominoLocation = {},
  env: Environment = process.env,
  programDirectory?: string,
  registration = readRegistration,
): string {
  if (location.notesIni !== undefined) {
    if (existsSync(location.notesIni)) return location.notesIni;
    throw notFound('ERR_DOMINO_NOTES_INI', 'notes.ini', [location.notesIni]);
  }
  const inDirectories = (...directories: readonly (string | undefined)[]): string[] =>
    candidates(...directories).map((directory) => join(directory, 'notes.ini'));
  const said = [...candidates(env['NOTES_INI']), ...inDirectories(env['Directory'])];
  const foundSaid = said.find((file) => existsSync(file));
  if (foundSaid !== undefined) return foundSaid;
  const registered = registeredNotesIni(registration);
  const usual = inDirectories(
    ...(env['PATH'] ?? '').split(delimiter),
    process.platform === 'win32' ? programDirectory : '/local/notesdata',
  );
  const tried = [...said, ...registered, ...usual];
  const found = tried.find((file) => existsSync(file));
  if (found === undefined) throw notFound('ERR_DOMINO_NOTES_INI', 'notes.ini', tried);
  return found;
}

/**
 * The location of notes.ini according to the registry: in the data directory if there are several partitions, otherwise beside
 * the programs. All partitions share the programs, but the registry knows only the data directory of the last one.
 */
function registeredNotesIni(registration: typeof readRegistration): readonly string[] {
  const { services = [], dataDirectory, programDirectory } = registration() ?? {};
  if (services.length > 1) throw several('services', services);
  const files = candidates(dataDirectory, programDirectory).map((directory) => join(directory, 'notes.ini'));
  const existing = files.filter((file) => existsSync(file));
  if (existing.length > 1) throw several('notes.ini', existing);
  return files;
}

function several(what: string, names: readonly string[]): DominoVssError {
  const message = `several Domino servers are registered here (${what}): ${names.join(', ')}`;
  return new DominoVssError('ERR_DOMINO_SEVERAL', { message, phase: 'runtime' });
}

function candidates(...values: readonly (string | undefined)[]): string[] {
  return values.filter((value): value is string => value !== undefined && value !== '');
}

function notFound(code: 'ERR_DOMINO_LIBRARY' | 'ERR_DOMINO_NOTES_INI', what: string, tried: readonly string[]) {
  const places = [...new Set(tried)].map((file) =>
    isForbidden(file) ? `${file} (this user may not look there)` : file,
  );
  return new DominoVssError(code, { message: `${what} not found; looked for: ${places.join(', ')}`, phase: 'runtime' });
}

function isForbidden(file: string): boolean {
  try {
    accessSync(file);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** The settings of a notes.ini; names are case-insensitive. */
export class NotesIni {
  readonly #values = new Map<string, string>();

  constructor(readonly file: string) {
    let text: string;
    try {
      // LMBCS is the same as latin1 in the ASCII range, and only ASCII is read here.
      text = readFileSync(file, 'latin1');
    } catch (cause) {
      const message = `${file} cannot be read: ${(cause as Error).message}`;
      throw new DominoVssError('ERR_DOMINO_NOTES_INI', { message, phase: 'runtime', cause });
    }
    for (const line of text.split(/\r?\n/)) {
      const [, name, value] = /^([^=;[\]]+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.#values.set(name.trim().toLowerCase(), value.trim());
    }
  }

  /** Value of a setting; empty if it is not set. */
  get(name: string): string {
    return this.#values.get(name.toLowerCase()) ?? '';
  }

  /** The setting `Directory`, without a trailing separator. */
  get dataDirectory(): string {
    const directory = this.get('Directory');
    if (directory === '') {
      const message = `${this.file} has no setting "Directory", which names the data directory`;
      throw new DominoVssError('ERR_DOMINO_NOTES_INI', { message, phase: 'runtime' });
    }
    return normalize(directory).replace(/(?<=.)[\\/]+$/, '');
  }
}

/** Our own setting in the notes.ini of a recovery directory: the id of the transaction log whose extents it contains. */
export const recoveryLogSetting = 'DOMINO_VSS_RECOVERY_LOG';

/** Id of the transaction log of a recovery directory, in which no server starts. Undefined for the notes.ini of a server. */
export function recoveryLogOf(notesIni: NotesIni): string | undefined {
  return notesIni.get('TRANSLOG_MEDIAONLY') === '1' ? notesIni.get(recoveryLogSetting) : undefined;
}

/** Data directory of the partition that a notes.ini describes. */
export function readDataDirectory(notesIni: string): string {
  return new NotesIni(notesIni).dataDirectory;
}

/** The environment that a process must be started with to use the Domino runtime. */
export function requiredEnvironment(
  installation: Installation,
  env: Environment = process.env,
): Record<string, string> {
  const program = installation.programDirectory;
  const data = readDataDirectory(installation.notesIni);
  return {
    LD_LIBRARY_PATH: withDirectories(env['LD_LIBRARY_PATH'], [program], 'first'),
    Notes_ExecDirectory: program,
    PATH: withDirectories(env['PATH'], [program, join(program, 'res', 'C'), data], 'last'),
    Directory: data,
  };
}

/** Names of the variables that are missing or wrong in an environment. */
export function missingEnvironment(installation: Installation, env: Environment = process.env): string[] {
  if (process.platform === 'win32') return [];
  return Object.entries(requiredEnvironment(installation, env))
    .filter(([name, value]) => env[name] !== value)
    .map(([name]) => name);
}

/** Whether the dynamic loader of this process searches the program directory. */
export function hasLibraryPath(programDirectory: string, env: Environment = process.env): boolean {
  if (process.platform !== 'linux') return true;
  return (env['LD_LIBRARY_PATH'] ?? '').split(delimiter).includes(programDirectory);
}

function withDirectories(list: string | undefined, directories: readonly string[], where: 'first' | 'last'): string {
  const present = (list ?? '').split(delimiter).filter((entry) => entry !== '');
  const missing = directories.filter((directory) => !present.includes(directory));
  return (where === 'first' ? [...missing, ...present] : [...present, ...missing]).join(delimiter);
}

/** Directory of the transaction log, for a server that has one. */
export function transactionLogDirectory(notesIni: NotesIni, dataDirectory: string): string {
  return resolve(dataDirectory, notesIni.get('TRANSLOG_Path') || 'logdir');
}

/** DAOS directory, with the attachments that are kept outside the databases; empty if DAOS is not in use. */
export function daosDirectory(notesIni: NotesIni, dataDirectory: string): string {
  const path = notesIni.get('DAOSBasePath');
  if (path === '' && notesIni.get('DAOSEnable') !== '1') return '';
  return resolve(dataDirectory, path === '' ? 'DAOS' : path);
}
