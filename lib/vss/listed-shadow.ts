import type { Call } from '../call/call';
import type { NativeShadow, NativeVss } from '../native/vss';
import { withBackslash } from './windows-names';
import { attributeWords, contextOf, shadowState, type ShadowState } from './words';
import type { ShadowAttribute, VssContext } from '../native/vss';

/** A shadow copy on this machine, made by any program. */
export interface ListedShadow {
  /** In braces and lower case. */
  readonly id: string;
  /** Id of its snapshot set. */
  readonly setId: string;
  /** Number of shadows in the set when it was created. */
  readonly setCount: number;
  /** Name of the original volume, `\\?\Volume{…}\`. */
  readonly volume: string;
  /** Device object, without a trailing backslash: it names the device, not its root directory. */
  readonly devicePath: string;
  /**
   * Root directory: {@link devicePath} with a trailing backslash. Its contents are read like any files: `join(root, name)`. To
   * list the root itself, use `opendir(root)` or `readdir(Buffer.from(root))`: other `fs` functions remove the backslash, and the
   * rest names the device.
   */
  readonly root: string;
  readonly created: Date;
  readonly state: ShadowState;
  /** The context in which it was made; undefined for an invalid combination of attributes. */
  readonly context: VssContext | undefined;
  readonly attributes: readonly ShadowAttribute[];
  /** Whether it outlives the program that made it. */
  readonly persistent: boolean;
  /** Drive, directory or share where it is exposed; empty if it is not. */
  readonly exposedAs: string;
  /** Exposed part of the volume, for a share; empty for all of it. */
  readonly exposedPath: string;
  readonly providerId: string;
  readonly originatingMachine: string;
  readonly serviceMachine: string;
  /**
   * Whether it was made by this process or by a script, or is named in the given delta directory: by a manifest, or by the journal
   * of a dead process. Shadows that a backup of another process is using do not count.
   */
  readonly own: boolean;
}

export function describeShadow(shadow: NativeShadow, own: ReadonlySet<string>): ListedShadow {
  const { attributes } = shadow;
  const words = attributeWords(attributes);
  return {
    id: shadow.id,
    setId: shadow.setId,
    setCount: shadow.setCount,
    volume: shadow.volume,
    devicePath: shadow.device,
    root: shadow.device === '' ? '' : withBackslash(shadow.device),
    created: new Date(shadow.createdMs),
    state: shadowState(shadow.state),
    context: contextOf(attributes),
    attributes: words,
    persistent: words.includes('persistent'),
    exposedAs: shadow.exposedName,
    exposedPath: shadow.exposedPath,
    providerId: shadow.providerId,
    originatingMachine: shadow.originatingMachine,
    serviceMachine: shadow.serviceMachine,
    own: own.has(shadow.id.toLowerCase()),
  };
}

/** Every shadow of this machine, oldest first. */
export async function queryShadows(vss: NativeVss, own: ReadonlySet<string>, call: Call): Promise<ListedShadow[]> {
  const shadows = await call.race(vss.listShadows({ timeoutMs: call.remainingMs() }));
  return shadows
    .map((shadow) => describeShadow(shadow, own))
    .sort((a, b) => a.created.getTime() - b.created.getTime() || a.id.localeCompare(b.id));
}
