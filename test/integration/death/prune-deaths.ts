import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { verifyBackup } from '#lib/index';
import { locationFlags, mainScript, run, RunningProcess, type Ended } from '../command-line';
import { SimulatedDomino } from '../simulated-domino';

/** The result of killing a prune. */
export interface PruneDeaths {
  readonly deaths: number;
  /** Deaths after which the backup is whole, and those after which nothing of it is left. */
  readonly whole: number;
  readonly gone: number;
  /** Each with the death and the violation. */
  readonly violations: readonly string[];
}

/**
 * Kills a prune at operations on the file system, before and after each, and lets a second prune or a recover clean up.
 * Afterwards the backup to be removed is whole or gone, and the one to be kept is intact.
 */
export async function killPrunes(isChosen: (operation: number) => boolean): Promise<PruneDeaths> {
  await using domino = await SimulatedDomino.create({ databases: 4, pages: [4, 8], plainNames: true });
  const place = await Place.create(domino);
  const operations = await place.count();
  const violations: string[] = [];
  let [deaths, whole, gone] = [0, 0, 0];
  for (let operation = 1; operation <= operations; operation += 1) {
    if (!isChosen(operation)) continue;
    for (const after of [false, true]) {
      const { killed, state, wrong } = await place.kill(operation, after);
      if (killed) deaths += 1;
      if (state === 'whole') whole += 1;
      if (state === 'gone') gone += 1;
      violations.push(...wrong.map((what) => `${after ? 'after' : 'before'} operation ${operation}: ${what}`));
    }
  }
  return { deaths, whole, gone, violations };
}

/** Two backups with copies and kept shadows, of which the older is removed; recreated for each death. */
class Place {
  #round = 0;

  private constructor(
    private readonly domino: SimulatedDomino,
    private readonly old: string,
    private readonly recent: string,
  ) {}

  static async create(domino: SimulatedDomino): Promise<Place> {
    const { home, deltaDirectory, shadowDirectory } = domino;
    const ids: string[] = [];
    for (const name of ['old', 'recent']) {
      const to = ['--to', join(home, 'copies', name), '--keep', '--shadow-dir', shadowDirectory];
      const made = await run([
        'backup',
        'run',
        ...[...locationFlags(domino), '--delta-dir', deltaDirectory, '--json', '--provider', 'rolling'],
        ...to,
      ]);
      if (made.code !== 0) throw new Error(`no backup to remove: ${made.stderr}${made.stdout}`);
      ids.push(basename((JSON.parse(made.stdout) as { directory: string }).directory));
    }
    const [old = '', recent = ''] = ids;
    const place = new Place(domino, old, recent);
    for (const [from, to] of place.#directories()) cpSync(from, to, { recursive: true });
    return place;
  }

  #directories(): [string, string][] {
    const { home, deltaDirectory, shadowDirectory } = this.domino;
    return [deltaDirectory, shadowDirectory, join(home, 'copies')].map((path) => [path, `${path}-as-it-was`]);
  }

  #makeAnew(): void {
    for (const [to, from] of this.#directories()) {
      rmSync(to, { recursive: true, force: true });
      cpSync(from, to, { recursive: true });
    }
  }

  #prune(env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return runItself(['backup', 'prune', '--delta-dir', this.domino.deltaDirectory, '--keep-last', '1', '--json'], env);
  }

  async count(): Promise<number> {
    const file = join(this.domino.home, 'operations');
    const ended = await this.#prune({ DEATH_COUNT: file });
    if (ended.code !== 0) throw new Error(`prune fails by itself: ${ended.stderr}${ended.stdout}`);
    return Number(readFileSync(file, 'utf8'));
  }

  async kill(
    operation: number,
    after: boolean,
  ): Promise<{
    readonly killed: boolean;
    readonly state: 'whole' | 'gone' | 'half';
    readonly wrong: readonly string[];
  }> {
    this.#makeAnew();
    const { signal } = await this.#prune({ DEATH_AT: String(operation), ...(after && { DEATH_AFTER: '1' }) });
    const wrong: string[] = [];
    // Recover and prune take turns in cleaning up.
    this.#round += 1;
    const byRecover = this.#round % 2 === 0;
    const common = [...locationFlags(this.domino), '--delta-dir', this.domino.deltaDirectory, '--json'];
    const ended = byRecover ? await run(['recover', ...common]) : await this.#prune();
    if (ended.code !== 0) wrong.push(`cleaning up ends with ${ended.code}: ${ended.stdout}${ended.stderr}`);
    const { deltaDirectory } = this.domino;
    const journals = readdirSync(join(deltaDirectory, '.journal'));
    if (journals.length > 0) wrong.push(`journals are left: ${journals.join(', ')}`);
    const { outcome } = await verifyBackup({ manifest: join(deltaDirectory, this.recent) });
    if (outcome !== 'intact') wrong.push(`the backup that stays is ${outcome}`);
    const state = await this.#stateOfOld();
    if (state === 'half' || (!byRecover && state !== 'gone')) wrong.push(`the backup that goes is ${state}`);
    return { killed: signal === 'SIGKILL', state, wrong };
  }

  async #stateOfOld(): Promise<'whole' | 'gone' | 'half'> {
    const { home, deltaDirectory, shadowDirectory } = this.domino;
    const directory = join(deltaDirectory, this.old);
    const parts = [directory, join(home, 'copies', 'old', this.old), join(shadowDirectory, this.old)];
    if (!parts.some((part) => existsSync(part))) return 'gone';
    const report = await verifyBackup({ manifest: directory }).catch(() => undefined);
    return report?.outcome === 'intact' ? 'whole' : 'half';
  }
}

/** The killed process does the work itself, not a child of it. */
function runItself(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const dying = ['--require', join(__dirname, 'dying.js')];
  return new RunningProcess(process.execPath, [...dying, mainScript, ...args], { env, isWatchedHere: true }).ended;
}
