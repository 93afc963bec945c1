import { createInterface } from 'node:readline';

/** How a program speaks to the test that has started it: a JSON document a line, and lines back. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** What the test says, until it says no more. */
export function requests(): AsyncIterable<string> {
  return createInterface({ input: process.stdin });
}

/** Waits until the test says something, whatever it is. */
export async function permission(): Promise<void> {
  for await (const _line of requests()) return;
}
