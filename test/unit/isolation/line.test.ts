// The channel between the two processes, without the processes: values arrive unchanged.

import { deserialize, serialize } from 'node:v8';
import { absolutePath } from '#lib/call/options';
import {
  databaseFailureOf,
  DominoError,
  errorClasses,
  isDominoVssError,
  toPublicError,
  type DominoVssError,
} from '#lib/errors/errors';
import { Peer, type Message } from '#lib/isolation/peer';

/** Two ends that are connected like processes: what cannot be cloned is not transferred. */
function joined(offered: Record<string, (...args: never[]) => unknown>): { near: Peer; far: Peer } {
  const copy = (message: Message): Message => deserialize(serialize(message)) as Message;
  const near: Peer = new Peer((message) => {
    const copied = copy(message);
    queueMicrotask(() => {
      far.receive(copied);
    });
  });
  const far: Peer = new Peer((message) => {
    const copied = copy(message);
    queueMicrotask(() => {
      near.receive(copied);
    });
  }, offered);
  return { near, far };
}

const record = {
  code: 'ERR_DOMINO_CALL',
  phase: 'start',
  operation: 'NSFBackupStart',
  domain: 'domino',
  status: 0x0ea4,
  statusName: 'ERR_BACKUP_ALREADY_IN_PROGRESS',
  text: 'a backup is in progress',
  subject: 'mail/ada.nsf',
} as const;
const decision = { ...record, domain: 'engine', operation: '', status: 0, statusName: '' } as const;

function optionError(): DominoVssError {
  try {
    absolutePath('relative', 'deltaDirectory');
  } catch (error) {
    if (isDominoVssError(error)) return error;
  }
  throw new Error('a relative path was not refused');
}

const withFailures = Object.assign(toPublicError({ ...decision, code: 'ERR_NO_DATABASES' }), {
  failures: [databaseFailureOf('mail/ada.nsf', 'start', record)],
});
const withLeft = Object.assign(toPublicError({ ...decision, code: 'ERR_DEADLINE' }), {
  leftBehind: toPublicError({ ...decision, code: 'ERR_DATABASE_STUCK' }),
});
const withCause = toPublicError(Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write', errno: -28 }));

test.each<[string, string, DominoVssError]>([
  ['a status', 'DominoError', toPublicError(record)],
  ['failures', 'BackupError', withFailures],
  ['an option', 'OptionError', optionError()],
  ['an HRESULT', 'VssError', toPublicError({ ...record, code: 'ERR_VSS', domain: 'com', status: 0x80042316 })],
  [
    'an error of Windows',
    'ServiceError',
    toPublicError({ ...record, code: 'ERR_SERVICE', domain: 'system', status: 5 }),
  ],
  ['what is left behind', 'BackupError', withLeft],
  ['a cause', 'FileSystemError', withCause],
])('an error with %s arrives as what it was', async (_what, name, thrown) => {
  expect(thrown.name).toBe(name);
  const { near } = joined({ fail: () => Promise.reject(thrown) });
  const error: unknown = await near.call('fail', []).catch((caught: unknown) => caught);
  expect(isDominoVssError(error)).toBe(true);
  expect(error).toBeInstanceOf(Object.getOwnPropertyDescriptor(errorClasses, thrown.name)?.value);
  const { message, stack, retryable, leftBehind } = error as DominoVssError;
  const fieldsOf = (of: DominoVssError): unknown[] => Object.entries(of).filter(([name]) => name !== 'leftBehind');
  expect(fieldsOf(error as DominoVssError)).toEqual(fieldsOf(thrown));
  expect([message, stack, retryable]).toEqual([thrown.message, thrown.stack, thrown.retryable]);
  expect(leftBehind?.code).toBe(thrown.leftBehind?.code);
  expect(((error as DominoVssError).cause as Error | undefined)?.message).toBe(
    (thrown.cause as Error | undefined)?.message,
  );
});

test('the error of the operating system keeps its fields', async () => {
  const { near } = joined({ fail: () => Promise.reject(withCause) });
  await expect(near.call('fail', [])).rejects.toMatchObject({
    cause: { code: 'ENOSPC', syscall: 'write', errno: -28 },
  });
});

test('values arrive: columns, times, large numbers, errors inside', async () => {
  const value = {
    columns: Float64Array.of(1, NaN),
    at: new Date(5),
    ns: 2n ** 63n,
    none: undefined,
    problems: [toPublicError(record)],
  };
  const { near } = joined({ answer: () => value });
  const answer = (await near.call('answer', [])) as typeof value;
  expect([...answer.columns]).toEqual([1, NaN]);
  expect([answer.at.getTime(), answer.ns, answer.none]).toEqual([5, 2n ** 63n, undefined]);
  expect(answer.problems[0]).toBeInstanceOf(DominoError);
});

test('functions are called in the other direction, and what they throw comes back', async () => {
  const { near } = joined({
    twice: async (double: (n: number) => Promise<number>) => double(await double(1)),
  });
  expect(await near.call('twice', [(n: number) => n * 2])).toBe(4);
  const refuse = (): never => {
    throw new Error('not today');
  };
  await expect(near.call('twice', [refuse])).rejects.toThrow('not today');
});

test('signals fire at the other end, once aborted or already', async () => {
  const waiting = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve('was aborted');
      signal.addEventListener('abort', () => {
        resolve('aborted');
      });
    });
  const { near } = joined({ waiting });
  expect(await near.call('waiting', [AbortSignal.abort()])).toBe('was aborted');
  const controller = new AbortController();
  const answer = near.call('waiting', [controller.signal]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  expect(await answer).toBe('aborted');
});

test('the end of the connection ends what waits for it and aborts what runs for it', async () => {
  let aborted = false;
  const { near, far } = joined({
    run: (signal: AbortSignal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve('');
        });
      }),
  });
  const answer = near.call('run', [new AbortController().signal]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const gone = new Error('gone');
  near.end(gone);
  far.end(gone);
  await expect(answer).rejects.toBe(gone);
  await far.idle();
  expect(aborted).toBe(true);
  await expect(near.call('run', [])).rejects.toBe(gone);
});

test('what cannot be cloned is an error, and the connection stays', async () => {
  const { near } = joined({ symbol: () => ({ what: Symbol('x') }), fine: () => 1 });
  await expect(near.call('symbol', [])).rejects.toThrow(/could not be cloned/);
  await expect(near.call('fine', [Symbol('x')])).rejects.toThrow(/could not be cloned/);
  await expect(near.call('nothing', [])).rejects.toThrow('there is no function nothing');
  expect(await near.call('fine', [])).toBe(1);
});
