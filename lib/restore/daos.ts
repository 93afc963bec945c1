import { stat } from 'node:fs/promises';
import { daosDirectory, NotesIni } from '../domino/environment';
import { toPublicError } from '../errors/errors';
import { warning } from '../errors/warnings';
import { FileCalls, untiring } from '../store/stall';
import type { RestoreReport } from './report';

/** Adds to the report what to do about DAOS; null if DAOS is not in use according to notes.ini. */
export async function withDaos(
  report: Omit<RestoreReport, 'daos'>,
  {
    notesIni,
    dataDirectory,
    budgetMs,
  }: { readonly notesIni: string; readonly dataDirectory: string; readonly budgetMs?: number },
): Promise<RestoreReport> {
  let directory: string;
  try {
    directory = daosDirectory(new NotesIni(notesIni), dataDirectory);
  } catch (error) {
    // The databases have been restored by now, and this failure must not hide that.
    const known = toPublicError(error);
    const message = `whether DAOS is in use is not known: ${known.message}`;
    const unknown = warning('WARN_DAOS_UNKNOWN', message, { subjects: [notesIni], error: known });
    return { ...report, daos: null, warnings: [...report.warnings, unknown] };
  }
  const paths = report.databases.flatMap((database) => ('path' in database ? [database.path] : []));
  if (directory === '' || paths.length === 0) return { ...report, daos: null };
  const looking = stat(directory).then((found) => found.isDirectory());
  const isThere = await new FileCalls({ ...untiring, budgetMs }).wait('stat', directory, looking).catch(() => false);
  const commands = paths.map((path, index) => listCommand(path, `missing-${index + 1}.txt`));
  return { ...report, daos: { directory, isThere, commands } };
}

/** A name with spaces is one argument, in quotation marks. */
function listCommand(path: string, file: string): string {
  const name = process.platform === 'win32' ? path.replaceAll('/', '\\') : path;
  return `tell daosmgr listnlo -o ${file} MISSING ${/\s/.test(name) ? `"${name}"` : name}`;
}
