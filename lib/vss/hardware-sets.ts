import { OptionError } from '../errors/errors';
import { describeShadow, type ListedShadow } from './listed-shadow';
import type { NativeBinding } from '../native/session';
import { boolean, nonEmptyString, oneOf } from '../call/options';
import { forgetOwnSet, rememberOwnShadows } from './own-shadows';
import { vssCall, type VssCallOptions } from './call';
import { guid, normalGuid } from './windows-names';

/** Break and import: operations on the shadows of hardware providers. */

/** Options of `breakSnapshotSet`. */
export interface BreakSnapshotSetOptions extends VssCallOptions {
  readonly setId: string;
  /** Whether the disks become writable. Default: false. */
  readonly writable?: boolean | undefined;
  /** Whether the disks are hidden from this machine. Default: false. */
  readonly mask?: boolean | undefined;
  /** Whether the disks get the identity of the originals: all, or none. Default: the provider decides. */
  readonly revertIdentity?: 'all' | 'none' | undefined;
}

/** Options of `importShadows`. */
export interface ImportShadowsOptions extends VssCallOptions {
  /** Text of the Backup Components Document that was saved with the transportable set. */
  readonly document: string;
}

/** VSS_HARDWARE_OPTIONS. */
const hardwareOptions = { mask: 1, writable: 2, revertAll: 4, revertNone: 8 } as const;

export function breakSnapshotSet(loadBinding: () => NativeBinding, options: BreakSnapshotSetOptions): Promise<void> {
  const checks = { setId: guid, writable: boolean, mask: boolean, revertIdentity: oneOf('all', 'none') };
  return vssCall(loadBinding, options, checks, async ({ vss, call }) => {
    guid(options.setId, 'setId');
    if (options.writable && options.mask) {
      throw new OptionError('mask', 'mask hides the disks, so writable has no meaning with it');
    }
    const flags =
      (options.mask ? hardwareOptions.mask : 0) |
      (options.writable ? hardwareOptions.writable : 0) |
      (options.revertIdentity === 'all' ? hardwareOptions.revertAll : 0) |
      (options.revertIdentity === 'none' ? hardwareOptions.revertNone : 0);
    const setId = normalGuid(options.setId);
    await call.race(vss.breakSnapshotSet({ setId, flags, timeoutMs: call.remainingMs() }));
    forgetOwnSet(setId);
  });
}

export function importShadows(
  loadBinding: () => NativeBinding,
  options: ImportShadowsOptions,
): Promise<readonly ListedShadow[]> {
  return vssCall(loadBinding, options, { document: nonEmptyString }, async ({ vss, call }) => {
    nonEmptyString(options.document, 'document');
    const { document } = options;
    const shadows = await call.race(vss.importShadows({ document, timeoutMs: call.remainingMs() }));
    const own = new Set(shadows.map(({ id }) => id));
    for (const { id, setId } of shadows) rememberOwnShadows([id], setId);
    return shadows.map((shadow) => describeShadow(shadow, own));
  });
}
