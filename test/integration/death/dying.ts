/**
 * Loaded into a process before its program (`--require`): kills it at the n-th operation that changes something in the
 * file system, before or after it, or counts these operations. It leaves what the crash of a
 * process leaves: nothing is caught, closed or cleaned up.
 *
 * DEATH_AT=<n>          kills at the n-th operation; without it, operations are only counted
 * DEATH_AFTER=1         kills after the operation instead of before it
 * DEATH_IN=<text>        only operations on paths with this text count
 * DEATH_COUNT=<file>    file for the number of operations, written at the exit
 */
import { constants, promises, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

const at = Number(process.env['DEATH_AT'] ?? Infinity);
const after = process.env['DEATH_AFTER'] === '1';
const within = process.env['DEATH_IN'] ?? '';
const countFile = process.env['DEATH_COUNT'];
let operations = 0;

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

type Operation = (this: unknown, ...args: unknown[]) => Promise<unknown>;
const { O_WRONLY, O_RDWR, O_CREAT } = constants;

/** Opening for reading changes nothing. */
function isChange(name: string, [path, flags]: readonly unknown[]): boolean {
  if (!String(path).includes(within)) return false;
  if (name !== 'open') return true;
  return typeof flags === 'number'
    ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0
    : typeof flags === 'string' && /[wa+]/.test(flags);
}

async function pass(operation: () => Promise<unknown>): Promise<unknown> {
  operations += 1;
  const mine = operations;
  if (mine === at && !after) die();
  const result = await operation();
  if (mine === at) die();
  return result;
}

const names = ['rename', 'rm', 'rmdir', 'mkdir', 'open', 'symlink', 'chmod', 'chown', 'writeFile', 'unlink'] as const;
const target = promises as unknown as Record<(typeof names)[number], Operation>;
for (const name of names) {
  const original = target[name];
  target[name] = async (...args) => {
    const call = (): Promise<unknown> => original(...args);
    const result = await (isChange(name, args) ? pass(call) : call());
    if (name === 'open') watchHandle(result as FileHandle, String(args[0]));
    return result;
  };
}

const methods = ['write', 'writeFile', 'truncate'] as const;
const paths = new WeakMap<object, string>();
let areWatched = false;

/** All handles share their methods, which only a handle leads to. */
function watchHandle(handle: FileHandle, path: string): void {
  paths.set(handle, path);
  if (areWatched) return;
  areWatched = true;
  const shared = Object.getPrototypeOf(handle) as Record<(typeof methods)[number], Operation>;
  for (const method of methods) {
    const original = shared[method];
    shared[method] = function (...args) {
      const call = (): Promise<unknown> => original.apply(this, args);
      return isChange(method, [paths.get(this as object)]) ? pass(call) : call();
    };
  }
}

if (countFile !== undefined) {
  process.on('exit', () => {
    writeFileSync(countFile, String(operations));
  });
}
