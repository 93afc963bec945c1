import type { Call } from '../call/call';
import { toPublicError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { timedateText, unidText } from './timedate';

/** Databases in one request: each is opened and closed, and the call can be given up between two requests. */
const askedAtOnce = 50;

/** The current identity of a database, according to the server. */
export interface LiveIdentity {
  readonly replicaId: string;
  readonly logged: boolean;
  /** As in a manifest; empty if not logged, like {@link logId}. */
  readonly dbiid: string;
  readonly logId: string;
  /** As in a manifest; empty if unknown. */
  readonly modified: string;
}

/** What the server reports about databases, by path; or why it could not. */
export interface LiveIdentities {
  readonly live: ReadonlyMap<string, LiveIdentity | { readonly reason: string }>;
  /** The call that has not returned, as text; empty for none. */
  readonly hanging: string;
}

/**
 * Asks the server which databases are at these paths now (NSFDbOpen, NSFDbReplicaInfoGet, NSFDbGetLogInfo, NSFDbModifiedTime).
 */
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
      // After a hanging call, the next ones would hang too.
      const { message: reason, code } = toPublicError(error);
      if (code === 'ERR_DATABASE_BUDGET') hanging = reason;
      for (const path of paths.slice(at)) live.set(path, { reason });
      break;
    }
  }
  return { live, hanging };
}

/** The identity of one of the requested databases. */
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

/** The two times in a column, as written in a manifest; empty if unknown. */
export function modifiedText(column: Uint8Array, index: number): string {
  const text = unidText(column, index * 16);
  return /^0*$/.test(text) ? '' : text;
}
