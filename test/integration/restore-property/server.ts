import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateOptions, Server, Verdict } from 'domino-vss-simulator';
import { SimulatedDomino } from '../simulated-domino';
import { databasesOfCase } from './operations';
import { WorkloadLog } from './workload-log';

export type LogStyle = 'circular' | 'linear' | 'archive';

/** Small ones, so that a log of a few hundred transactions has been archived, or written over. */
const logSettings = { SIM_LOG_EXTENT_BYTES: 4096, SIM_LOG_EXTENTS: 5 };
/** Transactions that fill an extent, with some to spare. */
const transactionsOfExtent = 32;

interface CaseServerOptions {
  readonly style: LogStyle;
  readonly seed: number;
  /** How many can be tried at least. */
  readonly cases: number;
  /** Where its directory is made. */
  readonly parent: string;
}

/** A server that many cases are tried on, each with databases of its own. */
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

  /** Users who write when they are told to. */
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

  /** Databases that no case has had; the last one is not logged. Undefined when there are none any more. */
  nextDatabases(): { readonly number: number; readonly paths: readonly string[] } | undefined {
    const number = this.#cases;
    // The first one is for what others write.
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

  /** Others write to their databases until the log has grown by so many extents. */
  async fillLog(extents: number): Promise<void> {
    await this.users.run(this.logged[0] ?? '', extents * transactionsOfExtent);
  }

  /** What the files are; undefined for those that are no databases any more. */
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
