import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Backup, CreateShadowOptions, EndBackupOptions } from '../backup/backup';
import { checkBeginOptions, type BeginBackupOptions } from '../backup/begin-backup';
import type { BackupReport } from '../backup/report';
import type { Shadow } from '../backup/shadow';
import type { CopyDatabasesOptions, CopyReport, SnapshotSet } from '../backup/snapshot-set';
import { measurePerformance, publishWindow, type Timeline } from '../backup/timeline';
import { publicCall } from '../call/call';
import { DominoVssError } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { ManifestDatabase } from '../store/manifest-format';
import type { ShadowShare } from '../vss/place';
import { callable } from './callable';
import { IsolatedProcess, type WatchedOptions } from './isolated-process';
import type { BegunBackup, CreatedSet } from './protocol';
import { usualPatience, type Patience } from './watch';

/** The public members of a class. A class with private fields accepts only its own instances as a value of its type. */
type Public<T, Internal extends keyof T> = { readonly [Member in Exclude<keyof T, Internal>]: T[Member] };

/** Databases described in one message: few enough that no message blocks the event loop. */
const portion = 500;

/** Begins a backup in a separate process. */
export function beginIsolatedBackup(options: BeginBackupOptions, patience: Patience = usualPatience): Promise<Backup> {
  return publicCall(async () => {
    checkBeginOptions(options);
    const process = new IsolatedProcess(options, patience);
    try {
      const begun = await process.call('beginBackup', callable(options));
      return new IsolatedBackup(process, begun as BegunBackup) as unknown as Backup;
    } catch (error) {
      process.finish();
      throw error;
    }
  });
}

/** The backup, as the calling process sees it. */
class IsolatedBackup implements Public<Backup, 'abandon' | 'fail' | 'isOver' | 'lateWork'> {
  readonly id: string;
  readonly directory: string;
  readonly provider: Backup['provider'];
  readonly databases: number;
  readonly leftOvers: Backup['leftOvers'];
  readonly recovered: Backup['recovered'];
  readonly #process: IsolatedProcess;
  readonly #begun: BegunBackup;
  #isOver = false;
  /** Whether a call has already failed because the process ended: then it need not be reported again. */
  #isDeathKnown = false;

  constructor(process: IsolatedProcess, begun: BegunBackup) {
    this.#process = process;
    this.id = begun.id;
    this.directory = begun.directory;
    this.provider = begun.provider;
    this.databases = begun.databases;
    this.leftOvers = begun.leftOvers;
    this.recovered = begun.recovered;
    this.#begun = begun;
  }

  get warnings(): readonly Warning[] {
    return this.#process.state?.warnings ?? this.#begun.warnings;
  }

  createShadow(options: CreateShadowOptions = {}): Promise<SnapshotSet> {
    return publicCall(async () => {
      const { performanceMeasures = false, ...rest } = options;
      const created = (await this.#step('createShadow', rest)) as CreatedSet;
      for (const timeline of [created.window, ...created.furtherWindows.map(({ window }) => window)]) {
        publishWindow({ backupId: this.id, provider: this.provider.name, timeline });
      }
      if (performanceMeasures) measurePerformance({ backupId: this.id, timeline: created.window });
      const set = new IsolatedSet(created, (name, given, ...more) => this.#step(name, given, ...more));
      await set.fetchDatabases();
      return set as unknown as SnapshotSet;
    });
  }

  endBackup(options: EndBackupOptions = {}): Promise<BackupReport> {
    return publicCall(async () => (await this.#step('endBackup', options)) as BackupReport);
  }

  dispose(): Promise<void> {
    return publicCall(async () => {
      if (this.#isOver) return;
      const end = await this.#process.end;
      if (end && (this.#isDeathKnown || end.left.length === 0)) return;
      await this.#step('dispose', {});
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Calls a method of the backup in the other process, and releases that process if this has ended the backup. */
  async #step(name: string, options: WatchedOptions, ...more: unknown[]): Promise<unknown> {
    if (this.#isOver) throw new DominoVssError('ERR_STATE', { message: `the backup ${this.id} has ended` });
    try {
      return await this.#process.call(name, options, ...more);
    } catch (error) {
      if (this.#process.end) this.#isDeathKnown = true;
      throw error;
    } finally {
      this.#letGoWhenOver();
    }
  }

  #letGoWhenOver(): void {
    if (this.#isOver || this.#process.state?.isOver !== true) return;
    this.#isOver = true;
    this.#process.finish();
  }
}

type CallStep = (name: string, options: WatchedOptions, ...more: unknown[]) => Promise<unknown>;

/** The set, as the calling process sees it. */
class IsolatedSet implements Public<SnapshotSet, 'copyReport' | 'removeCopies'> {
  readonly id: string;
  readonly provider: SnapshotSet['provider'];
  readonly outcome: SnapshotSet['outcome'];
  readonly shadows: readonly Shadow[];
  readonly window: Timeline;
  readonly furtherWindows: SnapshotSet['furtherWindows'];
  readonly skipped: SnapshotSet['skipped'];
  readonly changes: SnapshotSet['changes'];
  readonly databases: number;
  readonly vss: SnapshotSet['vss'];
  readonly created: Date;
  readonly #call: CallStep;
  #described: readonly ManifestDatabase[] = [];

  constructor(created: CreatedSet, call: CallStep) {
    this.id = created.id;
    this.provider = created.provider;
    this.outcome = created.outcome;
    this.window = created.window;
    this.furtherWindows = created.furtherWindows;
    this.skipped = created.skipped;
    this.changes = created.changes;
    this.databases = created.databases;
    this.vss = created.vss;
    this.created = created.created;
    this.#call = call;
    this.shadows = created.shadows.map((shadow, index) => new IsolatedShadow(shadow, index, call) as unknown as Shadow);
  }

  *describeDatabases(): Generator<ManifestDatabase, void> {
    yield* this.#described;
  }

  copyDatabases(options: CopyDatabasesOptions): Promise<CopyReport> {
    return publicCall(async () => {
      const report = (await this.#call('copyDatabases', options)) as CopyReport;
      await this.fetchDatabases();
      return report;
    });
  }

  /** Fetches all descriptions: `describeDatabases` is synchronous, so they must be here already. */
  async fetchDatabases(): Promise<void> {
    const described: ManifestDatabase[] = [];
    while (described.length < this.databases) {
      const next = (await this.#call('describeDatabases', {}, described.length, portion)) as ManifestDatabase[];
      if (next.length === 0) break;
      described.push(...next);
      await nextTurn();
    }
    this.#described = described;
  }
}

class IsolatedShadow implements Public<Shadow, 'takePlaceAway'> {
  readonly id: string;
  readonly volume: string;
  readonly devicePath: string;
  readonly root: string;
  readonly #index: number;
  readonly #call: CallStep;
  #exposedAs: string | undefined;

  constructor(shadow: CreatedSet['shadows'][number], index: number, call: CallStep) {
    this.id = shadow.id;
    this.volume = shadow.volume;
    this.devicePath = shadow.devicePath;
    this.root = shadow.root;
    this.#index = index;
    this.#call = call;
  }

  get exposedAs(): string | undefined {
    return this.#exposedAs;
  }

  expose(options: { readonly as: string | ShadowShare }): Promise<string> {
    return publicCall(async () => {
      this.#exposedAs = (await this.#call('expose', {}, this.#index, options)) as string;
      return this.#exposedAs;
    });
  }

  unexpose(): Promise<void> {
    return publicCall(async () => {
      await this.#call('unexpose', {}, this.#index);
      this.#exposedAs = undefined;
    });
  }
}
