import assert from 'node:assert';
import { FileSystemError, toPublicError } from '#lib/errors/errors';
import type { ErrorCode } from '#lib/errors/codes';

/** Longer than every message that does not quote its whole input. */
const longestMessage = 12_000;

/**
 * The outcome of a reader that may refuse its input with this one code, or because the file system refuses a path, and with no other
 * error.
 */
export async function refusalOf<T>(
  reading: T | Promise<T>,
  code: ErrorCode,
  check: (value: T) => string,
): Promise<string> {
  let value: T;
  try {
    value = await reading;
  } catch (thrown) {
    const error = toPublicError(thrown);
    if (error.code !== code && error.code !== 'ERR_FILE_SYSTEM') throw thrown;
    // It names the whole path.
    if (error instanceof FileSystemError) return `${error.code} ${error.errnoName}`;
    assert(error.message.length < longestMessage, `a message of ${error.message.length} characters`);
    return error.message;
  }
  return check(value);
}

/** All of them are texts. */
export function allTexts(...lists: readonly (readonly unknown[])[]): void {
  for (const value of lists.flat()) assert.equal(typeof value, 'string');
}

/** The text of an input, as a name or a path that a file system may have. */
export function textOf(input: Buffer): string {
  return input.toString().replaceAll('\0', '').slice(0, 2_000);
}
