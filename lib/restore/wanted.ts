import { Aliases } from '../domino/aliases';
import { matcher, withSlashes } from '../domino/globs';
import { locateDatabase } from '../domino/links';
import type { KnownInput } from './plan';

/**
 * Resolves the globs and paths of a restore. If the backup does not know a path, but it leads to a file that the backup knows
 * under another name, the path is replaced by that name.
 */
export async function resolveWanted({
  head,
  databases,
  wanted,
  dataDirectory,
}: KnownInput): Promise<readonly string[] | undefined> {
  if (wanted === undefined) return undefined;
  const aliases = new Aliases(head.aliases ?? []);
  const resolved: string[] = [];
  for (const name of wanted) {
    const matches = matcher([name], aliases);
    const known = databases.some(({ path }) => matches(path));
    const file = known ? '' : await locateDatabase(dataDirectory, withSlashes(name)).catch(() => '');
    const other = file === '' ? undefined : databases.find((database) => database.file === file);
    resolved.push(other?.path ?? name);
  }
  return resolved;
}
