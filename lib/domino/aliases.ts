/**
 * A second name of a database or a directory; for a directory, both end in a slash. The path of the data directory is
 * empty.
 */
export interface Alias {
  /** Relative to the data directory, with `/`, like {@link path}. */
  readonly alias: string;
  /** The real path, which leads through a link only if there is no other way. */
  readonly path: string;
}

/** Limit for aliases that lead to each other in a circle. */
const mostSteps = 40;

/** Other names of a server's databases. */
export class Aliases {
  readonly #ofFile = new Map<string, string[]>();
  readonly #ofDirectory = new Map<string, string[]>();
  readonly #targets = new Map<string, string>();

  constructor(readonly list: readonly Alias[]) {
    for (const { alias, path } of list) {
      const names = alias.endsWith('/') ? this.#ofDirectory : this.#ofFile;
      names.set(path, [...(names.get(path) ?? []), alias]);
      this.#targets.set(alias.toLowerCase(), path);
    }
  }

  /** The other names of a database: its own aliases, and its path through each alias of a parent directory. */
  namesOf(path: string): readonly string[] {
    if (this.list.length === 0) return [];
    const names = [...(this.#ofFile.get(path) ?? [])];
    if (this.#ofDirectory.size === 0) return names;
    for (let end = 0; end >= 0; end = nextDirectory(path, end)) {
      for (const alias of this.#ofDirectory.get(path.slice(0, end)) ?? []) names.push(alias + path.slice(end));
    }
    return names;
  }

  /**
   * The real path of a name, or of a glob that begins with one; anything that is not an alias is returned unchanged.
   * Empty for the data directory.
   */
  resolve(name: string): string {
    let resolved = name;
    for (let step = 0; step < mostSteps; ++step) {
      const next = this.#replace(resolved);
      if (next === undefined) break;
      resolved = next;
    }
    return resolved;
  }

  #replace(name: string): string | undefined {
    const lowered = name.toLowerCase();
    const file = this.#targets.get(lowered);
    if (file !== undefined) return file;
    const named = this.#targets.get(`${lowered}/`);
    if (named !== undefined) return named.slice(0, -1);
    // If one alias is the beginning of another, the longest match wins.
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const directory = this.#targets.get(name.slice(0, end + 1).toLowerCase());
      if (directory !== undefined) return directory + name.slice(end + 1);
    }
    return undefined;
  }
}

/** The end of the part of a path that names the next directory, including its slash; -1 if there is none. */
function nextDirectory(path: string, from: number): number {
  const slash = path.indexOf('/', from);
  return slash < 0 ? -1 : slash + 1;
}

export const noAliases = new Aliases([]);
