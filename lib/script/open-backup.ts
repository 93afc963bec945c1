import type { Backup } from '../backup/backup';
import { completionFailure } from '../backup/report';
import type { SnapshotSet } from '../backup/snapshot-set';
import type { Warning } from '../errors/warnings';
import type { NativeBinding } from '../native/session';
import { vssCall } from '../vss/call';
import { writeCabinet } from './cabinet';
import {
  nothingSaid,
  type CreateRequest,
  type SaidAtEnd,
  type ScriptBackup,
  type ScriptShadow,
  type ScriptState,
} from './target';

/** A set and the backup it belongs to, until it is released. */
export class OpenBackup implements ScriptBackup {
  readonly warnings: Warning[] = [];
  readonly set: SnapshotSet;
  /** Called when the backup no longer controls its shadows. */
  onRelease: () => void = () => undefined;
  readonly #work: {
    readonly loadBinding: () => NativeBinding;
    readonly backup: Backup;
    readonly request: CreateRequest;
    readonly shadows: readonly ScriptShadow[];
    readonly stateDirectory: string;
    readonly withDomino: boolean;
  };
  /** Ids of the shadows that the script has not deleted. */
  readonly #left: Set<string>;
  #isComplete = false;
  #isOver = false;

  constructor(work: {
    readonly loadBinding: () => NativeBinding;
    readonly backup: Backup;
    readonly set: SnapshotSet;
    readonly request: CreateRequest;
    readonly shadows: readonly ScriptShadow[];
    readonly stateDirectory: string;
    readonly withDomino: boolean;
  }) {
    this.#work = work;
    this.set = work.set;
    this.#left = new Set(work.shadows.map(({ id }) => id));
  }

  get setId(): string {
    return this.set.vss?.setId ?? '';
  }

  get shadows(): readonly ScriptShadow[] {
    return this.#work.shadows;
  }

  get writers(): ScriptBackup['writers'] {
    return (this.set.vss?.writers ?? []).map(({ name, excluded }) => ({ name, excluded }));
  }

  get outcome(): 'complete' | 'partial' {
    return this.set.outcome;
  }

  /** The shadow no longer exists. */
  forget(id: string): void {
    this.#left.delete(id);
  }

  saveMetadata(manifest: string): Promise<void> {
    const { loadBinding, request, stateDirectory } = this.#work;
    const documents: [string, string][] = [
      ['Manifest.xml', manifest],
      ['BCDocument.xml', this.set.vss?.componentsDocument ?? ''],
      ...(this.set.vss?.writers ?? []).map(({ document }, index): [string, string] => [`WM${index}.xml`, document]),
    ];
    return vssCall(loadBinding, {}, {}, (native) =>
      writeCabinet(request.metadataFile, documents, stateDirectory, native),
    );
  }

  /**
   * A volatile set is needed until the script releases it, and it ends with its session. So both wait for that, unless the script
   * has already deleted the set.
   */
  async complete(): Promise<SaidAtEnd> {
    // A later backup of the script completes the set again.
    if (this.#isComplete) return nothingSaid;
    this.#isComplete = true;
    if (this.#outlivesScript || this.#left.size === 0) return this.#end();
    const note =
      'the volatile shadow copies stay readable until reset or the end of the script; the writers are notified then';
    return { ...nothingSaid, notes: [note] };
  }

  async release(script: ScriptState): ReturnType<ScriptBackup['release']> {
    if (this.#isOver) return { ...nothingSaid, isTakenBack: false };
    const isTakenBack = script === 'unused' && !this.#isComplete && !isTransportable(this.#work.request);
    if (isTakenBack && this.#outlivesScript) {
      this.onRelease();
      await this.#work.backup.dispose();
      return { ...nothingSaid, isTakenBack };
    }
    // If the shadows of plain volumes are deleted, nothing of the backup is worth keeping. The same is true if a script has
    // failed, perhaps before it copied the databases: the manifest would describe a complete backup of which nothing is left.
    if (!this.#isComplete && !this.#outlivesScript && (!this.#work.withDomino || script !== 'sound')) {
      this.onRelease();
      await this.#work.backup.dispose();
      return { ...nothingSaid, isTakenBack: false };
    }
    return { ...(await this.#end()), isTakenBack: false };
  }

  get #outlivesScript(): boolean {
    const { request } = this.#work;
    return request.context.lifetime !== 'volatile' || isTransportable(request);
  }

  async #end(): Promise<SaidAtEnd> {
    this.#isOver = true;
    this.onRelease();
    const { backup, withDomino } = this.#work;
    const known = new Set(backup.warnings.map(({ message }) => message));
    const keep = this.#outlivesScript && this.#left.size > 0;
    // Without `end backup`, the script has not said that the data is safe.
    const report = await backup.endBackup({ keep, tellWriters: this.#isComplete });
    const failure = completionFailure(report);
    if (failure) throw failure;
    const warnings = report.warnings.filter(({ message }) => !known.has(message));
    return { warnings, notes: withDomino ? [`deltas and manifest of the databases: ${report.directory}`] : [] };
  }
}

/** Such a set belongs to no session until it is imported. */
export function isTransportable({ options }: CreateRequest): boolean {
  return options.includes('transportable');
}
