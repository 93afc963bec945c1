/** Ends the name of an original while the restored copy is in its place. */
export const originalSuffix = '.domino-vss-original';
/** Ends the name of a copy that a restore prepares. */
export const copySuffix = '.domino-vss-restore';

/** The names that a restore of a database uses: its place, and those beside it. */
export function namesOfRestore(file: string): string[] {
  return [file, `${file}${originalSuffix}`, `${file}${copySuffix}`];
}

/** The place of the database to which a name of {@link namesOfRestore} belongs. */
export function placeOf(name: string): string {
  for (const suffix of [originalSuffix, copySuffix]) if (name.endsWith(suffix)) return name.slice(0, -suffix.length);
  return name;
}
