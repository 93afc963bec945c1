import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { timedateToDate } from '#lib/domino/timedate';

/** A transaction of the workload, as recorded by its writer before it was written. */
export interface Transaction {
  /** Stands for this transaction and all before it; the verifier reports that of a file. */
  readonly chain: string;
  /** That of the state before it. */
  readonly parent: string;
  /** Domino counts hundredths of a second. */
  readonly committedMs: number;
}

const beginMagic = 0x4e474542;
const endMagic = 0x20444e45;
const beginBytes = 72;
const endBytes = 24;

/** Reads what the workload has recorded, each time only the new part. The log is its own: nothing of the library is in it. */
export class WorkloadLog {
  readonly #readBytes = new Map<string, number>();

  constructor(private readonly directory: string) {}

  /** Transactions that were recorded since the last call. */
  readOn(): Transaction[] {
    return readdirSync(this.directory)
      .filter((name) => name.endsWith('.workload'))
      .flatMap((name) => this.#readFile(name));
  }

  #readFile(name: string): Transaction[] {
    const from = this.#readBytes.get(name) ?? 0;
    const bytes = bytesOf(join(this.directory, name), from);
    const transactions: Transaction[] = [];
    let at = 0;
    while (at + endBytes <= bytes.length) {
      if (bytes.readUInt32LE(at) === endMagic) {
        at += endBytes;
        continue;
      }
      if (bytes.readUInt32LE(at) !== beginMagic) throw new Error(`${name} is no log of a workload at ${from + at}`);
      const end = at + beginBytes + 4 * bytes.readUInt32LE(at + 4);
      if (end > bytes.length) break;
      const committed = timedateToDate([bytes.readUInt32LE(at + 64), bytes.readUInt32LE(at + 68)]);
      transactions.push({
        chain: chainText(bytes, at + 40),
        parent: chainText(bytes, at + 32),
        committedMs: committed?.getTime() ?? NaN,
      });
      at = end;
    }
    this.#readBytes.set(name, from + at);
    return transactions;
  }
}

function chainText(bytes: Buffer, offset: number): string {
  return bytes.readBigUInt64LE(offset).toString(16).padStart(16, '0');
}

function bytesOf(file: string, from: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - from));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, from));
  } finally {
    closeSync(descriptor);
  }
}
