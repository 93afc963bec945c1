import type { Call } from '../call/call';
import type { NativeVss } from '../native/vss';
import { ok, warned, type Finding } from './check';

/** What is asked, and of which volumes: each by the name that VSS takes. */
export interface ShadowStorageContext {
  readonly vss: Pick<NativeVss, 'checkShadowStorage'>;
  readonly volumes: readonly string[];
  readonly call: Pick<Call, 'race'>;
}

/**
 * Whether the volumes of the databases have room for a shadow. One that is short of room is not refused: it vanishes while
 * it is being copied. Only the storage of Windows' own provider is known; other providers keep their own.
 */
export async function checkShadowStorage({ vss, volumes, call }: ShadowStorageContext): Promise<Finding> {
  const found: string[] = [];
  for (const volume of volumes) {
    for (const { message } of await call.race(vss.checkShadowStorage({ volume }))) found.push(message);
  }
  const where = volumes.join(', ');
  if (found.length === 0) return ok(`nothing speaks against a shadow of ${where}`);
  return warned(
    'WARN_SHADOW_STORAGE',
    found.join('; '),
    'Free space, or enlarge the storage: vssadmin resize shadowstorage /for=<volume> /on=<volume> /maxsize=<size>. ' +
      'It has to hold what is overwritten while the shadow exists.',
  );
}
