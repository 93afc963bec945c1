import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { restoreDatabases, type BackupReport } from '#lib/index';
import { locationFlags, run, type Ended, type ProcessOptions } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { memoryDirectory } from '../platform';

const load = { threads: 2, transactionsPerSecond: 400 } as const;

/** Wine cannot flush a volume. */
export const flushesVolumes = process.platform === 'win32';

/**
 * Says where the state directory is. On Windows the first place to look is `ProgramData`, where the stand-in for Domino has its
 * shared memory, so that must be the same for all processes.
 */
export const stateVariable = process.platform === 'win32' ? 'ALLUSERSPROFILE' : 'ProgramData';

/** What the tests look at in the record of a hold. */
export interface RecordedHold {
  readonly id: string;
  readonly channel: string;
  readonly holder: { readonly pid: number };
}

/** A simulated Domino whose server is writing, holds of it, and snapshots by another program. */
export class HeldDomino implements AsyncDisposable {
  private constructor(
    readonly simulated: SimulatedDomino,
    private server: Server,
  ) {}

  static async create(): Promise<HeldDomino> {
    const simulated = await SimulatedDomino.create({ databases: 12, plainNames: true }, memoryDirectory);
    // So that the server writes to databases in backup mode on the fastest machine, too.
    await simulated.simulation.set({ SIM_LATENCY_NSFBackupStop_US: 20_000 });
    mkdirSync(join(simulated.home, 'state'), { mode: 0o700 });
    return new HeldDomino(simulated, await simulated.serve(load));
  }

  get deltaDirectory(): string {
    return this.simulated.deltaDirectory;
  }

  get location(): SimulatedDomino['location'] {
    return this.simulated.location;
  }

  /** Every holder has a state directory of this test. */
  get surroundings(): ProcessOptions {
    const state = join(this.simulated.home, 'state');
    return { cwd: this.simulated.home, env: { [stateVariable]: state, SIM_ALLOW_ROOT: '1' } };
  }

  /** Where the records of holds are. */
  get holds(): string {
    return join(this.simulated.home, 'state', 'domino-vss', 'holds');
  }

  /** The record of the only hold. */
  record(): RecordedHold {
    const [name = ''] = readdirSync(this.holds).filter((file) => file.endsWith('.json'));
    return JSON.parse(readFileSync(join(this.holds, name), 'utf8')) as RecordedHold;
  }

  /** `domino-vss` to its end. */
  call(...args: readonly string[]): Promise<Ended> {
    return run(args, this.surroundings);
  }

  /** What `hold` and `freeze` have to be told. */
  get holdFlags(): string[] {
    const flush = flushesVolumes ? ['--flushes-volumes'] : [];
    return ['--delta-dir', this.deltaDirectory, ...locationFlags(this.simulated), ...flush];
  }

  freeze(...more: readonly string[]): Promise<Ended> {
    return this.call('hold', ...this.holdFlags, ...more);
  }

  async isHeld(): Promise<boolean> {
    return (await this.simulated.simulation.stats()).inBackup.length > 0;
  }

  /** What a hypervisor would do with the whole disk. The answer stands for the top of this volume. */
  snapshot(volume: string): string {
    const { dataDirectory } = this.simulated.simulation;
    const root = join(this.simulated.home, 'snapshot');
    cpSync(dataDirectory, join(root, dataDirectory.slice(volume.length)), { recursive: true });
    return root;
  }

  /** Restores everything from a snapshot, checks every database and removes the snapshot. */
  async expectRestorable({ directory }: Pick<BackupReport, 'directory'>, volume: string, root: string): Promise<void> {
    await this.server.stop();
    const restored = await restoreDatabases({
      manifest: directory,
      domino: this.location,
      mode: { type: 'offline' },
      shadowRoots: [{ volume, root }],
    });
    expect(restored.outcome).toBe('complete');
    const files = restored.databases.flatMap((database) => (database.result === 'restored' ? [database.file] : []));
    expect(files.length).toBeGreaterThan(8);
    const verdicts = await this.simulated.simulation.verify(files);
    expect(verdicts.filter(({ verdict }) => verdict !== 'consistent')).toEqual([]);
    rmSync(root, { recursive: true });
    this.server = await this.simulated.serve(load);
  }

  expectQuiet(): Promise<void> {
    return this.simulated.expectQuiet();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.simulated[Symbol.asyncDispose]();
  }
}
