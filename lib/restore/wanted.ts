import { Aliases } from '../domino/aliases';
import { matcher, withSlashes } from '../domino/globs';
import { locateDatabase } from '../domino/links';
import type { KnownInput } from './plan';

/**
 * The globs and paths of a restore. A path that the backup does not know, and that leads to a file which it knows by another
 * name, is replaced by that name.
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
