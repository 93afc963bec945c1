import type { BackupDatabases } from '../domino/databases';
import { toPublicError, VssError, type DominoVssError } from '../errors/errors';
import { isSameName } from './windows-names';

/** Maximum number of databases named individually. */
const named = 10;

/**
 * The error for a volume that cannot be shadowed, with the databases on it and the globs that exclude them: one such volume makes
 * the whole set fail.
 */
export function withDatabasesOnVolume(
  thrown: unknown,
  { paths, volumes, volumeIndex }: Pick<BackupDatabases, 'paths' | 'volumes' | 'volumeIndex'>,
): DominoVssError {
  const error = toPublicError(thrown);
  if (!(error instanceof VssError) || error.code !== 'ERR_VSS_VOLUME') return error;
  const index = volumes.findIndex(({ device, path }) => [device, path].some((name) => isSameName(name, error.volume)));
  const there = paths.filter((_path, position) => volumeIndex[position] === index);
  if (index < 0 || there.length === 0) return error;
  const { code, operation, hresult, hresultName, volume, phase, cause } = error;
  const more = there.length > named ? ` and ${there.length - named} more` : '';
  const message = `${error.message}; databases on it: ${there.slice(0, named).join(', ')}${more}`;
  const others = paths.filter((_path, position) => volumeIndex[position] !== index);
  const hint =
    others.length === 0 ? error.hint : `${error.hint} Or leave its databases out: ${excludes(there, others)}.`;
  const what = { operation, hresult, hresultName, volume, writers: error.writers };
  return new VssError(code, what, { message, phase, hint, cause });
}

/** By directory if it contains no other databases, otherwise one by one. */
function excludes(there: readonly string[], others: readonly string[]): string {
  const globs = there.map((path) => {
    const directory = path.split('/').slice(0, -1).join('/');
    const isWhole = directory !== '' && !others.some((other) => other.startsWith(`${directory}/`));
    return isWhole ? `${directory}/**` : path;
  });
  const distinct = [...new Set(globs)];
  const shown = distinct.slice(0, named).map((glob) => `--exclude "${glob}"`);
  return shown.join(' ') + (distinct.length > named ? ' …' : '');
}
