import type { Call } from '../call/call';
import type { NativeBinding } from '../native/session';
import type { Manifest } from '../store/manifest';
import { requireVss } from '../vss/call';
import { queryShadows } from '../vss/listed-shadow';

/** Roots of the shadows that were kept and still exist, by the top directories of their volumes. */
export type ShadowRoots = ReadonlyMap<string, string>;

/**
 * Where the kept shadows are now. Windows numbers the devices of shadows anew when it starts, so that another one may have
 * the name that the manifest knows; the id stays.
 */
export async function shadowRoots(loadBinding: () => NativeBinding, head: Manifest, call: Call): Promise<ShadowRoots> {
  const kept = head.volumes.filter((volume) => volume.kept);
  if (head.provider.name !== 'vss') return new Map(kept.map(({ path, root }) => [path, root]));
  if (kept.length === 0) return new Map();
  const shadows = await queryShadows(requireVss(loadBinding()), new Set(), call);
  const roots = new Map<string, string>();
  for (const { id, path } of kept) {
    const shadow = shadows.find((candidate) => candidate.id === id.toLowerCase());
    // A transportable one has no device until it is imported.
    if (shadow && shadow.root !== '') roots.set(path, shadow.root);
  }
  return roots;
}
