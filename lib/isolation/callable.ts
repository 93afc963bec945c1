/** Options that are objects with methods, with the members that are called. */
const objectsWithFunctions: Readonly<Record<string, readonly string[]>> = {
  provider: ['name', 'flushesVolumes', 'create', 'remove'],
  hook: ['name', 'remove'],
  service: ['name', 'isRunning', 'stop', 'start'],
};

/**
 * Options for the other process. Hooks and services may be instances of classes with inherited members. Here they become plain
 * objects with bound functions. The `isolation` option is removed, so the other process does not isolate the call again.
 */
export function callable<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([name]) => name !== 'isolation')
      .map(([name, value]) => [name, callableOption(name, value as unknown)]),
  ) as T;
}

function callableOption(name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  // This object contains a service.
  if (name === 'mode') return callable(value);
  const members = objectsWithFunctions[name];
  if (!members) return value;
  const given = value as Record<string, unknown>;
  return Object.fromEntries(
    members
      .map((member) => [member, given[member]] as const)
      .filter(([, found]) => found !== undefined)
      .map(([member, found]) => [member, typeof found === 'function' ? (found.bind(value) as unknown) : found]),
  );
}
