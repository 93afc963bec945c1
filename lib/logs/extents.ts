import { readdir } from 'node:fs/promises';

/** Extents of the transaction log that lie in its directory. */
export interface LogExtents {
  readonly directory: string;
  /** File names, `S0000012.TXN`. */
  readonly names: readonly string[];
}

const extentName = /^S([0-9A-F]{7})\.TXN$/i;

/** Undefined where the directory cannot be read, or has no extents. */
export async function readLogExtents(directory: string): Promise<LogExtents | undefined> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => extentName.test(name));
  return names.length === 0 ? undefined : { directory, names };
}

/** Extents that a recovery has to read and that are not there. */
export interface MissingExtents {
  /** The first and the last one that are missing. */
  readonly first: number;
  readonly last: number;
  /** The oldest one in the log directory. */
  readonly oldest: number;
}

/**
 * Which extents are missing from `first` to the newest one; undefined when none is, and when that cannot be told. Whether the
 * seven digits of a name are decimal or hexadecimal is not documented: an extent counts as missing only if it is by both
 * readings. `archived` are the numbers of extents that can be had elsewhere.
 */
export function missingExtents(
  first: number,
  { names }: Pick<LogExtents, 'names'>,
  archived: readonly number[] = [],
): MissingExtents | undefined {
  const digits = names.map((name) => extentName.exec(name)?.[1] ?? '');
  const bases = digits.some((number) => /[A-F]/i.test(number)) ? [16] : [10, 16];
  const readings = bases.map((base) => {
    const present = digits.map((number) => parseInt(number, base));
    return missingOf(first, new Set([...present, ...archived]), Math.min(...present));
  });
  return readings.every((missing) => missing !== undefined) ? readings[0] : undefined;
}

function missingOf(first: number, present: ReadonlySet<number>, oldest: number): MissingExtents | undefined {
  const numbers = [...present].sort((a, b) => a - b);
  let missing: { readonly first: number; readonly last: number } | undefined;
  // Where it is beyond the newest one, the names count otherwise than the numbers do.
  let expected = first;
  for (const number of numbers.filter((number) => number >= first)) {
    if (number > expected) missing = { first: missing?.first ?? expected, last: number - 1 };
    expected = number + 1;
  }
  return missing && { ...missing, oldest };
}

/**
 * Whether the log is there from an extent on to its newest one, by one reading of the names. Unlike {@link missingExtents} it says no
 * where nothing can be told.
 */
export function reachesOn(first: number, { names }: Pick<LogExtents, 'names'>, archived: readonly number[]): boolean {
  const digits = names.map((name) => extentName.exec(name)?.[1] ?? '');
  return [10, 16].some((base) => {
    const numbers = digits.map((number) => (base === 10 && /[A-F]/i.test(number) ? NaN : parseInt(number, base)));
    const present = new Set([...numbers, ...archived]);
    if (numbers.length === 0 || present.has(NaN) || !present.has(first)) return false;
    const newest = Math.max(...numbers);
    for (let number = first; number <= newest; ++number) if (!present.has(number)) return false;
    return newest >= first;
  });
}
