/** A number with its noun: `1 database`, `2 databases`. `several`: the plural, unless it only adds an s. */
export function counted(number: number, one: string, several = `${one}s`): string {
  return `${number} ${number === 1 ? one : several}`;
}
