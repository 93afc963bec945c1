import { daosDirectory, NotesIni, transactionLogDirectory } from '../domino/environment';
import { listServerFiles } from '../domino/server-files';
import { isPresent } from '../store/file-identity';
import type { FileCalls } from '../store/stall';
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
  calls: FileCalls,
): Promise<ManifestHead['alsoSave']> {
  const notesIni = new NotesIni(notesIniFile);
  const logs = logStyle === 'archive' ? transactionLogDirectory(notesIni, dataDirectory) : '';
  const daos = daosDirectory(notesIni, dataDirectory);
  const files: ManifestHead['alsoSave'][number][] = [];
  const listed = await calls.wait('readdir', dataDirectory, listServerFiles(notesIniFile, dataDirectory));
  for (const { what, path } of listed.files) {
    if (copied.has(path)) continue;
    // One that cannot be examined may exist.
    if (
      await calls.wait(
        'lstat',
        path,
        isPresent(path).catch(() => true),
      )
    )
      files.push({ what, path, when: 'any time' });
  }
  return [
    { what: 'deltas and manifest', path: deltaDirectory, when: 'after the end of the backup, with every copy' },
    ...files,
    ...(logs === '' ? [] : [{ what: 'archived transaction logs', path: logs, when: 'after the databases' }]),
    ...(daos === '' ? [] : [{ what: 'DAOS objects (*.nlo)', path: daos, when: 'after the databases, never before' }]),
  ];
}
