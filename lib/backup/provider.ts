import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call } from '../call/call';
import { oneOf } from '../call/options';
import { OptionError, ShadowError, toPublicError, type DominoVssError } from '../errors/errors';
import type { NativeBinding, NativeProvider, NativeVolume } from '../native/session';
import { readingCallsOf } from '../recover/tools';
import type { FileCalls } from '../store/stall';
import { isInside } from '../store/safe-directory';
import type { ProviderChoice } from '../store/manifest-format';
import { otherProvider, requireVss } from '../vss/call';
import type { ResolvedVss } from '../vss/context';
import { withBackslash } from '../vss/windows-names';
import { checkHook, type HookProvider } from './hook-provider';
import { shadowDirectoryError, usualShadowDirectory } from './shadow-plan';

export { checkShadows, type HookDelivery, type HookLimits, type HookProvider, type HookShadow } from './hook-provider';

/** Longest time for a call on a database or file, unless the caller has named another. */
export const defaultBudgetMs = 10_000;

/** A provider by name; `auto` means `vss` on Windows; elsewhere the file systems of the databases decide. */
export type ProviderName = 'auto' | 'vss' | 'btrfs' | 'reflink' | 'rolling';

/** A provider by name, or one written in JavaScript. */
export type ProviderOption = ProviderName | HookProvider;

/** A chosen provider, in the form that the engine needs. */
export interface ResolvedProvider extends ProviderChoice {
  readonly native: NativeProvider;
  readonly hook?: HookProvider;
  /** Settings of the requester; `vss` only. */
  readonly vss?: ResolvedVss;
}

export function checkProvider(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) {
    checkHook(value, name);
    return;
  }
  oneOf('auto', 'vss', 'btrfs', 'reflink', 'rolling')(value, name);
}

/** Whether VSS makes the shadows; this is known before anything else. */
export function usesVss(binding: NativeBinding, option: ProviderOption): boolean {
  return option === 'vss' || (option === 'auto' && binding.vss !== undefined);
}

/** Checks early what would otherwise fail later: whether this process may use VSS. */
async function chooseVss(
  binding: NativeBinding,
  { provider: option, shadowDirectory: given, vss }: ShadowChoice,
  call: Call,
): Promise<ResolvedProvider> {
  if (given !== undefined) {
    throw new OptionError(
      'shadowDirectory',
      'shadowDirectory has no meaning with VSS, which decides itself where shadows are kept',
    );
  }
  const [reason] = await call.race(requireVss(binding, otherProvider).whyNot());
  if (reason) throw toPublicError(reason);
  const why = option === 'vss' ? 'vss was asked for' : 'this is Windows';
  return { name: 'vss', native: 'vss', reason: why, ...(vss && { vss }) };
}

/** Chooses by what the volumes of the databases can really do. */
async function chooseProvider(
  binding: NativeBinding,
  option: Exclude<ProviderOption, 'vss'>,
  volumes: readonly NativeVolume[],
  directories: readonly ShadowDirectory[],
  calls: FileCalls,
): Promise<ResolvedProvider> {
  if (typeof option === 'object') {
    return { name: option.name, native: 'hook', reason: 'a hook was given', hook: option };
  }
  const named = `${option} was asked for`;
  switch (option) {
    case 'rolling':
      return { name: option, native: option, reason: named };
    case 'btrfs': {
      const other = volumes.find((volume) => !isSnapshotable(volume));
      if (other) throw unsupported('btrfs', other, `${other.path} is ${other.fileSystem}, not a btrfs subvolume`);
      return { name: option, native: option, reason: named };
    }
    case 'reflink': {
      const refused = await findVolumeWithoutReflink(binding, volumes, directories, calls);
      if (refused) {
        const { volume, untested: cause } = refused;
        const message = cause
          ? `it could not be tested whether ${volume.path} (${volume.fileSystem}) can clone files: ${cause.message}`
          : `${volume.path} (${volume.fileSystem}) cannot clone files`;
        throw new ShadowError('ERR_CLONE_REFUSED', { provider: 'reflink', path: volume.path }, { message, cause });
      }
      return { name: option, native: option, reason: named };
    }
    case 'auto':
      return chooseByVolumes(binding, volumes, directories, calls);
  }
}

async function chooseByVolumes(
  binding: NativeBinding,
  volumes: readonly NativeVolume[],
  directories: readonly ShadowDirectory[],
  calls: FileCalls,
): Promise<ResolvedProvider> {
  const list = volumes.map((volume) => `${volume.path} (${volume.fileSystem})`).join(', ');
  if (volumes.every(isSnapshotable) && directories.every(({ sameFileSystem }) => sameFileSystem)) {
    return { name: 'btrfs', native: 'btrfs', reason: `all databases are on btrfs subvolumes: ${list}` };
  }
  const refused = await findVolumeWithoutReflink(binding, volumes, directories, calls);
  if (!refused) {
    return { name: 'reflink', native: 'reflink', reason: `cloning a file was tested and works on ${list}` };
  }
  const { volume, untested } = refused;
  const impossible = `neither subvolume snapshots nor file clones are possible on ${volume.path} (${volume.fileSystem})`;
  return {
    name: 'rolling',
    native: 'rolling',
    reason: untested ? `${impossible}: ${untested.message}` : impossible,
  };
}

function isSnapshotable(volume: NativeVolume): boolean {
  return volume.fileSystem === 'btrfs' && volume.isSubvolume;
}

/** A volume without clones. */
interface WithoutReflink {
  readonly volume: NativeVolume;
  /** Why they could not be tried: the file system may have them, but this user cannot make any there, or not now. */
  readonly untested?: DominoVssError;
}

/** Tries to clone a file where the clones would be: in the nearest existing directory above each shadow directory. */
async function findVolumeWithoutReflink(
  binding: NativeBinding,
  volumes: readonly NativeVolume[],
  directories: readonly ShadowDirectory[],
  calls: FileCalls,
): Promise<WithoutReflink | undefined> {
  for (const [index, volume] of volumes.entries()) {
    const directory = directories[index];
    if (!directory?.sameFileSystem) return { volume };
    const existing = await nearestExisting(directory.path, calls);
    const found = await calls.wait('ioctl', existing, probeReflink(binding, existing));
    if (found === true) continue;
    return found === false ? { volume } : { volume, untested: found };
  }
  return undefined;
}

function probeReflink(binding: NativeBinding, directory: string): Promise<boolean | DominoVssError> {
  return binding.probeReflink(directory).catch(toPublicError);
}

async function nearestExisting(path: string, calls: FileCalls): Promise<string> {
  let directory = path;
  while (dirname(directory) !== directory && !(await calls.wait('stat', directory, exists(directory)))) {
    directory = dirname(directory);
  }
  return directory;
}

/** One that cannot be accessed is of no use. */
function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function unsupported(provider: string, volume: NativeVolume, message: string): ShadowError {
  return new ShadowError('ERR_UNSUPPORTED', { provider, path: volume.path }, { message, phase: 'prepare' });
}

/** The directory for shadows of one volume. */
export interface ShadowDirectory {
  readonly path: string;
  /** Whether it is on the file system of the volume, as required for snapshots and clones but not for copies. */
  readonly sameFileSystem: boolean;
}

/** One directory per volume. A hook keeps its shadows elsewhere. */
async function shadowDirectoriesFor(
  binding: NativeBinding,
  option: ProviderOption,
  given: string | undefined,
  volumes: readonly NativeVolume[],
  dataDirectory: string,
  calls: FileCalls,
): Promise<ShadowDirectory[]> {
  if (typeof option === 'object') {
    if (given !== undefined) throw new OptionError('shadowDirectory', 'shadowDirectory has no meaning with a hook');
    return [];
  }
  if (given === undefined) {
    // Plain volumes have no data directory.
    const data =
      dataDirectory === '' ? undefined : await calls.wait('realpath', dataDirectory, realpath(dataDirectory));
    return volumes.map((volume) => ({ path: usualDirectory(volume, data), sameFileSystem: true }));
  }
  const existing = await nearestExisting(given, calls);
  const own = await calls.wait('stat', existing, binding.inspectVolume(existing));
  const other = volumes.find((volume) => volume.device !== own.device);
  if (other && (option === 'btrfs' || option === 'reflink')) {
    const message = `${given} is on ${own.device}, but the databases of ${other.path} are on ${other.device}`;
    throw shadowDirectoryError(given, message);
  }
  return volumes.map((volume) => ({ path: given, sameFileSystem: volume.device === own.device }));
}

/** What determines the provider of a backup and the place of its shadows. */
export interface ShadowChoice {
  readonly provider: ProviderOption;
  readonly shadowDirectory: string | undefined;
  /** Where `rolling` puts its copies if no directory is given: next to the backups. */
  readonly deltaDirectory: string | undefined;
  readonly volumes: readonly NativeVolume[];
  readonly dataDirectory: string;
  readonly vss?: ResolvedVss | undefined;
  /** Longest time for one look at a file system. */
  readonly budgetMs: number;
}

/** The provider, and one directory per volume for its shadows. A call of VSS that hangs is named, and abandoned. */
export async function chooseShadows(
  binding: NativeBinding,
  choice: ShadowChoice,
  call: Call,
): Promise<{ readonly provider: ResolvedProvider; readonly directories: readonly ShadowDirectory[] }> {
  const { provider: option, shadowDirectory: given, deltaDirectory, volumes, dataDirectory, budgetMs } = choice;
  const calls = readingCallsOf({ call, budgetMs });
  if (option === 'vss' || usesVss(binding, option)) {
    return { provider: await chooseVss(binding, choice, call), directories: [] };
  }
  // Copies may be on another file system; this user may have no directory on that of the databases.
  const forCopies =
    given === undefined && deltaDirectory !== undefined
      ? volumes.map(() => ({ path: join(deltaDirectory, usualShadowDirectory), sameFileSystem: true }))
      : undefined;
  const forShadows =
    option === 'rolling' && forCopies
      ? forCopies
      : await shadowDirectoriesFor(binding, option, given, volumes, dataDirectory, calls);
  const provider = await chooseProvider(binding, option, volumes, forShadows, calls);
  return { provider, directories: provider.native === 'rolling' && forCopies ? forCopies : forShadows };
}

function usualDirectory(volume: NativeVolume, dataDirectory: string | undefined): string {
  const directory = join(volume.mountPoint, usualShadowDirectory);
  if (dataDirectory === undefined || !isInside(directory, dataDirectory)) return directory;
  const message =
    `${directory} would be inside the data directory, because ${volume.mountPoint} is the mount point; ` +
    'name a directory on that file system with the option shadowDirectory';
  throw shadowDirectoryError(directory, message);
}

/** A volume in the form that native code expects. */
export function nativeSource(provider: NativeProvider, { path, mountPoint }: NativeVolume): string {
  return provider === 'vss' ? withBackslash(mountPoint) : path;
}
