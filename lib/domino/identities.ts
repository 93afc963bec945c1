import type { Call } from '../call/call';
import { toPublicError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { timedateText, unidText } from './timedate';

/** How many databases one request asks for: each is opened and closed, and between two requests a call can be given up. */
const askedAtOnce = 50;

/** A database as the server has it now. */
export interface LiveIdentity {
  readonly replicaId: string;
  readonly logged: boolean;
  /** As in a manifest; empty when not logged, as is {@link logId}. */
  readonly dbiid: string;
  readonly logId: string;
  /** As in a manifest; empty when it is not known. */
  readonly modified: string;
}

/** What the server says of databases, by their paths; why it could not be told, for those that did not answer. */
export interface LiveIdentities {
  readonly live: ReadonlyMap<string, LiveIdentity | { readonly reason: string }>;
  /** The call that has not returned, in words; empty for none. */
  readonly hanging: string;
}

/** Asks the server which databases stand at these paths now (NSFDbOpen, NSFDbReplicaInfoGet, NSFDbGetLogInfo, NSFDbModifiedTime). */
export async function liveIdentities(
  binding: NativeBinding,
  paths: readonly string[],
  budgetMs: number,
  call: Call,
): Promise<LiveIdentities> {
  let hanging = '';
  const live = new Map<string, LiveIdentity | { readonly reason: string }>();
  for (let at = 0; at < paths.length; at += askedAtOnce) {
    const asked = paths.slice(at, at + askedAtOnce);
    try {
      const bound = { budgetMs, operation: 'NSFDbOpen', subject: asked[0] ?? '' };
      const found = await call.bounded(binding.readIdentities({ paths: asked }), bound);
      const failures = new Map(found.failures.map(({ index, failure }) => [index, failure]));
      for (const [index, path] of asked.entries()) {
        const failure = failures.get(index);
        live.set(path, failure ? { reason: toPublicError(failure).message } : identityAt(found, index));
      }
    } catch (error) {
      call.check();
      // A call that hangs now would hang for the next ones as well.
      const { message: reason, code } = toPublicError(error);
      if (code === 'ERR_DATABASE_BUDGET') hanging = reason;
      for (const path of paths.slice(at)) live.set(path, { reason });
      break;
    }
  }
  return { live, hanging };
}

/** One of the databases that were asked. */
export function identityAt(found: Awaited<ReturnType<NativeBinding['readIdentities']>>, index: number): LiveIdentity {
  const logged = found.logged[index] === 1;
  return {
    replicaId: timedateText(found.replicaId, index * 8),
    logged,
    dbiid: logged ? unidText(found.dbiid, index * 16) : '',
    logId: logged ? unidText(found.logId, index * 16) : '',
    modified: modifiedText(found.modified, index),
  };
}

/** The two times of a column as a manifest has them; empty when they are not known. */
export function modifiedText(column: Uint8Array, index: number): string {
  const text = unidText(column, index * 16);
  return /^0*$/.test(text) ? '' : text;
}
