import { ShadowError, toPublicError } from '../errors/errors';

/** A volume as described to a hook. */
export interface HookVolume {
  readonly path: string;
  readonly device: string;
  readonly fileSystem: string;
}

/** What a hook receives. */
export interface HookContext {
  readonly backupId: string;
  /** Volumes to take a snapshot of. Their caches have been flushed to the device. */
  readonly volumes: readonly HookVolume[];
}

/** What the journal records about a hook that can remove what it makes, so that another process can call it. */
export interface HookRecord {
  /** The volumes of its context. */
  readonly volumes: readonly HookVolume[];
  /** What `create` returned besides the shadows; only the hook knows its meaning. */
  readonly state?: unknown;
}

export function isHookRecord(value: unknown): value is HookRecord {
  const volumes: unknown = (value as Partial<HookRecord> | null)?.volumes;
  return (
    Array.isArray(volumes) &&
    (volumes as (Partial<HookVolume> | null)[]).every((volume) =>
      [volume?.path, volume?.device, volume?.fileSystem].every((text) => typeof text === 'string'),
    )
  );
}

/**
 * The error for a function of a hook, with what it threw as the cause. If that is already our own error about this hook, it is
 * returned unchanged.
 */
export function hookFailure(hook: string, call: 'create' | 'remove', thrown: unknown): ShadowError {
  if (thrown instanceof ShadowError && thrown.code === 'ERR_HOOK' && thrown.provider === hook) return thrown;
  const message = `${hook}: ${call}() failed: ${toPublicError(thrown).message}`;
  const phase = call === 'create' ? 'shadow' : 'end';
  return new ShadowError('ERR_HOOK', { provider: hook, operation: call }, { message, phase, cause: thrown });
}
