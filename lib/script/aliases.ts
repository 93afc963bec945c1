/** Aliases of a script: names for values, without regard to case, that `exec` sees as environment variables. */
export class Aliases {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  set(name: string, value: string): void {
    this.#values.set(name.toUpperCase(), { name, value });
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toUpperCase())?.value;
  }

  /** The alias that stands for a value. */
  nameOf(value: string): string | undefined {
    return this.list().find((alias) => alias.value === value)?.name;
  }

  list(): readonly { readonly name: string; readonly value: string }[] {
    return [...this.#values.values()];
  }

  clear(): void {
    this.#values.clear();
  }

  /** An environment with the aliases in it; they hide variables of the same name in any spelling. */
  environment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const kept = Object.entries(env).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined && this.get(entry[0]) === undefined;
    });
    return Object.fromEntries([...kept, ...this.list().map(({ name, value }): [string, string] => [name, value])]);
  }
}

/** What an alias may be called: it must be usable as `%name%`. */
export function isAliasName(name: string): boolean {
  return /^[^\s%"=#]+$/.test(name);
}

/** Aliases that `create` defines itself: they may not be given to anything else. */
export function isAutomaticAlias(name: string): boolean {
  return /^VSS_SHADOW_(?:SET|\d+)$/i.test(name);
}

/** Variables without which Windows programs that `exec` runs go astray. */
const needed: ReadonlySet<string> = new Set([
  ...['COMSPEC', 'PATH', 'PATHEXT', 'PROGRAMDATA', 'SYSTEMDRIVE', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERPROFILE', 'WINDIR'],
]);

/** Whether an alias of this name hides a variable that Windows programs need. */
export function hidesNeededVariable(name: string): boolean {
  return needed.has(name.toUpperCase());
}

/** Looks a variable of the environment up without regard to case. */
export function environmentVariable(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const upper = name.toUpperCase();
  return Object.entries(env).find(([candidate]) => candidate.toUpperCase() === upper)?.[1];
}
