import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { daosDirectory, NotesIni, transactionLogDirectory } from '../domino/environment';
import type { ManifestHead } from '../store/manifest-format';

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
