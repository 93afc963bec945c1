import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { readManifest, type ManifestDatabase } from '#lib/index';
import { until } from '../command-line';
import { SimulatedDomino } from '../simulated-domino';
import { buildFailingCalls } from '../system-errors/failing-calls';
import { heldDatabases, unusableDatabases } from '../whole-server';
import { statusesOf } from './domino-codes';
import { errnoNames, FailingFiles, type ErrnoName, type FileFault } from './failing-files';
import { describedWork, doWork, isSuccess, keptBackup, patient } from './works';
import type { Limits, Place, Result, Task, Work } from './works';
import { workInProcess } from './working-process';

/** Work in which a call hangs ends before this. */
const longestMs = 20_000;

/** For work in which a call hangs. */
const impatient: Limits = { ...patient, databaseBudgetMs: 600 };
/** Removing what a backup has made may take a minute each. */
const longestRemovalMs = 150_000;

/** What has no time of its own, such as the preparation of the shadows, has only that of the whole. */
const shortOnTime: Limits = { ...impatient, timeoutMs: 3_000 };

export interface Case {
  readonly work: Work;
  /**
   * A function of Domino; `file` for a call of Node.js on a file, of those that change something if the process dies in it;
   * `system` for a call to the system on the shadows, by whomever.
   */
  readonly call: string;
  readonly nth: number;
  /** `hang`, `die`, a status, or the name of a system error. In a function of Domino also `die-after`: it has had its effect. */
  readonly fault: string;
}

/** What happened to work in which a call failed. */
interface Failed {
  readonly result: Result;
  /** Its error must name one of them. */
  readonly named: readonly string[];
  readonly failedAt: string;
}

const isUntyped = ({ outcome }: Result): boolean => ['untyped', 'ERR_INTERNAL'].includes(outcome);
const isDeath = ({ fault }: Case): boolean => fault.startsWith('die');
const limitsFor = (fault: string): Limits => (fault === 'hang' ? impatient : patient);

export interface SweepOptions {
  /** The provider of the shadows, and a directory on a file system that has it. Default: `rolling`, anywhere. */
  readonly shadows?: { readonly provider: 'reflink' | 'btrfs'; readonly parent: string };
}

/** A simulated server; each of the calls that our work makes to it is made to fail. */
export class NthCallSweep implements AsyncDisposable {
  #deaths = 0;
  #copies = 0;

  private constructor(
    private readonly domino: SimulatedDomino,
    private readonly server: Server,
    private readonly files: FailingFiles,
    /** Preloaded for calls to the system; empty where none fails. */
    private readonly library: string,
    private readonly base: Omit<Place, 'copies'>,
  ) {}

  static async create({ shadows }: SweepOptions = {}): Promise<NthCallSweep> {
    const size = { databases: 4, unloggedShare: 0.4, plainNames: true };
    const domino = await SimulatedDomino.create({ ...size, pages: [4, 16] }, shadows?.parent);
    const server = await domino.serve({ threads: 1, transactionsPerSecond: 100 });
    // Each database stays in backup mode long enough for the server to write to it, so that there is change information.
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStop_US: 30_000 });
    const files = await FailingFiles.install();
    const { location, deltaDirectory, shadowDirectory } = domino;
    const directories = { domino: location, deltaDirectory, shadowDirectory };
    const base = { ...directories, provider: shadows?.provider ?? 'rolling', backup: '', chosen: [] } as const;
    const backup = await keptBackup({ ...base, copies: '' });
    const databases: ManifestDatabase[] = [];
    for await (const database of (await readManifest(backup)).databases()) databases.push(database);
    const logged = databases.find((one) => one.logged && one.delta !== '') ?? databases.find((one) => one.logged);
    const unlogged = databases.find((one) => !one.logged);
    const chosen = [logged, unlogged].flatMap((one) => one?.path ?? []);
    const library = shadows ? buildFailingCalls(domino.home) : '';
    return new NthCallSweep(domino, server, files, library, { ...base, backup, chosen });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.files[Symbol.dispose]();
    await this.server.stop();
    this.#removeShadow(basename(this.base.backup));
    await this.domino[Symbol.asyncDispose]();
  }

  /** How many processes have died in a call. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Every call of these pieces of work, with every way in which it can end. */
  async cases(works: readonly Work[]): Promise<Case[]> {
    const all: Case[] = [];
    for (const work of works) {
      const { task } = describedWork(work);
      await this.#prepare(work);
      const before = (await this.domino.simulation.stats()).calls;
      const { calls } = await this.files.during(() => this.#run(task));
      const after = (await this.domino.simulation.stats()).calls;
      await this.#putRight();
      all.push(...numbered({ work, call: 'file' }, calls, [...errnoNames, 'hang']));
      for (const [call, count = 0] of Object.entries(after)) {
        const statuses = statusesOf(call, task);
        const faults = statuses.length > 0 ? [...statuses.map((status) => `0x${status.toString(16)}`), 'hang'] : [];
        all.push(...numbered({ work, call }, count - (before[call] ?? 0), [...faults, 'die', 'die-after']));
      }
      const changes = await this.#count(work, 'DEATH_COUNT', {});
      all.push(...numbered({ work, call: 'file' }, changes, ['die']));
      if (this.library === '') continue;
      const ofSystem = await this.#count(work, 'FAIL_COUNT', this.#preload());
      all.push(...numbered({ work, call: 'system' }, ofSystem, [...errnoNames, 'hang', 'die']));
    }
    return all;
  }

  /** What a process counts that does the work undisturbed. */
  async #count(work: Work, variable: string, env: Readonly<Record<string, string>>): Promise<number> {
    const file = join(this.domino.home, 'count');
    await this.#prepare(work);
    const result = await this.#runApart(describedWork(work).task, patient, { ...env, [variable]: file });
    if (!isSuccess(result)) throw new Error(`${work} fails by itself: ${JSON.stringify(result)}`);
    await this.#putRight();
    return Number(readFileSync(file, 'utf8'));
  }

  /** Violations; the claim is that there are none. */
  async run(one: Case): Promise<string[]> {
    await this.#prepare(one.work);
    const { result, named, failedAt } = await this.#fail(one, describedWork(one.work).task);
    const violations: string[] = [];
    if (isUntyped(result)) violations.push(`an error that is none of ours: ${result.told}`);
    if (result.outcome === 'died') this.#deaths += 1;
    else if (!isSuccess(result) && named.length > 0 && !named.some((text) => result.told.includes(text))) {
      violations.push(`${named.join(' or ')} is not named: ${result.outcome} ${result.told}`);
    }
    violations.push(...(await this.#putRight(result.outcome === 'died')));
    return violations.map((violation) => `${JSON.stringify(one)}${failedAt}: ${violation}`);
  }

  #fail(one: Case, task: Task): Promise<Failed> {
    if (one.call === 'system') return this.#failSystem(one, task);
    if (isDeath(one)) return this.#die(one, task);
    return one.call === 'file' ? this.#failFile(one, task) : this.#failDomino(one, task);
  }

  async #failDomino({ call, nth, fault }: Case, task: Task): Promise<Failed> {
    const { simulation } = this.domino;
    await simulation.fault(`${call}:${nth}=${fault}`);
    const result = await this.#run(task, limitsFor(fault));
    // The workload may differ from the one during the counting.
    const fired = (await simulation.stats()).faults.some((one) => one.fired > 0);
    // Whether the end of somebody else's backup has failed is seen, and told, at the next start.
    const told = task === 'recover' && call === 'NSFBackupEnd' ? [call, 'ERR_DATABASE_STUCK'] : [call];
    return { result, named: fired ? told : [], failedAt: '' };
  }

  async #failFile({ nth, fault }: Case, task: Task): Promise<Failed> {
    const running = this.files.during(() => this.#run(task, limitsFor(fault)), { nth, fault: fault as FileFault });
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
    const recovered = await this.#run('recover', impatient);
    await this.files.release();
    const outcome = late.isTooLong || [result, recovered].some(isUntyped) ? 'untyped' : result.outcome;
    const told = `${result.told}, recover: ${recovered.outcome} ${recovered.told}`;
    return { result: { outcome, told }, named: failed === '' ? [] : ['has not returned'], failedAt };
  }

  /** The process of the work dies in the call. */
  async #die({ call, nth, fault }: Case, task: Task): Promise<Failed> {
    if (call === 'file') {
      const result = await this.#runApart(task, patient, { DEATH_AT: String(nth) });
      return { result, named: [], failedAt: '' };
    }
    await this.domino.simulation.fault(`${call}:${nth}=${fault === 'die' ? 'die' : 'die,after'}`);
    return { result: await this.#runApart(task), named: [], failedAt: '' };
  }

  /** A call to the system fails below Node.js and the addon, in a process of its own. */
  async #failSystem({ nth, fault }: Case, task: Task): Promise<Failed> {
    const log = join(this.domino.home, 'failed-call');
    rmSync(log, { force: true });
    const number = errnoNames.includes(fault as ErrnoName) ? String(constants.errno[fault as ErrnoName]) : fault;
    const env = { ...this.#preload(), FAIL_NTH: String(nth), FAIL_ERRNO: number, FAIL_LOG: log };
    const result = await this.#runApart(task, fault === 'hang' ? shortOnTime : patient, env);
    const failed = existsSync(log) ? readFileSync(log, 'utf8') : '';
    // Of the call that clones a database, only the database is known; of that of the probe, that it was refused.
    const refused = failed.startsWith('ioctl') ? ['ERR_CLONE_REFUSED'] : [];
    const named = fault === 'hang' ? ['return', 'gave up', 'ERR_DATABASE_BUDGET'] : [fault, ...refused];
    return { result, named: failed === '' ? [] : named, failedAt: ` (${failed})` };
  }

  #preload(): Record<string, string> {
    return { LD_PRELOAD: this.library, FAIL_PATH: this.domino.shadowDirectory };
  }

  /** Something for a recovery. */
  async #prepare(work: Work): Promise<void> {
    const { before } = describedWork(work);
    if (!before) return;
    const { task, fault } = before;
    const isDead = fault.endsWith('die');
    let attempts = 0;
    let outcome: string;
    do {
      await this.domino.simulation.fault(fault);
      ({ outcome } = isDead ? await this.#runApart(task) : await this.#run(task));
      await this.domino.simulation.clearFaults();
      // The server may have written nothing in the window all the same.
    } while (isDead && outcome !== 'died' && ++attempts < 20);
    if (isDead && outcome !== 'died') throw new Error(`${task} does not make the call of ${fault}`);
  }

  /** Every backup has its own copies. */
  #place(): Place {
    return { ...this.base, copies: join(this.domino.home, 'copies', String(++this.#copies)) };
  }

  #run(task: Task, limits = patient): Promise<Result> {
    return doWork(task, this.#place(), limits);
  }

  #runApart(task: Task, limits = patient, env: Readonly<Record<string, string>> = {}): Promise<Result> {
    const order = { task, place: this.#place(), limits };
    return workInProcess(this.domino, order, env, longestRemovalMs);
  }

  /** Hanging calls return; a recovery finds and cleans up the rest; nothing is left, and the next backup works. */
  async #putRight(hasDied = false): Promise<string[]> {
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
    for (const path of this.#leftFiles(hasDied)) {
      violations.push(`left: ${path}`);
      // Otherwise all following cases would find it again.
      if (dirname(path) === this.domino.shadowDirectory) this.#removeShadow(basename(path));
      else rmSync(path, { recursive: true, force: true });
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

  /** Only a backup that died after it was finished may keep the shadow that it was about to remove. */
  #leftFiles(hasDied: boolean): string[] {
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
      const mayStay = this.base.backup.endsWith(id) || (hasDied && isFinished(id));
      if (!mayStay) left.push(join(shadowDirectory, id));
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
      if (!name.startsWith('.') && directory !== this.base.backup) rmSync(directory, { recursive: true, force: true });
    }
    rmSync(join(home, 'copies'), { recursive: true, force: true });
    for (const name of existsSync(shadowDirectory) ? readdirSync(shadowDirectory) : []) {
      if (!this.base.backup.endsWith(name)) this.#removeShadow(name);
    }
  }

  #removeShadow(name: string): void {
    const directory = join(this.domino.shadowDirectory, name);
    if (!existsSync(directory)) return;
    // Read-only.
    const snapshots = this.base.provider === 'btrfs' ? readdirSync(directory) : [];
    for (const one of snapshots) execFileSync('btrfs', ['-q', 'subvolume', 'delete', join(directory, one)]);
    rmSync(directory, { recursive: true, force: true });
  }
}

function numbered(what: Pick<Case, 'work' | 'call'>, count: number, faults: readonly string[]): Case[] {
  const numbers = Array.from({ length: count }, (_item, index) => index + 1);
  return numbers.flatMap((nth) => faults.map((fault) => ({ ...what, nth, fault })));
}
