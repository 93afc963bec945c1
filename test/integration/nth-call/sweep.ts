import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import {
  beginBackup,
  isDominoVssError,
  readManifest,
  recoverInterrupted,
  restoreDatabases,
  type ManifestDatabase,
} from '#lib/index';
import { until } from '../command-line';
import { SimulatedDomino } from '../simulated-domino';
import { heldDatabases, unusableDatabases } from '../whole-server';

/** What a call of Domino can fail with; those that answer no status are not here. */
const codes: Readonly<Record<string, readonly number[]>> = {
  NotesInitThread: [0x0107],
  NSFGetTransLogStyle: [0x0107],
  NSFDbOpen: [0x0103, 0x02cc, 0x0117],
  NSFDbGetLogInfo: [0x0106],
  NSFDbReplicaInfoGet: [0x0107],
  NSFDbModifiedTime: [0x0107],
  NSFBackupStart: [0x13aa, 0x0ea4, 0x0107],
  NSFBackupStop: [0x3810, 0x0ea5],
  NSFBackupGetChangeInfoSize: [0x2dd8],
  NSFBackupGetNextChangeInfo: [0x3810, 0x0106],
  NSFBackupEnd: [0x0ea5],
  NSFBackupStartApplyChangeInfo: [0x0ea7, 0x0107],
  NSFBackupApplyNextChangeInfo: [0x0ea7, 0x0106],
  NSFBackupEndApplyChangeInfo: [0x0ea7],
  NSFTakeDatabaseOffline: [0x13ea, 0x0107],
  NSFRecoverDatabases: [0x13e3, 0x13e7],
  NSFBringDatabaseOnline: [0x13ea, 0x0107],
};

export const works = ['backup', 'restore', 'recover'] as const;
export type Work = (typeof works)[number];

export interface Case {
  readonly work: Work;
  /** A function of Domino. */
  readonly call: string;
  readonly nth: number;
  /** `hang`, or a status. */
  readonly fault: string;
}

interface Result {
  readonly outcome: string;
  readonly told: string;
}

/** A simulated server; each of the calls that our work makes of it is made to fail. */
export class NthCallSweep implements AsyncDisposable {
  private constructor(
    private readonly domino: SimulatedDomino,
    private readonly server: Server,
    private readonly backup: string,
    private readonly chosen: readonly string[],
  ) {}

  static async create(): Promise<NthCallSweep> {
    const domino = await SimulatedDomino.create({ databases: 4, pages: [4, 16], unloggedShare: 0.4, plainNames: true });
    const server = await domino.serve({ threads: 1, transactionsPerSecond: 100 });
    const first = new NthCallSweep(domino, server, '', []);
    const manifest = await first.#backUp();
    const databases: ManifestDatabase[] = [];
    for await (const database of (await readManifest(manifest)).databases()) databases.push(database);
    const logged = databases.find((one) => one.logged && one.delta !== '') ?? databases.find((one) => one.logged);
    const unlogged = databases.find((one) => !one.logged);
    const chosen = [logged, unlogged].flatMap((one) => one?.path ?? []);
    return new NthCallSweep(domino, server, join(manifest, '..'), chosen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.domino[Symbol.asyncDispose]();
  }

  /** Every call that a piece of work makes, with everything that can become of it. */
  async cases(): Promise<Case[]> {
    const all: Case[] = [];
    for (const work of works) {
      await this.#prepare(work);
      const before = (await this.domino.simulation.stats()).calls;
      await this.#run(work);
      const after = (await this.domino.simulation.stats()).calls;
      for (const [call, statuses] of Object.entries(codes)) {
        const count = (after[call] ?? 0) - (before[call] ?? 0);
        for (let nth = 1; nth <= count; nth += 1) {
          const faults = [...statuses.map((status) => `0x${status.toString(16)}`), 'hang'];
          all.push(...faults.map((fault) => ({ work, call, nth, fault })));
        }
      }
      await this.#putRight();
    }
    return all;
  }

  /** What was wrong; nothing is what is claimed. */
  async run(one: Case): Promise<string[]> {
    const { simulation } = this.domino;
    await this.#prepare(one.work);
    const violations: string[] = [];
    await simulation.fault(`${one.call}:${one.nth}=${one.fault}`);
    const result = await this.#run(one.work);
    // The workload may have been another one than when the calls were counted.
    const fired = (await simulation.stats()).faults.some((fault) => fault.fired > 0);
    if (result.outcome === 'untyped') violations.push(`an error that is none of ours: ${result.told}`);
    const failed = !['complete', 'recovered', 'nothing'].includes(result.outcome);
    if (failed && fired && !result.told.includes(one.call)) {
      violations.push(`${one.call} is not named: ${result.outcome} ${result.told}`);
    }
    violations.push(...(await this.#putRight()));
    return violations.map((violation) => `${JSON.stringify(one)}: ${violation}`);
  }

  /** Something for a recovery: a database that a restore could not bring online again. */
  async #prepare(work: Work): Promise<void> {
    if (work !== 'recover') return;
    await this.domino.simulation.fault('NSFBringDatabaseOnline:1+=0x13ea');
    await this.#run('restore');
    await this.domino.simulation.clearFaults();
  }

  async #run(work: Work): Promise<Result> {
    const location = { domino: this.domino.location, deltaDirectory: this.domino.deltaDirectory };
    const budget = { databaseBudgetMs: 300 };
    try {
      switch (work) {
        case 'backup': {
          return { outcome: await this.#backUpAndCopy(), told: this.#told };
        }
        case 'restore': {
          const { outcome, databases, warnings } = await restoreDatabases({
            domino: this.domino.location,
            manifest: this.backup,
            databases: [...this.chosen],
            mode: { type: 'online', waitMs: 100 },
            timeoutMs: 5_000,
            ...budget,
          });
          return { outcome, told: JSON.stringify([databases, warnings]) };
        }
        case 'recover': {
          const { outcome, works: found } = await recoverInterrupted({ ...location, ...budget });
          return { outcome, told: JSON.stringify(found) };
        }
      }
    } catch (error) {
      if (!isDominoVssError(error)) return { outcome: 'untyped', told: String(error) };
      return { outcome: error.code, told: JSON.stringify(error) };
    }
  }

  #told = '';
  #copies = 0;

  #begin(): ReturnType<typeof beginBackup> {
    return beginBackup({
      domino: this.domino.location,
      deltaDirectory: this.domino.deltaDirectory,
      shadowDirectory: this.domino.shadowDirectory,
      provider: 'rolling',
      databaseBudgetMs: 300,
      timeoutMs: 10_000,
    });
  }

  /** Answers its manifest. */
  async #backUp(): Promise<string> {
    const backup = await this.#begin();
    try {
      await backup.createShadow();
      return (await backup.endBackup({ keep: true })).manifest;
    } finally {
      await backup.dispose();
    }
  }

  async #backUpAndCopy(): Promise<string> {
    const backup = await this.#begin();
    try {
      const set = await backup.createShadow({ timeoutMs: 10_000 });
      const copies = await set.copyDatabases({ to: join(this.domino.home, 'copies', String(++this.#copies)) });
      const report = await backup.endBackup({ timeoutMs: 10_000 });
      this.#told = JSON.stringify([report.skipped, report.warnings, report.problems, copies]);
      return report.outcome;
    } finally {
      await backup.dispose().catch(() => undefined);
    }
  }

  /** Whatever hung returns; a recovery finds and mends the rest; nothing is left, and the next backup works. */
  async #putRight(): Promise<string[]> {
    const { simulation } = this.domino;
    const violations: string[] = [];
    await simulation.clearFaults();
    await until('no thread is in a call', async () => {
      const { openDatabases, accounting } = await simulation.stats();
      return openDatabases.every(({ handles }) => handles <= 1) && accounting.leakedApplyContexts === 0;
    });
    const recovered = await this.#run('recover');
    if (!['nothing', 'recovered'].includes(recovered.outcome)) {
      violations.push(`recover ends with ${recovered.outcome}: ${recovered.told}`);
    }
    violations.push(...this.#leftFiles());
    violations.push(...(await heldDatabases(this.domino)));
    const { accounting } = await simulation.stats();
    const { leakedBackupContexts, leakedApplyContexts, leakedDatabaseHandles } = accounting;
    const leaked = leakedBackupContexts + leakedApplyContexts + leakedDatabaseHandles;
    if (leaked > 0) violations.push(`${leaked} handles are left`);
    violations.push(...(await unusableDatabases(this.domino, this.server)));
    const next = await this.#run('backup');
    if (next.outcome !== 'complete') violations.push(`the next backup: ${next.outcome} ${next.told}`);
    this.#forget();
    return violations;
  }

  #leftFiles(): string[] {
    const { deltaDirectory, home, simulation, shadowDirectory } = this.domino;
    const left = (readdirSync(simulation.dataDirectory, { recursive: true }) as string[]).filter((name) =>
      name.includes('domino-vss'),
    );
    const journals = join(deltaDirectory, '.journal');
    if (existsSync(journals)) left.push(...readdirSync(journals).map((name) => join(journals, name)));
    const isFinished = (id: string): boolean => existsSync(join(deltaDirectory, id, 'manifest.json'));
    for (const name of readdirSync(deltaDirectory)) {
      if (!name.startsWith('.') && !isFinished(name)) left.push(join(deltaDirectory, name));
    }
    for (const id of existsSync(shadowDirectory) ? readdirSync(shadowDirectory) : []) {
      if (!isFinished(id)) left.push(join(shadowDirectory, id));
    }
    // Copies of a backup that has failed.
    const copies = join(home, 'copies');
    for (const id of existsSync(copies) ? readdirSync(copies) : []) {
      if (readdirSync(deltaDirectory).filter(isFinished).length < 2) left.push(join(copies, id));
    }
    return left.map((name) => `left: ${name}`);
  }

  /** Removes what finished backups need room for, all but the first one. */
  #forget(): void {
    const { deltaDirectory, shadowDirectory, home } = this.domino;
    for (const name of readdirSync(deltaDirectory)) {
      const directory = join(deltaDirectory, name);
      if (!name.startsWith('.') && directory !== this.backup) rmSync(directory, { recursive: true, force: true });
    }
    rmSync(join(home, 'copies'), { recursive: true, force: true });
    for (const name of existsSync(shadowDirectory) ? readdirSync(shadowDirectory) : []) {
      if (!this.backup.endsWith(name)) rmSync(join(shadowDirectory, name), { recursive: true, force: true });
    }
  }
}
