import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  archiveLogs,
  beginBackup,
  listArchivedLogs,
  pruneBackups,
  pruneLogs,
  readManifest,
  type Manifest,
  type ManifestDatabase,
} from '#lib/index';
import { Model, stateOf, type State } from './model';
import type { BackupOperation } from './operations';
import type { CaseServer } from './server';
import { violated } from './violation';

/** A backup, and what the model says about the databases in it. */
export interface TakenBackup {
  readonly head: Manifest;
  readonly lines: readonly ManifestDatabase[];
  /** Of its databases, by path. */
  readonly states: ReadonlyMap<string, State>;
}

/** One database of a case in its present state. Without a state it was destroyed. */
export interface LiveDatabase {
  readonly path: string;
  state: State | undefined;
}

/** What has happened to the databases of one case. */
export class History {
  readonly model = new Model();
  readonly databases: readonly LiveDatabase[];
  readonly backups: TakenBackup[] = [];
  readonly home: string;

  constructor(
    readonly server: CaseServer,
    number: number,
    paths: readonly string[],
  ) {
    this.home = join(server.domino.home, `case-${number}`);
    mkdirSync(this.home);
    this.databases = paths.map((path) => ({ path, state: undefined }));
  }

  get deltaDirectory(): string {
    return join(this.home, 'backup');
  }

  /** Undefined if nothing has been archived yet. */
  get logArchive(): string | undefined {
    const archive = join(this.home, 'archive');
    return existsSync(archive) ? archive : undefined;
  }

  database(number: number): LiveDatabase {
    const found = this.databases[number % this.databases.length];
    if (!found) throw new Error('a case has databases');
    return found;
  }

  /** Adds what was written since, and examines all databases: each is whole, or was destroyed. */
  async observe(): Promise<void> {
    const written = this.server.workload.readOn();
    const byChain = new Map(written.map((transaction) => [transaction.chain, transaction]));
    const verdicts = await this.server.examine(this.databases.map(({ path }) => this.server.inData(path)));
    const dbiids = new Map<string, string>();
    for (const [index, database] of this.databases.entries()) {
      const verdict = verdicts[index];
      if (verdict && verdict.verdict !== 'consistent')
        violated(`${database.path} is ${verdict.verdict}: ${verdict.problem ?? ''}`);
      database.state = verdict && stateOf(verdict);
      const { chain, dbiid } = database.state ?? { chain: '', dbiid: '' };
      for (let at = byChain.get(chain); at; at = byChain.get(at.parent)) dbiids.set(at.chain, dbiid);
    }
    this.model.add(written, ({ chain }) => dbiids.get(chain) ?? '');
  }

  /** Undefined if there is nothing left to back up. */
  async backUp({ incremental, during }: BackupOperation): Promise<TakenBackup | undefined> {
    const before = this.databases.map(({ state }) => state);
    if (before.every((state) => state === undefined)) return undefined;
    const { domino, users } = this.server;
    const { logArchive } = this;
    await using backup = await beginBackup({
      domino: domino.location,
      deltaDirectory: this.deltaDirectory,
      shadowDirectory: domino.shadowDirectory,
      include: this.databases.map(({ path }) => path),
      provider: 'rolling',
      ...(incremental && { incremental, ...(logArchive !== undefined && { logArchive }) }),
    });
    const there = this.databases.filter(({ state }) => state !== undefined);
    const writing = Promise.all(there.map(({ path }) => users.run(path, during)));
    const set = await backup.createShadow();
    await set.copyDatabases({ to: join(this.home, 'copies', backup.id) });
    await writing;
    const { directory } = await backup.endBackup();
    await this.observe();
    const head = await readManifest(directory);
    const lines: ManifestDatabase[] = [];
    for await (const line of head.databases()) lines.push(line);
    const states = await this.#statesIn(head, lines);
    for (const line of lines) this.#expectOfBackup(line, states.get(line.path), before);
    const taken = { head, lines, states };
    this.backups.push(taken);
    return taken;
  }

  async #statesIn(head: Manifest, lines: readonly ManifestDatabase[]): Promise<Map<string, State>> {
    const own = lines.filter(({ from }) => from === undefined);
    const verdicts = await this.server.examine(
      own.map(({ copy }) => join(head.copies?.directory ?? '', copy?.file ?? '')),
    );
    const states = new Map<string, State>();
    for (const [index, { path }] of own.entries()) {
      const verdict = verdicts[index];
      if (verdict?.verdict !== 'consistent') return violated(`the copy of ${path} is ${verdict?.verdict ?? 'missing'}`);
      states.set(path, stateOf(verdict));
    }
    for (const { path, from } of lines) {
      if (from === undefined) continue;
      const holder = this.backups.find(({ head: { id } }) => id === from);
      states.set(
        path,
        holder?.states.get(path) ?? violated(`${path} is carried over from ${from}, which has not got it`),
      );
    }
    return states;
  }

  /**
   * What a backup contains is a state between its beginning and its end; or an earlier one, which the log rolls forward to that.
   */
  #expectOfBackup(
    { path, from }: ManifestDatabase,
    held: State | undefined,
    before: readonly (State | undefined)[],
  ): void {
    const index = this.databases.findIndex((database) => database.path === path);
    const [was, is] = [before[index], this.databases[index]?.state];
    if (!was || !is || !held) return violated(`${path} is in the backup and was not there`);
    const isRight =
      from === undefined
        ? this.model.leadsTo(was.chain, held.chain) && this.model.leadsTo(held.chain, is.chain)
        : this.model.leadsTo(was.chain, this.model.rolledForward(held));
    if (!isRight)
      violated(`the backup holds ${path} at ${held.chain} (${from ?? 'its own'}), and it was at ${was.chain}`);
  }

  async archive(): Promise<void> {
    if (this.server.style !== 'archive') return;
    await archiveLogs({ archiveDirectory: join(this.home, 'archive'), domino: this.server.domino.location });
  }

  async pruneLogs(): Promise<void> {
    const { logArchive } = this;
    if (logArchive === undefined || this.backups.length === 0) return;
    await pruneLogs({ archiveDirectory: logArchive, deltaDirectories: [this.deltaDirectory] });
    const logs = await listArchivedLogs({ archiveDirectory: logArchive, verify: true });
    for (const { problem, extents } of logs) {
      const bad = extents.filter(({ state }) => state !== 'intact');
      if (problem || bad.length > 0) violated(`the archive is damaged: ${problem} ${JSON.stringify(bad)}`);
    }
  }

  async pruneBackups(keep: number): Promise<void> {
    if (this.backups.length === 0) return;
    await pruneBackups({ deltaDirectory: this.deltaDirectory, keep: { last: keep } });
    const left = this.backups.filter(({ head: { directory } }) => existsSync(directory));
    this.backups.splice(0, Infinity, ...left);
  }

  /** Overwrites the file of a database, as a manual restore would. */
  async replace(database: LiveDatabase, source: string, backup: number): Promise<void> {
    const taken = this.backups[backup % this.backups.length];
    const file = taken?.lines.find(({ path, from }) => path === source && from === undefined)?.copy?.file;
    if (taken === undefined || file === undefined) return;
    await this.server.users.flushCache();
    writeFileSync(this.server.inData(database.path), readFileSync(join(taken.head.copies?.directory ?? '', file)));
    // The log continues differently, so Domino requires a fixup.
    await this.server.users.fixup(database.path);
  }

  async destroy({ path }: LiveDatabase, how: 'garbage' | 'delete'): Promise<void> {
    await this.server.users.flushCache();
    const file = this.server.inData(path);
    if (how === 'delete') rmSync(file, { force: true });
    else writeFileSync(file, 'destroyed');
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
