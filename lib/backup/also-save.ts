import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { NotesIni } from '../domino/environment';
import type { ManifestHead } from '../store/manifest';

/** What the backup API does not cover and a server cannot do without, in the order in which it has to be saved. */
export async function listAlsoSave(
  notesIniFile: string,
  dataDirectory: string,
  deltaDirectory: string,
  logStyle: ManifestHead['logStyle'],
): Promise<ManifestHead['alsoSave']> {
  const notesIni = new NotesIni(notesIniFile);
  const ids = (await readdir(dataDirectory)).filter((name) => /\.id$/i.test(name)).sort();
  const logs = logStyle === 'archive' ? transactionLogDirectory(notesIni, dataDirectory) : '';
  const daos = daosDirectory(notesIni, dataDirectory);
  return [
    { what: 'deltas and manifest', path: deltaDirectory, when: 'after the end of the backup, with every copy' },
    { what: 'notes.ini', path: notesIniFile, when: 'any time' },
    ...ids.map((name) => ({ what: 'ID file', path: join(dataDirectory, name), when: 'any time' })),
    ...(logs === '' ? [] : [{ what: 'archived transaction logs', path: logs, when: 'after the databases' }]),
    ...(daos === '' ? [] : [{ what: 'DAOS objects (*.nlo)', path: daos, when: 'after the databases, never before' }]),
  ];
}

/** Directory of the transaction logs of a server that has them. */
export function transactionLogDirectory(notesIni: NotesIni, dataDirectory: string): string {
  return resolve(dataDirectory, notesIni.get('TRANSLOG_Path') || 'logdir');
}

/** Directory of the attachments that DAOS keeps outside the databases; empty when DAOS is not in use. */
export function daosDirectory(notesIni: NotesIni, dataDirectory: string): string {
  const path = notesIni.get('DAOSBasePath');
  if (path === '' && notesIni.get('DAOSEnable') !== '1') return '';
  return resolve(dataDirectory, path === '' ? 'DAOS' : path);
}
