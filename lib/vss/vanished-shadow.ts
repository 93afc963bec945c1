import type { Call } from '../call/call';
import { ShadowError } from '../errors/errors';
import type { Phase } from '../native/failure';
import type { NativeVss } from '../native/vss';
import { isStillOwn } from './own-shadows';

/** Throws if a shadow no longer exists: then reading it failed for that reason. */
export async function refuseVanished(vss: NativeVss, shadow: VolumeShadow, call: Call): Promise<void> {
  const [gone] = await findVanished(vss, [shadow], call);
  if (gone) throw vanishedError([gone], 'was deleted while it was being read', 'drain');
}

/** Throws unless every shadow that is to be kept still exists. Shadows that this process itself has deleted do not count. */
export async function requireKept(vss: NativeVss, shadows: readonly VolumeShadow[], call: Call): Promise<void> {
  const expected = shadows.filter(({ id }) => isStillOwn(id));
  if (expected.length === 0) return;
  const gone = await findVanished(vss, expected, call);
  if (gone.length > 0) throw vanishedError(gone, 'vanished before the end of the backup that should keep it', 'end');
}

interface VolumeShadow {
  readonly id: string;
  readonly volume: string;
}

async function findVanished(
  vss: NativeVss,
  shadows: readonly VolumeShadow[],
  call: Call,
): Promise<readonly VolumeShadow[]> {
  const listed = await call.race(vss.listShadows({ timeoutMs: call.remainingMs() }));
  return shadows.filter(({ id }) => !listed.some((shadow) => shadow.id === id));
}

function vanishedError(gone: readonly VolumeShadow[], what: string, phase: Phase): ShadowError {
  const message = gone.map(({ id, volume }) => `the shadow ${id} of ${volume} ${what}`).join('; ');
  const shadows = gone.map(({ id }) => id);
  return new ShadowError('ERR_SHADOW_VANISHED', { provider: 'vss', shadows }, { message, phase });
}
