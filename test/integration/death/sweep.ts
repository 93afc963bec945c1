import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { readManifest, type ManifestDatabase } from '#lib/index';
import { locationFlags, mainScript, RunningProcess, type Ended } from '../command-line';
import { SimulatedDomino } from '../simulated-domino';
import { heldDatabases, unusableDatabases } from '../whole-server';

/** Kinds of work that are killed. `recover` is killed while it cleans up after another kind of work that was killed. */
export const works = [
  'backup',
  'backup-copies',
  'restore-online',
  'restore-offline',
  'restore-new',
  'recover',
] as const;
export type Work = (typeof works)[number];

/** Where a process is killed: at an operation on the file system, or some time after its start. */
export type Death =
  | { readonly at: 'operation'; readonly number: number; readonly after: boolean }
  | { readonly at: 'time'; readonly ms: number }
  | { readonly at: 'call'; readonly call: string; readonly after: boolean };

/** Violations after a death and the recovery; the claim is that there are none. */
export type Violation = string;

/** Calls of the C API in which processes are killed. */
const calls: Readonly<Record<Exclude<Work, 'recover'>, readonly string[]>> = {
  backup: ['NSFDbOpen:3', 'NSFBackupStart:2', 'NSFBackupStop:2', 'NSFBackupGetNextChangeInfo', 'NSFBackupEnd:2'],
  'backup-copies': [
    'NSFBackupStart:4',
    'NSFBackupEnd:4',
    'NSFBackupApplyNextChangeInfo',
    'NSFBackupEndApplyChangeInfo',
  ],
  'restore-online': [
    'NSFTakeDatabaseOffline',
    'NSFTakeDatabaseOffline:2',
    'NSFRecoverDatabases',
    'NSFBringDatabaseOnline',
    'NSFBringDatabaseOnline:2',
  ],
  'restore-offline': ['NSFRecoverDatabases'],
  'restore-new': ['NSFRecoverDatabases'],
};

/** A simulated server with a backup, whose processes are killed again and again. */
export class DeathSweep implements AsyncDisposable {
  #crashed = 0;
  #decided = 0;
  #newDatabases = 0;

  private constructor(
    private readonly domino: SimulatedDomino,
    private readonly server: Server,
    private readonly backup: string,
    private readonly databases: readonly ManifestDatabase[],
  ) {}

  static async create(): Promise<DeathSweep> {
    const domino = await SimulatedDomino.create({ databases: 6, pages: [4, 16], unloggedShare: 0.4, plainNames: true });
    writeFileSync(join(domino.simulation.dataDirectory, 'server.id'), 'a key');
    const server = await domino.serve({ threads: 1, transactionsPerSecond: 300 });
    const sweepless = new DeathSweep(domino, server, '', []);
    const made = await sweepless.#run([...sweepless.#command('backup'), '--to', join(domino.home, 'copies')]);
    if (made.code !== 0) throw new Error(`no backup to restore from: ${made.stderr}${made.stdout}`);
    const { directory } = JSON.parse(made.stdout) as { directory: string };
    const databases: ManifestDatabase[] = [];
    for await (const database of (await readManifest(directory)).databases()) databases.push(database);
    return new DeathSweep(domino, server, directory, databases);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.domino[Symbol.asyncDispose]();
  }

  /** The number of operations in a piece of work, and its duration. */
  async measure(work: Work): Promise<{ readonly operations: number; readonly ms: number }> {
    const count = join(this.domino.home, 'operations');
    if (work === 'recover')
      await this.#kill('restore-online', { at: 'call', call: 'NSFRecoverDatabases', after: false });
    await this.#makeReady(work);
    const startedAt = performance.now();
    const ended = await this.#run(this.#command(work), { DEATH_COUNT: count });
    await this.server.resume();
    if (ended.code !== 0) throw new Error(`${work} fails by itself: ${ended.stderr}${ended.stdout}`);
    await this.#forget(work);
    return { operations: Number(readFileSync(count, 'utf8')), ms: performance.now() - startedAt };
  }

  static callsOf(work: Work): readonly string[] {
    return work === 'recover' ? [] : calls[work];
  }

  /** One case: a death, its recovery, and what must hold afterwards. */
  async run(work: Work, death: Death, before: Death): Promise<Violation[]> {
    if (work === 'recover') await this.#kill('restore-online', before);
    await this.#kill(work, death);
    return this.#check(work);
  }

  async #check(work: Work): Promise<Violation[]> {
    const violations: Violation[] = [];
    let recovered = await this.#run(this.#command('recover'));
    if (work === 'restore-offline' && recovered.code === 3) {
      // Killed between the recovery and its entry in the journal (docs/limits.md): a person decides about the restored ones.
      this.#decided += 1;
      this.#keepRestored();
      recovered = await this.#run(this.#command('recover'));
    }
    if (recovered.code !== 0) {
      violations.push(`recover ends with ${recovered.code}: ${recovered.stdout}${recovered.stderr}`);
    }
    violations.push(...(await unusableDatabases(this.domino, this.server)));
    violations.push(...this.#leftFiles(work));
    violations.push(...(await heldDatabases(this.domino)));
    const again = await this.#run([...this.#command('recover'), '--dry-run']);
    if (!again.stdout.includes('"nothing"')) violations.push(`a second recover finds: ${again.stdout}${again.stderr}`);
    const next = await this.#run(this.#command('backup'));
    if (next.code !== 0) violations.push(`the next backup ends with ${next.code}: ${next.stdout}${next.stderr}`);
    else if (!next.stdout.includes('"outcome": "complete"')) violations.push('the next backup is not complete');
    await this.#forget(work);
    return violations;
  }

  /** Anything of ours, anywhere, except finished backups. */
  #leftFiles(work: Work): Violation[] {
    const { home, deltaDirectory, simulation } = this.domino;
    const left = (readdirSync(simulation.dataDirectory, { recursive: true }) as string[]).filter((name) =>
      name.includes('domino-vss'),
    );
    const journals = join(deltaDirectory, '.journal');
    if (existsSync(journals)) left.push(...readdirSync(journals).map((name) => join(journals, name)));
    for (const name of readdirSync(deltaDirectory)) {
      const isBackup = existsSync(join(deltaDirectory, name, 'manifest.json'));
      if (!name.startsWith('.') && !isBackup) left.push(join(deltaDirectory, name));
    }
    // A backup that was finished before the death keeps its copies and shadows.
    for (const place of [join(home, 'swept'), this.domino.shadowDirectory]) {
      for (const id of existsSync(place) ? readdirSync(place) : []) {
        if (!existsSync(join(deltaDirectory, id, 'manifest.json'))) left.push(join(place, id));
      }
    }
    return left.map((name) => `left after ${work}: ${name}`);
  }

  /** Removes finished backups and new databases, which need space. */
  async #forget(work: Work): Promise<void> {
    const { deltaDirectory, home, simulation } = this.domino;
    for (const name of existsSync(deltaDirectory) ? readdirSync(deltaDirectory) : []) {
      const directory = join(deltaDirectory, name);
      if (!name.startsWith('.') && directory !== this.backup) rmSync(directory, { recursive: true, force: true });
    }
    for (const place of [join(home, 'swept'), this.domino.shadowDirectory]) {
      rmSync(place, { recursive: true, force: true });
    }
    if (work === 'restore-new') rmSync(join(simulation.dataDirectory, 'restored'), { recursive: true, force: true });
    await Promise.resolve();
  }

  #command(work: Work): string[] {
    const common = [...locationFlags(this.domino), '--delta-dir', this.domino.deltaDirectory, '--json'];
    const shadows = ['--shadow-dir', this.domino.shadowDirectory];
    switch (work) {
      case 'backup':
        return ['backup', 'run', ...common, ...shadows, '--keep'];
      case 'backup-copies':
        return ['backup', 'run', ...common, ...shadows, '--to', join(this.domino.home, 'swept'), '--server-files'];
      case 'recover':
        return ['recover', ...common];
      default:
        return ['restore', this.backup, ...this.#chosen(), ...restoreFlags(work, ++this.#newDatabases), ...common];
    }
  }

  /** A logged and an unlogged database. */
  #chosen(): string[] {
    const mail = this.databases.filter(({ path }) => path.startsWith('mail/'));
    return [mail.find(({ logged }) => logged), mail.find(({ logged }) => !logged)].flatMap((one) => one?.path ?? []);
  }

  /** Nobody uses the databases of a stopped server until they have been cleaned up. */
  async #makeReady(work: Work): Promise<void> {
    if (work === 'restore-offline') await this.server.pause();
  }

  async #kill(work: Work, death: Death): Promise<void> {
    await this.#makeReady(work);
    const env: Record<string, string> = {};
    if (death.at === 'operation') {
      env['DEATH_AT'] = String(death.number);
      if (death.after) env['DEATH_AFTER'] = '1';
    }
    if (death.at === 'call') await this.domino.simulation.fault(`${death.call}=die${death.after ? ',after' : ''}`);
    const running = this.#start(this.#command(work), env);
    const timer = death.at === 'time' ? setTimeout(() => running.child.kill('SIGKILL'), death.ms) : undefined;
    const { signal, code } = await running.ended;
    clearTimeout(timer);
    if (death.at === 'call') await this.domino.simulation.clearFaults();
    // The stand-in ends the process at once with this code, as a crash in the runtime would.
    if (signal !== null || code === 137) this.#crashed += 1;
  }

  /** As `recover` advises: removes the original, but only if there is a database at its place. */
  #keepRestored(): void {
    const { dataDirectory } = this.domino.simulation;
    const suffix = '.domino-vss-original';
    for (const name of readdirSync(dataDirectory, { recursive: true }) as string[]) {
      const original = join(dataDirectory, name);
      if (name.endsWith(suffix) && existsSync(original.slice(0, -suffix.length))) rmSync(original);
    }
  }

  /** How often a person has to decide. */
  get decided(): number {
    return this.#decided;
  }

  get crashed(): number {
    return this.#crashed;
  }

  #run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return this.#start(args, env).ended;
  }

  /** The killed process does the work itself, not a child of it. */
  #start(args: readonly string[], env: Record<string, string>): RunningProcess {
    return new RunningProcess(process.execPath, ['--require', join(__dirname, 'dying.js'), mainScript, ...args], {
      env: { ...this.domino.simulation.environment, SIM_ALLOW_ROOT: '1', ...env },
      isWatchedHere: true,
    });
  }
}

function restoreFlags(work: Work, number: number): string[] {
  if (work === 'restore-offline') return ['--offline'];
  return work === 'restore-new' ? ['--as', `restored/${number}`] : ['--online'];
}
