import { Call, publicCall } from '../call/call';
import { toPublicError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import { abortSignal, absolutePath, checkOptions, milliseconds } from '../call/options';

/** Options of `getCapabilities`. */
export interface CapabilitiesOptions {
  /**
   * Absolute path of a directory on the file system in question that this user may write to. Default: no file system is
   * probed.
   */
  readonly directory?: string | undefined;
  /** Default: 30 000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Whether one provider can be used, and if not, why. */
export interface ProviderCapability {
  readonly name: 'vss' | 'btrfs' | 'reflink' | 'rolling' | 'hook';
  readonly supported: boolean;
  /** Why it is not supported, each reason with what to do about it; empty if it is supported. */
  readonly reasons: readonly string[];
}

/** The result of `getCapabilities`. */
export interface Capabilities {
  /** For example `linux-x64`. */
  readonly platform: string;
  /** Whether the native addon loads here. */
  readonly native: boolean;
  readonly providers: readonly ProviderCapability[];
}

/** Works on every system. Without the addon nothing is supported, and the reasons say so. */
export function getCapabilities(
  loadBinding: () => NativeBinding,
  options: CapabilitiesOptions = {},
): Promise<Capabilities> {
  return publicCall(async () => {
    checkOptions(options, { directory: absolutePath, timeoutMs: milliseconds, signal: abortSignal });
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 30_000, phase: 'probe' });
    const platform = `${process.platform}-${process.arch}`;
    let binding: NativeBinding;
    try {
      binding = loadBinding();
    } catch (error) {
      const reasons = [toPublicError(error).message];
      const names = ['vss', 'btrfs', 'reflink', 'rolling', 'hook'] as const;
      return { platform, native: false, providers: names.map((name) => ({ name, supported: false, reasons })) };
    }
    const providers: ProviderCapability[] = [
      await vssCapability(binding, call),
      capability('btrfs', await whyNotBtrfs(binding, options.directory, call)),
      capability('reflink', await whyNotReflink(binding, options.directory, call)),
      capability('rolling', undefined),
      capability('hook', undefined),
    ];
    return { platform, native: true, providers };
  });
}

/** Asks the system what this process may do. There can be several obstacles at once. */
async function vssCapability(binding: NativeBinding, call: Call): Promise<ProviderCapability> {
  const reasons = binding.vss
    ? (await call.race(binding.vss.whyNot())).map(toPublicError).map(({ message, hint }) => `${message}. ${hint}`)
    : ['the Volume Shadow Copy Service exists on Windows only'];
  return { name: 'vss', supported: reasons.length === 0, reasons };
}

function capability(name: ProviderCapability['name'], reason: string | undefined): ProviderCapability {
  return { name, supported: reason === undefined, reasons: reason === undefined ? [] : [reason] };
}

async function whyNotBtrfs(
  binding: NativeBinding,
  directory: string | undefined,
  call: Call,
): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'btrfs exists on Linux only';
  if (directory === undefined) return undefined;
  const volume = await call.race(binding.inspectVolume(directory));
  if (volume.isSubvolume) return undefined;
  return `${directory} lies on ${volume.path}, which is ${volume.fileSystem} and not a btrfs subvolume`;
}

async function whyNotReflink(
  binding: NativeBinding,
  directory: string | undefined,
  call: Call,
): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'clones of files exist on Linux only';
  if (directory === undefined) return undefined;
  if (await call.race(binding.probeReflink(directory))) return undefined;
  return `the file system of ${directory} refused to clone a file`;
}
