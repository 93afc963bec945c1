import type { ListedShadow } from '../vss/listed-shadow';
import type { Progress } from '../call/progress';
import type { ShadowSelector } from '../vss/shadows';
import type { VssProvider } from '../vss/providers';
import type { Writer } from '../vss/writers';
import type { ScriptContext, ScriptOption, WriterDetail } from './commands';
import type { Warning } from '../errors/warnings';

/** A shadow copy as scripts show it. */
export interface ScriptShadow extends ListedShadow {
  /** Where the original volume is mounted, for example `D:\`; empty when that is not known. */
  readonly mountedAs: string;
}

/** What `create` makes. */
export interface CreateRequest {
  readonly context: ScriptContext;
  readonly options: readonly ScriptOption[];
  readonly backupType: 'copy' | 'full';
  /** Volumes as the script names them, in normal form; an empty provider lets VSS choose. */
  readonly volumes: readonly { readonly volume: string; readonly providerId: string }[];
  readonly writers: { readonly exclude: readonly string[]; readonly verify: readonly string[] };
  /** Absolute path of the metadata file that will be written. */
  readonly metadataFile: string;
  readonly onProgress: (progress: Progress) => void;
}

/** How the script has fared that lets a set go; `unused`: it has failed before anything could have used the set. */
export type ScriptState = 'sound' | 'failed' | 'unused';

/** A set that `create` has made, and the session that made it. */
export interface ScriptBackup {
  readonly setId: string;
  /** In the order of the volumes of the request; further ones, of databases on other volumes, after them. */
  readonly shadows: readonly ScriptShadow[];
  /** Every writer, and why it does not take part; empty for one that does. None in contexts without writers. */
  readonly writers: readonly { readonly name: string; readonly excluded: string }[];
  /** What the user should know about it. */
  readonly warnings: readonly Warning[];
  /** `partial` when databases had to be left out. */
  readonly outcome: 'complete' | 'partial';
  /** Writes the metadata, with `manifest` as its Manifest.xml. */
  saveMetadata(manifest: string): Promise<void>;
  /** Tells the writers that the backup is complete. */
  complete(): Promise<SaidAtEnd>;
  /**
   * Ends the session; persistent shadow copies stay, volatile ones go, and after a `failed` script so does what was saved of
   * a set that it has not completed. An `unused` set that was not completed goes as a whole, unless it is transportable.
   * Answers what the user should know, and whether persistent shadow copies have gone too.
   */
  release(script: ScriptState): Promise<SaidAtEnd & { readonly isTakenBack: boolean }>;
}

/** What the user should know when a set is complete, or let go. */
export interface SaidAtEnd {
  readonly warnings: readonly Warning[];
  /** What is as it should be. */
  readonly notes: readonly string[];
}

/** The end of a set of which there is nothing to say. */
export const nothingSaid: SaidAtEnd = { warnings: [], notes: [] };

/** Metadata that `load metadata` has read. */
export interface ScriptMetadata {
  /** Text of Manifest.xml. */
  readonly manifest: string;
  /** Text of BCDocument.xml. */
  readonly components: string;
  /** Nobody has read them: which aliases they hold is not known. Default: false. */
  readonly isUnknown?: boolean | undefined;
}

/** A restore that writers are told about. */
export interface ScriptRestore {
  readonly writers: readonly { readonly id: string; readonly name: string; readonly present: boolean }[];
  preRestore(): Promise<void>;
  /** What became of the files of the writers: all are there, none was touched, or some may be missing. */
  postRestore(outcome: 'all' | 'none' | 'failed'): Promise<void>;
  close(): Promise<void>;
}

/** Where `expose` puts a shadow copy. */
export type ExposePlace =
  | { readonly kind: 'local'; /** `B:` or a directory. */ readonly as: string }
  | { readonly kind: 'share'; /** Name of the share. */ readonly as: string };

/** What scripts need of a machine. Failures are errors of this package. */
export interface ScriptTarget {
  /** Absolute path for a metadata file: a name is generated in a directory. Refuses a place that cannot be. */
  metadataFile(file: string): Promise<string>;
  /** What Windows calls a volume, whatever mount point it is named by. */
  resolveVolume(volume: string): Promise<string>;
  isVolumeSupported(options: { readonly volume: string; readonly providerId: string }): Promise<boolean>;
  create(request: CreateRequest): Promise<ScriptBackup>;
  loadMetadata(file: string): Promise<ScriptMetadata>;
  importShadows(metadata: ScriptMetadata): Promise<readonly ScriptShadow[]>;
  /** Begins with asking which writers are there; they are told nothing yet. */
  beginRestore(metadata: ScriptMetadata): Promise<ScriptRestore>;
  listShadows(selector: ShadowSelector): Promise<readonly ScriptShadow[]>;
  listWriters(detail: WriterDetail): Promise<readonly Writer[]>;
  listProviders(): Promise<readonly VssProvider[]>;
  /**
   * Refuses a place that cannot take a shadow copy. One that holds another shadow copy will do when the script may have
   * deleted that by then.
   */
  requirePlace(place: ExposePlace, options: { readonly shadowsMayGo: boolean }): Promise<void>;
  /** Refuses a script file that is not there. */
  requireScriptFile(file: string): Promise<void>;
  /** Answers the place. */
  expose(options: { readonly id: string; readonly place: ExposePlace }): Promise<string>;
  /** Answers the place that it was exposed as; undefined when nothing is exposed at the place that is named. */
  unexpose(selector: ShadowSelector): Promise<string | undefined>;
  /** Calls `onFound` with what will be deleted, before anything is. Answers what was deleted. */
  deleteShadows(
    selector: ShadowSelector,
    onFound: (shadows: readonly ScriptShadow[]) => void,
  ): Promise<readonly ScriptShadow[]>;
  breakSet(options: { readonly setId: string; readonly how: 'read-only' | 'writable' | 'mask' }): Promise<void>;
  /** Answers the volume when it has been set back. */
  revert(id: string): Promise<string>;
  /** Runs a script file to its end. Answers its exit code. */
  execute(options: {
    readonly file: string;
    readonly env: Readonly<Record<string, string>>;
    readonly onOutput: (text: string) => void;
  }): Promise<number>;
}
