import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Gets blocks in order. A block may be overwritten once the result of `update` has settled. */
export interface BlockSink {
  /** Allocates memory for a block, if a special kind is needed. */
  readonly allocate?: (sizeBytes: number) => Buffer;
  readonly update: (block: Buffer) => unknown;
}

/** SHA-256 of a file that is read block by block. */
export interface BlockHash extends BlockSink {
  /** The result, hexadecimal. */
  readonly digest: () => Promise<string> | string;
}

/** Hashes on this thread. */
export function hashHere(): BlockHash {
  const hash = createHash('sha256');
  return { update: (block) => hash.update(block), digest: () => hash.digest('hex') };
}

/** Where less is hashed, starting threads takes longer than they save. */
const worthwhileBytes = 64 * 1024 * 1024;

/** How many threads are worth it for so many files, of which `atOnce` are hashed at a time; 0 = none. */
export function worthwhileThreads(files: number, totalBytes: number, atOnce: number): number {
  const threads = Math.min(files, atOnce, availableParallelism());
  return totalBytes >= worthwhileBytes && threads > 1 ? threads : 0;
}

/** As text, so that a bundler need not know of a second file. */
const program = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
const hashes = new Map();
parentPort.on('message', ({ id, block }) => {
  const hash = hashes.get(id) ?? createHash('sha256');
  if (block) hashes.set(id, hash.update(block));
  else hashes.delete(id);
  parentPort.postMessage(block ? '' : hash.digest('hex'));
});`;

/** Hashes several files at the same time. One thread computes 0.4 to 2 GB/s, less than many disks read. */
export class HashThreads {
  readonly #threads: readonly HashThread[];
  #begun = 0;

  constructor(count: number) {
    this.#threads = startThreads(count);
  }

  begin(): BlockHash {
    const id = this.#begun;
    this.#begun += 1;
    const thread = this.#threads[id % this.#threads.length];
    if (!thread) return hashHere();
    return {
      // Shared, so that a block need not be copied for the thread.
      allocate: (sizeBytes) => Buffer.from(new SharedArrayBuffer(sizeBytes)),
      update: (block) => thread.ask({ id, block }),
      digest: () => thread.ask({ id }),
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

/** Without threads, which the permission model of Node.js can forbid, the caller's own thread hashes. */
function startThreads(count: number): readonly HashThread[] {
  const started: HashThread[] = [];
  try {
    while (started.length < count) started.push(new HashThread());
  } catch {
    // Those that were started suffice.
  }
  return started;
}

interface Question {
  readonly id: number;
  /** Absent: asks for the result. */
  readonly block?: Buffer;
}

class HashThread {
  // Nothing of this process: neither its environment nor what it preloads concerns a hash.
  readonly #worker = new Worker(program, { eval: true, env: {}, execArgv: [] });
  /** In the order of the questions, which is that of the answers. */
  readonly #waiting: { readonly resolve: (answer: string) => void; readonly reject: (reason: Error) => void }[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.on('message', (answer: string) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error) => {
      this.#fail(error);
    });
    this.#worker.on('exit', () => {
      this.#fail(new Error('the thread that hashes has ended'));
    });
  }

  ask(question: Question): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(question);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
