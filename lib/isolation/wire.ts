import { types } from 'node:util';
import { isDominoVssError } from '../errors/errors';
import { revivedError } from '../errors/revived';

/** What a value contains that cannot be copied: it stays in this process, and the other process gets a number for it. */
export interface References {
  function(called: (...args: never[]) => unknown): number;
  signal(signal: AbortSignal): number;
}

/** The receiving end: turns a number into something that works like the object it stands for. */
export interface Stands {
  function(id: number): (...args: unknown[]) => Promise<unknown>;
  signal(id: number, aborted: boolean): AbortSignal;
}

/** A value that the channel cannot copy travels as a map; no public value is a map. */
type Tagged = ReadonlyMap<string, unknown>;

/**
 * Converts a value into something that the channel can copy. Errors keep their class and fields; functions and signals still
 * work.
 */
export function encode(value: unknown, references: References): unknown {
  if (typeof value === 'function') {
    return new Map<string, unknown>([
      ['type', 'function'],
      ['id', references.function(value as () => unknown)],
    ]);
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || types.isDate(value)) return value;
  if (isAbortSignal(value)) {
    return new Map<string, unknown>([
      ['type', 'signal'],
      ['id', references.signal(value)],
      ['aborted', value.aborted],
    ]);
  }
  if (types.isNativeError(value)) return encodeError(value, references);
  if (Array.isArray(value)) return value.map((element) => encode(element, references));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member, references)]));
}

/** The value that {@link encode} was given. */
export function decode(value: unknown, stands: Stands): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || types.isDate(value)) return value;
  if (types.isMap(value)) return decodeTagged(value as Tagged, stands);
  if (Array.isArray(value)) return value.map((element) => decode(element, stands));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decode(member, stands)]));
}

function isAbortSignal(value: object): value is AbortSignal {
  // Not by instanceof: the signal may come from another realm.
  return 'aborted' in value && 'addEventListener' in value;
}

function encodeError(error: Error, references: References): Tagged {
  return new Map<string, unknown>([
    ['type', 'error'],
    ['name', error.name],
    ['message', error.message],
    ['stack', error.stack],
    // Its own fields: code, status, failures, leftBehind, …
    ['fields', Object.entries(error).map(([name, member]) => [name, encodeField(member, references)])],
    ...('cause' in error ? [['cause', encodeField(error.cause, references)] as const] : []),
  ]);
}

/** The cause of an error, and fields added to it elsewhere, can be any value. */
function encodeField(value: unknown, references: References): unknown {
  return typeof value === 'function' || typeof value === 'symbol' ? String(value) : encode(value, references);
}

function decodeTagged(value: Tagged, stands: Stands): unknown {
  const id = value.get('id') as number;
  switch (value.get('type')) {
    case 'function':
      return stands.function(id);
    case 'signal':
      return stands.signal(id, value.get('aborted') === true);
    default:
      return decodeError(value, stands);
  }
}

function decodeError(value: Tagged, stands: Stands): Error {
  const [name, message] = [String(value.get('name')), String(value.get('message'))];
  const fields = Object.fromEntries(
    (value.get('fields') as [string, unknown][]).map(([field, member]) => [field, decode(member, stands)]),
  );
  const error = revivedError(name, message, fields);
  const hidden = { configurable: true, writable: true, enumerable: false };
  if (!isDominoVssError(error)) Object.defineProperty(error, 'name', { ...hidden, value: name });
  Object.defineProperty(error, 'stack', { ...hidden, value: value.get('stack') });
  if (value.has('cause'))
    Object.defineProperty(error, 'cause', { ...hidden, value: decode(value.get('cause'), stands) });
  return error;
}
