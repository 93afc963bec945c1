import { sep } from 'node:path';

/** Calls that nobody waits for any more, by the file or database that they concern. */
const unreturned = new Map<string, Set<Promise<unknown>>>();

/**
 * Remembers that a call was given up before it returned. It may still take effect, at any time until it returns or this process
 * has ended, so what it concerns must be left alone until then.
 */
export function noteUnreturned(file: string, call: Promise<unknown>): void {
  const calls = unreturned.get(file) ?? new Set();
  unreturned.set(file, calls.add(call));
  const end = (): void => {
    calls.delete(call);
    if (calls.size === 0 && unreturned.get(file) === calls) unreturned.delete(file);
  };
  call.then(end, end);
}

/** Whether a call of this process concerns one of the files, was given up, and has not returned. */
export function hasUnreturned(files: readonly string[]): boolean {
  return files.some((file) => unreturned.has(file));
}

/** Those of the files that calls concern which were given up and have not returned that are in one of the directories, or are one. */
export function unreturnedBelow(directories: readonly string[]): readonly string[] {
  const isBelow = (file: string): boolean =>
    directories.some((directory) => file === directory || file.startsWith(directory + sep));
  return [...unreturned.keys()].filter(isBelow);
}

/** Whether any call of this process was given up and has not returned. Then Node.js cannot end by itself: it waits for the call. */
export function hasAnyUnreturned(): boolean {
  return unreturned.size > 0;
}

/** Calls back when no call that was given up concerns the file: at once if there is none. */
export async function whenReturned(file: string, callBack: () => void): Promise<void> {
  for (let calls = unreturned.get(file); calls; calls = unreturned.get(file)) await Promise.allSettled(calls);
  callBack();
}
