import type { HookShadow } from '../backup/provider';
import { OptionError } from '../errors/errors';
import { loadManifest } from '../store/manifest';
import { pathFrom } from './arguments';
import type { CommandLineContext } from './context';

/** Where snapshots can be read: `<dir>` for the only volume, or `<volume>=<dir>`. */
export function shadowRootsOf(
  given: readonly string[],
  volumes: readonly string[],
  context: CommandLineContext,
): HookShadow[] {
  const path = pathFrom(context);
  return given.map((text) => {
    const volume = volumes.find((candidate) => text.startsWith(`${candidate}=`));
    if (volume !== undefined) return { volume, root: path(text.slice(volume.length + 1)) };
    const [only] = volumes;
    if (only !== undefined && volumes.length === 1) return { volume: only, root: path(text) };
    const known = volumes.map((candidate) => `${candidate}=<dir>`).join(', ');
    throw new OptionError('shadowRoot', `--shadow-root "${text}" does not say of which volume; it is one of: ${known}`);
  });
}

/** The same for a backup, whose manifest names the volumes. */
export async function shadowRootsOfBackup(
  manifest: string,
  given: readonly string[] | undefined,
  context: CommandLineContext,
): Promise<HookShadow[] | undefined> {
  if (given === undefined) return undefined;
  const { volumes } = await loadManifest(manifest);
  return shadowRootsOf(
    given,
    volumes.map(({ path }) => path),
    context,
  );
}
