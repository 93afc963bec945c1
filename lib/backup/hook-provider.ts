import { opendir } from 'node:fs/promises';
import { absolutePath, boolean, checkOptions, functionValue, nonEmptyString } from '../call/options';
import { OptionError, ShadowError } from '../errors/errors';
import type { NativeVolume } from '../native/session';
import type { HookContext } from '../store/hook-record';

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
   * What the hook needs to know to remove what it has made, for example names in the storage. It is kept in the journal and must
   * be JSON. Default: nothing.
   */
  readonly state?: unknown;
}

/** How long a hook may take. */
export interface HookLimits {
  /** Fires when the backup is cancelled or out of time. A shadow delivered after that is passed to `remove`. */
  readonly signal: AbortSignal;
  /** Milliseconds from now after which the databases leave backup mode, even if the hook has not returned. */
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

/** Checks a provider that is written in JavaScript. */
export function checkHook(value: object, name: string): void {
  // Members may be inherited: the hook can be an instance of a class.
  const hook = value as Partial<HookProvider>;
  nonEmptyString(hook.name, `${name}.name`);
  if (hook.flushesVolumes !== undefined) boolean(hook.flushesVolumes, `${name}.flushesVolumes`);
  functionValue(hook.create, `${name}.create`);
  if (hook.remove !== undefined) functionValue(hook.remove, `${name}.remove`);
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
