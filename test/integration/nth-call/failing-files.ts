import { promises } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

type Operation = (this: unknown, ...args: unknown[]) => Promise<unknown>;

const functions = ['rename', 'rm', 'rmdir', 'mkdir', 'open', 'chmod', 'chown', 'lstat', 'readFile', 'statfs'] as const;
const methods = ['read', 'write', 'writeFile', 'sync', 'truncate', 'stat'] as const;

/** Counts the calls of node:fs/promises while something runs, and has one of them fail. */
export class FailingFiles {
  #calls = 0;
  #failAt = 0;
  #code = '';
  #failed = '';
  #active = false;

  private constructor(private readonly restore: () => void) {}

  static async install(): Promise<FailingFiles> {
    const handle = await open(__filename);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const undo: (() => void)[] = [];
    const installed = new FailingFiles(() => {
      for (const one of undo) one();
    });
    const replace = (owner: object, names: readonly string[]): void => {
      const table = owner as Record<string, Operation>;
      for (const name of names) {
        const original = table[name];
        if (!original) throw new Error(`there is no ${name}`);
        undo.push(() => (table[name] = original));
        table[name] = function (...args) {
          return installed.#pass(name) ?? original.apply(this, args);
        };
      }
    };
    replace(promises, functions);
    replace(prototype, methods);
    return installed;
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  /** Runs the body; its n-th call fails with the code. Answers how many there were, and which one has failed. */
  async during(body: () => Promise<unknown>, failAt = 0, code = 'EIO'): Promise<{ calls: number; failed: string }> {
    this.#calls = 0;
    this.#failAt = failAt;
    this.#code = code;
    this.#failed = '';
    this.#active = true;
    try {
      await body();
    } finally {
      this.#active = false;
    }
    return { calls: this.#calls, failed: this.#failed };
  }

  #pass(name: string): Promise<never> | undefined {
    if (!this.#active) return undefined;
    this.#calls += 1;
    if (this.#calls !== this.#failAt) return undefined;
    this.#failed = name;
    const message = `${this.#code}: made to fail, ${name}`;
    return Promise.reject(Object.assign(new Error(message), { code: this.#code, errno: -5, syscall: name }));
  }
}
