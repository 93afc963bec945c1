/** Aliases of a script: case-insensitive names for values. `exec` passes them on as environment variables. */
export class Aliases {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  set(name: string, value: string): void {
    this.#values.set(name.toUpperCase(), { name, value });
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toUpperCase())?.value;
  }

  /** The alias for a value. */
  nameOf(value: string): string | undefined {
    return this.list().find((alias) => alias.value === value)?.name;
  }

  list(): readonly { readonly name: string; readonly value: string }[] {
    return [...this.#values.values()];
  }

  clear(): void {
    this.#values.clear();
  }

  /** An environment that includes the aliases; they replace variables of the same name in any case. */
  environment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const kept = Object.entries(env).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined && this.get(entry[0]) === undefined;
    });
    return Object.fromEntries([...kept, ...this.list().map(({ name, value }): [string, string] => [name, value])]);
  }
}

/** Whether a name can be an alias: it must work as `%name%`. */
export function isAliasName(name: string): boolean {
  return /^[^\s%"=#]+$/.test(name);
}

/** Whether `create` defines this alias itself; then nothing else may have it. */
export function isAutomaticAlias(name: string): boolean {
  return /^VSS_SHADOW_(?:SET|\d+)$/i.test(name);
}

/** Variables that the Windows programs run by `exec` need. */
const needed: ReadonlySet<string> = new Set([
  ...['COMSPEC', 'PATH', 'PATHEXT', 'PROGRAMDATA', 'SYSTEMDRIVE', 'SYSTEMROOT', 'TEMP', 'TMP', 'USERPROFILE', 'WINDIR'],
]);

/** Whether an alias of this name would hide a variable that Windows programs need. */
export function hidesNeededVariable(name: string): boolean {
  return needed.has(name.toUpperCase());
}

/** Looks up an environment variable, case-insensitively. */
export function environmentVariable(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const upper = name.toUpperCase();
  return Object.entries(env).find(([candidate]) => candidate.toUpperCase() === upper)?.[1];
}
