import { promises, type PathLike } from 'node:fs';

type Operation =
  | 'lstat'
  | 'mkdir'
  | 'open'
  | 'readdir'
  | 'readFile'
  | 'realpath'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'statfs'
  | 'truncate';

/**
 * The call of Node.js with this name hangs for such a path, as on a mount that does not answer, until the result is called; then it
 * takes effect. `jest.restoreAllMocks` ends it for later calls.
 */
export function hang(name: Operation, path: string | RegExp): () => Promise<unknown> {
  const original = promises[name] as (path: PathLike, ...rest: unknown[]) => Promise<unknown>;
  const late: (() => Promise<unknown>)[] = [];
  const hanging = (at: PathLike, ...rest: unknown[]): Promise<unknown> => {
    const isMeant = typeof path === 'string' ? at === path : path.test(String(at));
    if (!isMeant) return original(at, ...rest);
    return new Promise((resolve, reject) => {
      late.push(() => original(at, ...rest).then(resolve, reject));
    });
  };
  jest.spyOn(promises, name).mockImplementation(hanging as never);
  return () => Promise.all(late.splice(0).map((proceed) => proceed()));
}
