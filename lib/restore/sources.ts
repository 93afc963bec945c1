import type { Call } from '../call/call';
import type { HookShadow } from '../backup/provider';
import { OptionError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type { Chain } from '../store/chain';
import { keptRoots } from '../vss/kept-roots';

/** Roots of the shadows that were kept and still exist, by shadow id. */
export type ShadowRoots = ReadonlyMap<string, string>;

/** The present locations of the kept shadows, of the backup and of those that it builds on. `given` are for the backup itself. */
export async function shadowRoots(
  loadBinding: () => NativeBinding,
  { head, links }: Chain,
  given: readonly HookShadow[],
  call: Call,
): Promise<ShadowRoots> {
  const roots = await keptRoots(loadBinding, head, call);
  for (const link of links.values()) {
    if (typeof link === 'string') continue;
    for (const [id, root] of await keptRoots(loadBinding, link, call)) roots.set(id, root);
  }
  for (const { volume, root } of given) {
    const shadow = head.volumes.find(({ path }) => path === volume);
    if (!shadow) {
      const known = head.volumes.map(({ path }) => path).join(', ');
      throw new OptionError('shadowRoots', `${volume} is not a volume of this backup: ${known}`);
    }
    roots.set(shadow.id, root);
  }
  return roots;
}
