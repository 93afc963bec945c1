import { once } from 'node:events';

/** How a program speaks to the test that has started it: a JSON document a line, and a line for each permission to go on. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Waits until the test says something, whatever it is. */
export async function permission(): Promise<void> {
  process.stdin.resume();
  await once(process.stdin, 'data');
  process.stdin.pause();
}
