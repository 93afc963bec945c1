import type { Call } from '../call/call';
import { counted } from '../errors/counted';
import { AbortError, BackupError, ShadowError, toPublicError, type DominoVssError } from '../errors/errors';
import { queryShadows, type ListedShadow } from './listed-shadow';
import type { NativeBinding } from '../native/session';
import type { NativeVss } from '../native/vss';
import { absolutePath, boolean, oneOf, type Check } from '../call/options';
import { forgetOwnShadow, ownShadowsWithScripts } from './own-shadows';
import { vssCall, type VssCallOptions } from './call';
import { exposureName, exposurePlace, guid, isSameName, normalGuid, volumeName, volumePath } from './windows-names';

/** Options of `listShadows`. */
export interface ListShadowsOptions extends VssCallOptions {
  /**
   * Absolute path of a delta directory. Shadows named in its manifests and journals also count as `own`, like those of this
   * process and of scripts.
   */
  readonly deltaDirectory?: string | undefined;
  /** Only shadows of this volume: `D:`, a mount point, `\\?\Volume{…}\`, or any file on it. Default: all. */
  readonly volume?: string | undefined;
}

/** Selects shadows. */
export type ShadowSelector =
  /** One shadow. */
  | { readonly by: 'id'; readonly id: string }
  /** All shadows of a snapshot set. */
  | { readonly by: 'set'; readonly setId: string }
  /** All shadows of a volume: `D:`, a mount point, `\\?\Volume{…}\`, or any file on it. */
  | { readonly by: 'volume'; readonly volume: string }
  /** The oldest shadow of a volume. */
  | { readonly by: 'oldest'; readonly volume: string }
  /** The shadow exposed at a drive letter, directory or share. */
  | { readonly by: 'exposed'; readonly as: string }
  /** Every shadow of this machine. */
  | { readonly by: 'all' };

/** Options of `deleteShadows`: a {@link ShadowSelector}, and what to do with the shadows of other programs. */
export type DeleteShadowsOptions = ShadowSelector &
  VssCallOptions & {
    /**
     * Absolute path of a delta directory. Shadows named in its manifests and journals are ours, like those of this process and of
     * scripts.
     */
    readonly deltaDirectory?: string | undefined;
    /**
     * Selected shadows made by other programs. `refuse`: an error names them and nothing is deleted. `keep`: they are kept.
     * `delete`: they are deleted too. Default: `refuse`.
     */
    readonly foreign?: 'refuse' | 'keep' | 'delete' | undefined;
    /** Asks the provider to do everything possible to delete the shadow (`bForceDelete`). Default: true. */
    readonly force?: boolean | undefined;
  };

/** The result of `deleteShadows`. */
export interface DeleteShadowsReport {
  readonly deleted: readonly ListedShadow[];
  /** Selected shadows of other programs that were kept (`foreign: 'keep'`). */
  readonly kept: readonly ListedShadow[];
  /** Shadows that could not be deleted, each with its reason. */
  readonly failures: readonly { readonly shadow: ListedShadow; readonly error: DominoVssError }[];
}

export function listShadows(
  loadBinding: () => NativeBinding,
  options: ListShadowsOptions,
): Promise<readonly ListedShadow[]> {
  return vssCall(
    loadBinding,
    options,
    { deltaDirectory: absolutePath, volume: volumeName },
    async ({ binding, vss, call }) => {
      const own = await ownShadowsWithScripts(binding, options.deltaDirectory);
      const shadows = await queryShadows(vss, own, call);
      if (options.volume === undefined) return shadows;
      const volume = await resolveVolume(binding, options.volume, call);
      return shadows.filter((shadow) => isSameName(shadow.volume, volume));
    },
  );
}

export function deleteShadows(
  loadBinding: () => NativeBinding,
  options: DeleteShadowsOptions,
): Promise<DeleteShadowsReport> {
  const checks = {
    by: oneOf('id', 'set', 'volume', 'oldest', 'exposed', 'all'),
    ...selectorChecks(options),
    deltaDirectory: absolutePath,
    foreign: oneOf('refuse', 'keep', 'delete'),
    force: boolean,
  };
  return vssCall(loadBinding, options, checks, async ({ binding, vss, call }) => {
    const { foreign = 'refuse', force = true } = options;
    requireSelector(options);
    const own = await ownShadowsWithScripts(binding, options.deltaDirectory);
    const selected = await selectShadows(options, await queryShadows(vss, own, call), (volume) =>
      resolveVolume(binding, volume, call),
    );
    const others = selected.filter((shadow) => !shadow.own);
    if (foreign === 'refuse' && others.length > 0) throw foreignError(others, selected.length);
    const doomed = foreign === 'keep' ? selected.filter((shadow) => shadow.own) : selected;
    return {
      ...(await deleteEach(vss, doomed, force, call)),
      kept: foreign === 'keep' ? others : [],
    };
  });
}

/** The fields that a selector needs besides `by`; `as` may also be the name of a share. */
const selectorFields = {
  id: { id: guid },
  set: { setId: guid },
  volume: { volume: volumeName },
  oldest: { volume: volumeName },
  exposed: { as: exposedName },
  all: {},
} as const satisfies Record<ShadowSelector['by'], Readonly<Record<string, Check>>>;

function exposedName(value: unknown, name: string): void {
  // A share name has no separators.
  if (typeof value !== 'string' || value === '' || /[\\/:\0]/.test(value)) exposureName(value, name);
}

function selectorChecks({ by }: ShadowSelector): Readonly<Record<string, Check>> {
  return Object.hasOwn(selectorFields, by) ? selectorFields[by] : {};
}

/** The checks accept missing values; here, every field is required. */
function requireSelector(selector: ShadowSelector): void {
  oneOf(...Object.keys(selectorFields))(selector.by, 'by');
  for (const [name, check] of Object.entries(selectorChecks(selector))) {
    check((selector as unknown as Record<string, unknown>)[name], name);
  }
}

/** The shadows that a selector selects from all shadows, which are ordered by age. */
export async function selectShadows(
  selector: ShadowSelector,
  shadows: readonly ListedShadow[],
  resolve: (volume: string) => Promise<string>,
): Promise<readonly ListedShadow[]> {
  switch (selector.by) {
    case 'id':
      return shadows.filter(({ id }) => id === normalGuid(selector.id));
    case 'set':
      return shadows.filter(({ setId }) => setId === normalGuid(selector.setId));
    case 'volume':
    case 'oldest': {
      const name = await resolve(selector.volume);
      const ofVolume = shadows.filter(({ volume }) => isSameName(volume, name));
      return selector.by === 'oldest' ? ofVolume.slice(0, 1) : ofVolume;
    }
    case 'exposed':
      return shadows.filter(({ exposedAs }) => exposedAs !== '' && isSamePlace(exposedAs, selector.as));
    case 'all':
      return shadows;
  }
}

function isSamePlace(a: string, b: string): boolean {
  return exposurePlace(a).toLowerCase() === exposurePlace(b).toLowerCase();
}

/** Name of the volume, `\\?\Volume{…}\`, that contains a path. */
export async function resolveVolume(binding: NativeBinding, volume: string, call: Call): Promise<string> {
  const path = volumePath(volume);
  // A volume that is not mounted has no path to examine, and its name is already in the final form.
  if (/^\\\\\?\\volume\{[^\\]*\}\\?$/i.test(path)) return path;
  return (await call.race(binding.inspectVolume(path))).device;
}

/** Removes the exposure of a shadow, which may have lost it in the meantime. */
async function unexpose(vss: NativeVss, id: string, call: Call): Promise<void> {
  try {
    await call.race(vss.unexposeShadow({ id }));
  } catch (error) {
    if (toPublicError(error).code !== 'ERR_VSS_NOT_FOUND') throw error;
  }
}

/** Maximum number of shadows named in a refusal; the error has the ids of all. */
const namedShadows = 10;

function foreignError(others: readonly ListedShadow[], selected: number): ShadowError {
  const names = others
    .slice(0, namedShadows)
    .map(({ id, volume, created }) => `${id} of ${volume}, made ${created.toISOString()}`);
  if (others.length > namedShadows) names.push(`and ${others.length - namedShadows} more`);
  const message = `nothing was deleted, because ${others.length} of ${counted(selected, 'selected shadow')} may belong to another program: ${names.join('; ')}`;
  const shadows = others.map(({ id }) => id);
  return new ShadowError('ERR_SHADOW_FOREIGN', { provider: 'vss', shadows }, { message, phase: 'shadow' });
}

/** One after the other, as VSS requires. The exposure of a shadow is removed first. */
async function deleteEach(
  vss: NativeVss,
  shadows: readonly ListedShadow[],
  force: boolean,
  call: Call,
): Promise<Pick<DeleteShadowsReport, 'deleted' | 'failures'>> {
  const deleted: ListedShadow[] = [];
  const failures: { shadow: ListedShadow; error: DominoVssError }[] = [];
  for (const shadow of shadows) {
    try {
      // It is not documented whether deleting a shadow also removes its exposure.
      if (shadow.exposedAs !== '') await unexpose(vss, shadow.id, call);
      const { failure } = await call.race(vss.deleteShadows({ id: shadow.id, kind: 'shadow', force }));
      if (failure) throw toPublicError(failure);
      deleted.push(shadow);
      forgetOwnShadow(shadow.id);
    } catch (thrown) {
      const error = toPublicError(thrown);
      if (error instanceof AbortError || error.code === 'ERR_DEADLINE') {
        throw cutOff(error, { shadows, deleted, failed: failures.map((failed) => failed.shadow) });
      }
      failures.push({ shadow, error });
    }
  }
  const [first] = failures;
  if (first && deleted.length === 0) throw first.error;
  return { deleted, failures };
}

/** The same error, with what had been deleted by then. Of the remaining shadows, the one that was being deleted comes first. */
function cutOff(
  error: DominoVssError,
  work: Readonly<Record<'shadows' | 'deleted' | 'failed', readonly ListedShadow[]>>,
): DominoVssError {
  const ids = (of: readonly ListedShadow[]): string[] => of.map(({ id }) => id);
  const failed = ids(work.failed);
  const current = work.deleted.length + failed.length;
  const left = [...ids(work.shadows.slice(current)), ...failed];
  const deletion = { deleted: ids(work.deleted), left, failed };
  if (error instanceof AbortError) return new AbortError(error.cause, error.phase, deletion);
  const { phase, cause } = error;
  const message = `${error.message}; deleted ${work.deleted.length} of ${counted(work.shadows.length, 'shadow')}`;
  return new BackupError('ERR_DEADLINE', { message, phase, cause, deletion });
}
