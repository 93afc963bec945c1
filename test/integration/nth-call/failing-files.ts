import { promises } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:os';

type Operation = (this: unknown, ...args: unknown[]) => Promise<unknown>;

const functions = [
  'access',
  'lstat',
  'mkdir',
  'mkdtemp',
  'open',
  'opendir',
  'readdir',
  'readFile',
  'readlink',
  'realpath',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'statfs',
  'writeFile',
] as const;
const methods = ['chmod', 'datasync', 'read', 'stat', 'sync', 'truncate', 'utimes', 'write', 'writeFile'] as const;

/** Realistic errors of a call on a file. */
export const errnoNames = ['EIO', 'ENOSPC', 'EACCES', 'EMFILE'] as const;
export type ErrnoName = (typeof errnoNames)[number];

/** Calls that wait for nothing but this process, or that Node.js does not make in a thread of its own, do not hang. */
export type FileFault = ErrnoName | 'hang';

/** One of the calls that were counted. */
export interface FileCall {
  readonly nth: number;
  readonly fault: FileFault;
}

/**
 * The calls of node:fs/promises and of its handles in this process: counted while something runs, and one of them fails. Calls
 * made by C++ are not covered; integration/system-errors covers those.
 */
export class FailingFiles implements Disposable {
  readonly #undo: (() => void)[] = [];
  #calls = 0;
  #fail: FileCall | undefined;
  #failed = '';
  #active = false;
  readonly #hanging: (() => void)[] = [];

  private constructor(prototypeOfHandles: object) {
    this.#replace(promises, functions);
    this.#replace(prototypeOfHandles, methods);
  }

  static async install(): Promise<FailingFiles> {
    await using handle = await open(__filename);
    return new FailingFiles(Object.getPrototypeOf(handle) as FileHandle);
  }

  /** Calls that hang return now, and only now do what they were to do. */
  async release(): Promise<void> {
    for (const proceed of this.#hanging.splice(0)) proceed();
    // Whatever follows the call in the code that nobody waits for any more.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Runs the body, in which one call fails if given. Returns how many calls there were, and which one failed. */
  async during<T>(body: () => Promise<T>, fail?: FileCall): Promise<{ result: T; calls: number; failed: string }> {
    this.#calls = 0;
    this.#fail = fail;
    this.#failed = '';
    this.#active = true;
    try {
      const result = await body();
      return { result, calls: this.#calls, failed: this.#failed };
    } finally {
      this.#active = false;
    }
  }

  #replace(owner: object, names: readonly string[]): void {
    const table = owner as Record<string, Operation>;
    for (const name of names) {
      const original = table[name];
      if (!original) throw new Error(`there is no ${name}`);
      this.#undo.push(() => (table[name] = original));
      // eslint-disable-next-line @typescript-eslint/no-this-alias -- the function has its own `this`, the handle
      const files = this;
      table[name] = function (...args) {
        return files.#pass(name, args[0], () => original.apply(this, args)) ?? original.apply(this, args);
      };
    }
  }

  /** The failure or the hanging call, if it is the turn of this call. */
  #pass(name: string, file: unknown, call: () => Promise<unknown>): Promise<unknown> | undefined {
    if (!this.#active) return undefined;
    this.#calls += 1;
    if (this.#calls !== this.#fail?.nth) return undefined;
    const { fault } = this.#fail;
    // As Node.js reports them: errors of handles do not name the file.
    const path = typeof file === 'string' && (functions as readonly string[]).includes(name) ? file : undefined;
    this.#failed = `${name} ${path ?? ''}`;
    if (fault === 'hang') {
      return new Promise<void>((resolve) => this.#hanging.push(resolve)).then(call);
    }
    const message = `${fault}: made to fail, ${name}${path === undefined ? '' : ` '${path}'`}`;
    const details = { code: fault, errno: -constants.errno[fault], syscall: name, ...(path && { path }) };
    return Promise.reject(Object.assign(new Error(message), details));
  }
}
