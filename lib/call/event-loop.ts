import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Longest stretch of our own work between two turns of the event loop; even with a garbage collection it stays below 10 ms.
 */
const sliceMs = 2;
/** Work that needs no more clock checks than this takes negligible time. */
const fewChecks = 8;

/**
 * Visits 0 … count - 1 and lets the event loop turn in between, so that 100 000 databases do not block it. `checkEvery`: the
 * number of visits between two checks of the clock.
 */
export async function forEachIndex(
  count: number,
  visit: (index: number) => void,
  { checkEvery = 32 }: { readonly checkEvery?: number } = {},
): Promise<void> {
  // A caller with this many items has probably just looped over them, and used up its share of this turn.
  if (count > fewChecks * checkEvery) await nextTurn();
  let sliceEnd = performance.now() + sliceMs;
  for (let index = 0; index < count; ++index) {
    visit(index);
    if (index % checkEvery === checkEvery - 1 && performance.now() >= sliceEnd) {
      await nextTurn();
      sliceEnd = performance.now() + sliceMs;
    }
  }
}

/**
 * Runs at most `limit` jobs at a time. After the first error no new ones start; the error is thrown when the running ones have
 * ended.
 */
export async function forEachLimited<T>(
  items: Iterable<T>,
  limit: number,
  job: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (;;) {
      if (failed) return;
      const next = iterator.next();
      if (next.done) return;
      try {
        await job(next.value);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failed) throw failed.error;
}
