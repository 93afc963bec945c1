import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateOptions, Server, Verdict } from 'domino-vss-simulator';
import { SimulatedDomino } from '../simulated-domino';
import { databasesOfCase } from './operations';
import { WorkloadLog } from './workload-log';

export type LogStyle = 'circular' | 'linear' | 'archive';

/** Small, so that a log of a few hundred transactions is already archived or overwritten. */
const logSettings = { SIM_LOG_EXTENT_BYTES: 4096, SIM_LOG_EXTENTS: 5 };
/** Slightly more transactions than fill an extent. */
const transactionsOfExtent = 32;

interface CaseServerOptions {
  readonly style: LogStyle;
  readonly seed: number;
  /** Smallest number of cases that can be tried. */
  readonly cases: number;
  /** Directory in which its directory is created. */
  readonly parent: string;
}

/** A server for many cases, each with its own databases. */
export class CaseServer implements AsyncDisposable {
  #server: Server | undefined;
  #cases = 0;
  readonly workload: WorkloadLog;

  private constructor(
    readonly domino: SimulatedDomino,
    readonly style: LogStyle,
    readonly seed: number,
    private readonly logged: readonly string[],
    private readonly unlogged: readonly string[],
  ) {
    this.workload = new WorkloadLog(domino.simulation.logDirectory);
  }

  static async create({ style, seed, cases, parent }: CaseServerOptions): Promise<CaseServer> {
    const options: Partial<CreateOptions> = {
      databases: databasesOfCase * cases + 10,
      pages: [3, 8],
      plainNames: true,
      unloggedShare: 0.3,
      log: style,
      seed,
      settings: logSettings,
    };
    const domino = await SimulatedDomino.create(options, parent);
    const { simulation } = domino;
    const paths = simulation.databases().filter((path) => path.includes('/'));
    const verdicts = await simulation.verify(paths.map((path) => join(simulation.dataDirectory, path)));
    const are = (isLogged: boolean): string[] => paths.filter((_path, index) => verdicts[index]?.isLogged === isLogged);
    const created = new CaseServer(domino, style, seed, are(true), are(false));
    await created.start();
    return created;
  }

  /** Users who write on command. */
  get users(): Server {
    if (!this.#server) throw new Error('the server is down');
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await this.domino.serve({ paused: true, seed: this.seed + this.#cases });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Databases that no case has used; the last one is not logged. Undefined if there are none left. */
  nextDatabases(): { readonly number: number; readonly paths: readonly string[] } | undefined {
    const number = this.#cases;
    // The first one is for the transactions of others.
    const first = 1 + number * (databasesOfCase - 1);
    const logged = this.logged.slice(first, first + databasesOfCase - 1);
    const paths = [...logged, ...this.unlogged.slice(number, number + 1)];
    if (paths.length < databasesOfCase) return undefined;
    this.#cases += 1;
    return { number, paths };
  }

  inData(path: string): string {
    return join(this.domino.simulation.dataDirectory, path);
  }

  /** Others write to their databases until the log has grown by this many extents. */
  async fillLog(extents: number): Promise<void> {
    await this.users.run(this.logged[0] ?? '', extents * transactionsOfExtent);
  }

  /** The states of the files; undefined for those that are no longer databases. */
  async examine(files: readonly string[]): Promise<(Verdict | undefined)[]> {
    const present = files.filter((file) => existsSync(file));
    const verdicts = await this.domino.simulation.verify(present);
    const byFile = new Map(present.map((file, index) => [file, verdicts[index]]));
    return files.map((file) => {
      const verdict = byFile.get(file);
      return verdict?.verdict === 'unreadable' ? undefined : verdict;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.domino[Symbol.asyncDispose]();
  }
}
