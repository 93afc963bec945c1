import { readdir, stat } from 'node:fs/promises';
import type { Call } from '../call/call';
import { AbortError, toPublicError, VssError, type DominoVssError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type { NativeVss } from '../native/vss';
import { queryShadows, type ListedShadow } from './listed-shadow';
import { selectShadows } from './shadows';
import { exposurePlace } from './windows-names';

/** A file share, instead of a drive or a directory. */
export interface ShadowShare {
  /** Name of the share. */
  readonly share: string;
  /** Directory inside the shadow that is shared, for example `\data`. Default: all of it. */
  readonly directory?: string | undefined;
}

/** Why a shadow cannot be exposed at a place. */
export interface Obstacle {
  readonly message: string;
  readonly hint: string;
  /** Whether it is another shadow: deleting that frees the place. */
  readonly isShadow: boolean;
}

/** What is needed to examine a place. */
export interface PlaceMachine {
  readonly binding: Pick<NativeBinding, 'inspectVolume'>;
  readonly vss: NativeVss;
  readonly call: Call;
}

/** Checks whether a shadow can be exposed at a place, because Windows itself only returns E_INVALIDARG. Changes nothing. */
export async function findObstacle(as: string | ShadowShare, machine: PlaceMachine): Promise<Obstacle | undefined> {
  const place = typeof as === 'string' ? exposurePlace(as) : as.share;
  const shadows = await queryShadows(machine.vss, new Set(), machine.call);
  const exposed = shadows.filter(({ exposedAs }) => exposedAs !== '');
  const [holder] =
    typeof as === 'string'
      ? await selectShadows({ by: 'exposed', as: place }, exposed, (volume) => Promise.resolve(volume))
      : exposed.filter(({ exposedAs }) => exposedAs.toLowerCase() === place.toLowerCase());
  if (holder) return { ...heldBy(place, holder), isShadow: true };
  if (typeof as !== 'string') return undefined;
  const obstacle = /^[A-Z]:$/.test(place) ? await driveObstacle(place, machine) : await directoryObstacle(place);
  return obstacle && { ...obstacle, isShadow: false };
}

/** The error of a failed exposure with its cause, if one can be found; otherwise the original error. */
export async function explainExposure(
  thrown: unknown,
  { id, as }: { readonly id: string; readonly as: string | ShadowShare },
  machine: PlaceMachine,
): Promise<DominoVssError> {
  const error = toPublicError(thrown);
  if (error instanceof AbortError || !(error instanceof VssError) || inTheWay.has(error.code)) return error;
  const explain = (code: 'ERR_VSS_PLACE' | 'ERR_VSS_CONTEXT', message: string, hint: string): VssError => {
    const { operation, hresult, hresultName } = error;
    const details = { message: `${message} (${error.message})`, hint, phase: error.phase, cause: error };
    return new VssError(code, { operation, hresult, hresultName, volume: id }, details);
  };
  try {
    const obstacle = await findObstacle(as, machine);
    if (obstacle) return explain('ERR_VSS_PLACE', obstacle.message, obstacle.hint);
    const shadow = (await queryShadows(machine.vss, new Set(), machine.call)).find((listed) => listed.id === id);
    if (shadow?.exposedAs) {
      const message = `${id} is already exposed as ${shadow.exposedAs}`;
      return explain('ERR_VSS_PLACE', message, 'Remove that exposure first, or use it.');
    }
    if (shadow && (!shadow.persistent || shadow.attributes.includes('client-accessible'))) {
      const message = `${id} was made in the context ${shadow.context ?? '(unknown)'}, whose shadows Windows does not expose`;
      return explain('ERR_VSS_CONTEXT', message, 'Make it persistent; in a script with "set context persistent".');
    }
  } catch {
    // The original error says more than that its cause could not be found.
  }
  return error;
}

/** Errors that are not caused by the place. */
const inTheWay: ReadonlySet<string> = new Set(['ERR_VSS_ACCESS', 'ERR_VSS_SERVICE', 'ERR_VSS_LIBRARY']);

function heldBy(place: string, { id, volume, created }: ListedShadow): Omit<Obstacle, 'isShadow'> {
  return {
    message: `${place} is taken: the shadow copy ${id} of ${volume}, made ${created.toISOString()}, is exposed there`,
    hint: `If it is no longer needed: domino-vss shadow delete --exposed ${place}; to remove only the exposure: domino-vss shadow unexpose ${place}`,
  };
}

async function driveObstacle(
  place: string,
  { binding, call }: PlaceMachine,
): Promise<Omit<Obstacle, 'isShadow'> | undefined> {
  const root = `${place}\\`;
  const [volume, isThere] = await Promise.all([
    call.race(binding.inspectVolume(root)).then(
      // On other systems, a drive is just a name in the working directory.
      ({ device }) => (device.startsWith('\\\\?\\') ? device : undefined),
      () => undefined,
    ),
    stat(root).then(
      () => true,
      () => false,
    ),
  ]);
  if (volume === undefined && !isThere) return undefined;
  const by =
    volume === undefined ? 'a drive that is not a volume (network, subst, another session)' : `the volume ${volume}`;
  return {
    message: `${place} is taken by ${by}`,
    hint: 'Choose a letter that is free for all users: "mountvol" lists volumes, "net use" and "subst" the other drives.',
  };
}

async function directoryObstacle(place: string): Promise<Omit<Obstacle, 'isShadow'> | undefined> {
  try {
    if (!(await stat(place)).isDirectory()) {
      return { message: `${place} is a file, not a directory`, hint: 'Name an empty directory on an NTFS volume.' };
    }
    if ((await readdir(place)).length === 0) return undefined;
    return { message: `the directory ${place} is not empty`, hint: 'Name an empty directory on an NTFS volume.' };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return { message: `${place} cannot be read: ${message}`, hint: 'Check its rights.' };
    return {
      message: `there is no directory ${place}`,
      hint: 'Create it first: an empty directory on an NTFS volume.',
    };
  }
}
