import type { Call } from '../call/call';
import type { NativeBinding } from '../native/session';
import type { ManifestDatabase, ManifestHead, ManifestVolume } from '../store/manifest-format';
import { requireVss } from './call';
import { queryShadows } from './listed-shadow';

/** The shadow that contains a database: that of its volume, unless a further window made one for it. */
export function shadowOf(
  { volume, shadow }: Pick<ManifestDatabase, 'volume' | 'shadow'>,
  { volumes }: Pick<ManifestHead, 'volumes'>,
): ManifestVolume | undefined {
  return volumes.find(({ id, path }) => (shadow === undefined ? path === volume : id === shadow));
}

/**
 * The present roots of a backup's kept shadows, by id. Windows renumbers the devices of shadows when it starts, so another shadow
 * may have the device name in the manifest; the id does not change.
 */
export async function keptRoots(
  loadBinding: () => NativeBinding,
  head: Pick<ManifestHead, 'provider' | 'volumes'>,
  call: Call,
): Promise<Map<string, string>> {
  const kept = head.volumes.filter((volume) => volume.kept);
  if (head.provider.name !== 'vss') {
    // A shadow without a root was taken elsewhere and cannot be read on the machine that was backed up.
    return new Map(kept.flatMap(({ id, root }) => (root === '' ? [] : [[id, root] as const])));
  }
  if (kept.length === 0) return new Map();
  const shadows = await queryShadows(requireVss(loadBinding()), new Set(), call);
  const roots = new Map<string, string>();
  for (const { id } of kept) {
    const shadow = shadows.find((candidate) => candidate.id === id.toLowerCase());
    // A transportable shadow has no device until it is imported.
    if (shadow && shadow.root !== '') roots.set(id, shadow.root);
  }
  return roots;
}
