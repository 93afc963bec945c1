/** Marks errors of this package across several loaded copies of it. */
export const brand = Symbol.for('domino-vss.error');

/** Whether a value is an error of this package, made by this or any other loaded copy of it. */
export function isBranded(value: unknown): boolean {
  return typeof value === 'object' && value !== null && brand in value;
}
