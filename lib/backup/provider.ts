import type { HookContext } from '../store/hook-record';
import type { ProviderChoice } from '../store/manifest-format';
import { existsSync, rmdirSync } from 'node:fs';
import { opendir, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { BackupDatabases } from '../domino/databases';
import { OptionError, ShadowError, toPublicError } from '../errors/errors';
import type { NativeBinding, NativeProvider, NativeVolume } from '../native/session';
import { absolutePath, boolean, checkOptions, functionValue, nonEmptyString, oneOf } from '../call/options';
import { directoryRisk, isInside, makeOwnDirectory } from '../store/safe-directory';
import { requireVss } from '../vss/call';
import type { ResolvedVss } from '../vss/context';
import { withBackslash } from '../vss/windows-names';

/** A volume that a hook takes a snapshot of, and later the snapshot. */
export interface HookShadow {
  /** Top directory of the volume, as given in {@link HookContext.volumes}. */
  readonly volume: string;
  /**
   * Absolute path of a directory where the contents of the snapshot can be read; empty if this machine cannot read them,
   * as with snapshots made by a hypervisor. A restore is then told where to read them.
   */
  readonly root: string;
}

/** What a hook has made. */
export interface HookDelivery {
  /** One for every volume. Empty in {@link HookProvider.remove} if `create` had not returned when the process died. */
  readonly shadows: readonly HookShadow[];
  /**
   * Whatever the hook needs to remove what it has made, for example names in the storage. It is kept in the journal and must
   * be JSON. Default: nothing.
   */
  readonly state?: unknown;
}

/** How long a hook may take. */
export interface HookLimits {
  /** Fires when the backup is cancelled or out of time. A shadow delivered after that is passed to `remove`. */
  readonly signal: AbortSignal;
  /** Milliseconds from now after which the databases leave backup mode, whatever the hook does. */
  readonly deadlineMs: number;
}

/** A provider written in JavaScript, for storage arrays, LVM, ZFS or hypervisors. It runs inside the freeze window. */
export interface HookProvider {
  /** For reports, for example `lvm`. */
  readonly name: string;
  /**
   * Whether {@link create} itself flushes file system data from memory to disk, as fsfreeze and VSS do. Default: false;
   * the volumes are then flushed before it, inside the window. On Windows only administrators can do that.
   */
  readonly flushesVolumes?: boolean | undefined;
  /** Takes the snapshot. Before it rejects, it must remove what it has made. Do slow preparation before `createShadow` is called. */
  create(context: HookContext, limits: HookLimits): Promise<HookDelivery>;
  /**
   * Removes a snapshot that is no longer wanted. It gets what {@link create} returned, and the same context. After a failure it
   * may be called again, also in another process, so it must not fail if the snapshot is already gone. Default: nothing is
   * removed.
   */
  remove?(delivery: HookDelivery, context: HookContext): Promise<void>;
}

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
    // Members may be inherited: the hook can be an instance of a class.
    const hook = value as Partial<HookProvider>;
    nonEmptyString(hook.name, `${name}.name`);
    if (hook.flushesVolumes !== undefined) boolean(hook.flushesVolumes, `${name}.flushesVolumes`);
    functionValue(hook.create, `${name}.create`);
    if (hook.remove !== undefined) functionValue(hook.remove, `${name}.remove`);
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
): Promise<ResolvedProvider> {
  if (given !== undefined) {
    throw new OptionError(
      'shadowDirectory',
      'shadowDirectory has no meaning with VSS, which decides itself where shadows are kept',
    );
  }
  const [reason] = await requireVss(binding).whyNot();
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
      const refused = await findVolumeWithoutReflink(binding, volumes, directories);
      if (refused) {
        const message = `${refused.path} (${refused.fileSystem}) cannot clone files`;
        throw new ShadowError('ERR_CLONE_REFUSED', { provider: 'reflink', path: refused.path }, { message });
      }
      return { name: option, native: option, reason: named };
    }
    case 'auto':
      return chooseByVolumes(binding, volumes, directories);
  }
}

async function chooseByVolumes(
  binding: NativeBinding,
  volumes: readonly NativeVolume[],
  directories: readonly ShadowDirectory[],
): Promise<ResolvedProvider> {
  const list = volumes.map((volume) => `${volume.path} (${volume.fileSystem})`).join(', ');
  if (volumes.every(isSnapshotable) && directories.every(({ sameFileSystem }) => sameFileSystem)) {
    return { name: 'btrfs', native: 'btrfs', reason: `all databases are on btrfs subvolumes: ${list}` };
  }
  const refused = await findVolumeWithoutReflink(binding, volumes, directories);
  if (!refused) {
    return { name: 'reflink', native: 'reflink', reason: `cloning a file was tested and works on ${list}` };
  }
  return {
    name: 'rolling',
    native: 'rolling',
    reason: `neither subvolume snapshots nor file clones are possible on ${refused.path} (${refused.fileSystem})`,
  };
}

function isSnapshotable(volume: NativeVolume): boolean {
  return volume.fileSystem === 'btrfs' && volume.isSubvolume;
}

/** Tries to clone a file where the clones would be: in the nearest existing directory above each shadow directory. */
async function findVolumeWithoutReflink(
  binding: NativeBinding,
  volumes: readonly NativeVolume[],
  directories: readonly ShadowDirectory[],
): Promise<NativeVolume | undefined> {
  for (const [index, volume] of volumes.entries()) {
    const directory = directories[index];
    if (!directory?.sameFileSystem) return volume;
    if (!(await probeReflink(binding, nearestExisting(directory.path)))) return volume;
  }
  return undefined;
}

async function probeReflink(binding: NativeBinding, directory: string): Promise<boolean> {
  try {
    return await binding.probeReflink(directory);
  } catch {
    // The directory is not writable: the file system may support clones, but this user cannot make any there.
    return false;
  }
}

function nearestExisting(path: string): string {
  let directory = path;
  while (!existsSync(directory) && dirname(directory) !== directory) directory = dirname(directory);
  return directory;
}

function unsupported(provider: string, volume: NativeVolume, message: string): ShadowError {
  return new ShadowError('ERR_UNSUPPORTED', { provider, path: volume.path }, { message, phase: 'prepare' });
}

/** Default name of the directory for shadows on a volume. */
const usualShadowDirectory = '.domino-vss';

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
): Promise<ShadowDirectory[]> {
  if (typeof option === 'object') {
    if (given !== undefined) throw new OptionError('shadowDirectory', 'shadowDirectory has no meaning with a hook');
    return [];
  }
  if (given === undefined) {
    // Plain volumes have no data directory.
    const data = dataDirectory === '' ? undefined : await realpath(dataDirectory);
    return volumes.map((volume) => ({ path: usualDirectory(volume, data), sameFileSystem: true }));
  }
  const own = await binding.inspectVolume(nearestExisting(given));
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
}

/** The provider, and one directory per volume for its shadows. */
export async function chooseShadows(
  binding: NativeBinding,
  choice: ShadowChoice,
): Promise<{ readonly provider: ResolvedProvider; readonly directories: readonly ShadowDirectory[] }> {
  const { provider: option, shadowDirectory: given, deltaDirectory, volumes, dataDirectory } = choice;
  if (option === 'vss' || usesVss(binding, option)) {
    return { provider: await chooseVss(binding, choice), directories: [] };
  }
  // Copies may be on another file system; this user may have no directory on that of the databases.
  const forCopies =
    given === undefined && deltaDirectory !== undefined
      ? volumes.map(() => ({ path: join(deltaDirectory, usualShadowDirectory), sameFileSystem: true }))
      : undefined;
  const forShadows =
    option === 'rolling' && forCopies
      ? forCopies
      : await shadowDirectoriesFor(binding, option, given, volumes, dataDirectory);
  const provider = await chooseProvider(binding, option, volumes, forShadows);
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

function shadowDirectoryError(path: string, message: string, cause?: unknown): ShadowError {
  return new ShadowError('ERR_SHADOW_DIRECTORY', { path }, { message, phase: 'prepare', cause });
}

/** Where the shadows of one backup will be, before they exist. */
export interface ShadowPlan {
  /** One per volume; empty for a hook. */
  readonly targets: readonly string[];
  /** Directories that only this backup uses and that must be created and removed. */
  readonly parents: readonly string[];
}

export function planShadows(backupId: string, directories: readonly ShadowDirectory[]): ShadowPlan {
  const parents = directories.map(({ path }) => join(path, backupId));
  return { targets: parents.map((parent, index) => join(parent, String(index))), parents: [...new Set(parents)] };
}

/** A volume in the form that native code expects. */
export function nativeSource(provider: NativeProvider, { path, mountPoint }: NativeVolume): string {
  return provider === 'vss' ? withBackslash(mountPoint) : path;
}

/** Path of a database inside its shadow, with `/`. */
export function shadowPath(databases: BackupDatabases, index: number): string {
  const volume = databases.volumes[databases.volumeIndex[index] ?? 0]?.path ?? '';
  const file = databases.files[index] ?? '';
  const top = volume.endsWith(sep) ? volume : volume + sep;
  // By far the most common case, and much faster: this runs for every database.
  const inside = file.startsWith(top) ? file.slice(top.length) : relative(volume, file);
  return sep === '/' ? inside : inside.split(sep).join('/');
}

/**
 * Where the engine puts a database's own file; for our writer, where it is in the shadow. Empty for other providers that take whole
 * volumes.
 */
export function databaseTarget(
  provider: NativeProvider,
  databases: BackupDatabases,
  plan: ShadowPlan,
  index: number,
): string {
  if (provider === 'writer') return shadowPath(databases, index);
  if (provider !== 'reflink' && provider !== 'rolling') return '';
  const target = plan.targets[databases.volumeIndex[index] ?? 0] ?? '';
  return `${target}/${shadowPath(databases, index)}`;
}

export async function makeShadowParents(plan: ShadowPlan, binding: NativeBinding): Promise<void> {
  for (const parent of plan.parents) {
    try {
      await makeOwnDirectory(parent, binding);
    } catch (cause) {
      throw shadowDirectoryError(dirname(parent), `${parent} cannot be created: ${(cause as Error).message}`, cause);
    }
    const directory = await realpath(dirname(parent));
    const { refusal } = await directoryRisk(directory, binding);
    if (refusal !== '') throw shadowDirectoryError(directory, refusal);
  }
}

/**
 * Removes the empty directories of one backup, and the default directory for shadows if it is empty. Synchronous,
 * because the end of the process cannot wait.
 */
export function removeShadowParents(plan: ShadowPlan): void {
  for (const parent of plan.parents) {
    const above = dirname(parent);
    for (const directory of basename(above) === usualShadowDirectory ? [parent, above] : [parent]) {
      try {
        rmdirSync(directory);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') break;
        throw error;
      }
    }
  }
}

/** Checks an option that says where shadows can be read. */
export function checkShadows(value: unknown, name: string): void {
  if (!Array.isArray(value)) throw new OptionError(name, `${name} must be an array of { volume, root }`);
  for (const [index, shadow] of value.entries()) {
    checkOptions(shadow, { volume: nonEmptyString, root: absolutePath }, `${name}[${index}].`);
    const { volume, root } = shadow as Partial<HookShadow>;
    nonEmptyString(volume, `${name}[${index}].volume`);
    absolutePath(root, `${name}[${index}].root`);
  }
}

/** Checks what a hook delivered: a readable root for every volume. */
export async function checkHookShadows(
  hook: HookProvider,
  result: unknown,
  volumes: readonly NativeVolume[],
): Promise<HookShadow[]> {
  const { shadows } = (result ?? {}) as { shadows?: unknown };
  if (!Array.isArray(shadows)) throw hookError(hook, 'create() must return { shadows: [{ volume, root }] }');
  const ordered: HookShadow[] = [];
  for (const volume of volumes) {
    const shadow = (shadows as HookShadow[]).find(
      (candidate) => (candidate as HookShadow | undefined)?.volume === volume.path,
    );
    if (!shadow) throw hookError(hook, `create() returned no shadow of ${volume.path}`);
    if (shadow.root === '') {
      ordered.push({ volume: shadow.volume, root: '' });
      continue;
    }
    checkOptions(shadow, { volume: nonEmptyString, root: nonEmptyString }, 'shadow.');
    // Not stat(): it takes off the last backslash, and without it the root of a VSS shadow is the name of a device.
    const root = await opendir(shadow.root).catch(() => undefined);
    if (!root) throw hookError(hook, `the root "${shadow.root}" of ${volume.path} is not a directory`);
    await root.close();
    ordered.push({ volume: shadow.volume, root: shadow.root });
  }
  return ordered;
}

function hookError(hook: HookProvider, message: string): ShadowError {
  return new ShadowError('ERR_HOOK', { provider: hook.name }, { message: `${hook.name}: ${message}`, phase: 'shadow' });
}
