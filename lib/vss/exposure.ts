import { OptionError } from '../errors/errors';
import { queryShadows } from './listed-shadow';
import type { NativeBinding } from '../native/session';
import { checkOptions, nonEmptyString, oneOf } from '../call/options';
import { explainExposure, type ShadowShare } from './place';
import { selectShadows } from './shadows';
import { vssCall, type VssCallOptions } from './call';
import { exposureName, exposurePlace, guid, normalGuid } from './windows-names';

/** Options of `exposeShadow`. The shadow must be persistent; Windows documents that a client-accessible one cannot be exposed. */
export interface ExposeShadowOptions extends VssCallOptions {
  readonly id: string;
  /** A free drive letter (`B:`), the absolute path of an existing empty directory, or a share. */
  readonly as: string | ShadowShare;
}

/** Options of `unexposeShadow`: the shadow, or the place where it is exposed. */
export type UnexposeShadowOptions = VssCallOptions &
  ({ readonly by: 'id'; readonly id: string } | { readonly by: 'exposed'; readonly as: string });

export function exposeShadow(loadBinding: () => NativeBinding, options: ExposeShadowOptions): Promise<string> {
  return vssCall(loadBinding, options, { id: guid, as: exposureOption }, async ({ binding, vss, call }) => {
    guid(options.id, 'id');
    exposureOption(options.as, 'as');
    const [id, as] = [normalGuid(options.id), options.as];
    try {
      return await call.race(vss.exposeShadow({ id, ...nativeExposure(as) }));
    } catch (error) {
      throw await explainExposure(error, { id, as }, { binding, vss, call });
    }
  });
}

export function unexposeShadow(loadBinding: () => NativeBinding, options: UnexposeShadowOptions): Promise<void> {
  const checks = { by: oneOf('id', 'exposed'), ...(options.by === 'exposed' ? { as: nonEmptyString } : { id: guid }) };
  return vssCall(loadBinding, options, checks, async ({ vss, call }) => {
    if (options.by === 'id') {
      guid(options.id, 'id');
      await call.race(vss.unexposeShadow({ id: normalGuid(options.id) }));
      return;
    }
    oneOf('id', 'exposed')(options.by, 'by');
    nonEmptyString(options.as, 'as');
    const shadows = await queryShadows(vss, new Set(), call);
    const [shadow] = await selectShadows(options, shadows, (volume) => Promise.resolve(volume));
    if (!shadow) throw new OptionError('as', `no shadow is exposed as ${options.as}`);
    await call.race(vss.unexposeShadow({ id: shadow.id }));
  });
}

/** A drive, a directory, or a share. */
export function exposureOption(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) {
    exposureName(value, name);
    return;
  }
  checkOptions(value, { share: shareName, directory: nonEmptyString }, `${name}.`);
  shareName((value as Partial<ShadowShare>).share, `${name}.share`);
}

function shareName(value: unknown, name: string): void {
  nonEmptyString(value, name);
  if (/[\\/:]/.test(value as string)) throw new OptionError(name, `${name} must be the bare name of a share`);
}

/** In the form that ExposeSnapshot needs. */
export function nativeExposure(as: string | ShadowShare): {
  readonly kind: 'local' | 'share';
  readonly as: string;
  readonly pathFromRoot: string;
} {
  if (typeof as === 'string') return { kind: 'local', as: exposurePlace(as), pathFromRoot: '' };
  const directory = as.directory?.replaceAll('/', '\\').replace(/\\+$/, '') ?? '';
  const pathFromRoot = directory === '' || directory.startsWith('\\') ? directory : `\\${directory}`;
  return { kind: 'share', as: as.share, pathFromRoot };
}
