import type { Call } from '../call/call';
import type { NativeVss } from '../native/vss';
import type { DoctorCheck } from './check';

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
export async function checkShadowStorage({
  vss,
  volumes,
  call,
}: ShadowStorageContext): Promise<Omit<DoctorCheck, 'name'>> {
  const warnings: string[] = [];
  for (const volume of volumes) warnings.push(...(await call.race(vss.checkShadowStorage({ volume }))));
  const where = volumes.join(', ');
  if (warnings.length === 0) return { status: 'ok', found: `nothing speaks against a shadow of ${where}`, advice: '' };
  return {
    status: 'warning',
    found: warnings.join('; '),
    advice:
      'Free space, or enlarge the storage: vssadmin resize shadowstorage /for=<volume> /on=<volume> /maxsize=<size>. ' +
      'It has to hold what is overwritten while the shadow exists.',
  };
}
