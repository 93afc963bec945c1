import { distance } from '../call/options';

/** "did you mean …?" for a misspelt word; undefined if no known word is similar. */
export function likely(word: string, known: readonly string[]): string | undefined {
  const written = word.toLowerCase();
  const closest = known
    .map((candidate) => ({ candidate, changes: distance(candidate, written) }))
    .filter(({ candidate, changes }) => changes <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.changes - b.changes)[0]?.candidate;
  return closest === undefined ? undefined : `did you mean "${closest}"?`;
}
