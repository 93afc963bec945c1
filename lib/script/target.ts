import type { ListedShadow } from '../vss/listed-shadow';
import type { Progress } from '../call/progress';
import type { ShadowSelector } from '../vss/shadows';
import type { VssProvider } from '../vss/providers';
import type { Writer } from '../vss/writers';
import type { ScriptContext, ScriptOption, WriterDetail } from './commands';
import type { Warning } from '../errors/warnings';

/** A shadow copy as shown by scripts. */
export interface ScriptShadow extends ListedShadow {
  /** Where the original volume is mounted, for example `D:\`; empty if unknown. */
  readonly mountedAs: string;
}

/** What `create` makes. */
export interface CreateRequest {
  readonly context: ScriptContext;
  readonly options: readonly ScriptOption[];
  readonly backupType: 'copy' | 'full';
  /** Volumes named by the script, in normal form. With an empty provider, VSS chooses one. */
  readonly volumes: readonly { readonly volume: string; readonly providerId: string }[];
  readonly writers: { readonly exclude: readonly string[]; readonly verify: readonly string[] };
  /** Absolute path of the metadata file that will be written. */
  readonly metadataFile: string;
  readonly onProgress: (progress: Progress) => void;
}

/** State of the script when it releases a set. `unused`: it failed before anything could have used the set. */
export type ScriptState = 'sound' | 'failed' | 'unused';

/** A set made by `create`, and the session that made it. */
export interface ScriptBackup {
  readonly setId: string;
  /** In the order of the volumes in the request, followed by those of other volumes with databases. */
  readonly shadows: readonly ScriptShadow[];
  /** Every writer, and why it does not take part; empty if it does. No writers in contexts without them. */
  readonly writers: readonly { readonly name: string; readonly excluded: string }[];
  /** What the user should know about it. */
  readonly warnings: readonly Warning[];
  /** `partial` if databases had to be left out. */
  readonly outcome: 'complete' | 'partial';
  /** Writes the metadata, with `manifest` as its Manifest.xml. */
  saveMetadata(manifest: string): Promise<void>;
  /** Tells the writers that the backup is complete. */
  complete(): Promise<SaidAtEnd>;
  /**
   * Ends the session. Persistent shadow copies are kept; volatile ones are deleted, and after a `failed` script also the saved
   * parts of a set that it has not completed. An `unused` set that was not completed is deleted as a whole, unless it is
   * transportable. Returns what the user should know, and whether persistent shadow copies were deleted too.
   */
  release(script: ScriptState): Promise<SaidAtEnd & { readonly isTakenBack: boolean }>;
}

/** What the user should know when a set is completed or released. */
export interface SaidAtEnd {
  readonly warnings: readonly Warning[];
  /** Information about the normal result. */
  readonly notes: readonly string[];
}

/** For the end of a set without anything to report. */
export const nothingSaid: SaidAtEnd = { warnings: [], notes: [] };

/** Metadata read by `load metadata`. */
export interface ScriptMetadata {
  /** Text of Manifest.xml. */
  readonly manifest: string;
  /** Text of BCDocument.xml. */
  readonly components: string;
  /** Whether they were not really read, so their aliases are unknown. Default: false. */
  readonly isUnknown?: boolean | undefined;
}

/** A restore of which the writers are notified. */
export interface ScriptRestore {
  readonly writers: readonly { readonly id: string; readonly name: string; readonly present: boolean }[];
  preRestore(): Promise<void>;
  /** What happened to the writers' files: all were restored, none was touched, or some may be missing. */
  postRestore(outcome: 'all' | 'none' | 'failed'): Promise<void>;
  close(): Promise<void>;
}

/** Where `expose` exposes a shadow copy. */
export type ExposePlace =
  | { readonly kind: 'local'; /** `B:` or a directory. */ readonly as: string }
  | { readonly kind: 'share'; /** Name of the share. */ readonly as: string };

/** The functions of a machine that scripts need. Failures are errors of this package. */
export interface ScriptTarget {
  /** The absolute path of a metadata file; in a directory, a name is generated. Rejects an impossible path. */
  metadataFile(file: string): Promise<string>;
  /** The name of a volume in Windows, whatever mount point it is named by. */
  resolveVolume(volume: string): Promise<string>;
  isVolumeSupported(options: { readonly volume: string; readonly providerId: string }): Promise<boolean>;
  create(request: CreateRequest): Promise<ScriptBackup>;
  loadMetadata(file: string): Promise<ScriptMetadata>;
  importShadows(metadata: ScriptMetadata): Promise<readonly ScriptShadow[]>;
  /** Begins by finding out which writers are present; they are not notified yet. */
  beginRestore(metadata: ScriptMetadata): Promise<ScriptRestore>;
  listShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]>;
  listWriters(detail: WriterDetail): Promise<readonly Writer[]>;
  listProviders(): Promise<readonly VssProvider[]>;
  /**
   * Rejects a place where a shadow copy cannot be exposed. A place of another shadow copy is accepted if the script may have
   * deleted that by then.
   */
  requirePlace(place: ExposePlace, options: { readonly shadowsMayGo: boolean }): Promise<void>;
  /** Rejects a script file that does not exist. */
  requireScriptFile(file: string): Promise<void>;
  /** Returns the place. */
  expose(options: { readonly id: string; readonly place: ExposePlace }): Promise<string>;
  /** Returns the place where it was exposed; undefined if nothing is exposed at the given place. */
  unexpose(selector: ShadowSelector): Promise<string | undefined>;
  /** Calls `onFound` with what will be deleted, before anything is deleted. Returns what was deleted. */
  deleteShadows(
    selector: ShadowSelector,
    onFound: (shadows: readonly ScriptShadow[]) => void,
  ): Promise<readonly ScriptShadow[]>;
  breakSet(options: { readonly setId: string; readonly how: 'read-only' | 'writable' | 'mask' }): Promise<void>;
  /** Returns the volume after it has been reverted. */
  revert(id: string): Promise<string>;
  /** Runs a script file to its end. Returns its exit code. */
  execute(options: {
    readonly file: string;
    readonly env: Readonly<Record<string, string>>;
    readonly onOutput: (text: string) => void;
  }): Promise<number>;
}
