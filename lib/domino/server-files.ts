import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { NotesIni } from './environment';

/** A file, other than a database, that a server needs. */
export interface ServerFile {
  readonly what: 'notes.ini' | 'ID file';
  /** Absolute: the path in notes.ini, or where the file was found. */
  readonly path: string;
  /** Whether a setting in notes.ini names it; otherwise only its file name shows that it is an ID file. */
  readonly isNamed: boolean;
}

/** A DAOS file that the server rebuilds. */
export interface RebuiltFile {
  readonly what: 'DAOS catalogue' | 'DAOS index';
  readonly path: string;
}

/** Settings in notes.ini that name an ID file; relative paths are relative to the data directory. */
const idSettings = ['ServerKeyFileName', 'KeyFileName', 'CertifierIDFile'];

/** Lists the files besides the databases that a server needs, and those that it rebuilds. They need not exist. */
export async function listServerFiles(
  notesIniFile: string,
  dataDirectory: string,
): Promise<{ readonly files: readonly ServerFile[]; readonly rebuilt: readonly RebuiltFile[] }> {
  const notesIni = new NotesIni(notesIniFile);
  const entries = await readdir(dataDirectory, { withFileTypes: true });
  const named = idSettings.map((setting) => notesIni.get(setting)).filter((value) => value !== '');
  const found = entries
    .filter((entry) => /\.id$/i.test(entry.name) && (entry.isFile() || entry.isSymbolicLink()))
    .map(({ name }) => name)
    .sort();
  const files = new Map<string, ServerFile>();
  const add = (file: ServerFile): void => {
    const key = process.platform === 'win32' ? file.path.toLowerCase() : file.path;
    if (!files.has(key)) files.set(key, file);
  };
  add({ what: 'notes.ini', path: notesIniFile, isNamed: true });
  for (const value of named) add({ what: 'ID file', path: resolve(dataDirectory, value), isNamed: true });
  for (const name of found) add({ what: 'ID file', path: join(dataDirectory, name), isNamed: false });
  const rebuilt = entries.flatMap(({ name }): RebuiltFile[] => {
    const path = join(dataDirectory, name);
    if (/^daoscat\.nsf$/i.test(name)) return [{ what: 'DAOS catalogue', path }];
    return /^daos\.(cfg|cf2)$/i.test(name) ? [{ what: 'DAOS index', path }] : [];
  });
  return { files: [...files.values()], rebuilt };
}
