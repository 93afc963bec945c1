import fs, { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';

// Node.js runs calls on files in other threads, so that their order differs from run to run. A simulation cannot be repeated then.

const names = [
  'access',
  'appendFile',
  'chmod',
  'lstat',
  'mkdir',
  'mkdtemp',
  'opendir',
  'readFile',
  'readdir',
  'readlink',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'statfs',
  'symlink',
  'truncate',
  'unlink',
] as const;

type Operation = (...args: unknown[]) => unknown;

/**
 * From here on, `node:fs/promises` makes each call in this thread, after `beforehand`. What it returns puts the real functions back.
 */
export function filesOnThisThread(beforehand: (name: string) => unknown): () => void {
  const original = { ...promises };
  const { createReadStream } = fs;
  const asynchronous =
    (name: string, operation: Operation) =>
    async (...args: unknown[]): Promise<unknown> => {
      await beforehand(name);
      return operation(...args);
    };
  const replace = (name: string, operation: Operation): unknown =>
    Object.assign(promises, { [name]: asynchronous(name, operation) });
  for (const name of names) replace(name, fs[`${name}Sync`] as Operation);
  replace('realpath', fs.realpathSync.native as Operation);
  replace('writeFile', (file, content) => {
    fs.writeFileSync(file as string, whole(content as Content));
  });
  replace('open', (...args) => handleOf(fs.openSync(...(args as Parameters<typeof fs.openSync>)), asynchronous));
  fs.createReadStream = (path, options) => createReadStream(path, { ...(options as object), fs: streamCalls });
  return () => {
    Object.assign(promises, original);
    fs.createReadStream = createReadStream;
  };
}

/** The calls of a stream, which have callbacks. */
const streamCalls = {
  open: withCallback(fs.openSync as Operation),
  // A stream expects its buffer back, too.
  read: withCallback(fs.readSync as Operation, ([, buffer]) => buffer),
  close: withCallback(fs.closeSync as Operation),
};

function withCallback(operation: Operation, also: (args: unknown[]) => unknown = () => undefined): Operation {
  return (...given) => {
    const args = given.slice(0, -1);
    const callback = given.at(-1) as (error: unknown, ...results: unknown[]) => void;
    try {
      process.nextTick(callback, null, operation(...args), also(args));
    } catch (error) {
      process.nextTick(callback, error);
    }
  };
}

type Content = string | Uint8Array | Iterable<string>;

function whole(content: Content): string | Uint8Array {
  return typeof content === 'string' || content instanceof Uint8Array ? content : [...content].join('');
}

/** A handle with what this package uses of one. */
function handleOf(
  fd: number,
  asynchronous: (name: string, operation: Operation) => (...args: unknown[]) => Promise<unknown>,
): Partial<FileHandle> {
  const close = asynchronous('close', () => {
    fs.closeSync(fd);
  }) as () => Promise<void>;
  const operations = {
    read: (buffer, ...where) => {
      const bytesRead = fs.readSync(fd, buffer as Buffer, ...(where as [number, number, number | null]));
      return { bytesRead, buffer };
    },
    write: (buffer, ...where) => {
      const bytesWritten = fs.writeSync(fd, buffer as Buffer, ...(where as [number, number, number | null]));
      return { bytesWritten, buffer };
    },
    stat: (options) => fs.fstatSync(fd, options as undefined),
    sync: () => {
      fs.fsyncSync(fd);
    },
    chmod: (mode) => {
      fs.fchmodSync(fd, mode as number);
    },
    chown: (...ids) => {
      fs.fchownSync(fd, ...(ids as [number, number]));
    },
    truncate: (length) => {
      fs.ftruncateSync(fd, length as number);
    },
    readFile: (options) => fs.readFileSync(fd, options as undefined),
    writeFile: (content) => {
      fs.writeFileSync(fd, whole(content as Content));
    },
    appendFile: (content) => {
      fs.appendFileSync(fd, whole(content as Content));
    },
  } satisfies Record<string, Operation>;
  return {
    fd,
    close,
    [Symbol.asyncDispose]: close,
    createReadStream: (() => Readable.from([fs.readFileSync(fd)])) as unknown as FileHandle['createReadStream'],
    ...Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, asynchronous(name, operation)])),
  };
}
