import type { NativeBinding } from '../native/session';
import { resolveVolume } from './shadows';
import { vssCall, type VssCallOptions } from './call';
import { providerType, type VssProviderType } from './words';
import { guid, normalGuid, volumeName, withBackslash } from './windows-names';

/** A program or device that makes shadows. */
export interface VssProvider {
  readonly id: string;
  readonly name: string;
  readonly type: VssProviderType;
  readonly version: string;
  readonly versionId: string;
  readonly classId: string;
}

/** Options of `isVolumeSupported`. */
export interface IsVolumeSupportedOptions extends VssCallOptions {
  /** `D:`, a mount point, `\\?\Volume{…}\`, or any file or directory on the volume. */
  readonly volume: string;
  /** Id of a provider. Default: any. */
  readonly providerId?: string | undefined;
}

export function listProviders(
  loadBinding: () => NativeBinding,
  options: VssCallOptions,
): Promise<readonly VssProvider[]> {
  return vssCall(loadBinding, options, {}, async ({ vss, call }) => {
    const providers = await call.race(vss.listProviders({ timeoutMs: call.remainingMs() }));
    return providers.map((provider) => ({ ...provider, type: providerType(provider.type) }));
  });
}

export function isVolumeSupported(
  loadBinding: () => NativeBinding,
  options: IsVolumeSupportedOptions,
): Promise<boolean> {
  return vssCall(loadBinding, options, { volume: volumeName, providerId: guid }, async ({ binding, vss, call }) => {
    volumeName(options.volume, 'volume');
    const volume = await resolveVolume(binding, options.volume, call);
    const providerId = options.providerId === undefined ? '' : normalGuid(options.providerId);
    return call.race(vss.isVolumeSupported({ volume: withBackslash(volume), providerId }));
  });
}
