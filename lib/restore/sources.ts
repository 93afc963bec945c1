import type { Call } from '../call/call';
import type { NativeBinding } from '../native/session';
import type { Manifest } from '../store/manifest';
import type { ManifestDatabase, ManifestHead, ManifestVolume } from '../store/manifest-format';
import { requireVss } from '../vss/call';
import { queryShadows } from '../vss/listed-shadow';

/** Roots of the shadows that were kept and still exist, by their ids. */
export type ShadowRoots = ReadonlyMap<string, string>;

/** The shadow that holds a database: that of its volume, unless a further window has made one of its own. */
export function shadowOf(
  { volume, shadow }: Pick<ManifestDatabase, 'volume' | 'shadow'>,
  { volumes }: Pick<ManifestHead, 'volumes'>,
): ManifestVolume | undefined {
  return volumes.find(({ id, path }) => (shadow === undefined ? path === volume : id === shadow));
}

/**
 * Where the kept shadows are now. Windows numbers the devices of shadows anew when it starts, so that another one may have
 * the name that the manifest knows; the id stays.
 */
export async function shadowRoots(loadBinding: () => NativeBinding, head: Manifest, call: Call): Promise<ShadowRoots> {
  const kept = head.volumes.filter((volume) => volume.kept);
  if (head.provider.name !== 'vss') return new Map(kept.map(({ id, root }) => [id, root]));
  if (kept.length === 0) return new Map();
  const shadows = await queryShadows(requireVss(loadBinding()), new Set(), call);
  const roots = new Map<string, string>();
  for (const { id } of kept) {
    const shadow = shadows.find((candidate) => candidate.id === id.toLowerCase());
    // A transportable one has no device until it is imported.
    if (shadow && shadow.root !== '') roots.set(id, shadow.root);
  }
  return roots;
}
