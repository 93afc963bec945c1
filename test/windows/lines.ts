import { createInterface } from 'node:readline';

/** How a program communicates with the test that started it: lines with a JSON document each, and lines back. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** The lines from the test, until its output ends. */
export function requests(): AsyncIterable<string> {
  return createInterface({ input: process.stdin });
}

/** Waits for any line from the test. */
export async function permission(): Promise<void> {
  for await (const _line of requests()) return;
}
