import { readdir } from 'node:fs/promises';

/** Extents of the transaction log in its directory. */
export interface LogExtents {
  readonly directory: string;
  /** File names, `S0000012.TXN`. */
  readonly names: readonly string[];
}

const extentName = /^S([0-9A-F]{7})\.TXN$/i;

/** Undefined if the directory cannot be read or has no extents. */
export async function readLogExtents(directory: string): Promise<LogExtents | undefined> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => extentName.test(name));
  return names.length === 0 ? undefined : { directory, names };
}

/** Extents that a recovery has to read but that do not exist. */
export interface MissingExtents {
  /** First and last missing extent. */
  readonly first: number;
  readonly last: number;
  /** The oldest extent in the log directory. */
  readonly oldest: number;
}

/**
 * The extents that are missing from `first` to the newest one; undefined if none is missing or if this cannot be determined. It
 * is not documented whether the seven digits of a name are decimal or hexadecimal, so an extent counts as missing only if it is
 * missing by both readings. `archived`: numbers of extents available elsewhere.
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
  // If `first` is beyond the newest extent, the names are not the numbers, and nothing counts as missing.
  let expected = first;
  for (const number of numbers.filter((number) => number >= first)) {
    if (number > expected) missing = { first: missing?.first ?? expected, last: number - 1 };
    expected = number + 1;
  }
  return missing && { ...missing, oldest };
}

/**
 * Whether the log has every extent from `first` to the newest one, by at least one reading of the names. Unlike
 * {@link missingExtents}, this is false if it cannot be determined.
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
