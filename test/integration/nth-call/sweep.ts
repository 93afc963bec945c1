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
import { errnoNames, FailingFiles, type FileFault } from './failing-files';

/** Work in which a call hangs ends before this. */
const longestMs = 20_000;

/** For each call of work in which one hangs. */
const hangBudgetMs = 300;
/** For each call of other work: no call takes this long, however busy the machine is. */
const patientBudgetMs = 30_000;

/** Statuses with which a Domino call can fail. Calls without a status are not listed. */
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
  /** A function of Domino, or `file` for a call of Node.js on a file. */
  readonly call: string;
  readonly nth: number;
  /** `hang`, a status, or for a file the name of a system error. */
  readonly fault: string;
}

/** What happened to work in which a call failed. */
interface Failed {
  readonly result: Result;
  /** What its error must name. */
  readonly named: readonly string[];
  readonly failedAt: string;
}

interface Result {
  readonly outcome: string;
  readonly told: string;
}

const isUntyped = ({ outcome }: Result): boolean => ['untyped', 'ERR_INTERNAL'].includes(outcome);

/** A simulated server; each of the calls that our work makes to it is made to fail. */
export class NthCallSweep implements AsyncDisposable {
  private constructor(
    private readonly domino: SimulatedDomino,
    private readonly server: Server,
    private readonly files: FailingFiles,
    private readonly backup: string,
    private readonly chosen: readonly string[],
  ) {}

  static async create(): Promise<NthCallSweep> {
    const domino = await SimulatedDomino.create({ databases: 4, pages: [4, 16], unloggedShare: 0.4, plainNames: true });
    const server = await domino.serve({ threads: 1, transactionsPerSecond: 100 });
    const files = await FailingFiles.install();
    const first = new NthCallSweep(domino, server, files, '', []);
    const manifest = await first.#backUp();
    const databases: ManifestDatabase[] = [];
    for await (const database of (await readManifest(manifest)).databases()) databases.push(database);
    const logged = databases.find((one) => one.logged && one.delta !== '') ?? databases.find((one) => one.logged);
    const unlogged = databases.find((one) => !one.logged);
    const chosen = [logged, unlogged].flatMap((one) => one?.path ?? []);
    return new NthCallSweep(domino, server, files, join(manifest, '..'), chosen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.files[Symbol.dispose]();
    await this.server.stop();
    await this.domino[Symbol.asyncDispose]();
  }

  /** Every call of a piece of work, with every way in which it can end. */
  async cases(): Promise<Case[]> {
    const all: Case[] = [];
    for (const work of works) {
      await this.#prepare(work);
      const before = (await this.domino.simulation.stats()).calls;
      const { calls } = await this.files.during(() => this.#run(work));
      const after = (await this.domino.simulation.stats()).calls;
      for (let nth = 1; nth <= calls; nth += 1) {
        const faults = [...errnoNames, 'hang'];
        all.push(...faults.map((fault) => ({ work, call: 'file', nth, fault })));
      }
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

  /** Violations; the claim is that there are none. */
  async run(one: Case): Promise<string[]> {
    await this.#prepare(one.work);
    const { result, named, failedAt } = one.call === 'file' ? await this.#failFile(one) : await this.#failDomino(one);
    const violations: string[] = [];
    if (isUntyped(result)) violations.push(`an error that is none of ours: ${result.told}`);
    const failed = !['complete', 'recovered', 'nothing'].includes(result.outcome);
    if (failed && !named.every((text) => result.told.includes(text))) {
      violations.push(`${named.join(' ')} is not named: ${result.outcome} ${result.told}`);
    }
    violations.push(...(await this.#putRight()));
    return violations.map((violation) => `${JSON.stringify(one)}${failedAt}: ${violation}`);
  }

  async #failDomino({ work, call, nth, fault }: Case): Promise<Failed> {
    const { simulation } = this.domino;
    await simulation.fault(`${call}:${nth}=${fault}`);
    const result = await this.#run(work, fault === 'hang' ? hangBudgetMs : patientBudgetMs);
    // The workload may differ from the one during the counting.
    const fired = (await simulation.stats()).faults.some((one) => one.fired > 0);
    return { result, named: fired ? [call] : [], failedAt: '' };
  }

  async #failFile({ work, nth, fault }: Case): Promise<Failed> {
    const budgetMs = fault === 'hang' ? hangBudgetMs : patientBudgetMs;
    const running = this.files.during(() => this.#run(work, budgetMs), { nth, fault: fault as FileFault });
    const late = { isTooLong: false };
    const timer = setTimeout(() => {
      late.isTooLong = true;
      void this.files.release();
    }, longestMs);
    const { result, failed } = await running;
    clearTimeout(timer);
    const failedAt = ` (${failed}${late.isTooLong ? ', never given up' : ''})`;
    if (fault !== 'hang') return { result, named: failed === '' ? [] : [fault], failedAt };
    // The call takes effect only after a recovery that must not have relied on its not doing so.
    const recovered = await this.#run('recover', hangBudgetMs);
    await this.files.release();
    const outcome = late.isTooLong || [result, recovered].some(isUntyped) ? 'untyped' : result.outcome;
    const told = `${result.told}, recover: ${recovered.outcome} ${recovered.told}`;
    return { result: { outcome, told }, named: failed === '' ? [] : ['has not returned'], failedAt };
  }

  /** Something for a recovery: a database that a restore could not bring online. */
  async #prepare(work: Work): Promise<void> {
    if (work !== 'recover') return;
    await this.domino.simulation.fault('NSFBringDatabaseOnline:1+=0x13ea');
    await this.#run('restore');
    await this.domino.simulation.clearFaults();
  }

  async #run(work: Work, databaseBudgetMs = patientBudgetMs): Promise<Result> {
    const location = { domino: this.domino.location, deltaDirectory: this.domino.deltaDirectory };
    const budget = { databaseBudgetMs };
    try {
      switch (work) {
        case 'backup': {
          return { outcome: await this.#backUpAndCopy(databaseBudgetMs), told: this.#told };
        }
        case 'restore': {
          const { outcome, databases, warnings } = await restoreDatabases({
            domino: this.domino.location,
            manifest: this.backup,
            databases: [...this.chosen],
            mode: { type: 'online', waitMs: 100 },
            timeoutMs: patientBudgetMs,
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

  #begin(databaseBudgetMs: number): ReturnType<typeof beginBackup> {
    return beginBackup({
      domino: this.domino.location,
      deltaDirectory: this.domino.deltaDirectory,
      shadowDirectory: this.domino.shadowDirectory,
      provider: 'rolling',
      databaseBudgetMs,
      timeoutMs: patientBudgetMs,
    });
  }

  /** Returns its manifest. */
  async #backUp(): Promise<string> {
    const backup = await this.#begin(patientBudgetMs);
    try {
      await backup.createShadow();
      return (await backup.endBackup({ keep: true })).manifest;
    } finally {
      await backup.dispose();
    }
  }

  async #backUpAndCopy(databaseBudgetMs: number): Promise<string> {
    const backup = await this.#begin(databaseBudgetMs);
    try {
      const set = await backup.createShadow({ timeoutMs: patientBudgetMs });
      const to = join(this.domino.home, 'copies', String(++this.#copies));
      const copies = await set.copyDatabases({ to, serverFiles: true });
      const report = await backup.endBackup({ timeoutMs: patientBudgetMs });
      this.#told = JSON.stringify([report.skipped, report.warnings, report.problems, copies]);
      return report.outcome;
    } finally {
      await backup.dispose().catch(() => undefined);
    }
  }

  /** Hanging calls return; a recovery finds and cleans up the rest; nothing is left, and the next backup works. */
  async #putRight(): Promise<string[]> {
    const { simulation } = this.domino;
    const violations: string[] = [];
    await simulation.clearFaults();
    await until('no thread is in a call', async () => {
      const { openDatabases, accounting } = await simulation.stats();
      return openDatabases.every(({ handles }) => handles <= 1) && accounting.leakedApplyContexts === 0;
    });
    let recovered = await this.#run('recover');
    // A call has returned when this process knows it, a moment later than the server.
    await until('this process knows that the calls have returned', async () => {
      if (!recovered.told.includes('has not returned and may still')) return true;
      recovered = await this.#run('recover');
      return false;
    });
    if (!['nothing', 'recovered'].includes(recovered.outcome)) {
      violations.push(`recover ends with ${recovered.outcome}: ${recovered.told}`);
    }
    for (const path of this.#leftFiles()) {
      violations.push(`left: ${path}`);
      // Otherwise all following cases would find it again.
      rmSync(path, { recursive: true });
    }
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
    const left = (readdirSync(simulation.dataDirectory, { recursive: true }) as string[])
      .filter((name) => name.includes('domino-vss'))
      .map((name) => join(simulation.dataDirectory, name));
    const journals = join(deltaDirectory, '.journal');
    if (existsSync(journals)) left.push(...readdirSync(journals).map((name) => join(journals, name)));
    const isFinished = (id: string): boolean => existsSync(join(deltaDirectory, id, 'manifest.json'));
    for (const name of readdirSync(deltaDirectory)) {
      if (!name.startsWith('.') && !isFinished(name)) left.push(join(deltaDirectory, name));
    }
    for (const id of existsSync(shadowDirectory) ? readdirSync(shadowDirectory) : []) {
      if (!isFinished(id)) left.push(join(shadowDirectory, id));
    }
    // Copies of a failed backup.
    const copies = join(home, 'copies');
    for (const id of existsSync(copies) ? readdirSync(copies) : []) {
      if (readdirSync(deltaDirectory).filter(isFinished).length < 2) left.push(join(copies, id));
    }
    return left;
  }

  /** Removes finished backups, which need space, except for the first one. */
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
