import { daosDirectory, NotesIni, transactionLogDirectory } from '../domino/environment';
import { listServerFiles } from '../domino/server-files';
import { isPresent } from '../store/file-identity';
import type { ManifestHead } from '../store/manifest-format';

/** What is known about a server. */
interface Server {
  readonly notesIni: string;
  readonly dataDirectory: string;
  readonly logStyle: ManifestHead['logStyle'];
}

/**
 * What the backup API does not cover but a server needs, in the order in which it must be saved. `copied`: files of which the
 * backup has copies.
 */
export async function listAlsoSave(
  { notesIni: notesIniFile, dataDirectory, logStyle }: Server,
  deltaDirectory: string,
  copied: ReadonlySet<string>,
): Promise<ManifestHead['alsoSave']> {
  const notesIni = new NotesIni(notesIniFile);
  const logs = logStyle === 'archive' ? transactionLogDirectory(notesIni, dataDirectory) : '';
  const daos = daosDirectory(notesIni, dataDirectory);
  const files: ManifestHead['alsoSave'][number][] = [];
  for (const { what, path } of (await listServerFiles(notesIniFile, dataDirectory)).files) {
    if (!copied.has(path) && (await isPresent(path).catch(() => true))) files.push({ what, path, when: 'any time' });
  }
  return [
    { what: 'deltas and manifest', path: deltaDirectory, when: 'after the end of the backup, with every copy' },
    ...files,
    ...(logs === '' ? [] : [{ what: 'archived transaction logs', path: logs, when: 'after the databases' }]),
    ...(daos === '' ? [] : [{ what: 'DAOS objects (*.nlo)', path: daos, when: 'after the databases, never before' }]),
  ];
}
