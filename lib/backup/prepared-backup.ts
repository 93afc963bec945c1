import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Backup } from './backup';
import { defaultShards } from './begin-backup';
import { deltaDirectoryWarnings, makeDeltaDirectory } from './delta-directory';
import { findSelected, type FoundDatabases } from './selected-databases';
import { defaultBudgetMs } from './provider';
import { openServer, readLogStyle, runtimeWarnings, type Server } from './server';
import { noEarlierWindows, type BackupWork } from './capture';
import { addDatabases, createSession, type SessionSetup } from './native-session';
import { requireResources } from './resources';
import type { BackupFacts, BackupReport } from './report';
import type { Call } from '../call/call';
import type { DominoLocation } from '../call/options';
import { takeSubset, type BackupDatabases } from '../domino/databases';
import { warningsOf } from '../domino/notice';
import { Selector, type SelectionOptions } from '../domino/selection';
import { decidedFailure, toDatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { NativeFailure } from '../native/failure';
import type { NativeBinding, NativeSession } from '../native/session';
import { readCosts, type Cost } from '../store/costs';
import { fileCallsOf } from '../recover/tools';
import { Journal, newWorkId } from '../store/journal';
import { journalDirectory, unfinishedName } from '../store/journals';
import { makeOwnDirectory } from '../store/safe-directory';
import { readSigningKey, signingKeyWarnings } from '../store/signature';

/** What all backups of one server in other programs' snapshots have in common. */
export interface PreparedBackupOptions extends SelectionOptions {
  readonly deltaDirectory: string;
  readonly domino?: DominoLocation | undefined;
  readonly maxSkipped?: number | undefined;
  readonly shards?: number | undefined;
  readonly databaseBudgetMs?: number | undefined;
  readonly signKey?: string | undefined;
  /** Longest time from the first database in backup mode until the snapshot has been taken. */
  readonly holdTimeoutMs: number;
  /** Longest time until all databases are in backup mode. */
  readonly prepareTimeoutMs: number;
  /** Longest time for their change information. */
  readonly drainTimeoutMs: number;
}

/** Which databases a snapshot has, by their number in {@link PreparedBackup.databases}. */
export interface TakenDatabases {
  readonly included: readonly number[];
  /** Those that were asked for, and lie on no volume of it. */
  readonly outside: readonly number[];
  /** Those in shadows that could be changed, by their position in {@link included}: null if complete there. */
  readonly inShadows: readonly { readonly index: number; readonly failure: NativeFailure | null }[];
}

/** The server and the place of its backups; determined once. */
export interface PreparedPlace {
  readonly server: Server;
  readonly deltaDirectory: string;
  readonly warnings: readonly Warning[];
}

export async function openPreparedPlace(
  binding: NativeBinding,
  options: PreparedBackupOptions,
  call: Call,
): Promise<PreparedPlace> {
  const server = await openServer(binding, options, call);
  const given = options.deltaDirectory;
  const calls = fileCallsOf({ call, budgetMs: options.databaseBudgetMs ?? defaultBudgetMs });
  const making = makeDeltaDirectory(binding, given, server.dataDirectory);
  const { deltaDirectory, warning } = await calls.wait('mkdir', given, making);
  const warnings = [...(warning ? [warning] : []), ...runtimeWarnings(server.runtime)];
  return { server, deltaDirectory, warnings };
}

/**
 * A backup whose databases, journal and directory are ready before anyone requests a snapshot, so that native code can begin it
 * without JavaScript. Until then, journal and directory have names that are ignored.
 */
export class PreparedBackup {
  readonly id: string;
  readonly session: NativeSession;
  readonly databases: BackupDatabases;
  readonly preparedAt = new Date();
  readonly #work: BackupWork;
  readonly #facts: BackupFacts;
  readonly #prepared: readonly string[];

  private constructor(work: BackupWork, facts: BackupFacts, prepared: readonly string[]) {
    this.id = work.id;
    this.session = work.session;
    this.databases = work.databases;
    this.#work = work;
    this.#facts = facts;
    this.#prepared = prepared;
  }

  /** `componentOf` returns the writer's component of each database. */
  static async make(
    binding: NativeBinding,
    { server, deltaDirectory, warnings }: PreparedPlace,
    options: PreparedBackupOptions,
    componentsOf: (databases: BackupDatabases) => Uint16Array,
    call: Call,
  ): Promise<PreparedBackup> {
    const { dataDirectory } = server;
    const calls = fileCallsOf({ call, budgetMs: options.databaseBudgetMs ?? defaultBudgetMs });
    const selector = new Selector(options);
    const excludeDirectories = [deltaDirectory];
    const found = await findSelected(
      binding,
      { dataDirectory, serverName: server.runtime?.serverName ?? '', deltaDirectory },
      { excludeDirectories, selector, options },
      call,
    );
    const { databases } = found;
    const shards = options.shards ?? defaultShards();
    await requireResources({ databases, opensDatabases: true, shards, copyDirectories: [] });
    const { signKey: keyFile } = options;
    const signKey =
      keyFile === undefined ? undefined : await calls.wait('read', keyFile, readSigningKey(keyFile, 'signKey'));
    const id = newWorkId();
    const directory = join(deltaDirectory, id);
    // Like the name of an unfinished journal, this one says which process it belongs to.
    const preparedDirectory = unfinishedName(join(journalDirectory(deltaDirectory), `${id}.backup`));
    const prepared: string[] = [preparedDirectory];
    try {
      const making = makeOwnDirectory(join(preparedDirectory, 'deltas'), binding);
      await calls.wait('mkdir', preparedDirectory, making);
      const lock = {
        release: (): void => {
          session.unlock();
        },
      };
      const place = { id, work: 'backup', dataDirectory, backupDirectory: directory } as const;
      const to = { deltaDirectory, provider: 'writer', lock };
      const { journal, ...move } = await Journal.prepare(place, to, databases.paths);
      prepared.push(move.from);
      const setup: SessionSetup = {
        binding,
        options: {
          provider: 'writer',
          source: 'domino',
          volumes: [],
          shards,
          databaseBudgetMs: options.databaseBudgetMs ?? defaultBudgetMs,
          windowTimeoutMs: options.holdTimeoutMs,
          leaseMs: 60_000,
          deltaDirectory: join(directory, 'deltas'),
          writer: {
            backupId: id,
            lockedDirectory: dataDirectory,
            moves: [{ from: preparedDirectory, to: directory }, move],
            volumes: databases.volumes.map(({ path }) => path),
            prepareTimeoutMs: options.prepareTimeoutMs,
            drainTimeoutMs: options.drainTimeoutMs,
            maxSkipped: Math.min(options.maxSkipped ?? Infinity, 0xffff_ffff),
          },
        },
        databases,
        plan: { targets: [], parents: [] },
        // Only estimates.
        costs: await calls
          .wait('read', deltaDirectory, readCosts(deltaDirectory, dataDirectory))
          .catch(() => new Map<string, Cost>()),
        components: componentsOf(databases),
      };
      const session = createSession(setup);
      await addDatabases(session, setup, call);
      const work = makeWork({ id, directory, setup, session, journal, selector, found, excludeDirectories });
      const facts: BackupFacts = {
        notesIni: server.notesIni,
        serverName: server.runtime?.serverName ?? '',
        lifetime: 'persistent',
        logStyle: await readLogStyle(binding, call),
        warnings: [
          ...warnings,
          ...(await signingKeyWarnings(options.signKey)),
          ...(await deltaDirectoryWarnings(binding, deltaDirectory, databases, call)),
          ...warningsOf(found.notices),
          ...found.continuity.warnings,
        ],
        notices: found.notices,
        leftOvers: [],
        recovered: [],
        signKey,
      };
      return new PreparedBackup(work, facts, prepared);
    } catch (error) {
      await removePrepared(binding, prepared);
      throw error;
    }
  }

  /** The snapshot was taken and the change information is on disk: writes the manifest. */
  async complete(taken: TakenDatabases, snapshotSetId: string): Promise<BackupReport> {
    const backup = new Backup(this.#workOf(taken, snapshotSetId), this.#facts);
    try {
      await backup.createShadow();
      return await backup.endBackup({ keep: true });
    } finally {
      await backup.dispose();
    }
  }

  /** It has begun, but there is no snapshot: removes what it has made. The databases are out of backup mode. */
  async takeBack(): Promise<void> {
    const { binding, directory, journal, databases } = this.#work;
    const stuck = this.session.stuck().map((index) => databases.paths[index] ?? '');
    try {
      await binding.removeTree(directory);
      if (stuck.length === 0) await journal.remove([directory]);
    } finally {
      // In either case the writer can begin the next backup: the journal still names what is left.
      if (!journal.isRemoved) await journal.update({ ended: true }, stuck);
    }
    await removePrepared(binding, this.#prepared);
  }

  /** For a backup that has never begun. */
  async discard(): Promise<void> {
    await removePrepared(this.#work.binding, this.#prepared);
  }

  #workOf({ included, outside: lacking, inShadows: told }: TakenDatabases, snapshotSetId: string): BackupWork {
    const { databases } = this.#work;
    const provider = { name: 'writer', native: 'writer', reason: 'another program took the snapshot' } as const;
    const text = 'its component was chosen, and its volume is not in the snapshot';
    const lost = lacking.map((index) =>
      decidedFailure(databases.paths[index] ?? '', 'ERR_WRITER_SNAPSHOT', 'find', text),
    );
    const problems = [...this.#work.problems, ...lost];
    const inShadows = told.map(({ index, failure }) => ({
      index,
      failure: failure && toDatabaseFailure(databases.paths[included[index] ?? -1] ?? '', failure),
    }));
    const work = { ...this.#work, provider, snapshotSetId, problems, inShadows };
    if (included.length === databases.paths.length) return work;
    const taken = new Set(included);
    const outside = databases.paths.filter((_path, index) => !taken.has(index));
    const required = included.flatMap((index, position) => (databases.required.has(index) ? [position] : []));
    const subset = { ...takeSubset(databases, included).databases, required: new Set(required) };
    return { ...work, databases: subset, outside: new Set(outside) };
  }
}

function makeWork(parts: {
  readonly id: string;
  readonly directory: string;
  readonly setup: SessionSetup;
  readonly session: NativeSession;
  readonly journal: Journal;
  readonly selector: Selector;
  readonly found: FoundDatabases;
  readonly excludeDirectories: readonly string[];
}): BackupWork {
  const { id, directory, setup, session, journal, selector, found, excludeDirectories } = parts;
  return {
    id,
    source: 'domino',
    directory,
    binding: setup.binding,
    setup,
    session,
    warnings: [],
    interrupt: new AbortController(),
    journal,
    databases: found.databases,
    selector,
    mode: { type: 'backup-api' },
    provider: { name: 'writer', native: 'writer', reason: 'another program takes the snapshot' },
    plan: setup.plan,
    hookRun: undefined,
    excludeDirectories,
    limits: found.limits,
    problems: [...found.problems, ...found.continuity.unreadable],
    recovered: [],
    continuity: found.continuity,
    earlier: noEarlierWindows,
    furtherWork: [],
  };
}

async function removePrepared(binding: NativeBinding, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (path.includes('.journal.')) await rm(path, { force: true });
    else await binding.removeTree(path);
  }
}
