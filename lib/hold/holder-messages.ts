import type { ReleaseOptions } from './hold';
import { isErrorRecord, isHoldEnd, type ErrorRecord, type HoldEnd, type HoldRecord } from './hold-record';

/** Message to the process that started the holder. */
export type HolderMessage = { readonly held: HoldRecord } | { readonly error: ErrorRecord };

/** A request from a client, one line of JSON. The answer is one line with a {@link HoldEnd} or a refusal. */
export type HolderRequest =
  { readonly type: 'release'; readonly options: Omit<ReleaseOptions, 'signal'> } | { readonly type: 'give-up' };

/** Answer of the holder. After a refusal the databases are still held. */
export type HolderAnswer = HoldEnd | { readonly refused: ErrorRecord };

/** The request in a line; undefined if it is none of this version. The hold itself checks the options. */
export function requestIn(line: string): HolderRequest | undefined {
  const { type, options } = (parsed(line) ?? {}) as { readonly type?: unknown; readonly options?: unknown };
  if (type === 'give-up') return { type };
  return type === 'release' && typeof options === 'object' && options !== null ? { type, options } : undefined;
}

/** The answer in a line; undefined if it is none, for example because the holder died while it wrote it. */
export function answerIn(line: string): HolderAnswer | undefined {
  const answer = parsed(line);
  if (isHoldEnd(answer)) return answer;
  const { refused } = (answer ?? {}) as { readonly refused?: unknown };
  return isErrorRecord(refused) ? { refused } : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
