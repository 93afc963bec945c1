import type { Call } from '../call/call';
import type { NativeBinding } from '../native/session';
import type { ManifestDatabase, ManifestHead, ManifestVolume } from '../store/manifest-format';
import { requireVss } from './call';
import { queryShadows } from './listed-shadow';

/** The shadow that holds a database: that of its volume, unless a further window has made one of its own. */
export function shadowOf(
  { volume, shadow }: Pick<ManifestDatabase, 'volume' | 'shadow'>,
  { volumes }: Pick<ManifestHead, 'volumes'>,
): ManifestVolume | undefined {
  return volumes.find(({ id, path }) => (shadow === undefined ? path === volume : id === shadow));
}

/**
 * Where the kept shadows of a backup are now, by their ids. Windows numbers the devices of shadows anew when it starts, so that
 * another one may have the name that the manifest knows; the id stays.
 */
export async function keptRoots(
  loadBinding: () => NativeBinding,
  head: Pick<ManifestHead, 'provider' | 'volumes'>,
  call: Call,
): Promise<Map<string, string>> {
  const kept = head.volumes.filter((volume) => volume.kept);
  if (head.provider.name !== 'vss') {
    // One without a root was taken elsewhere and is not read on the machine that was backed up.
    return new Map(kept.flatMap(({ id, root }) => (root === '' ? [] : [[id, root] as const])));
  }
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
