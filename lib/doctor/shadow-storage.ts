import type { Call } from '../call/call';
import type { NativeVss } from '../native/vss';
import { ok, warned, type Finding } from './check';

/** The query, and the volumes by the names that VSS uses. */
export interface ShadowStorageContext {
  readonly vss: Pick<NativeVss, 'checkShadowStorage'>;
  readonly volumes: readonly string[];
  readonly call: Pick<Call, 'race'>;
}

/**
 * Whether the volumes with databases have room for a shadow. A shadow that runs out of space is not refused: it vanishes while it
 * is being copied. Only the storage of Windows' own provider is known; other providers have their own.
 */
export async function checkShadowStorage({ vss, volumes, call }: ShadowStorageContext): Promise<Finding> {
  const found: string[] = [];
  for (const volume of volumes) {
    for (const { message } of await call.race(vss.checkShadowStorage({ volume }))) found.push(message);
  }
  const where = volumes.join(', ');
  if (found.length === 0) return ok(`there is room for a shadow of ${where}`);
  return warned(
    'WARN_SHADOW_STORAGE',
    found.join('; '),
    'Free space, or enlarge the storage: vssadmin resize shadowstorage /for=<volume> /on=<volume> /maxsize=<size>. ' +
      'It must have room for everything that is overwritten while the shadow exists.',
  );
}
