import picomatch from 'picomatch';
import { noAliases, type Aliases } from './aliases';

/** Characters with a special meaning for picomatch; `!` only before a parenthesis. */
const specialCharacters = /[*?[\]{}()|]/;

/**
 * A path or glob with `/`, whatever its original form: `mail\ada.nsf` as Domino shows it, `./mail//ada.nsf` as shells write it.
 */
export function withSlashes(text: string): string {
  return text
    .replaceAll('\\', '/')
    .replace(/\/{2,}/g, '/')
    .replace(/^(\.\/)+/, '');
}

/**
 * Whether a path matches one of the globs. Globs match whole paths, case-insensitively; a leading dot is not special, and a
 * leading `!` is an ordinary character. A name without special characters also matches everything in the directory of that name,
 * as does every glob that ends in a slash. A glob that is an alias, or begins with one, means the target of the alias. Special
 * characters match real paths only: `mail/**` must not match everything because a link below `mail` leads back to the data
 * directory.
 */
export function matcher(globs: readonly string[], aliases: Aliases = noAliases): (path: string) => boolean {
  const tests = globs.map((glob) => testOf(aliases.resolve(withSlashes(glob)) || '**'));
  if (tests.length === 0) return () => false;
  return (path) => {
    const normal = withSlashes(path);
    const lowered = normal.toLowerCase();
    return tests.some((test) => test(normal, lowered));
  };
}

/** The test for one glob; it takes a path, and the same path in lower case. */
function testOf(glob: string): (path: string, lowered: string) => boolean {
  const isDirectory = glob.endsWith('/');
  const name = (isDirectory ? glob.slice(0, -1) : glob).toLowerCase();
  const isSpecial = specialCharacters.test(name);
  const below = `${name}/`;
  const literally = (lowered: string): boolean =>
    (!isDirectory && lowered === name) || ((isDirectory || !isSpecial) && lowered.startsWith(below));
  if (!isSpecial) return (_path, lowered) => literally(lowered);
  const pattern = isDirectory ? `${glob}**` : glob;
  const matches = picomatch(pattern.startsWith('!') ? `\\${pattern}` : pattern, {
    // Case does not matter, and a name may contain a line feed, which a dot would not match.
    flags: 'is',
    dot: true,
    windows: false,
  });
  return (path, lowered) => literally(lowered) || matches(path);
}
