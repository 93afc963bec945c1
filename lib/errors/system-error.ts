import { constants } from 'node:os';
import { types } from 'node:util';

/** errno of a name; 0 for one that the system does not know. */
export function errnoOf(errnoName: string): number {
  return Object.entries(constants.errno).find(([name]) => name === errnoName)?.[1] ?? 0;
}

/** Node.js has no name for some errors of file systems, EDQUOT among them, and uses the number instead. */
export function systemErrorName({ code = '', errno }: NodeJS.ErrnoException): string {
  if (!code.startsWith('Unknown system error') || errno === undefined) return code;
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0] ?? `errno ${-errno}`;
}

/** Whether a value is an error that Node.js throws for a failed system call. */
export function isSystemError(value: unknown): value is NodeJS.ErrnoException {
  return types.isNativeError(value) && 'syscall' in value && typeof (value as NodeJS.ErrnoException).code === 'string';
}
