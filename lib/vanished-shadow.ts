import type { Call } from './call';
import { ShadowError } from './errors';
import type { NativeVss } from './native-vss';

/** Throws when a shadow does not exist any more: what failed while it was being read failed because of that. */
export async function refuseVanished(
  vss: NativeVss,
  { id, volume }: { readonly id: string; readonly volume: string },
  call: Call,
): Promise<void> {
  const shadows = await call.race(vss.listShadows({ timeoutMs: call.remainingMs() }));
  if (shadows.some((shadow) => shadow.id === id)) return;
  const message = `the shadow ${id} of ${volume} was deleted while it was being read`;
  throw new ShadowError('ERR_SHADOW_VANISHED', { provider: 'vss', shadows: [id] }, { message, phase: 'drain' });
}
