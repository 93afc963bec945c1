import picomatch from 'picomatch';
import { noAliases, type Aliases } from './aliases';

/** What picomatch gives a meaning to; `!` counts only before a parenthesis. */
const specialCharacters = /[*?[\]{}()|]/;

/** A path or glob with `/`, however it was written: `mail\ada.nsf` as Domino shows it, `./mail//ada.nsf` as shells do. */
export function withSlashes(text: string): string {
  return text
    .replaceAll('\\', '/')
    .replace(/\/{2,}/g, '/')
    .replace(/^(\.\/)+/, '');
}

/**
 * Whether a path is one of those that the globs mean. Whole paths count, without regard to case; a leading dot is nothing
 * special, and a leading `!` is a character like others. A name without special characters is also that of a directory
 * with all that lies below it, as is every glob that ends in a slash. A glob that is or begins with an alias means what the
 * alias leads to. What special characters match are true paths only: `mail/**` shall not be everything because a link
 * below `mail` leads back to the data directory.
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

/** The test of one glob, for a path and the same path in lower case. */
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
    nocase: true,
    dot: true,
    windows: false,
  });
  return (path, lowered) => literally(lowered) || matches(path);
}
