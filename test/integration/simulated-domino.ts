import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSimulation,
  type CreateOptions,
  type Server,
  type ServeOptions,
  type Simulation,
} from 'domino-vss-simulator';
import type { DominoLocation } from '#lib/index';

/**
 * A simulated Domino for one test file, and a place for its backups. There is one per process, like the runtime. Why a whole
 * library and no mocks: docs/decisions/stand-ins-at-the-library-boundary.md
 */
export class SimulatedDomino implements AsyncDisposable {
  readonly location: DominoLocation;

  private constructor(
    readonly home: string,
    readonly simulation: Simulation,
  ) {
    this.location = { programDirectory: simulation.programDirectory, notesIni: simulation.notesIni };
  }

  /** `parent` determines the file system; everything is in a new directory below it. */
  static async create(options: Partial<CreateOptions> = {}, parent = tmpdir()): Promise<SimulatedDomino> {
    const home = mkdtempSync(join(parent, 'domino-vss-test-'));
    const simulation = await createSimulation({
      directory: join(home, 'domino'),
      databases: 20,
      seed: 20261123,
      ...options,
    });
    return new SimulatedDomino(home, simulation);
  }

  get deltaDirectory(): string {
    return join(this.home, 'backup');
  }

  /** Directory of the providers' shadows, on the file system of the databases. */
  get shadowDirectory(): string {
    return join(this.home, 'shadow');
  }

  serve(options?: ServeOptions): Promise<Server> {
    return this.simulation.serve(options);
  }

  /**
   * What must hold after every failure: nothing is in backup mode, no handle is open, and no process has ended without NotesTerm,
   * except the known ones.
   */
  async expectQuiet(crashedParticipants = 0): Promise<void> {
    const { inBackup, accounting } = await this.simulation.stats();
    expect(inBackup).toEqual([]);
    expect(accounting).toMatchObject({
      crashedParticipants,
      leakedBackupContexts: 0,
      leakedApplyContexts: 0,
      leakedDatabaseHandles: 0,
      callsWithoutInitThread: 0,
      foreignThreadHandles: 0,
      unknownHandles: 0,
      backupsEndedUndrained: 0,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulation.destroy();
    rmSync(this.home, { recursive: true, force: true });
  }
}
